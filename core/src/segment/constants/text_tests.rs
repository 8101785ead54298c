//! What is written down of a constant, and read from the name of a folder.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::{parse, text};
use crate::schema::{ColumnType as T, TimeUnit as U};

const DECIMAL: T = T::Decimal { precision: 5, scale: 2 };

#[test]
fn what_is_written_down_is_read_back_as_the_same_value() {
    let values = [
        (T::Varchar, "a=b/ü %"),
        (T::Varchar, ""),
        (T::BigInt, "-9223372036854775808"),
        (T::UBigInt, "18446744073709551615"),
        (T::TinyInt, "-128"),
        (T::Boolean, "true"),
        (T::Double, "0.1"),
        (DECIMAL, "-0.05"),
        (DECIMAL, "123.40"),
        (T::Date, "1969-12-31"),
        (T::Date, "2024-02-29"),
        (T::Timestamp(U::Us), "2024-01-02 03:04:05.000006"),
        (T::Timestamp(U::Ns), "1969-12-31 23:59:59.999999999"),
        (T::Timestamp(U::S), "2024-01-02 00:00:00"),
        (T::TimestampTz(U::Us), "2024-01-02 03:04:05+00"),
    ];
    for (ty, written) in values {
        let value = parse(written, &ty).unwrap_or_else(|| panic!("{written} as {ty}"));
        let again = text(&value).unwrap();
        assert_eq!(parse(&again, &ty), Some(value), "{written} as {ty}, then {again}");
    }
}

#[test]
fn other_spellings_of_a_value_are_that_value() {
    let same = [
        (T::BigInt, "007", "7"),
        (T::Timestamp(U::Us), "2024-01-02", "2024-01-02 00:00:00"),
        (T::Timestamp(U::Us), "2024-01-02T10:30", "2024-01-02 10:30:00"),
        (T::TimestampTz(U::Us), "2024-01-02T01:00:00+01:00", "2024-01-02 00:00:00Z"),
        (DECIMAL, "1", "1.00"),
    ];
    for (ty, a, b) in same {
        assert!(parse(a, &ty).is_some(), "{a} as {ty}");
        assert_eq!(parse(a, &ty), parse(b, &ty), "{a} and {b} as {ty}");
    }
}

#[test]
fn what_is_no_value_of_the_type_is_none() {
    let bad = [
        (T::BigInt, "9223372036854775808"),
        (T::BigInt, "+1"),
        (T::BigInt, "1.0"),
        (T::BigInt, ""),
        (T::UTinyInt, "-1"),
        (T::Double, "nan"),
        (DECIMAL, "1234"),
        (DECIMAL, "0.001"),
        (T::Date, "2024-13-01"),
        (T::Date, "2024-01-02 00:00:00"),
        (T::Timestamp(U::S), "2024-01-02 00:00:00.5"),
        (T::TimestampTz(U::Us), "2024-01-02 00:00:00"),
        (T::Blob, "x"),
    ];
    for (ty, written) in bad {
        assert_eq!(parse(written, &ty), None, "{written} as {ty}");
    }
}
