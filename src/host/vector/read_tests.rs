//! Tests of reading vectors that are not flat.
#![allow(clippy::unwrap_used)]

use arrow::array::{AsArray, Int32Array};
use tstable_core::schema::{ColumnType, TimeUnit};

use super::{View, read};

#[test]
fn a_selection_says_where_each_row_lies() {
    let data = [10_i32, 20, 30];
    let validity = [0b101_u64];
    let selection = [2_u32, 2, 1, 0];
    let view = View {
        data: data.as_ptr().cast(),
        validity: validity.as_ptr(),
        selection: selection.as_ptr(),
        rows: selection.len(),
    };
    // SAFETY: every row's slot is inside the three values.
    let array = unsafe { read(&ColumnType::Integer, &view) }.unwrap();
    assert_eq!(array.as_ref(), &Int32Array::from(vec![Some(30), Some(30), None, Some(10)]));
}

#[test]
fn a_vector_without_a_mask_has_no_null() {
    let data = [true as u8, 0];
    let view = View { data: data.as_ptr(), validity: std::ptr::null(), selection: std::ptr::null(), rows: 2 };
    // SAFETY: there are two values.
    let array = unsafe { read(&ColumnType::Boolean, &view) }.unwrap();
    assert_eq!(array.as_boolean().iter().collect::<Vec<_>>(), [Some(true), Some(false)]);
}

#[test]
fn an_interval_too_long_for_nanoseconds_is_an_error() {
    let data = [[0_i64, i64::MAX]];
    let view = View { data: data.as_ptr().cast(), validity: std::ptr::null(), selection: std::ptr::null(), rows: 1 };
    // SAFETY: there is one value of 16 bytes.
    let failure = unsafe { read(&ColumnType::Interval, &view) }.unwrap_err();
    assert!(failure.to_string().contains("too long"), "{failure}");
}

#[test]
fn a_type_that_no_scalar_takes_is_refused() {
    let view = View { data: std::ptr::null(), validity: std::ptr::null(), selection: std::ptr::null(), rows: 0 };
    // SAFETY: no row is read.
    assert!(unsafe { read(&ColumnType::Timestamp(TimeUnit::Ms), &view) }.is_err());
}
