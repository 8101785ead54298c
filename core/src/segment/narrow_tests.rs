#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow::array::{Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray};

use super::*;

fn kept(array: impl Array + 'static, to: &ColumnType) -> Vec<bool> {
    let array: ArrayRef = Arc::new(array);
    let (narrow, same) = narrowed(&array, to);
    assert_eq!((narrow.data_type(), narrow.len()), (&to.arrow(Strings::Plain), array.len()));
    same.iter().map(|same| same == Some(true)).collect()
}

#[test]
fn a_value_stays_when_the_narrower_type_has_it() {
    let integers = Int64Array::from(vec![Some(127), Some(128), None, Some(i64::MIN)]);
    assert_eq!(kept(integers, &ColumnType::TinyInt), [true, false, true, false]);
    let doubles = Float64Array::from(vec![Some(7.0), Some(1.5), Some(f64::NAN), Some(1e300), None]);
    assert_eq!(kept(doubles.clone(), &ColumnType::Integer), [true, false, false, false, true]);
    assert_eq!(kept(doubles, &ColumnType::Float), [true, true, true, false, true]);
    let decimals = Decimal128Array::from(vec![15_000, 15_001, 99_999_999]).with_precision_and_scale(12, 4).unwrap();
    assert_eq!(kept(decimals, &ColumnType::Decimal { precision: 5, scale: 2 }), [true, false, false]);
    let instants = TimestampMicrosecondArray::from(vec![86_400_000_000, 86_400_000_001, -1]);
    assert_eq!(kept(instants, &ColumnType::Date), [true, false, false]);
}

#[test]
fn where_all_stay_nothing_is_looked_at_twice_and_where_types_are_strangers_only_null_stays() {
    assert_eq!(kept(Int64Array::from(vec![1, -1]), &ColumnType::SmallInt), [true, true]);
    assert_eq!(kept(StringArray::from(vec![Some("x"), None]), &ColumnType::Uuid), [false, true]);
    assert_eq!(kept(Date32Array::from(vec![Some(1), None]), &ColumnType::Boolean), [false, true]);
}
