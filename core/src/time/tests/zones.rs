use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};

use super::*;

const HOUR: i64 = 3_600_000_000;

fn day_lengths(zone: &str, days: &[&str]) -> Vec<i64> {
    let grid = grid("1d", &TSTZ, Some(zone), None);
    let length = |day: &&str| {
        let id = bucket(&grid, us(&format!("{day} 16:00:00")));
        i64::try_from(grid.end_of(id).0 - grid.start_of(id).0).unwrap() / HOUR
    };
    days.iter().map(length).collect()
}

#[test]
fn local_days_have_23_24_or_25_hours() {
    assert_eq!(day_lengths("America/New_York", &["2024-03-09", "2024-03-10", "2024-11-03"]), [24, 23, 25]);
    assert_eq!(day_lengths("Europe/Berlin", &["2024-03-31", "2024-07-01", "2024-10-27"]), [23, 24, 25]);
    assert_eq!(day_lengths("Asia/Kolkata", &["2024-03-31", "2024-10-27"]), [24, 24]);
}

#[test]
fn local_weeks_months_and_years_begin_at_local_midnight() {
    let value = us("2024-07-10 12:00:00");
    let cases = [
        ("1d", "2024-07-10 04:00:00"),
        ("1w", "2024-07-08 04:00:00"),
        ("1mo", "2024-07-01 04:00:00"),
        ("1q", "2024-07-01 04:00:00"),
        ("1y", "2024-01-01 05:00:00"),
    ];
    for (width, expected) in cases {
        assert_eq!(start(&grid(width, &TSTZ, Some("America/New_York"), None), value), us(expected), "{width}");
    }
}

#[test]
fn short_buckets_are_elapsed_time_from_local_midnight_of_the_origin() {
    let kolkata = grid("1h", &TSTZ, Some("Asia/Kolkata"), None);
    assert!(kolkata.fixed_width().is_some());
    assert_eq!(start(&kolkata, us("2024-06-01 12:15:00")), us("2024-06-01 11:30:00"));
    let new_york = grid("12h", &TSTZ, Some("America/New_York"), None);
    assert_eq!(start(&new_york, us("2024-01-15 06:00:00")), us("2024-01-15 05:00:00"));
    assert_eq!(start(&new_york, us("2024-07-15 06:00:00")), us("2024-07-15 05:00:00"));
}

#[test]
fn zoned_buckets_are_those_of_time_bucket_with_a_zone() {
    // Measured in DuckDB 1.5.0: SELECT time_bucket(INTERVAL ..., TIMESTAMPTZ '2024-07-15 06:15:00+00', zone).
    let cases = [
        ("Asia/Kolkata", "1h", "2024-07-15 05:30:00"),
        ("Asia/Kolkata", "12h", "2024-07-14 18:30:00"),
        ("Asia/Kolkata", "1d", "2024-07-14 18:30:00"),
        ("Asia/Kolkata", "3d", "2024-07-12 18:30:00"),
        ("Asia/Kolkata", "1mo", "2024-06-30 18:30:00"),
        ("America/New_York", "1h", "2024-07-15 06:00:00"),
        ("America/New_York", "12h", "2024-07-15 05:00:00"),
        ("America/New_York", "1d", "2024-07-15 04:00:00"),
        ("America/New_York", "3d", "2024-07-13 04:00:00"),
        ("America/New_York", "1w", "2024-07-15 04:00:00"),
        ("America/New_York", "1mo", "2024-07-01 04:00:00"),
        ("America/New_York", "1y", "2024-01-01 05:00:00"),
    ];
    for (zone, width, expected) in cases {
        let grid = grid(width, &TSTZ, Some(zone), None);
        assert_eq!(start(&grid, us("2024-07-15 06:15:00")), us(expected), "{zone} {width}");
    }
}

#[test]
fn days_whose_midnight_is_skipped_begin_at_the_skip() {
    // Sao Paulo went from 00:00 -03 to 01:00 -02 on 2018-11-04.
    let grid = grid("1d", &TSTZ, Some("America/Sao_Paulo"), None);
    assert_eq!(start(&grid, us("2018-11-04 12:00:00")), us("2018-11-04 03:00:00"));
    assert_eq!(start(&grid, us("2018-11-04 02:59:59")), us("2018-11-03 03:00:00"));
}

#[test]
fn days_whose_midnight_comes_twice_begin_at_the_first() {
    // Havana went from 01:00 -04 back to 00:00 -05 on 2024-11-03.
    let havana = grid("1d", &TSTZ, Some("America/Havana"), None);
    assert_eq!(start(&havana, us("2024-11-03 12:00:00")), us("2024-11-03 04:00:00"));
    // St. John's went from 00:01 -02:30 back to 23:01 -03:30 of the day before on 2010-11-07.
    let st_johns = grid("1d", &TSTZ, Some("America/St_Johns"), None);
    assert_eq!(start(&st_johns, us("2010-11-07 03:00:00")), us("2010-11-07 02:30:00"));
    assert_eq!(start(&st_johns, us("2010-11-07 02:29:59")), us("2010-11-06 02:30:00"));
}

#[test]
fn days_that_a_zone_left_out_are_empty_buckets() {
    // Samoa had no 30 December 2011.
    let grid = grid("1d", &TSTZ, Some("Pacific/Apia"), None);
    let (before, after) = (bucket(&grid, us("2011-12-30 09:59:59")), bucket(&grid, us("2011-12-30 10:00:00")));
    assert_eq!(after.0, before.0 + 2);
    let left_out = BucketId(before.0 + 1);
    assert_eq!(grid.start_of(left_out), grid.end_of(left_out));
}

#[test]
fn naive_columns_have_plain_days_in_any_zone() {
    for ty in [TS, ColumnType::Date] {
        let (zoned, plain) = (grid("1d", &ty, Some("America/New_York"), None), grid("1d", &ty, None, None));
        assert!(zoned.fixed_width().is_some());
        for value in [0, us("2024-03-10 12:00:00"), us("2024-11-03 12:00:00")] {
            assert_eq!(bucket(&zoned, value), bucket(&plain, value));
        }
    }
}

#[test]
fn origins_are_instants_that_move_local_days() {
    // A gas day from 06:00 in Berlin; the origin is in winter, the value in summer.
    let grid = grid("1d", &TSTZ, Some("Europe/Berlin"), Some(us("2024-01-01 05:00:00")));
    assert_eq!(start(&grid, us("2024-07-01 03:59:59")), us("2024-06-30 04:00:00"));
    assert_eq!(start(&grid, us("2024-07-01 04:00:00")), us("2024-07-01 04:00:00"));
}

#[test]
fn zone_data_has_a_version() {
    assert!(zone_data_version().starts_with("20"), "{}", zone_data_version());
}

fn offset_seconds(tz: Tz, second: i64) -> i64 {
    let naive = DateTime::from_timestamp(second, 0).unwrap().naive_utc();
    tz.offset_from_utc_datetime(&naive).fix().local_minus_utc().into()
}

/// The seconds from 1900 to 2100 at which the offset of a zone changes, found on a grid of `step` seconds.
fn transitions(tz: Tz, step: i64) -> Vec<i64> {
    let (mut found, mut second) = (Vec::new(), -2_208_988_800);
    while second < 4_102_444_800 {
        let (mut before, mut after) = (second, second + step);
        if offset_seconds(tz, before) != offset_seconds(tz, after) {
            while after - before > 1 {
                let middle = before + (after - before) / 2;
                if offset_seconds(tz, middle) == offset_seconds(tz, before) {
                    before = middle;
                } else {
                    after = middle;
                }
            }
            found.push(after);
        }
        second += step;
    }
    found
}

/// By definition: the first second from `from` on whose local date is `day` or later.
fn first_second_of(tz: Tz, day: i64, from: i64) -> i64 {
    (from..).step_by(1).find(|second| (second + offset_seconds(tz, *second)).div_euclid(86_400) >= day).unwrap()
}

#[test]
fn buckets_of_all_zones_hold_their_values_and_never_run_backwards() {
    let ty = ColumnType::TimestampTz(TimeUnit::S);
    let mut checked = 0;
    for tz in TZ_VARIANTS {
        let grids = ["1d", "1w", "1mo"].map(|width| grid(width, &ty, Some(tz.name()), None));
        for transition in transitions(tz, 40 * 86_400).into_iter().step_by(7) {
            checked += 1;
            let probes = (-30..30).map(|hour| transition + hour * 3_600).chain(transition - 1..=transition + 1);
            let mut last: Option<(i64, [BucketId; 3])> = None;
            let mut probes: Vec<i64> = probes.collect();
            probes.sort_unstable();
            for second in probes {
                let ids = [0, 1, 2].map(|i| bucket(grids.get(i).unwrap(), second));
                grids.iter().for_each(|grid| assert_holds(grid, second.into()));
                if let Some((_, before)) = last {
                    assert!(before.iter().zip(&ids).all(|(a, b)| a <= b), "{} at {second}", tz.name());
                }
                last = Some((second, ids));
            }
        }
    }
    assert!(checked > 1_000, "only {checked} transitions were found");
}

#[test]
fn local_days_begin_at_the_first_second_of_their_date() {
    let ty = ColumnType::TimestampTz(TimeUnit::S);
    let zones =
        ["America/Sao_Paulo", "America/St_Johns", "America/Havana", "Africa/Cairo", "Asia/Manila", "Asia/Amman"];
    for name in zones {
        let tz: Tz = name.parse().unwrap();
        let grid = grid("1d", &ty, Some(name), None);
        for transition in transitions(tz, 20 * 86_400).into_iter().step_by(11) {
            let day = (transition + offset_seconds(tz, transition)).div_euclid(86_400);
            // The day before begins more than an hour earlier; a search from there finds the start by definition.
            let expected = first_second_of(tz, day, transition - 26 * 3_600);
            assert_eq!(grid.start_of(BucketId(day)), IndexValue::from(expected), "{name} day {day}");
        }
    }
}

#[test]
fn the_digest_of_a_zones_rules_tells_zones_apart_and_is_the_same_each_time() {
    let digest = |zone: &str| zone_rules(zone).unwrap();
    assert_eq!(digest("Europe/Berlin"), digest("Europe/Berlin"));
    let zones = ["UTC", "Europe/Berlin", "Europe/London", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"];
    let distinct: std::collections::BTreeSet<_> = zones.into_iter().map(digest).collect();
    assert_eq!(distinct.len(), zones.len());
    assert!(zone_rules("Europe/Nowhere").is_err());
}

/// Zones that left a day out when they changed sides of the date line, with the day.
#[test]
fn days_that_a_zone_left_out_are_skipped() {
    for (zone, day) in [
        ("Pacific/Apia", "2011-12-30"),
        ("Pacific/Fakaofo", "2011-12-30"),
        ("Pacific/Kwajalein", "1993-08-21"),
        ("Pacific/Kiritimati", "1994-12-31"),
        ("Pacific/Enderbury", "1994-12-31"),
    ] {
        let local = us(&format!("{day} 00:00:00"));
        for ty in [TSTZ, TS] {
            let grid = grid("1d", &ty, Some(zone), None);
            let of_day = |days: i64| BucketId(local.div_euclid(86_400_000_000) + days);
            let around = Run { first: of_day(-400), last: of_day(400) };
            assert_eq!(grid.skipped(around), [Run { first: of_day(0), last: of_day(0) }], "{zone} {ty}");
        }
        let dates = grid("1d", &ColumnType::Date, Some(zone), None);
        let day = BucketId(local.div_euclid(86_400_000_000));
        assert_eq!(
            dates.skipped(Run { first: BucketId(day.0 - 9), last: BucketId(day.0 + 9) }),
            [Run { first: day, last: day }]
        );
    }
}

#[test]
fn the_hour_that_spring_skips_is_skipped_on_a_wall_clock_only() {
    let spring = us("2024-03-10 02:00:00");
    let all = |grid: &Grid| Run {
        first: bucket(grid, us("2024-01-01 00:00:00")),
        last: bucket(grid, us("2024-12-31 00:00:00")),
    };
    for (width, count) in [("1h", 1), ("30m", 2), ("15m", 4), ("1s", 3600)] {
        let wall = grid(width, &TS, Some("America/New_York"), None);
        let first = bucket(&wall, spring);
        assert_eq!(wall.skipped(all(&wall)), [Run { first, last: BucketId(first.0 + count - 1) }], "{width}");
        let instants = grid(width, &TSTZ, Some("America/New_York"), None);
        assert_eq!(instants.skipped(all(&instants)), []);
    }
    for width in ["2h", "1d", "1w", "1mo"] {
        let wall = grid(width, &TS, Some("America/New_York"), None);
        assert_eq!(wall.skipped(all(&wall)), [], "{width}");
    }
    // Half an hour is skipped on Lord Howe, at 02:00.
    let howe = grid("30m", &TS, Some("Australia/Lord_Howe"), None);
    let first = bucket(&howe, us("2024-10-06 02:00:00"));
    assert_eq!(howe.skipped(all(&howe)), [Run { first, last: first }]);
    assert_eq!(grid("1h", &TS, None, None).skipped(Run { first: BucketId(i64::MIN), last: BucketId(i64::MAX) }), []);
    // No extent is too long, or too far away.
    let wide = grid("1h", &TS, Some("America/New_York"), None);
    assert!(wide.skipped(Run { first: BucketId(i64::MIN), last: BucketId(i64::MAX) }).len() > 100);
}
