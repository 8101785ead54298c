//! A value as an Arrow array of equal rows.

use std::{iter::repeat_n, sync::Arc};

use arrow::{
    array::{
        ArrayRef, BinaryArray, BooleanArray, DictionaryArray, FixedSizeBinaryArray, Float32Array, Float64Array,
        Int32Array, IntervalMonthDayNanoArray, StringArray, new_null_array,
    },
    datatypes::IntervalMonthDayNano,
};

use crate::{
    prune::expr::Constant,
    schema::{ColumnType, Strings},
};

/// `rows` rows of `value`, as a column of type `ty` has them; a text as a dictionary of one where `strings` says so. `None` when the
/// value is not of the type, or outside of what it holds.
#[must_use]
pub fn repeated(value: &Constant, ty: &ColumnType, rows: usize, strings: Strings) -> Option<ArrayRef> {
    Some(match (value, ty) {
        (Constant::Null, ty) => new_null_array(&ty.arrow(Strings::Plain), rows),
        (Constant::Bool(value), ColumnType::Boolean) => Arc::new(BooleanArray::from(vec![*value; rows])),
        (Constant::Text(text), ColumnType::Varchar) if strings == Strings::Dictionary => {
            let values = Arc::new(StringArray::from_iter_values([text]));
            Arc::new(DictionaryArray::new(Int32Array::from_value(0, rows), values))
        }
        (Constant::Text(text), ColumnType::Varchar) => Arc::new(StringArray::from_iter_values(repeat_n(text, rows))),
        (Constant::Bytes(bytes), ColumnType::Blob) => Arc::new(BinaryArray::from_iter_values(repeat_n(bytes, rows))),
        (Constant::Uuid(value), ColumnType::Uuid) => {
            let bytes = repeat_n(Some(value.to_be_bytes()), rows);
            Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(bytes, 16).ok()?)
        }
        (Constant::Float(value), ColumnType::Double) => Arc::new(Float64Array::from_value(*value, rows)),
        #[expect(clippy::cast_possible_truncation, reason = "a FLOAT column rounds to FLOAT")]
        (Constant::Float(value), ColumnType::Float | ColumnType::HalfFloat) => {
            Arc::new(Float32Array::from_value(*value as f32, rows))
        }
        (Constant::Int(value), ty) if ty.is_integer() || *ty == ColumnType::HugeInt => {
            return ty.repeated(*value, rows);
        }
        (Constant::Decimal(value, of), ColumnType::Decimal { scale, .. }) if of == scale => {
            return ty.repeated(*value, rows);
        }
        (Constant::Temporal(of, count), ty) if of == ty => return ty.repeated((*count).into(), rows),
        (Constant::Interval { months, days, micros }, ColumnType::Interval) => {
            let value = IntervalMonthDayNano::new(*months, *days, micros.checked_mul(1_000)?);
            Arc::new(IntervalMonthDayNanoArray::from_value(value, rows))
        }
        _ => return None,
    })
}

#[cfg(test)]
#[path = "repeated_tests.rs"]
mod tests;
