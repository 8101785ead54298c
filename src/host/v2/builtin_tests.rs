//! Tests of what is taken for a function of DuckDB's own.

use duckdb_neo::logical_type::LogicalTypeID::*;

use super::is_overload;

#[test]
fn a_function_is_known_by_its_name_and_the_types_of_its_arguments() {
    assert!(is_overload("year", &[TimestampTz]));
    assert!(is_overload("+", &[Interval, Date]));
    assert!(is_overload("time_bucket", &[Interval, TimestampTz, Varchar]));
    assert!(is_overload("~~", &[Varchar, Varchar]));
}

#[test]
fn an_overload_that_a_user_can_add_is_none_of_duckdbs() {
    assert!(!is_overload("year", &[Varchar]));
    assert!(!is_overload("year", &[TimestampNs]));
    assert!(!is_overload("epoch_ms", &[Integer]));
    assert!(!is_overload("+", &[Date, BigInt]));
    assert!(!is_overload("-", &[Interval, Date]));
    assert!(!is_overload("starts_with", &[Varchar, Integer]));
    assert!(!is_overload("time_bucket", &[Interval, Timestamp, Date]));
}

#[test]
fn a_name_that_duckdb_does_not_use_is_a_users_own() {
    assert!(!is_overload("like", &[Varchar, Varchar]));
    assert!(!is_overload("date", &[Timestamp]));
}
