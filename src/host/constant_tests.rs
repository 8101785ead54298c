//! Tests of constants as arrays.
#![allow(clippy::unwrap_used)]

use arrow::array::{Array, AsArray};
use tstable_core::{
    prune::expr::Constant,
    schema::{ColumnType, Strings, TimeUnit},
};

use super::array;

#[test]
fn a_constant_has_the_arrow_type_of_its_column() {
    let cases = [
        (ColumnType::Boolean, Constant::Bool(true)),
        (ColumnType::UTinyInt, Constant::Int(255)),
        (ColumnType::BigInt, Constant::Int(-1)),
        (ColumnType::Double, Constant::Float(1.5)),
        (ColumnType::Blob, Constant::Bytes(vec![1, 2])),
        (ColumnType::Date, Constant::Temporal(ColumnType::Date, 7)),
        (ColumnType::Timestamp(TimeUnit::Ms), Constant::Temporal(ColumnType::Timestamp(TimeUnit::Ms), 7)),
    ];
    for (ty, value) in cases {
        let array = array(&ty, &value, 3).unwrap();
        assert_eq!((array.len(), array.null_count(), array.data_type()), (3, 0, &ty.arrow(Strings::Plain)));
    }
}

#[test]
fn a_text_is_stored_once() {
    let array = array(&ColumnType::Varchar, &Constant::Text("x".into()), 5).unwrap();
    let dictionary = array.as_any_dictionary();
    assert_eq!((array.len(), dictionary.values().len()), (5, 1));
}

#[test]
fn null_fits_every_type() {
    for ty in [ColumnType::Varchar, ColumnType::Interval, ColumnType::Uuid] {
        assert_eq!(array(&ty, &Constant::Null, 2).unwrap().null_count(), 2);
    }
}

#[test]
fn a_constant_of_another_type_or_out_of_range_is_refused() {
    assert!(array(&ColumnType::TinyInt, &Constant::Int(128), 1).is_err());
    assert!(array(&ColumnType::Varchar, &Constant::Int(1), 1).is_err());
    let milliseconds = Constant::Temporal(ColumnType::Timestamp(TimeUnit::Ms), 1);
    assert!(array(&ColumnType::Timestamp(TimeUnit::Us), &milliseconds, 1).is_err());
}
