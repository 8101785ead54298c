//! Texts and constants that are instants, and those that are not.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

const US: ColumnType = ColumnType::Timestamp(TimeUnit::Us);

fn text(value: &str) -> Arg {
    Arg::Scalar(Constant::Text(value.to_owned()))
}

#[test]
fn dates_and_timestamps_are_read_in_every_common_spelling() {
    for (spelling, micros) in [
        ("1970-01-02", 86_400_000_000),
        ("1970-01-01 00:00", 0),
        ("1970-01-01T00:00:01.5", 1_500_000),
        ("1970-01-01 02:00:00+02", 0),
        ("1970-01-01 02:00:00+02:00", 0),
        ("1969-12-31 19:00:00-0500", 0),
        ("1970-01-01T00:00:00Z", 0),
        (" 1969-12-31 23:59:59 UTC ", -1_000_000),
    ] {
        assert_eq!(index_value("start", &text(spelling), &US).expect(spelling), IndexValue(micros), "{spelling}");
    }
}

#[test]
fn a_finer_instant_is_rounded_up_to_the_columns_unit() {
    let noon = Arg::Scalar(Constant::Temporal(US, 43_200_000_000));
    assert_eq!(index_value("start", &noon, &ColumnType::Date).unwrap(), IndexValue(1));
    let before = Arg::Scalar(Constant::Temporal(US, -1));
    assert_eq!(index_value("start", &before, &ColumnType::Date).unwrap(), IndexValue(0));
}

#[test]
fn what_is_no_instant_is_refused_with_its_value() {
    for wrong in ["yesterday", "2024-13-01", "2024-01-01 25:00", "", "2024-01-01 10:00 Mars/Olympus"] {
        let error = index_value("until", &text(wrong), &US).unwrap_err().to_string();
        assert!(error.contains(&format!("until := '{wrong}'")), "{error}");
    }
    let infinite = Arg::Scalar(Constant::Temporal(US, i64::MAX));
    assert!(index_value("start", &infinite, &US).unwrap_err().to_string().contains("infinity"));
}

#[test]
fn integers_are_taken_for_integer_indexes_only() {
    let five = Arg::Scalar(Constant::Int(5));
    assert_eq!(index_value("start", &five, &ColumnType::UBigInt).unwrap(), IndexValue(5));
    assert_eq!(index_value("start", &text("-7"), &ColumnType::BigInt).unwrap(), IndexValue(-7));
    assert!(index_value("start", &five, &US).is_err());
    assert!(index_value("start", &text("2024-01-01"), &ColumnType::BigInt).is_err());
}

#[test]
fn widths_come_as_short_and_long_texts_and_as_intervals() {
    for (arg, width_text) in [
        (text("1h"), "1h"),
        (text("1 month"), "1mo"),
        (text("2 hours"), "2h"),
        (Arg::Scalar(Constant::Interval { months: 1, days: 0, micros: 0 }), "1mo"),
        (Arg::Scalar(Constant::Int(1000)), "1000"),
        (text("100 ms"), "100ms"),
        (text("30 s"), "30s"),
        (text("15min"), "15m"),
        (Arg::Scalar(Constant::Interval { months: 0, days: 0, micros: 3_600_000_000 }), "1h"),
    ] {
        assert_eq!(width("by", &arg).unwrap().to_string(), width_text);
    }
}

#[test]
fn a_refused_width_names_the_argument_and_what_was_written() {
    let two = Arg::Scalar(Constant::Interval { months: 1, days: 1, micros: 0 });
    for (arg, said) in
        [(text("1M"), "every := '1M'"), (Arg::Scalar(Constant::Int(-5)), "every := -5"), (two, "several parts")]
    {
        let error = width("every", &arg).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn lengths_of_time_that_are_not_positive_are_refused() {
    let length =
        |months, days, micros| max_units("max_age", &Arg::Scalar(Constant::Interval { months, days, micros }), &US);
    assert_eq!(length(0, 0, 1).unwrap(), 1);
    assert_eq!(length(0, -1, 86_400_000_001).unwrap(), 1);
    for (months, days, micros) in [(0, 0, -1), (0, 0, 0), (0, -1, 0), (-1, 28, 0), (i32::MIN, i32::MIN, i64::MIN)] {
        assert!(length(months, days, micros).unwrap_err().to_string().contains("max_age := INTERVAL"));
    }
    let instant = Arg::Scalar(Constant::Interval { months: 0, days: 0, micros: 1 });
    assert!(max_units("max_age", &instant, &ColumnType::Date).is_err());
}
