#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

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
        ("sqrt(f) > 0", "calls 'sqrt'"),
        ("regexp_full_match(s, 'x')", "calls 'regexp_full_match'"),
        ("i > s", "compares 'i', which is INTEGER, with 's', which is VARCHAR"),
        ("d > t", "compares 'd', which is DATE, with 't'"),
        ("l = l", "compares 'l', which is INTEGER[], with 'l'"),
        ("i % 2 > 0", "has '%', which is not supported"),
        ("i // 2 > 0", "has '/' where a value should stand"),
        ("i > 1 -- f", "has a comment"),
        ("i > /* f */ 1", "has a comment"),
        ("i + s > 0", "computes with 's', which is VARCHAR and no number"),
        ("i + 'a' > 0", "computes with 'a', which is not a number"),
        ("d - 1 > 0", "computes with 'd', which is DATE and no number"),
        ("i + 1", "ends where a comparison should stand"),
        ("i < f < 3", "has '<' where it should end"),
        ("abs(i, f) > 0", "calls 'abs' with 2 arguments"),
        ("length(i) > 0", "takes the 'length' of what is not a column of type VARCHAR"),
        ("greatest() > 0", "has ')' where a value should stand"),
        ("1 < 2", "compares constants"),
        ("(i > 0) + 1 > 0", "has '+' where it should end"),
        (
            "n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n > 0",
            "38 digits after the point",
        ),
        ("i + 100000000000000000000000000000000000000000 > 0", "which is not a number of at most 38 digits"),
        ("NULL > i", "names 'NULL'"),
        ("0.5 < i", "which is not an exact value"),
        ("x > 0", "names 'x', which is not one of the columns i, f"),
        ("i > 0.5", "which is not an exact value"),
        ("i > 'a'", "which is not an exact value"),
        ("n = 0.001", "which is not an exact value"),
        ("l = 1", "which is not an exact value"),
        ("i > 99999999999", "which is not an exact value"),
        ("d = '2024-13-01'", "which is not an exact value"),
        ("i >", "ends where a value"),
        ("", "ends where a value"),
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
    let long = format!("i{} > 0", " + i".repeat(100_000));
    assert!(Check::parse("c", &long, &schema()).unwrap_err().message().contains("more than 256"));
    for deep in ["(", "-", "- ", "abs(", "not "].map(|open| format!("{}i > 0", open.repeat(5_000))) {
        let message = Check::parse("c", &deep, &schema()).unwrap_err().message().to_owned();
        assert!(message.contains("too deeply") || message.contains("a comment"), "{message}");
    }
    let deep = format!("{}i > 0{}", "(".repeat(500), ")".repeat(500));
    assert!(Check::parse("c", &deep, &schema()).unwrap_err().message().contains("too deeply"));
}

#[test]
fn columns_are_compared_with_columns_and_with_what_is_computed_of_them() {
    assert_eq!(violating("i < \"odd name\""), [0, 3]);
    assert_eq!(violating("0 < i"), [1]);
    assert_eq!(violating("s = s and b <> b"), [0, 1, 3]);
    assert_eq!(violating("i + \"odd name\" * 2 = 3"), [1, 3]);
    assert_eq!(violating("(i + \"odd name\") * 2 = 4"), [1, 3]);
    assert_eq!(violating("i - -5 > 0"), [1]);
    assert_eq!(violating("-i < 0"), [1]);
    assert_eq!(violating("abs(i) > 1"), [0]);
    assert_eq!(violating("length(s) >= 1"), [3]);
    assert_eq!(violating("((i)) > ((0))"), [1]);
    assert_eq!(violating("((i + 1) > 0 or (f) > 0)"), Vec::<usize>::new());
    assert_eq!(violating("i / 2 = 0.5"), [1, 3]);
    assert_eq!(violating("n * 3 > 2.995"), [1]);
    assert_eq!(violating("n + n is not null"), [2]);
    assert_eq!(violating("i not between n and f"), Vec::<usize>::new());
    assert_eq!(violating("i in (n, 7)"), [1]);
}

#[test]
fn greatest_and_least_pass_over_null_and_nan_is_the_greatest() {
    assert_eq!(violating("greatest(i, \"odd name\") = 3"), [0, 1, 3]);
    assert_eq!(violating("least(i, \"odd name\", 2.5) = 2.5"), [0, 1]);
    assert_eq!(violating("f >= greatest(f, i)"), [0, 3]);
    assert_eq!(violating("f + 1 < 1e300"), [1]);
    // Divided by a negative zero it is negative infinity, by NaN it is NaN.
    assert_eq!(violating("1 / f > 0"), [0]);
}

#[test]
fn whole_numbers_are_exact_and_a_row_whose_number_does_not_fit_violates_the_check() {
    let types = [("a", ColumnType::BigInt), ("u", ColumnType::UBigInt), ("t", ColumnType::TinyInt)];
    let schema = Schema::new(types.map(|(name, ty)| (name.to_owned(), ty))).unwrap();
    let batch = RecordBatch::try_from_iter([
        ("a", Arc::new(arrow::array::Int64Array::from(vec![Some(i64::MAX), Some(i64::MIN), Some(0), None])) as _),
        ("u", Arc::new(arrow::array::UInt64Array::from(vec![u64::MAX, 0, 1, 2])) as _),
        ("t", Arc::new(arrow::array::Int8Array::from(vec![127, -128, 5, 0])) as _),
    ])
    .unwrap();
    let violating = |text: &str| -> Vec<usize> {
        let violated = Check::parse("c", text, &schema).unwrap().violated(&batch).unwrap();
        (0..4).filter(|row| violated.value(*row)).collect()
    };
    assert_eq!(violating("a + 1 > a"), Vec::<usize>::new());
    assert_eq!(violating("u > a"), Vec::<usize>::new());
    assert_eq!(violating("u - 2 >= 0"), [1, 2]);
    assert_eq!(violating("abs(t) + t >= 0 and abs(t) < 128"), [1]);
    assert_eq!(violating("a * a >= 0"), Vec::<usize>::new());
    // Beyond 128 bits nothing wraps and nothing stands for the number, under NOT and OR neither.
    assert_eq!(violating("a * a * a * a >= 0"), [0, 1]);
    assert_eq!(violating("not (a * a * a * a >= 0)"), [0, 1, 2]);
    assert_eq!(violating("t is not null or a * a * a * a > 0"), [0, 1]);
    assert_eq!(violating("u < 0.00000000000000000000000000000000000001 + 1"), [0, 3]);
}

#[test]
fn a_pattern_is_found_in_texts_and_null_passes() {
    assert_eq!(violating("regexp_matches(s, '^[a-z]')"), [3]);
    assert_eq!(violating("NOT regexp_matches(s, 'x|''')"), [0, 1]);
    assert_eq!(violating("regexp_matches(S, '') AND i > 0"), [1]);
}

#[test]
fn patterns_mean_what_they_mean_to_re2() {
    let found = |pattern: &str, text: &str| super::pattern::compile(pattern).map(|pattern| pattern.is_match(text));
    for (pattern, text, expected) in [
        (r"^\d$", "٣", false),
        (r"^\D$", "٣", true),
        (r"^\w$", "é", false),
        (r"^[\w-]+$", "a-b", true),
        (r"\s", "\u{b}", false),
        (r"é\b", "é", false),
        ("a.b", "a\nb", false),
        ("(?s)a.b", "a\nb", true),
        ("a$", "a\n", false),
        ("(?i)k", "\u{212a}", true),
        ("a{,3}", "a{,3}", true),
        ("^[[&~]+$", "[&~", true),
        ("^[]^]+$", "]^", true),
        (r"\<", "<", true),
        ("^[[:alpha:]_]+$", "a_", true),
    ] {
        assert_eq!(found(pattern, text), Ok(expected), "{pattern} in {text:?}");
    }
    for pattern in ["(?x)a b", "a(?=b)", r"(a)\1", r"\Qa\E", r"\B", "(", "[a--b]", r"a\", "(a{1000}){1000}"] {
        assert!(found(pattern, "a").is_err(), "{pattern}");
    }
}

#[test]
fn what_is_no_pattern_of_a_column_of_texts_is_refused_by_name() {
    for (text, named) in [
        ("regexp_matches(i, 'a')", "other than a column of type VARCHAR"),
        ("regexp_matches(s, s)", "no text as the pattern"),
        ("regexp_matches(s, 'a', 'i')", "gives 'regexp_matches' options"),
        ("regexp_matches(s, 'a(')", "the pattern 'a('"),
        ("regexp_matches(s, 'a(') AND i > 0", "unclosed group"),
    ] {
        let error = Check::parse("c", text, &schema()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{text}");
        assert!(error.to_string().contains(named), "{text}: {error}");
    }
}
