//! `tstable_bucket`: the start of the bucket that a value lies in, on the grid that tables use.

use arrow::{
    array::{Array, ArrayRef, AsArray},
    compute::concat,
    datatypes::{IntervalMonthDayNano, IntervalMonthDayNanoType},
};
use tstable_core::{
    Error, Result,
    schema::{ColumnType, TimeUnit},
    table::bucket_starts::bucket_starts,
    time::{BucketWidth, Grid},
};

use crate::host::ScalarFunction;

pub(crate) struct Bucket;

const INDEX_TYPES: [ColumnType; 7] = [
    ColumnType::Timestamp(TimeUnit::Us),
    ColumnType::TimestampTz(TimeUnit::Us),
    ColumnType::Date,
    ColumnType::Timestamp(TimeUnit::S),
    ColumnType::Timestamp(TimeUnit::Ns),
    ColumnType::BigInt,
    ColumnType::UBigInt,
];

impl ScalarFunction for Bucket {
    fn name(&self) -> &'static str {
        "tstable_bucket"
    }

    fn description(&self) -> &'static str {
        "The start of the bucket that a value lies in: never after the value, and before the next bucket's."
    }

    /// Widths as text and as INTERVAL, each without and with a time zone; the types of values are the innermost.
    fn overloads(&self) -> Vec<(Vec<ColumnType>, ColumnType)> {
        let mut overloads = Vec::new();
        for zone in [None, Some(ColumnType::Varchar)] {
            for width in [ColumnType::Varchar, ColumnType::Interval] {
                overloads.extend(INDEX_TYPES.iter().map(|ty| {
                    let parameters = [ty.clone(), width.clone()].into_iter().chain(zone.clone()).collect();
                    (parameters, ty.clone())
                }));
            }
        }
        overloads
    }

    fn call(&self, overload: usize, arguments: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let ty = INDEX_TYPES.get(overload % INDEX_TYPES.len()).ok_or_else(unknown)?;
        let values = arguments.first().ok_or_else(unknown)?;
        // One grid serves a run of rows with the same width and zone; in nearly every call that is all of them.
        let mut parts: Vec<ArrayRef> = Vec::new();
        let mut from = 0;
        while from < rows {
            let (width, zone) = (width_at(arguments, from), text_at(arguments, 2, from));
            let same = |row: &usize| width_at(arguments, *row) == width && text_at(arguments, 2, *row) == zone;
            let count = (from..rows).take_while(same).count();
            let slice = values.slice(from, count);
            let no_zone = arguments.len() > 2 && zone.is_none();
            parts.push(match width {
                Some(width) if !no_zone => {
                    bucket_starts(&slice, &Grid::new(&width.read()?, ty, zone.as_deref(), None)?, ty)?
                }
                _ => arrow::array::new_null_array(values.data_type(), count),
            });
            from += count;
        }
        if parts.is_empty() {
            return Ok(values.slice(0, 0));
        }
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        concat(&parts).map_err(|e| Error::invalid_argument("the buckets cannot be put together").caused_by(e))
    }
}

/// A width as it was given.
#[derive(PartialEq)]
enum Given {
    Text(String),
    Interval(IntervalMonthDayNano),
}

impl Given {
    fn read(&self) -> Result<BucketWidth> {
        match self {
            Self::Text(text) => BucketWidth::parse(text),
            Self::Interval(interval) => {
                BucketWidth::of_interval(interval.months, interval.days, interval.nanoseconds / 1_000)
            }
        }
    }
}

fn width_at(arguments: &[ArrayRef], row: usize) -> Option<Given> {
    let intervals = arguments.get(1)?.as_primitive_opt::<IntervalMonthDayNanoType>();
    match intervals {
        Some(intervals) if row < intervals.len() && !intervals.is_null(row) => {
            Some(Given::Interval(intervals.value(row)))
        }
        Some(_) => None,
        None => text_at(arguments, 1, row).map(Given::Text),
    }
}

fn text_at(arguments: &[ArrayRef], at: usize, row: usize) -> Option<String> {
    let texts = arguments.get(at)?.as_string_opt::<i32>()?;
    (row < texts.len() && !texts.is_null(row)).then(|| texts.value(row).to_owned())
}

fn unknown() -> Error {
    Error::invalid_argument("tstable_bucket takes a value, a width and perhaps a time zone")
}
