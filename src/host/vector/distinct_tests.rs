#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use std::sync::Arc;

use arrow::{
    array::{ArrayRef, DictionaryArray, Int32Array, StringArray},
    datatypes::Int32Type,
};

use super::{Distinct, Seen};

fn dictionary(keys: Vec<Option<i32>>, strings: &[String]) -> ArrayRef {
    let values = StringArray::from_iter_values(strings);
    Arc::new(DictionaryArray::<Int32Type>::try_new(Int32Array::from(keys), Arc::new(values)).unwrap())
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{number:07}")).collect()
}

/// What the rows say, by way of the keys.
fn rows(distinct: &Distinct) -> Vec<Option<String>> {
    let string = |key: usize| {
        let range = distinct.strings.offsets[key] as usize..distinct.strings.offsets[key + 1] as usize;
        String::from_utf8(distinct.strings.bytes[range].to_vec()).unwrap()
    };
    let valid = |row: usize| distinct.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
    distinct.keys.iter().enumerate().map(|(row, key)| valid(row).then(|| string(*key as usize))).collect()
}

#[test]
fn strings_of_the_rows_are_kept_once_in_the_order_of_the_rows() {
    let array = dictionary((0..80).map(|row| Some(row % 4 + 90)).collect(), &names(100));
    let distinct = Seen::default().distinct(array.as_ref(), 1, 79).unwrap();
    assert_eq!(distinct.strings.len(), 4);
    assert_eq!(distinct.strings.bytes, b"0000091000009200000930000090");
    let expected: Vec<_> = (1..80).map(|row| Some(format!("{:07}", row % 4 + 90))).collect();
    assert_eq!(rows(&distinct), expected);
}

#[test]
fn a_small_dictionary_goes_along_whole() {
    let array = dictionary((0..40).map(|row| (row % 5 > 0).then_some(row % 3)).collect(), &names(4));
    let distinct = Seen::default().distinct(array.as_ref(), 10, 20).unwrap();
    assert_eq!(distinct.strings.len(), 4);
    let expected: Vec<_> = (10..30).map(|row| (row % 5 > 0).then(|| format!("{:07}", row % 3))).collect();
    assert_eq!(rows(&distinct), expected);
}

#[test]
fn null_rows_name_no_string() {
    let keys: Vec<_> = (0..100).map(|row| (row % 7 > 0).then_some(row % 5 + 200)).collect();
    let array = dictionary(keys.clone(), &names(300));
    let distinct = Seen::default().distinct(array.as_ref(), 0, 100).unwrap();
    assert_eq!(distinct.strings.len(), 5);
    assert_eq!(rows(&distinct), keys.iter().map(|key| key.map(|key| format!("{key:07}"))).collect::<Vec<_>>());
}

#[test]
fn rows_of_many_strings_are_left_to_others_and_so_is_the_rest_of_their_dictionary() {
    let mut keys: Vec<_> = (0..100).map(Some).collect();
    keys.extend(vec![Some(5); 100]);
    let array = dictionary(keys.clone(), &names(100));
    let mut seen = Seen::default();
    assert_eq!(seen.distinct(array.as_ref(), 0, 100), None);
    assert_eq!(seen.distinct(array.as_ref(), 100, 100), None);
    let other = dictionary(keys, &names(100));
    assert!(seen.distinct(other.as_ref(), 100, 100).is_some());
}

#[test]
fn other_arrays_empty_rows_and_rows_of_nulls_are_left_to_others() {
    let mut seen = Seen::default();
    assert_eq!(seen.distinct(&StringArray::from(vec!["a"; 10]), 0, 10), None);
    let array = dictionary(vec![Some(0); 10], &names(1));
    assert_eq!(seen.distinct(array.as_ref(), 0, 0), None);
    assert_eq!(seen.distinct(array.as_ref(), 8, 3), None);
    let array = dictionary(vec![None; 200], &names(100));
    assert_eq!(seen.distinct(array.as_ref(), 0, 200), None);
}

#[test]
fn rows_of_nulls_say_nothing_of_the_rest_of_their_dictionary() {
    let mut keys = vec![None; 100];
    keys.extend(vec![Some(5); 100]);
    let array = dictionary(keys, &names(100));
    let mut seen = Seen::default();
    assert_eq!(seen.distinct(array.as_ref(), 0, 100), None);
    assert_eq!(seen.distinct(array.as_ref(), 100, 100).unwrap().strings.len(), 1);
}
