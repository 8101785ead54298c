//! Reading widths and lengths of time from arguments, and showing arguments in messages. Instants are read in
//! [`super::instant`].

use tstable_core::{
    Error, Result,
    coverage::uuid_text,
    prune::expr::Constant,
    schema::ColumnType,
    time::{BucketWidth, IndexValue},
};

use crate::host::Arg;

const NANOS_PER_DAY: i128 = 86_400 * 1_000_000_000;
/// No month is shorter, so what is bounded by this many days is never longer than a month.
const DAYS_PER_MONTH: i128 = 28;

/// Nanoseconds in one unit of a time index.
pub(crate) fn unit_nanos(index: &ColumnType) -> i128 {
    index.unit_nanos().unwrap_or(1)
}

/// The argument as a person would write it.
pub(crate) fn show(arg: &Arg) -> String {
    match arg {
        Arg::Scalar(Constant::Null) => "NULL".to_owned(),
        Arg::Scalar(Constant::Text(text)) => format!("'{}'", text.replace('\'', "''")),
        Arg::Scalar(Constant::Int(value)) => value.to_string(),
        Arg::Scalar(Constant::Bool(value)) => value.to_string(),
        Arg::Scalar(Constant::Float(value)) => value.to_string(),
        Arg::Scalar(Constant::Uuid(value)) => format!("UUID '{}'", uuid_text(*value)),
        Arg::Scalar(Constant::Temporal(ty, value)) => {
            format!("{ty} '{}'", tstable_core::time::format_value(IndexValue(i128::from(*value)), ty))
        }
        Arg::Scalar(Constant::Interval { months, days, micros }) => {
            format!("INTERVAL '{months} months {days} days {micros} us'")
        }
        Arg::Scalar(_) => "the value".to_owned(),
        Arg::List(_) => "a list".to_owned(),
        Arg::Struct(_) => "a struct".to_owned(),
        Arg::Map(_) => "a map".to_owned(),
        Arg::Other(ty, value) => format!("{ty} {value}"),
    }
}

/// A positive length of time, or of integers, in units of the index; a month counts as 28 days.
pub(crate) fn max_units(name: &str, arg: &Arg, index: &ColumnType) -> Result<i128> {
    let unfit = || {
        let expected = match index {
            ty if ty.is_integer() => "a positive number, as in 10000",
            _ => "a positive INTERVAL, as in INTERVAL 7 DAY",
        };
        Error::invalid_argument(format!("{name} := {} is not {expected}", show(arg)))
    };
    let units = match (arg, index) {
        (Arg::Scalar(Constant::Int(count)), ty) if ty.is_integer() => *count,
        (_, ty) if ty.is_integer() => return Err(unfit()),
        (Arg::Scalar(Constant::Interval { months, days, micros }), _) => {
            let days = i128::from(*months) * DAYS_PER_MONTH + i128::from(*days);
            (days * NANOS_PER_DAY + i128::from(*micros) * 1_000) / unit_nanos(index)
        }
        _ => return Err(unfit()),
    };
    if units > 0 { Ok(units) } else { Err(unfit()) }
}

/// A width as a text like `'1h'` or `'1 month'`, as an INTERVAL of a single unit or, for an integer index, as a number.
pub(crate) fn width(name: &str, arg: &Arg) -> Result<BucketWidth> {
    let width = match arg {
        Arg::Scalar(Constant::Text(text)) => BucketWidth::parse(text),
        Arg::Scalar(Constant::Int(count)) => BucketWidth::parse(&count.to_string()),
        Arg::Scalar(Constant::Interval { months, days, micros }) => BucketWidth::of_interval(*months, *days, *micros),
        other => Err(Error::invalid_argument(format!("{} is not a width; write it like '1h'", show(other)))),
    };
    width.map_err(|e| Error::invalid_argument(format!("{name} := {}: {}", show(arg), e.message())))
}

#[cfg(test)]
#[path = "literal_tests.rs"]
mod tests;
