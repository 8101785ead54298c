//! Widths and lengths of time, and what is none.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use tstable_core::schema::TimeUnit;

use super::*;

const US: ColumnType = ColumnType::Timestamp(TimeUnit::Us);

fn text(value: &str) -> Arg {
    Arg::Scalar(Constant::Text(value.to_owned()))
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
