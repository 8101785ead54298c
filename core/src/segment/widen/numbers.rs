//! Integers and decimals as other numbers, value by value: a value that the target does not tell from its neighbours is an error.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, PrimitiveArray},
    datatypes::{
        ArrowPrimitiveType, DataType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
        Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
    },
    error::ArrowError,
};

/// Up to here every integer is a DOUBLE, or a FLOAT, of its own.
const DOUBLE_INTEGERS: u128 = 1 << 53;
const FLOAT_INTEGERS: u128 = 1 << 24;
/// Below these every decimal, without its point, is a DOUBLE, or a FLOAT, of its own.
const DOUBLE_DECIMALS: u128 = 1_000_000_000_000_000;
const FLOAT_DECIMALS: u128 = 1_000_000;

/// Integers of any kind as `to`.
#[expect(clippy::cast_precision_loss, reason = "the integers are known to be small enough")]
pub(super) fn integers(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    let wide = wide(array)?;
    Ok(match to {
        DataType::Float64 => Arc::new(below(&wide, DOUBLE_INTEGERS, to)?.unary::<_, Float64Type>(|value| value as f64)),
        DataType::Float32 => Arc::new(below(&wide, FLOAT_INTEGERS, to)?.unary::<_, Float32Type>(|value| value as f32)),
        DataType::Decimal128(precision, scale) => decimals(&wide, *precision, *scale, to)?,
        DataType::Int8 => narrow::<Int8Type>(&wide, to)?,
        DataType::Int16 => narrow::<Int16Type>(&wide, to)?,
        DataType::Int32 => narrow::<Int32Type>(&wide, to)?,
        DataType::Int64 => narrow::<Int64Type>(&wide, to)?,
        DataType::UInt8 => narrow::<UInt8Type>(&wide, to)?,
        DataType::UInt16 => narrow::<UInt16Type>(&wide, to)?,
        DataType::UInt32 => narrow::<UInt32Type>(&wide, to)?,
        DataType::UInt64 => narrow::<UInt64Type>(&wide, to)?,
        _ => return Err(ArrowError::CastError(format!("{} cannot be read as {to} without loss", array.data_type()))),
    })
}

/// Decimals with digits after the point as FLOAT or DOUBLE.
pub(super) fn fractions(array: &ArrayRef, scale: i8, to: &DataType) -> Result<ArrayRef, ArrowError> {
    let decimals = array.as_primitive::<Decimal128Type>();
    let limit = if *to == DataType::Float32 { FLOAT_DECIMALS } else { DOUBLE_DECIMALS };
    let checked = |value: i128| {
        let digits = format!("{value}e-{scale}");
        if value.unsigned_abs() < limit { Ok(digits) } else { Err(unfit(&digits, to)) }
    };
    let number = |value| checked(value).map(|digits| digits.parse().unwrap_or(f64::NAN));
    let small = |value| checked(value).map(|digits| digits.parse().unwrap_or(f32::NAN));
    Ok(match to {
        DataType::Float32 => Arc::new(decimals.try_unary::<_, Float32Type, _>(small)?),
        _ => Arc::new(decimals.try_unary::<_, Float64Type, _>(number)?),
    })
}

fn unfit(value: &impl std::fmt::Display, to: &DataType) -> ArrowError {
    ArrowError::CastError(format!("the value {value} is not exact in, or beyond, {to}"))
}

fn wide(array: &ArrayRef) -> Result<PrimitiveArray<Decimal128Type>, ArrowError> {
    use DataType as T;
    Ok(match array.data_type() {
        T::Int8 => array.as_primitive::<Int8Type>().unary(i128::from),
        T::Int16 => array.as_primitive::<Int16Type>().unary(i128::from),
        T::Int32 => array.as_primitive::<Int32Type>().unary(i128::from),
        T::Int64 => array.as_primitive::<Int64Type>().unary(i128::from),
        T::UInt8 => array.as_primitive::<UInt8Type>().unary(i128::from),
        T::UInt16 => array.as_primitive::<UInt16Type>().unary(i128::from),
        T::UInt32 => array.as_primitive::<UInt32Type>().unary(i128::from),
        T::UInt64 => array.as_primitive::<UInt64Type>().unary(i128::from),
        T::Decimal128(_, 0) => array.as_primitive::<Decimal128Type>().clone(),
        other => return Err(ArrowError::CastError(format!("{other} is not an integer"))),
    })
}

fn below(
    values: &PrimitiveArray<Decimal128Type>,
    limit: u128,
    to: &DataType,
) -> Result<PrimitiveArray<Decimal128Type>, ArrowError> {
    values.try_unary(|value| if value.unsigned_abs() <= limit { Ok(value) } else { Err(unfit(&value, to)) })
}

fn narrow<T: ArrowPrimitiveType>(values: &PrimitiveArray<Decimal128Type>, to: &DataType) -> Result<ArrayRef, ArrowError>
where
    T::Native: TryFrom<i128>,
{
    let values: PrimitiveArray<T> =
        values.try_unary(|value| T::Native::try_from(value).map_err(|_| unfit(&value, to)))?;
    Ok(Arc::new(values))
}

fn decimals(
    values: &PrimitiveArray<Decimal128Type>,
    precision: u8,
    scale: i8,
    to: &DataType,
) -> Result<ArrayRef, ArrowError> {
    let power = |digits: i64| u32::try_from(digits).ok().and_then(|digits| 10_i128.checked_pow(digits));
    let (factor, limit) = (power(scale.into()), power(precision.into()));
    let scaled = |value: i128| {
        let scaled = factor.and_then(|factor| value.checked_mul(factor));
        let fits = |scaled: &i128| limit.is_none_or(|limit| scaled.unsigned_abs() < limit.unsigned_abs());
        scaled.filter(fits).ok_or_else(|| unfit(&value, to))
    };
    let values: PrimitiveArray<Decimal128Type> = values.try_unary(scaled)?;
    Ok(Arc::new(values.with_precision_and_scale(precision, scale)?))
}
