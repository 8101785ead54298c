#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow::array::{
    BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};

use super::Check;
use crate::{
    error::ErrorKind,
    schema::{ColumnType, Schema, TimeUnit},
};

fn schema() -> Schema {
    let columns = [
        ("i", ColumnType::Integer),
        ("f", ColumnType::Double),
        ("s", ColumnType::Varchar),
        ("b", ColumnType::Boolean),
        ("d", ColumnType::Date),
        ("t", ColumnType::Timestamp(TimeUnit::Us)),
        ("n", ColumnType::Decimal { precision: 6, scale: 2 }),
        ("l", ColumnType::List(Box::new(crate::schema::Field::new("element", ColumnType::Integer)))),
        ("odd name", ColumnType::Integer),
    ];
    Schema::new(columns.map(|(name, ty)| (name.to_owned(), ty))).unwrap()
}

fn batch() -> RecordBatch {
    let list = arrow::array::new_null_array(&schema().columns[7].ty.arrow(crate::schema::Strings::Plain), 4);
    RecordBatch::try_from_iter([
        ("i", Arc::new(Int32Array::from(vec![Some(1), Some(-5), None, Some(7)])) as _),
        ("f", Arc::new(Float64Array::from(vec![Some(-0.0), Some(-f64::NAN), None, Some(2.5)])) as _),
        ("s", Arc::new(StringArray::from(vec![Some("x"), Some("it's"), None, Some("")])) as _),
        ("b", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None, Some(true)])) as _),
        ("d", Arc::new(Date32Array::from(vec![Some(0), Some(1), None, Some(19_723)])) as _),
        ("t", Arc::new(TimestampMicrosecondArray::from(vec![Some(0), Some(-1), None, Some(1_500_000)])) as _),
        (
            "n",
            Arc::new(
                Decimal128Array::from(vec![Some(100), Some(-1), None, Some(150)])
                    .with_precision_and_scale(6, 2)
                    .unwrap(),
            ) as _,
        ),
        ("l", list),
        ("odd name", Arc::new(Int32Array::from(vec![1, 2, 3, 4])) as _),
    ])
    .unwrap()
}

/// The rows, from 0, that violate a predicate.
fn violating(text: &str) -> Vec<usize> {
    let check = Check::parse("c", text, &schema()).unwrap();
    let violated = check.violated(&batch()).unwrap();
    (0..4).filter(|row| violated.value(*row)).collect()
}

#[test]
fn comparisons_are_those_of_sql_and_null_passes() {
    assert_eq!(violating("i > 0"), [1]);
    assert_eq!(violating("I <= -5"), [0, 3]);
    assert_eq!(violating("i <> 7 and i != 1"), [0, 3]);
    assert_eq!(violating("s = 'it''s'"), [0, 3]);
    assert_eq!(violating("b = true"), [1]);
    assert_eq!(violating("\"odd name\" < 3"), [2, 3]);
    assert_eq!(violating("n >= 1.5"), [0, 1]);
    assert_eq!(violating("n = -0.01"), [0, 3]);
    assert_eq!(violating("d >= DATE '1970-01-02'"), [0]);
    assert_eq!(violating("t < TIMESTAMP '1970-01-01 00:00:01.5'"), [3]);
    assert_eq!(violating("t >= '1970-01-01'"), [1]);
}

#[test]
fn zeros_are_equal_and_nan_is_the_greatest() {
    assert_eq!(violating("f >= 0"), Vec::<usize>::new());
    assert_eq!(violating("f = 0.0"), [1, 3]);
    assert_eq!(violating("f < 1e300"), [1]);
}

#[test]
fn and_or_not_in_between_and_null_follow_sql() {
    assert_eq!(violating("i between 0 and 5"), [1, 3]);
    assert_eq!(violating("i not between 0 and 5"), [0]);
    assert_eq!(violating("i in (1, 7)"), [1]);
    assert_eq!(violating("i not in (1, 7)"), [0, 3]);
    assert_eq!(violating("i is not null"), [2]);
    assert_eq!(violating("i is null or i > 0"), [1]);
    // AND binds more than OR, NOT most.
    assert_eq!(violating("i = 1 or i = 7 and f = 2.5"), [1]);
    assert_eq!(violating("(i = 1 or i = 7) and f = 2.5"), [0, 1]);
    assert_eq!(violating("not i = 1"), [0]);
    assert_eq!(violating("not (i > 0 and s is null)"), Vec::<usize>::new());
    // NULL AND false is false, NULL OR true is true.
    assert_eq!(violating("i > 0 and \"odd name\" <> 3"), [1, 2]);
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    for (text, why) in [
        ("abs(i) > 0", "calls 'abs'"),
        ("i > f", "has 'f' where a constant should stand"),
        ("i + 1 > 0", "has '+' where a comparison should stand"),
        ("0 < i", "has '0' where a column should stand"),
        ("x > 0", "names 'x', which is none of the columns i, f"),
        ("i > 0.5", "which is no exact value"),
        ("i > 'a'", "which is no exact value"),
        ("n = 0.001", "which is no exact value"),
        ("l = 1", "which is no exact value"),
        ("i > 99999999999", "which is no exact value"),
        ("d = '2024-13-01'", "which is no exact value"),
        ("i >", "ends where a constant"),
        ("", "ends where a column"),
        ("i > 0 i < 3", "has 'i' where it should end"),
        ("i > 0; DROP TABLE x", "has ';'"),
        ("s = 'open", "open quote"),
        ("i like 3", "has 'like' where a comparison"),
        ("i is 3", "an IS without NULL"),
        ("i between 1 or 2", "a BETWEEN without AND"),
        ("(i > 0", "lacks a ')'"),
    ] {
        let error = Check::parse("c", text, &schema()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{text}");
        assert!(error.message().contains(why), "{text}: {error}");
    }
    let deep = format!("{}i > 0{}", "(".repeat(500), ")".repeat(500));
    assert!(Check::parse("c", &deep, &schema()).unwrap_err().message().contains("too deeply"));
}
