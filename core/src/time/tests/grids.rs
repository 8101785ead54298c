use proptest::prelude::*;

use super::*;

#[test]
fn buckets_are_aligned_as_time_bucket_aligns_them() {
    // Measured in DuckDB 1.5.0: SELECT time_bucket(INTERVAL ..., TIMESTAMP '2024-06-13 14:47:31').
    let value = us("2024-06-13 14:47:31");
    let cases = [
        ("1s", "2024-06-13 14:47:31"),
        ("15m", "2024-06-13 14:45:00"),
        ("1h", "2024-06-13 14:00:00"),
        ("5h", "2024-06-13 13:00:00"),
        ("1d", "2024-06-13 00:00:00"),
        ("3d", "2024-06-13 00:00:00"),
        ("1w", "2024-06-10 00:00:00"),
        ("1mo", "2024-06-01 00:00:00"),
        ("7mo", "2023-12-01 00:00:00"),
        ("1q", "2024-04-01 00:00:00"),
        ("1y", "2024-01-01 00:00:00"),
        ("5y", "2020-01-01 00:00:00"),
    ];
    for (width, expected) in cases {
        assert_eq!(start(&grid(width, &TS, None, None), value), us(expected), "{width}");
    }
}

#[test]
fn long_buckets_begin_at_the_origin_of_time_bucket() {
    for (width, origin) in
        [("5h", "2000-01-03 00:00:00"), ("3d", "2000-01-03 00:00:00"), ("7mo", "2000-01-01 00:00:00")]
    {
        assert_eq!(start(&grid(width, &TS, None, None), us(origin)), us(origin), "{width}");
    }
}

#[test]
fn ids_are_anchored_near_the_epoch() {
    for width in ["1us", "1s", "1h", "1d", "1mo", "1q", "1y"] {
        assert_eq!(bucket(&grid(width, &TS, None, None), 0), BucketId(0), "{width}");
        assert_eq!(bucket(&grid(width, &TS, None, None), -1), BucketId(-1), "{width}");
    }
    assert_eq!(bucket(&grid("1d", &TS, None, None), us("2024-06-01 00:00:00")), BucketId(19_875));
    assert_eq!(bucket(&grid("1mo", &TS, None, None), us("2024-06-30 23:59:59")), BucketId(54 * 12 + 5));
}

#[test]
fn origins_move_the_grid() {
    let session = grid("1d", &TS, None, Some(us("1999-12-31 18:00:00")));
    assert_eq!(start(&session, us("2024-06-01 17:59:59")), us("2024-05-31 18:00:00"));
    assert_eq!(start(&session, us("2024-06-01 18:00:00")), us("2024-06-01 18:00:00"));
    let sundays = grid("1w", &TS, None, Some(us("2024-06-02 00:00:00")));
    assert_eq!(start(&sundays, us("2024-06-15 23:00:00")), us("2024-06-09 00:00:00"));
    let gas_month = grid("1mo", &TS, None, Some(us("2024-01-01 06:00:00")));
    assert_eq!(start(&gas_month, us("2024-03-01 05:59:59")), us("2024-02-01 06:00:00"));
    assert_eq!(start(&gas_month, us("2024-03-01 06:00:00")), us("2024-03-01 06:00:00"));
    let fiscal = grid("1y", &TS, None, Some(us("2000-04-06 00:00:00")));
    assert_eq!(start(&fiscal, us("2024-04-05 23:00:00")), us("2023-04-06 00:00:00"));
    assert_eq!(bucket(&grid("1000", &ColumnType::BigInt, None, Some(1)), 0), BucketId(-1));
}

#[test]
fn origins_that_some_months_lack_are_refused() {
    let message = refusal("1mo", &TS, None, Some(us("2024-01-31 00:00:00").into()));
    assert!(message.contains("day 31"), "{message}");
    assert!(refusal("1d", &TS, None, Some(i128::MAX)).contains("the origin"));
}

#[test]
fn widths_must_suit_the_index() {
    assert!(
        refusal("1h", &ColumnType::Date, None, None)
            .contains("a bucket of 1h is finer than the days of a DATE index; use 1d or a multiple")
    );
    assert!(refusal("36h", &ColumnType::Date, None, None).contains("is not a whole multiple of the days"));
    assert!(refusal("1us", &ColumnType::Timestamp(TimeUnit::Ms), None, None).contains("finer than the milliseconds"));
    assert!(refusal("1500ms", &ColumnType::TimestampTz(TimeUnit::S), None, None).contains("not a whole multiple"));
    assert!(refusal("1000", &TS, None, None).contains("has no unit"));
    assert!(refusal("1h", &ColumnType::UBigInt, None, None).contains("the index is an integer"));
    assert!(refusal("10", &ColumnType::BigInt, Some("UTC"), None).contains("means nothing to an integer index"));
    assert!(refusal("10", &ColumnType::Varchar, None, None).contains("VARCHAR cannot be the index"));
    assert!(refusal("1d", &TS, Some("Mars/Base"), None).contains("'Mars/Base' is unknown"));
    assert_eq!(bucket(&grid("48h", &ColumnType::Date, None, None), 3), BucketId(1));
}

#[test]
fn whole_calendar_is_walked_day_by_day() {
    let months = grid("1mo", &ColumnType::Date, None, None);
    let years = grid("1y", &ColumnType::Date, None, None);
    let mut date = chrono::NaiveDate::from_ymd_opt(1890, 1, 1).unwrap();
    while date < chrono::NaiveDate::from_ymd_opt(2110, 1, 1).unwrap() {
        let day = i64::from(date.to_epoch_days());
        use chrono::Datelike;
        let first_of_month = date.with_day(1).unwrap();
        assert_eq!(start(&months, day), i64::from(first_of_month.to_epoch_days()));
        assert_eq!(start(&years, day), i64::from(first_of_month.with_month(1).unwrap().to_epoch_days()));
        date = date.succ_opt().unwrap();
    }
}

#[test]
fn ranges_give_their_buckets() {
    let grid = grid("10", &ColumnType::BigInt, None, None);
    let range = |start: Option<i64>, until: Option<i64>| IndexRange {
        start: start.map(IndexValue::from),
        until: until.map(IndexValue::from),
    };
    let run = |first, last| Run::new(BucketId(first), BucketId(last));
    assert_eq!(grid.buckets_in(&range(Some(5), Some(30))), run(0, 2));
    assert_eq!(grid.buckets_in(&range(Some(5), Some(31))), run(0, 3));
    assert_eq!(grid.buckets_in(&range(Some(5), Some(6))), run(0, 0));
    assert_eq!(grid.buckets_in(&range(Some(5), Some(5))), None);
    assert_eq!(grid.buckets_in(&range(None, Some(0))), run(i64::MIN, -1));
    assert_eq!(grid.buckets_in(&IndexRange::ALL), run(i64::MIN, i64::MAX));
    let extreme = IndexRange::new(IndexValue(i128::MIN), IndexValue(i128::MAX));
    assert_eq!(grid.buckets_in(&extreme), run(i64::MIN, i64::MAX));
}

#[test]
fn ranges_are_half_open() {
    let range = IndexRange::new(IndexValue(10), IndexValue(20));
    assert!(range.contains(IndexValue(10)) && !range.contains(IndexValue(20)));
    assert!(range.intersects(IndexValue(0), IndexValue(10)) && !range.intersects(IndexValue(20), IndexValue(30)));
    assert!(!IndexRange::new(IndexValue(5), IndexValue(5)).intersects(IndexValue(0), IndexValue(9)));
    let until_15 = IndexRange { start: None, until: Some(IndexValue(15)) };
    assert_eq!(range.intersect(&until_15), IndexRange::new(IndexValue(10), IndexValue(15)));
    assert_eq!(range.intersect(&IndexRange::ALL), range);
    assert!(range.intersect(&IndexRange::new(IndexValue(30), IndexValue(40))).is_empty());
}

#[test]
fn numbers_beyond_64_bits_are_refused() {
    let unit = grid("1", &ColumnType::UBigInt, None, None);
    assert_eq!(unit.bucket_of(i64::MAX.into()).unwrap(), BucketId(i64::MAX));
    let error = unit.bucket_of(u64::MAX.into()).unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::LimitExceeded);
    let pairs = grid("2", &ColumnType::UBigInt, None, None);
    assert_eq!(pairs.bucket_of(u64::MAX.into()).unwrap(), BucketId(i64::MAX));
    for value in [i128::MIN, i128::MAX] {
        assert!(pairs.bucket_of(IndexValue(value)).is_err());
    }
}

#[test]
fn bounds_of_the_outermost_buckets_do_not_overflow() {
    let types = [TimeUnit::S, TimeUnit::Ms, TimeUnit::Us, TimeUnit::Ns].map(ColumnType::TimestampTz);
    for ty in &types {
        for width in ["1w", "100y", "36525d", "1mo"] {
            for zone in [None, Some("Pacific/Apia")] {
                let grid = grid(width, ty, zone, None);
                assert!(grid.start_of(BucketId(i64::MIN)) < grid.end_of(BucketId(i64::MIN)), "{width} {ty}");
                assert!(grid.start_of(BucketId(i64::MAX)) < grid.end_of(BucketId(i64::MAX)), "{width} {ty}");
            }
        }
    }
    let widest = grid("4611686018427387904", &ColumnType::UBigInt, None, Some(-1));
    assert!(widest.end_of(BucketId(i64::MAX)) > widest.start_of(BucketId(i64::MAX)));
}

#[test]
fn cursor_agrees_with_the_grid() {
    let grid = grid("1d", &TSTZ, Some("Europe/Berlin"), None);
    let mut cursor = grid.cursor();
    let base = us("2024-03-30 00:00:00");
    for step in (0..96).chain((0..96).rev()).chain([50, 3, 80, 3]) {
        let value = base + step * 1_800_000_000;
        assert_eq!(cursor.bucket_of(value).unwrap(), bucket(&grid, value));
    }
    assert!(cursor.bucket_of(IndexValue(i128::MAX)).is_err());
    assert_eq!(cursor.bucket_of(base).unwrap(), bucket(&grid, base));
}

/// Every width that suits the column, on every kind of column.
fn any_grid() -> impl Strategy<Value = Grid> {
    let types = prop::sample::select(vec![
        ColumnType::Date,
        ColumnType::Timestamp(TimeUnit::S),
        ColumnType::Timestamp(TimeUnit::Ms),
        TS,
        ColumnType::Timestamp(TimeUnit::Ns),
        TSTZ,
        ColumnType::BigInt,
        ColumnType::UBigInt,
    ]);
    let units = prop::sample::select(vec!["us", "ms", "s", "m", "h", "d", "w", "mo", "q", "y", ""]);
    let zones = prop::sample::select(vec![None, Some("America/St_Johns"), Some("Pacific/Apia"), Some("Africa/Cairo")]);
    let counts = prop_oneof![1_i64..100, 1_i64..40_000];
    (types, units, zones, counts, proptest::option::of(-1_000_000_i64..1_000_000)).prop_filter_map(
        "the width does not suit the column",
        |(ty, unit, zone, count, origin)| {
            let width = BucketWidth::parse(&format!("{count}{unit}")).ok()?;
            Grid::new(&width, &ty, zone, origin.map(IndexValue::from)).ok()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_value_lies_in_its_bucket(grid in any_grid(), values in prop::collection::vec(any::<i64>(), 1..20), wide: u64) {
        for value in values {
            assert_holds(&grid, value.into());
            assert_holds(&grid, i128::from(value >> 20));
        }
        for value in [i128::from(wide), 0, -1, i128::from(i64::MIN), i128::from(i64::MAX), i128::from(u64::MAX)] {
            assert_holds(&grid, value);
        }
    }

    #[test]
    fn buckets_never_run_backwards(grid in any_grid(), a: i64, b: i64, near in 0_i64..1_000_000_000) {
        for (a, b) in [(a.min(b), a.max(b)), (a, a.saturating_add(near))] {
            if let (Ok(a), Ok(b)) = (grid.bucket_of(a.into()), grid.bucket_of(b.into())) {
                prop_assert!(a <= b);
            }
        }
    }

    #[test]
    fn any_bucket_begins_in_itself_or_is_empty(grid in any_grid(), id: i64) {
        for id in [BucketId(id), BucketId(id >> 40)] {
            let (start, end) = (grid.start_of(id), grid.end_of(id));
            prop_assert!(start <= end);
            if let Ok(found) = grid.bucket_of(start)
                && start < end
            {
                prop_assert_eq!(found, id);
            }
        }
    }

    #[test]
    fn buckets_of_a_range_are_those_of_its_values(grid in any_grid(), start: i64, length in 1_i64..10_000_000) {
        let until = start.saturating_add(length);
        prop_assume!(start < until);
        let run = grid.buckets_in(&IndexRange::new(start.into(), until.into())).unwrap();
        if let (Ok(first), Ok(last)) = (grid.bucket_of(start.into()), grid.bucket_of((until - 1).into())) {
            prop_assert_eq!(run, Run { first, last });
        }
    }
}
