#![allow(clippy::unwrap_used)]
use std::sync::Arc;

use arrow::array::{
    ArrayRef, DictionaryArray, Float64Array, Int16Array, Int32Array, StringArray, UInt64Array, types::Int32Type,
};

use super::{super::inspect::EntityValue, ValueFilter, rows_with};
use crate::schema::ColumnType;

fn text(value: &str) -> EntityValue {
    EntityValue::Text(value.into())
}

fn found(array: ArrayRef, values: &[EntityValue]) -> Vec<usize> {
    let rows = rows_with(&array, values).unwrap();
    rows.iter().enumerate().filter(|(_, row)| *row == Some(true)).map(|(row, _)| row).collect()
}

#[test]
fn texts_are_found_by_their_bytes_and_null_is_none_of_them() {
    let array = Arc::new(StringArray::from(vec![Some("b"), None, Some("B"), Some(""), Some("b"), Some("bb")]));
    assert_eq!(found(array.clone(), &[text("b")]), [0, 4]);
    assert_eq!(found(array.clone(), &[text("bb"), text("")]), [3, 5]);
    assert_eq!(found(array.clone(), &[EntityValue::Int(0)]), [0_usize; 0]);
    assert_eq!(found(array, &[]), [0_usize; 0]);
}

#[test]
fn strings_of_a_dictionary_are_found_whatever_key_they_have() {
    let strings = StringArray::from(vec![Some("a"), Some("b"), None, Some("b")]);
    let keys = Int32Array::from(vec![Some(1), Some(0), None, Some(3), Some(2)]);
    let array = Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::new(strings)).unwrap());
    assert_eq!(found(array, &[text("b")]), [0, 3]);
}

#[test]
fn integers_of_any_width_are_found() {
    let small = Arc::new(Int16Array::from(vec![Some(-1), Some(7), None, Some(7)]));
    assert_eq!(found(small.clone(), &[EntityValue::Int(7)]), [1, 3]);
    assert_eq!(found(small, &[EntityValue::Int(65535), EntityValue::Int(-1)]), [0]);
    let large = Arc::new(UInt64Array::from(vec![u64::MAX, 0]));
    assert_eq!(found(large, &[EntityValue::Int(u64::MAX.into())]), [0]);
}

#[test]
fn other_types_are_refused_and_known_to_be() {
    let array: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
    rows_with(&array, &[EntityValue::Int(1)]).unwrap_err();
    assert!(!ValueFilter::can_choose(&ColumnType::Double));
    assert!(!ValueFilter::can_choose(&ColumnType::HugeInt));
    assert!(ValueFilter::can_choose(&ColumnType::UTinyInt));
    assert!(ValueFilter::can_choose(&ColumnType::Varchar));
}
