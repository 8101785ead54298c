//! Reading instants from arguments: what SQL wrote becomes a value of the index column. Never consults the session's
//! time zone: a text without an offset is UTC, or wall-clock time for columns without zone.

use chrono::{NaiveDate, NaiveTime};
use tstable_core::{
    Error, Result,
    prune::expr::Constant,
    schema::{ColumnType, TimeUnit},
    time::{BucketWidth, IndexValue},
};

use crate::host::Arg;

const NANOS_PER_DAY: i128 = 86_400 * 1_000_000_000;
/// No month is shorter, so what is bounded by so many days is never longer than a month.
const DAYS_PER_MONTH: i128 = 28;

/// The least index value that is not before what the argument `name` says: exact for both ends of a half-open range.
pub(crate) fn index_value(name: &str, arg: &Arg, index: &ColumnType) -> Result<IndexValue> {
    let Arg::Scalar(constant) = arg else { return Err(unfit(name, arg, index)) };
    match index {
        ColumnType::BigInt | ColumnType::UBigInt => integer(name, arg, constant, index),
        _ => {
            let nanos = nanos(constant).ok_or_else(|| unfit(name, arg, index))??;
            let unit = unit_nanos(index);
            Ok(IndexValue(nanos.div_euclid(unit) + i128::from(nanos.rem_euclid(unit) != 0)))
        }
    }
}

/// Nanoseconds in one unit of a time index.
pub(crate) fn unit_nanos(index: &ColumnType) -> i128 {
    match index {
        ColumnType::Date => NANOS_PER_DAY,
        ColumnType::Timestamp(unit) | ColumnType::TimestampTz(unit) => i128::from(unit.nanos()),
        _ => 1,
    }
}

fn integer(name: &str, arg: &Arg, constant: &Constant, index: &ColumnType) -> Result<IndexValue> {
    match constant {
        Constant::Int(value) => Ok(IndexValue(*value)),
        Constant::Text(text) => text.trim().parse().map(IndexValue).map_err(|_| unfit(name, arg, index)),
        _ => Err(unfit(name, arg, index)),
    }
}

/// Nanoseconds since 1970; none when the constant is no time, an error when it is an infinite one.
fn nanos(constant: &Constant) -> Option<Result<i128>> {
    match constant {
        Constant::Temporal(ColumnType::Date, days) if [i64::from(i32::MAX), -i64::from(i32::MAX)].contains(days) => {
            Some(Err(infinite()))
        }
        Constant::Temporal(ColumnType::Date, days) => Some(Ok(i128::from(*days) * NANOS_PER_DAY)),
        Constant::Temporal(
            ColumnType::Timestamp(_) | ColumnType::TimestampTz(_),
            i64::MAX | i64::MIN | -9_223_372_036_854_775_807,
        ) => Some(Err(infinite())),
        Constant::Temporal(ColumnType::Timestamp(unit) | ColumnType::TimestampTz(unit), value) => {
            Some(Ok(i128::from(*value) * i128::from(unit.nanos())))
        }
        Constant::Text(text) => parse_instant(text).map(Ok),
        _ => None,
    }
}

fn infinite() -> Error {
    Error::invalid_argument("a range cannot begin or end at infinity; leave the argument out for an open end")
}

/// Microseconds since 1970 in UTC of an argument that is an instant.
pub(crate) fn instant_micros(name: &str, arg: &Arg) -> Result<i64> {
    let value = index_value(name, arg, &ColumnType::TimestampTz(TimeUnit::Us))?;
    i64::try_from(value.0).map_err(|_| Error::invalid_argument(format!("{name} is out of the range of a TIMESTAMP")))
}

fn unfit(name: &str, arg: &Arg, index: &ColumnType) -> Error {
    let example = match index {
        ColumnType::BigInt | ColumnType::UBigInt => "an integer, as in 1000",
        ColumnType::Date => "a date, as in '2024-01-31'",
        _ => "a date or timestamp, as in '2024-01-31' or '2024-01-31 09:30:00'",
    };
    Error::invalid_argument(format!("{name} := {} does not fit the index of type {index}; give {example}", show(arg)))
}

/// The argument as a person would write it.
pub(crate) fn show(arg: &Arg) -> String {
    match arg {
        Arg::Scalar(Constant::Null) => "NULL".to_owned(),
        Arg::Scalar(Constant::Text(text)) => format!("'{}'", text.replace('\'', "''")),
        Arg::Scalar(Constant::Int(value)) => value.to_string(),
        Arg::Scalar(Constant::Bool(value)) => value.to_string(),
        Arg::Scalar(Constant::Float(value)) => value.to_string(),
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

/// Nanoseconds since 1970 of `2024-01-31`, `2024-01-31 09:30[:15[.25]]` or the like with `T`, each with or without an offset
/// (`Z`, `UTC`, `+02`, `-05:30`).
fn parse_instant(text: &str) -> Option<i128> {
    let text = text.trim();
    let (day, rest) = match text.find([' ', 'T']) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?.trim()),
        None => (text, ""),
    };
    let date = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()?;
    let days = date.signed_duration_since(NaiveDate::default()).num_days();
    let (clock, offset_seconds) = split_offset(rest)?;
    let time = match clock {
        "" => NaiveTime::default(),
        clock => NaiveTime::parse_from_str(clock, "%H:%M:%S%.f")
            .or_else(|_| NaiveTime::parse_from_str(clock, "%H:%M"))
            .ok()?,
    };
    let since_midnight = time.signed_duration_since(NaiveTime::default());
    let nanos = i128::from(since_midnight.num_seconds()) * 1_000_000_000 + i128::from(since_midnight.subsec_nanos());
    Some(i128::from(days) * NANOS_PER_DAY + nanos - i128::from(offset_seconds) * 1_000_000_000)
}

/// Splits a time of day from its offset in seconds.
fn split_offset(text: &str) -> Option<(&str, i64)> {
    if let Some(clock) = text.strip_suffix('Z').or_else(|| text.strip_suffix("UTC")) {
        return Some((clock.trim_end(), 0));
    }
    let Some(at) = text.find(['+', '-']) else { return Some((text, 0)) };
    let (clock, offset) = text.split_at_checked(at)?;
    let digits: String = offset.chars().skip(1).filter(|c| *c != ':').collect();
    let number = |range: std::ops::Range<usize>| match digits.get(range) {
        Some(part) => part.parse::<i64>().ok(),
        None => Some(0),
    };
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let seconds = number(0..2)? * 3600 + number(2..4)? * 60;
    Some((clock.trim_end(), if offset.starts_with('-') { -seconds } else { seconds }))
}

/// A positive length of time, or of integers, in units of the index; a month counts as 28 days.
pub(crate) fn max_units(name: &str, arg: &Arg, index: &ColumnType) -> Result<i128> {
    let unfit = || {
        let expected = match index {
            ColumnType::BigInt | ColumnType::UBigInt => "a positive number, as in 10000",
            _ => "a positive INTERVAL, as in INTERVAL 7 DAY",
        };
        Error::invalid_argument(format!("{name} := {} is not {expected}", show(arg)))
    };
    let units = match (arg, index) {
        (Arg::Scalar(Constant::Int(count)), ColumnType::BigInt | ColumnType::UBigInt) => *count,
        (_, ColumnType::BigInt | ColumnType::UBigInt) => return Err(unfit()),
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
        other => Err(Error::invalid_argument(format!("{} is no width; write it like '1h'", show(other)))),
    };
    width.map_err(|e| Error::invalid_argument(format!("{name} := {}: {}", show(arg), e.message())))
}

#[cfg(test)]
#[path = "literal_tests.rs"]
mod tests;
