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

#[test]
fn refused_widths_are_named_with_examples() {
    let refused = [
        "",
        "h",
        "0",
        "0h",
        "-1h",
        "1H",
        "1 h",
        " 1h",
        "1.5h",
        "1min",
        "1M",
        "1ns",
        "1hh",
        "+1h",
        "1h ",
        "٣h",
        "101y",
        "1201mo",
        "36526d",
        "9223372036854775807",
        "99999999999999999999999h",
        "10000000000000s",
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
