//! `tstable_bucket`: the start of the bucket that a value lies in, on the grid that tables use.

use arrow::{
    array::{Array, ArrayRef, AsArray},
    compute::concat,
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

    fn overloads(&self) -> Vec<(Vec<ColumnType>, ColumnType)> {
        let two = INDEX_TYPES.iter().map(|ty| (vec![ty.clone(), ColumnType::Varchar], ty.clone()));
        let three =
            INDEX_TYPES.iter().map(|ty| (vec![ty.clone(), ColumnType::Varchar, ColumnType::Varchar], ty.clone()));
        two.chain(three).collect()
    }

    fn call(&self, overload: usize, arguments: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let ty = INDEX_TYPES.get(overload % INDEX_TYPES.len()).ok_or_else(unknown)?;
        let values = arguments.first().ok_or_else(unknown)?;
        // One grid serves a run of rows with the same width and zone; in nearly every call that is all of them.
        let mut parts: Vec<ArrayRef> = Vec::new();
        let mut from = 0;
        while from < rows {
            let text = |at: usize, row: usize| arguments.get(at).and_then(|array| text_at(array, row));
            let (width, zone) = (text(1, from), text(2, from));
            let same = |row: &usize| text(1, *row) == width && text(2, *row) == zone;
            let count = (from..rows).take_while(same).count();
            let slice = values.slice(from, count);
            let no_zone = arguments.len() > 2 && zone.is_none();
            parts.push(match width {
                Some(width) if !no_zone => bucket_starts(&slice, &grid(&width, ty, zone.as_deref())?, ty)?,
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

fn text_at(array: &ArrayRef, row: usize) -> Option<String> {
    let texts = array.as_string_opt::<i32>()?;
    (row < texts.len() && !texts.is_null(row)).then(|| texts.value(row).to_owned())
}

fn grid(width: &str, ty: &ColumnType, zone: Option<&str>) -> Result<Grid> {
    Grid::new(&BucketWidth::parse(width)?, ty, zone, None)
}

fn unknown() -> Error {
    Error::invalid_argument("tstable_bucket takes a value, a width and perhaps a time zone")
}
