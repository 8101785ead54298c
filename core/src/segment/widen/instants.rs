//! Dates, times and timestamps in other units, where they are exact there.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, PrimitiveArray},
    datatypes::{
        DataType, Date32Type, Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
        Time64NanosecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
        TimestampSecondType,
    },
    error::ArrowError,
};

/// DuckDB's `-infinity`; `infinity` is the greatest integer.
const INFINITY_BEFORE: i64 = -i64::MAX;
const NANOS_OF_DAY: i64 = 86_400_000_000_000;

pub(super) fn timestamps(
    array: &ArrayRef,
    from: TimeUnit,
    unit: TimeUnit,
    to: &DataType,
) -> Result<ArrayRef, ArrowError> {
    // The infinities are the ends of the integer in every unit.
    let convert =
        |value| if matches!(value, i64::MAX | INFINITY_BEFORE) { Ok(value) } else { scaled(value, from, unit, to) };
    let values: PrimitiveArray<Int64Type> = match from {
        TimeUnit::Second => array.as_primitive::<TimestampSecondType>().try_unary(convert)?,
        TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().try_unary(convert)?,
        TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().try_unary(convert)?,
        TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().try_unary(convert)?,
    };
    named(values, to)
}

pub(super) fn times(array: &ArrayRef, from: TimeUnit, unit: TimeUnit, to: &DataType) -> Result<ArrayRef, ArrowError> {
    let wide: PrimitiveArray<Int64Type> = match from {
        TimeUnit::Second => array.as_primitive::<Time32SecondType>().unary(i64::from),
        TimeUnit::Millisecond => array.as_primitive::<Time32MillisecondType>().unary(i64::from),
        TimeUnit::Microsecond => array.as_primitive::<Time64MicrosecondType>().unary(|value| value),
        TimeUnit::Nanosecond => array.as_primitive::<Time64NanosecondType>().unary(|value| value),
    };
    let values: PrimitiveArray<Int64Type> = wide.try_unary(|value| scaled(value, from, unit, to))?;
    if !matches!(to, DataType::Time32(_)) {
        return named(values, to);
    }
    let narrow = |value: i64| {
        i32::try_from(value).map_err(|_| ArrowError::CastError(format!("{value} is out of the range of {to}")))
    };
    let values: PrimitiveArray<arrow::datatypes::Int32Type> = values.try_unary(narrow)?;
    Ok(arrow::array::make_array(values.into_data().into_builder().data_type(to.clone()).build()?))
}

pub(super) fn midnights(array: &ArrayRef, unit: TimeUnit, to: &DataType) -> Result<ArrayRef, ArrowError> {
    let units_of_day = NANOS_OF_DAY / nanos(unit);
    let midnight = |day: i32| match day {
        i32::MAX => Ok(i64::MAX),
        day if day == -i32::MAX => Ok(INFINITY_BEFORE),
        day => i64::from(day).checked_mul(units_of_day).ok_or_else(|| {
            ArrowError::CastError(format!("the date {day} days from 1970-01-01 is out of the range of {to}"))
        }),
    };
    named(array.as_primitive::<Date32Type>().try_unary(midnight)?, to)
}

pub(super) fn dates(array: &ArrayRef, unit: TimeUnit) -> Result<ArrayRef, ArrowError> {
    let units_of_day = NANOS_OF_DAY / nanos(unit);
    let date = |value: i64| match value {
        i64::MAX => Ok(i32::MAX),
        INFINITY_BEFORE => Ok(-i32::MAX),
        value if value % units_of_day == 0 => i32::try_from(value / units_of_day).map_err(|_| {
            ArrowError::CastError(format!("the timestamp {value} {} is out of the range of DATE", word(unit)))
        }),
        value => Err(ArrowError::CastError(format!("the timestamp {value} {} is not the start of a day", word(unit)))),
    };
    let values: PrimitiveArray<Date32Type> = match unit {
        TimeUnit::Second => array.as_primitive::<TimestampSecondType>().try_unary(date)?,
        TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().try_unary(date)?,
        TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().try_unary(date)?,
        TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().try_unary(date)?,
    };
    Ok(Arc::new(values))
}

fn nanos(unit: TimeUnit) -> i64 {
    crate::schema::TimeUnit::from(unit).nanos()
}

fn word(unit: TimeUnit) -> crate::schema::TimeUnit {
    unit.into()
}

fn scaled(value: i64, from: TimeUnit, unit: TimeUnit, to: &DataType) -> Result<i64, ArrowError> {
    let (finer, coarser) = (nanos(from) / nanos(unit), nanos(unit) / nanos(from));
    if finer > 0 {
        let beyond = || ArrowError::CastError(format!("the value {value} {} is out of the range of {to}", word(from)));
        return value.checked_mul(finer).ok_or_else(beyond);
    }
    if value % coarser == 0 {
        return Ok(value / coarser);
    }
    Err(ArrowError::CastError(format!("the value {value} {} is not a whole number of {}", word(from), word(unit))))
}

/// The same 64 bits under the name of the target.
fn named(values: PrimitiveArray<Int64Type>, to: &DataType) -> Result<ArrayRef, ArrowError> {
    Ok(arrow::array::make_array(values.into_data().into_builder().data_type(to.clone()).build()?))
}
