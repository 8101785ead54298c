//! A constant as an Arrow array of equal rows, for hosts and types without constant vectors.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, ArrowPrimitiveType, BinaryArray, BooleanArray, DictionaryArray, Int32Array,
        IntervalMonthDayNanoArray, PrimitiveArray, StringArray, new_null_array,
    },
    datatypes::{
        Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
        IntervalMonthDayNano, Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType,
        TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
        UInt16Type, UInt32Type, UInt64Type,
    },
};
use tstable_core::{
    Error, Result,
    prune::expr::Constant,
    schema::{ColumnType, Strings, TimeUnit},
};

/// `len` rows of `value` in the Arrow form of `ty`.
///
/// # Errors
/// `SchemaMismatch` when the constant is not of that type or outside its range.
pub(crate) fn array(ty: &ColumnType, value: &Constant, len: usize) -> Result<ArrayRef> {
    let array = match value {
        Constant::Null => Some(new_null_array(&ty.arrow(Strings::Plain), len)),
        Constant::Bool(value) if *ty == ColumnType::Boolean => Some(shared(BooleanArray::from(vec![*value; len]))),
        Constant::Int(value) => integers(ty, *value, len),
        Constant::Float(value) => floats(ty, *value, len),
        Constant::Decimal(value, scale) => match ty {
            ColumnType::Decimal { scale: expected, .. } if expected == scale => repeat::<Decimal128Type>(*value, len),
            _ => None,
        },
        Constant::Text(value) if *ty == ColumnType::Varchar => texts(value, len),
        Constant::Bytes(value) if *ty == ColumnType::Blob => {
            Some(shared(BinaryArray::from_iter_values(std::iter::repeat_n(value, len))))
        }
        Constant::Temporal(of, value) if of == ty => temporals(ty, *value, len),
        Constant::Interval { months, days, micros } if *ty == ColumnType::Interval => {
            let nanos = micros.checked_mul(1_000);
            nanos.map(|nanos| {
                shared(IntervalMonthDayNanoArray::from_value(IntervalMonthDayNano::new(*months, *days, nanos), len))
            })
        }
        _ => None,
    };
    array.ok_or_else(|| Error::internal(format!("the constant {value:?} is no value of a column of type {ty}")))
}

fn shared(array: impl arrow::array::Array + 'static) -> ArrayRef {
    Arc::new(array)
}

fn repeat<T: ArrowPrimitiveType>(value: impl TryInto<T::Native>, len: usize) -> Option<ArrayRef> {
    Some(shared(PrimitiveArray::<T>::from_value(value.try_into().ok()?, len)))
}

fn texts(value: &str, len: usize) -> Option<ArrayRef> {
    let keys = Int32Array::from_value(0, len);
    let values = shared(StringArray::from(vec![value]));
    Some(shared(DictionaryArray::<Int32Type>::try_new(keys, values).ok()?))
}

fn integers(ty: &ColumnType, value: i128, len: usize) -> Option<ArrayRef> {
    match ty {
        ColumnType::TinyInt => repeat::<Int8Type>(value, len),
        ColumnType::SmallInt => repeat::<Int16Type>(value, len),
        ColumnType::Integer => repeat::<Int32Type>(value, len),
        ColumnType::BigInt => repeat::<Int64Type>(value, len),
        ColumnType::UTinyInt => repeat::<UInt8Type>(value, len),
        ColumnType::USmallInt => repeat::<UInt16Type>(value, len),
        ColumnType::UInteger => repeat::<UInt32Type>(value, len),
        ColumnType::UBigInt => repeat::<UInt64Type>(value, len),
        ColumnType::HugeInt => repeat::<Decimal128Type>(value, len),
        _ => None,
    }
}

fn floats(ty: &ColumnType, value: f64, len: usize) -> Option<ArrayRef> {
    match ty {
        ColumnType::Double => repeat::<Float64Type>(value, len),
        #[expect(clippy::cast_possible_truncation, reason = "a FLOAT column rounds to FLOAT")]
        ColumnType::Float | ColumnType::HalfFloat => repeat::<Float32Type>(value as f32, len),
        _ => None,
    }
}

fn temporals(ty: &ColumnType, value: i64, len: usize) -> Option<ArrayRef> {
    match ty {
        ColumnType::Date => repeat::<Date32Type>(value, len),
        ColumnType::Time(unit) | ColumnType::TimeTz(unit) => match unit {
            TimeUnit::S => repeat::<Time32SecondType>(value, len),
            TimeUnit::Ms => repeat::<Time32MillisecondType>(value, len),
            TimeUnit::Us => repeat::<Time64MicrosecondType>(value, len),
            TimeUnit::Ns => repeat::<Time64NanosecondType>(value, len),
        },
        ColumnType::Timestamp(unit) | ColumnType::TimestampTz(unit) => match unit {
            TimeUnit::S => repeat::<TimestampSecondType>(value, len),
            TimeUnit::Ms => repeat::<TimestampMillisecondType>(value, len),
            TimeUnit::Us => repeat::<TimestampMicrosecondType>(value, len),
            TimeUnit::Ns => repeat::<TimestampNanosecondType>(value, len),
        },
        _ => None,
    }
}

#[cfg(test)]
#[path = "constant_tests.rs"]
mod tests;
