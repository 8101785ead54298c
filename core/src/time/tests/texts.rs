use proptest::prelude::*;

use super::*;

#[test]
fn widths_keep_their_text() {
    for text in ["1us", "250ms", "5s", "15m", "60m", "1h", "1d", "2w", "1mo", "1q", "100y", "1000"] {
        let width = BucketWidth::parse(text).unwrap();
        assert_eq!(width.to_string(), text);
        let json = serde_json::to_string(&width).unwrap();
        assert_eq!(json, format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<BucketWidth>(&json).unwrap(), width);
    }
    assert_eq!(BucketWidth::parse("007d").unwrap().to_string(), "7d");
}

/// Every spelling of a width that pandas, polars, DuckDB and the short form have for the same thing.
#[test]
fn one_width_is_read_from_every_common_spelling() {
    let table: [(&str, &[&str]); 13] = [
        ("250us", &["250us", "250 us", "250µs", "250US", "250 microseconds", "INTERVAL 250 MICROSECONDS", "250000ns"]),
        ("100ms", &["100ms", "100 ms", "100 milliseconds", "INTERVAL 100 MILLISECONDS", "00:00:00.1", "100 msec"]),
        ("2s", &["2s", "2S", "2sec", "2 secs", "2 seconds", "INTERVAL '2 seconds'", "00:00:02"]),
        ("15m", &["15m", "15min", "15T", "15 min", "15 minutes", "15 MINUTES", "INTERVAL 15 MINUTE", "00:15:00"]),
        (
            "1h",
            &[
                "1h",
                "1H",
                "1 h",
                " 1h ",
                "1 hour",
                "1 Hours",
                "1hr",
                "interval 1 hour",
                "INTERVAL '1' HOUR",
                "01:00:00",
            ],
        ),
        ("6h", &["6h", "6H", "6 hours", "06:00:00"]),
        ("1d", &["1d", "1D", "1 day", "1days", "INTERVAL 1 DAY", "INTERVAL '1 day'"]),
        ("2w", &["2w", "2W", "2 weeks", "2week"]),
        ("1mo", &["1mo", "1 month", "1 MONTH", "1mon", "INTERVAL 1 MONTH", "1MO"]),
        ("1q", &["1q", "1Q", "1 quarter"]),
        ("1y", &["1y", "1Y", "1 year", "1yr"]),
        ("90m", &["90m", "90 minutes", "01:30:00"]),
        ("1000", &["1000", " 1000 ", "1000i"]),
    ];
    for (stored, spellings) in table {
        for spelling in spellings.iter() {
            let width = BucketWidth::parse(spelling).unwrap_or_else(|e| panic!("{spelling}: {e}"));
            assert_eq!(width.to_string(), stored, "{spelling}");
        }
    }
}

#[test]
fn the_letter_of_two_meanings_is_refused_with_both() {
    for text in ["1M", "3 M", "INTERVAL 1 M"] {
        let message = BucketWidth::parse(text).unwrap_err().to_string();
        assert!(message.contains("minute") && message.contains("month"), "{message}");
    }
}

#[test]
fn a_log_holds_widths_in_one_form_only() {
    for text in ["1 hour", "1H", "15min", "007d", " 1h"] {
        let error = serde_json::from_value::<BucketWidth>(text.into()).unwrap_err().to_string();
        assert!(error.contains("the form that is stored"), "{error}");
    }
}

#[test]
fn intervals_of_one_part_are_widths() {
    let width = |months, days, micros| BucketWidth::of_interval(months, days, micros).map(|width| width.to_string());
    for (parts, stored) in [
        ((1, 0, 0), "1mo"),
        ((24, 0, 0), "2y"),
        ((0, 7, 0), "7d"),
        ((0, 0, 3_600_000_000), "1h"),
        ((0, 0, 5_400_000_000), "90m"),
        ((0, 0, 100_000), "100ms"),
        ((0, 0, 1), "1us"),
    ] {
        assert_eq!(width(parts.0, parts.1, parts.2).unwrap(), stored);
    }
    for parts in
        [(0, 0, 0), (1, 1, 0), (0, 1, 1), (-1, 0, 0), (0, -1, 0), (0, 0, -1), (i32::MAX, 0, 0), (0, 0, i64::MIN)]
    {
        assert!(width(parts.0, parts.1, parts.2).is_err(), "{parts:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_refused_or_read_as_what_it_displays(text in "(INTERVAL )?[-+ ]?[0-9]{0,6}[ '.:]?[a-zA-ZµT]{0,8}[ ']?") {
        if let Ok(width) = BucketWidth::parse(&text) {
            prop_assert!(width.count() > 0);
            prop_assert_eq!(BucketWidth::parse(&width.to_string()).unwrap(), width);
            prop_assert_eq!(serde_json::from_value::<BucketWidth>(width.to_string().into()).unwrap(), width);
            // The unit is never taken from another: the first letter and the count stand in the text.
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            prop_assert!(text.contains(':') || digits.trim_start_matches('0') == width.count().to_string());
        }
    }
}

#[test]
fn refused_widths_are_named_with_examples() {
    let refused = [
        "",
        "h",
        "0",
        "0h",
        "-1h",
        "1.5h",
        "1M",
        "1ns",
        "1hh",
        "+1h",
        "٣h",
        "101y",
        "1201mo",
        "36526d",
        "9223372036854775807",
        "99999999999999999999999h",
        "10000000000000s",
        "1MS",
        "1Ms",
        "1h30m",
        "1 hour 30 minutes",
        "1d 2h",
        "1,5h",
        "1_000us",
        "1 fortnight",
        "100 sm",
        "INTERVAL",
        "INTERVAL -5 MINUTE",
        "INTERVAL 0 MINUTE",
        "intervals 5 minutes",
        "00:00:00",
        "25:61:00",
        "1:30",
        "-01:00:00",
        "999999999999999:00:00",
        "999ns",
    ];
    for text in refused {
        let error = BucketWidth::parse(text).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::InvalidArgument, "{text}");
        let message = error.to_string();
        assert!(message.contains(&format!("the bucket '{text}'")), "{message}");
        assert!(message.contains("us ms s m h d w mo q y") && message.contains("'1h'"), "{message}");
        assert!(serde_json::from_value::<BucketWidth>(text.into()).is_err());
    }
}

#[test]
fn values_read_as_dates_and_times() {
    let cases = [
        (0, ColumnType::Date, "1970-01-01"),
        (-1, ColumnType::Date, "1969-12-31"),
        (us("2024-06-01 00:00:00"), TS, "2024-06-01 00:00"),
        (us("2024-06-01 13:05:09"), TS, "2024-06-01 13:05:09"),
        (us("2024-06-01 00:00:00") + 1, TS, "2024-06-01 00:00:00.000001"),
        (us("2024-06-01 00:00:00") + 500_000, TS, "2024-06-01 00:00:00.5"),
        (us("2024-06-01 00:00:00") - 1, TS, "2024-05-31 23:59:59.999999"),
        (us("2024-06-01 10:00:00"), TSTZ, "2024-06-01 10:00+00"),
        (-1, ColumnType::Timestamp(TimeUnit::Ns), "1969-12-31 23:59:59.999999999"),
        (951_782_400, ColumnType::Timestamp(TimeUnit::S), "2000-02-29 00:00"),
        (-62_135_596_800, ColumnType::Timestamp(TimeUnit::S), "0001-01-01 00:00"),
        (-62_135_596_801, ColumnType::Timestamp(TimeUnit::S), "-62135596801 s"),
        (253_402_300_800, ColumnType::Timestamp(TimeUnit::S), "253402300800 s"),
        (i64::MAX, TS, "9223372036854775807 us"),
        (i64::MIN, ColumnType::Date, "-9223372036854775808 days"),
        (-42, ColumnType::BigInt, "-42"),
    ];
    for (value, ty, text) in cases {
        assert_eq!(format_value(value.into(), &ty), text);
    }
    assert_eq!(format_value(u64::MAX.into(), &ColumnType::UBigInt), "18446744073709551615");
    assert!(format_value(IndexValue(i128::MIN), &TS).ends_with(" us"));
}

#[test]
fn buckets_read_as_half_open_ranges() {
    let text = |width, ty: &ColumnType, zone, value: i64| {
        let grid = grid(width, ty, zone, None);
        format_bucket(&grid, bucket(&grid, value), ty)
    };
    let noon = us("2024-06-01 12:00:00");
    assert_eq!(text("1h", &TS, None, us("2024-06-01 00:00:00")), "[2024-06-01 00:00, 01:00)");
    assert_eq!(text("1h", &TS, None, us("2024-06-01 23:30:00")), "[2024-06-01 23:00, 2024-06-02 00:00)");
    assert_eq!(text("1h", &TSTZ, None, noon), "[2024-06-01 12:00+00, 13:00+00)");
    assert_eq!(text("1d", &TSTZ, Some("America/New_York"), noon), "[2024-06-01 04:00+00, 2024-06-02 04:00+00)");
    assert_eq!(text("1d", &ColumnType::Date, None, 19_875), "[2024-06-01, 2024-06-02)");
    assert_eq!(text("1000", &ColumnType::BigInt, None, -1), "[-1000, 0)");
    assert_eq!(text("1h", &TS, None, i64::MAX), "[9223372036800000000 us, 9223372040400000000 us)");
}

#[test]
fn index_values_are_plain_json_integers() {
    for value in [0, -1, i128::from(i64::MIN), i128::from(i64::MAX), i128::from(u64::MAX)] {
        let json = serde_json::to_string(&IndexValue(value)).unwrap();
        assert_eq!(json, value.to_string());
        assert_eq!(serde_json::from_str::<IndexValue>(&json).unwrap(), IndexValue(value));
    }
    assert!(serde_json::to_string(&IndexValue(i128::from(u64::MAX) + 1)).is_err());
    for wrong in ["1.5", "\"1\"", "18446744073709551616", "null"] {
        assert!(serde_json::from_str::<IndexValue>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn index_values_survive_tagged_enums() {
    #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
    #[serde(tag = "kind")]
    enum Tagged {
        Add { min: IndexValue, range: IndexRange },
    }
    let add = Tagged::Add { min: u64::MAX.into(), range: IndexRange { start: None, until: Some(IndexValue(-5)) } };
    let json = serde_json::to_string(&add).unwrap();
    assert_eq!(serde_json::from_str::<Tagged>(&json).unwrap(), add);
}
