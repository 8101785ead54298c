#![allow(clippy::unwrap_used)]
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, DictionaryArray, FixedSizeBinaryArray, Float64Array, Int16Array, Int32Array,
    StringArray, UInt64Array, types::Int32Type,
};

use super::{ValueFilter, rows_with};
use crate::coverage::EntityPart;
use crate::schema::ColumnType;

fn text(value: &str) -> EntityPart {
    EntityPart::Text(value.into())
}

fn found(array: ArrayRef, values: &[EntityPart]) -> Vec<usize> {
    let rows = rows_with(&array, values).unwrap();
    rows.iter().enumerate().filter(|(_, row)| *row == Some(true)).map(|(row, _)| row).collect()
}

#[test]
fn texts_are_found_by_their_bytes_and_null_is_none_of_them() {
    let array = Arc::new(StringArray::from(vec![Some("b"), None, Some("B"), Some(""), Some("b"), Some("bb")]));
    assert_eq!(found(array.clone(), &[text("b")]), [0, 4]);
    assert_eq!(found(array.clone(), &[text("bb"), text("")]), [3, 5]);
    assert_eq!(found(array.clone(), &[EntityPart::Int(0)]), [0_usize; 0]);
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
    assert_eq!(found(small.clone(), &[EntityPart::Int(7)]), [1, 3]);
    assert_eq!(found(small, &[EntityPart::Int(65535), EntityPart::Int(-1)]), [0]);
    let large = Arc::new(UInt64Array::from(vec![u64::MAX, 0]));
    assert_eq!(found(large, &[EntityPart::Int(u64::MAX.into())]), [0]);
}

#[test]
fn booleans_dates_and_uuids_are_found_among_values_of_their_own_kind_only() {
    let truths = Arc::new(BooleanArray::from(vec![Some(true), None, Some(false), Some(true)]));
    assert_eq!(found(truths.clone(), &[EntityPart::Bool(true)]), [0, 3]);
    assert_eq!(found(truths, &[EntityPart::Int(1), EntityPart::Date(1), EntityPart::Uuid(1)]), [0_usize; 0]);
    let days = Arc::new(Date32Array::from(vec![Some(-1), None, Some(i32::MAX)]));
    assert_eq!(found(days.clone(), &[EntityPart::Date(i32::MAX), EntityPart::Date(-1)]), [0, 2]);
    assert_eq!(found(days, &[EntityPart::Int(-1)]), [0_usize; 0]);
    let uuid = |number: u128| Some(number.to_be_bytes());
    let uuids = [uuid(0), uuid(u128::MAX), None, uuid(1 << 127)].into_iter();
    let uuids = Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(uuids, 16).unwrap());
    assert_eq!(found(uuids.clone(), &[EntityPart::Uuid(u128::MAX), EntityPart::Uuid(1 << 127)]), [1, 3]);
    assert_eq!(found(uuids, &[EntityPart::Uuid(0)]), [0], "and not the NULL, whose bytes are zero");
}

#[test]
fn other_types_are_refused_and_known_to_be() {
    let array: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
    rows_with(&array, &[EntityPart::Int(1)]).unwrap_err();
    assert!(!ValueFilter::can_choose(&ColumnType::Double));
    assert!(!ValueFilter::can_choose(&ColumnType::HugeInt));
    assert!(ValueFilter::can_choose(&ColumnType::UTinyInt));
    assert!(ValueFilter::can_choose(&ColumnType::Varchar));
}
