//! Tests of values as arrays of equal rows.
#![allow(clippy::unwrap_used)]

use crate::{
    prune::expr::Constant,
    schema::{ColumnType, Strings, TimeUnit},
};
use arrow::array::{Array, AsArray};

use super::repeated;

#[test]
fn a_constant_has_the_arrow_type_of_its_column() {
    let cases = [
        (ColumnType::Boolean, Constant::Bool(true)),
        (ColumnType::UTinyInt, Constant::Int(255)),
        (ColumnType::BigInt, Constant::Int(-1)),
        (ColumnType::Double, Constant::Float(1.5)),
        (ColumnType::Decimal { precision: 9, scale: 2 }, Constant::Decimal(125, 2)),
        (ColumnType::TimestampTz(TimeUnit::Us), Constant::Temporal(ColumnType::TimestampTz(TimeUnit::Us), 7)),
        (ColumnType::Blob, Constant::Bytes(vec![1, 2])),
        (ColumnType::Date, Constant::Temporal(ColumnType::Date, 7)),
        (ColumnType::Timestamp(TimeUnit::Ms), Constant::Temporal(ColumnType::Timestamp(TimeUnit::Ms), 7)),
    ];
    for (ty, value) in cases {
        let array = repeated(&value, &ty, 3, Strings::Dictionary).unwrap();
        assert_eq!((array.len(), array.null_count(), array.data_type()), (3, 0, &ty.arrow(Strings::Plain)));
    }
}

#[test]
fn a_text_is_stored_once_in_a_dictionary() {
    let array = repeated(&Constant::Text("x".into()), &ColumnType::Varchar, 5, Strings::Dictionary).unwrap();
    let dictionary = array.as_any_dictionary();
    assert_eq!((array.len(), dictionary.values().len()), (5, 1));
    let plain = repeated(&Constant::Text("x".into()), &ColumnType::Varchar, 5, Strings::Plain).unwrap();
    assert!(plain.as_string::<i32>().iter().all(|text| text == Some("x")));
}

#[test]
fn null_fits_every_type() {
    for ty in [ColumnType::Varchar, ColumnType::Interval, ColumnType::Uuid] {
        assert_eq!(repeated(&Constant::Null, &ty, 2, Strings::Dictionary).unwrap().null_count(), 2);
    }
}

#[test]
fn a_constant_of_another_type_or_out_of_range_is_refused() {
    assert!(repeated(&Constant::Int(128), &ColumnType::TinyInt, 1, Strings::Dictionary).is_none());
    assert!(repeated(&Constant::Int(1), &ColumnType::Varchar, 1, Strings::Dictionary).is_none());
    let milliseconds = Constant::Temporal(ColumnType::Timestamp(TimeUnit::Ms), 1);
    assert!(repeated(&milliseconds, &ColumnType::Timestamp(TimeUnit::Us), 1, Strings::Dictionary).is_none());
}
