//! Scalars of a narrower type as those of a wider one, or of one that holds them. Arrow's general cast would do the same and a thousand things more,
//! at a megabyte of code; nothing but what [`super::schema::readable_as`] allows arrives here.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, BinaryArray, PrimitiveArray},
    datatypes::{
        ArrowPrimitiveType, DataType, Decimal128Type, Decimal256Type, Float16Type, Float32Type, Float64Type, Int8Type,
        Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type, i256,
    },
    error::ArrowError,
};

mod instants;
mod numbers;

/// The array as one of type `to`, which holds all its values or says which it does not.
pub(super) fn widened(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    use DataType as T;
    Ok(match (array.data_type(), to) {
        (T::Int8, T::Int16) => each::<Int8Type, Int16Type>(array),
        (T::Int8, T::Int32) => each::<Int8Type, Int32Type>(array),
        (T::Int8, T::Int64) => each::<Int8Type, Int64Type>(array),
        (T::Int16, T::Int32) => each::<Int16Type, Int32Type>(array),
        (T::Int16, T::Int64) => each::<Int16Type, Int64Type>(array),
        (T::Int32, T::Int64) => each::<Int32Type, Int64Type>(array),
        (T::UInt8, T::UInt16) => each::<UInt8Type, UInt16Type>(array),
        (T::UInt8, T::UInt32) => each::<UInt8Type, UInt32Type>(array),
        (T::UInt8, T::UInt64) => each::<UInt8Type, UInt64Type>(array),
        (T::UInt16, T::UInt32) => each::<UInt16Type, UInt32Type>(array),
        (T::UInt16, T::UInt64) => each::<UInt16Type, UInt64Type>(array),
        (T::UInt32, T::UInt64) => each::<UInt32Type, UInt64Type>(array),
        (T::UInt8, T::Int16) => each::<UInt8Type, Int16Type>(array),
        (T::UInt8, T::Int32) => each::<UInt8Type, Int32Type>(array),
        (T::UInt8, T::Int64) => each::<UInt8Type, Int64Type>(array),
        (T::UInt16, T::Int32) => each::<UInt16Type, Int32Type>(array),
        (T::UInt16, T::Int64) => each::<UInt16Type, Int64Type>(array),
        (T::UInt32, T::Int64) => each::<UInt32Type, Int64Type>(array),
        (T::Float16, T::Float32) => each::<Float16Type, Float32Type>(array),
        (T::Float16, T::Float64) => each::<Float16Type, Float64Type>(array),
        (T::Float32, T::Float64) => each::<Float32Type, Float64Type>(array),
        (T::Decimal128(_, from), T::Decimal128(precision, scale)) => decimals(array, *from, *precision, *scale)?,
        (T::Decimal256(_, from), T::Decimal128(precision, scale)) => {
            decimals(&in_128_bits(array)?, *from, *precision, *scale)?
        }
        (T::Timestamp(from, _), T::Timestamp(unit, _)) => instants::timestamps(array, *from, *unit, to)?,
        (T::Time32(from) | T::Time64(from), T::Time32(unit) | T::Time64(unit)) => {
            instants::times(array, *from, *unit, to)?
        }
        (T::Date32, T::Timestamp(unit, None)) => instants::midnights(array, *unit, to)?,
        (T::Timestamp(unit, None), T::Date32) => instants::dates(array, *unit)?,
        (T::FixedSizeBinary(_), T::Binary) => Arc::new(array.as_fixed_size_binary().iter().collect::<BinaryArray>()),
        (T::Null, _) => arrow::array::new_null_array(to, array.len()),
        (T::Decimal128(_, scale), T::Float32 | T::Float64) if *scale > 0 => numbers::fractions(array, *scale, to)?,
        (from, _) if from.is_integer() || matches!(from, T::Decimal128(_, 0)) => numbers::integers(array, to)?,
        (from, _) => return Err(ArrowError::CastError(format!("{from} cannot be read as {to} without loss"))),
    })
}

fn each<A, B>(array: &ArrayRef) -> ArrayRef
where
    A: ArrowPrimitiveType,
    B: ArrowPrimitiveType,
    A::Native: Into<B::Native>,
{
    Arc::new(array.as_primitive::<A>().unary::<_, B>(Into::into))
}

/// Some writers give decimals of at most 38 digits more bytes than these need.
fn in_128_bits(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let fits = |value: i256| {
        value
            .to_i128()
            .ok_or_else(|| ArrowError::CastError(format!("the unscaled decimal {value} needs over 128 bits")))
    };
    let values: PrimitiveArray<Decimal128Type> = array.as_primitive::<Decimal256Type>().try_unary(fits)?;
    Ok(Arc::new(values))
}

fn decimals(array: &ArrayRef, from: i8, precision: u8, scale: i8) -> Result<ArrayRef, ArrowError> {
    let digits = u32::try_from(i32::from(scale) - i32::from(from));
    let factor = digits.ok().and_then(|digits| 10_i128.checked_pow(digits));
    let too_large = || ArrowError::CastError(format!("a DECIMAL does not fit DECIMAL({precision},{scale})"));
    let factor = factor.ok_or_else(too_large)?;
    let scaled: PrimitiveArray<Decimal128Type> =
        array.as_primitive::<Decimal128Type>().try_unary(|value| value.checked_mul(factor).ok_or_else(too_large))?;
    Ok(Arc::new(scaled.with_precision_and_scale(precision, scale)?))
}
