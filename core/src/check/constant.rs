//! Constants of predicates as arrays of one value of their column's type. A constant that the type cannot hold exactly is refused,
//! so that a comparison means what it says.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, ArrowPrimitiveType, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array,
        PrimitiveArray, Scalar, StringArray, TimestampMicrosecondArray, TimestampMillisecondArray,
        TimestampNanosecondArray, TimestampSecondArray,
    },
    datatypes::{Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type},
};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use crate::schema::{ColumnType, TimeUnit};

/// A constant as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Literal {
    /// Digits, perhaps with a sign, a point and an exponent.
    Number(String),
    Text(String),
    Bool(bool),
}

impl Literal {
    pub(super) fn show(&self) -> String {
        match self {
            Self::Number(text) => text.clone(),
            Self::Text(text) => format!("'{}'", text.replace('\'', "''")),
            Self::Bool(value) => value.to_string(),
        }
    }
}

/// The constant as a value of the type; none when the type does not have it.
pub(super) fn constant(literal: &Literal, ty: &ColumnType) -> Option<Scalar<ArrayRef>> {
    let array: ArrayRef = match (literal, ty) {
        (Literal::Bool(value), ColumnType::Boolean) => Arc::new(BooleanArray::from(vec![*value])),
        (Literal::Text(text), ColumnType::Varchar) => Arc::new(StringArray::from(vec![text.as_str()])),
        (Literal::Number(text), ty) => number(text, ty)?,
        (Literal::Text(text), ColumnType::Date) => Arc::new(Date32Array::from(vec![date(text)?])),
        (Literal::Text(text), ColumnType::Timestamp(unit)) => timestamp(text, *unit, false)?,
        (Literal::Text(text), ColumnType::TimestampTz(unit)) => timestamp(text, *unit, true)?,
        _ => return None,
    };
    debug_assert_eq!(array.len(), 1);
    Some(Scalar::new(array))
}

fn number(text: &str, ty: &ColumnType) -> Option<ArrayRef> {
    Some(match ty {
        ColumnType::TinyInt => integer::<Int8Type>(text)?,
        ColumnType::SmallInt => integer::<Int16Type>(text)?,
        ColumnType::Integer => integer::<Int32Type>(text)?,
        ColumnType::BigInt => integer::<Int64Type>(text)?,
        ColumnType::UTinyInt => integer::<UInt8Type>(text)?,
        ColumnType::USmallInt => integer::<UInt16Type>(text)?,
        ColumnType::UInteger => integer::<UInt32Type>(text)?,
        ColumnType::UBigInt => integer::<UInt64Type>(text)?,
        ColumnType::Float => {
            Arc::new(Float32Array::from(vec![text.parse::<f32>().ok().filter(|v| v.is_finite())? + 0.0; 1]))
        }
        ColumnType::Double => {
            Arc::new(Float64Array::from(vec![text.parse::<f64>().ok().filter(|v| v.is_finite())? + 0.0; 1]))
        }
        ColumnType::Decimal { precision, scale } => {
            let value = decimal(text, *precision, *scale)?;
            let array =
                Decimal128Array::from(vec![value]).with_precision_and_scale(*precision, i8::try_from(*scale).ok()?);
            Arc::new(array.ok()?)
        }
        _ => return None,
    })
}

fn integer<T: ArrowPrimitiveType>(text: &str) -> Option<ArrayRef>
where
    T::Native: std::str::FromStr,
{
    Some(Arc::new(PrimitiveArray::<T>::from_value(text.parse().ok()?, 1)))
}

/// The number in units of the scale; none when it has more digits on either side.
fn decimal(text: &str, precision: u8, scale: u8) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > usize::from(scale) || !digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    let padded = format!("{whole}{fraction:0<width$}", width = usize::from(scale));
    let value: i128 = padded.parse().ok()?;
    let limit = 10_i128.checked_pow(u32::from(precision))?;
    (value < limit).then_some(if negative { -value } else { value })
}

fn date(text: &str) -> Option<i32> {
    let date = NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok()?;
    i32::try_from(date.signed_duration_since(NaiveDate::default()).num_days()).ok()
}

/// Without an offset; for columns with a zone it is UTC.
fn timestamp(text: &str, unit: TimeUnit, zoned: bool) -> Option<ArrayRef> {
    let text = text.trim();
    let text = if zoned { text.trim_end_matches('Z').trim_end_matches("+00") } else { text };
    let formats = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M"];
    let instant = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(|date| date.and_time(NaiveTime::default()));
    let since = instant.or_else(day)?.signed_duration_since(NaiveDateTime::default());
    let nanos = i128::from(since.num_seconds()) * 1_000_000_000 + i128::from(since.subsec_nanos());
    let units = i128::from(unit.nanos());
    if nanos.rem_euclid(units) != 0 {
        return None;
    }
    let value = vec![i64::try_from(nanos.div_euclid(units)).ok()?];
    let zone = zoned.then_some("UTC");
    Some(match unit {
        TimeUnit::S => Arc::new(TimestampSecondArray::from(value).with_timezone_opt(zone)),
        TimeUnit::Ms => Arc::new(TimestampMillisecondArray::from(value).with_timezone_opt(zone)),
        TimeUnit::Us => Arc::new(TimestampMicrosecondArray::from(value).with_timezone_opt(zone)),
        TimeUnit::Ns => Arc::new(TimestampNanosecondArray::from(value).with_timezone_opt(zone)),
    })
}
