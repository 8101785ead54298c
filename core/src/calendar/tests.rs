//! Sessions against what exchanges do, and windows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use super::*;
use crate::{
    schema::{ColumnType, TimeUnit},
    time::{BucketWidth, Grid, IndexRange, Run},
};

const TS: ColumnType = ColumnType::Timestamp(TimeUnit::Us);
const TSTZ: ColumnType = ColumnType::TimestampTz(TimeUnit::Us);
const HOUR: i128 = 3_600_000_000;

fn us(text: &str) -> IndexValue {
    let format = if text.len() > 10 { text.to_owned() } else { format!("{text} 00:00") };
    let time = chrono::NaiveDateTime::parse_from_str(&format, "%Y-%m-%d %H:%M").unwrap();
    IndexValue(time.and_utc().timestamp_micros().into())
}

fn sessions(text: &str, zone: Option<&str>) -> Calendar {
    Calendar::of_sessions(text.to_owned(), Vec::new(), BTreeMap::new(), zone.map(str::to_owned)).unwrap()
}

/// The expected stretches of `[start, until)` as `MM-DD HH:MM+buckets`.
fn expected(
    calendar: &Calendar,
    ty: &ColumnType,
    zone: Option<&str>,
    width: &str,
    start: &str,
    until: &str,
) -> Vec<String> {
    let grid = Grid::new(&BucketWidth::parse(width).unwrap(), ty, zone, None).unwrap();
    let extent = grid.buckets_in(&IndexRange::new(us(start), us(until))).unwrap();
    let runs = Schedule::new(calendar, ty, zone).unwrap().expected(&grid, extent).unwrap();
    let show = |run: Run| {
        let micros = i64::try_from(grid.start_of(run.first).0).unwrap();
        let time = chrono::DateTime::from_timestamp_micros(micros).unwrap();
        format!("{}+{}", time.format("%m-%d %H:%M"), run.buckets())
    };
    runs.into_iter().map(show).collect()
}

#[test]
fn sessions_of_weekdays_leave_nights_and_weekends_out() {
    let calendar = sessions("Mon-Fri 09:30-16:00", None);
    let found = expected(&calendar, &TS, None, "30m", "2024-06-06", "2024-06-11");
    assert_eq!(found, ["06-06 09:30+13", "06-07 09:30+13", "06-10 09:30+13"]);
}

#[test]
fn a_lunch_break_makes_two_sessions() {
    let calendar = sessions("Mon-Fri 09:30-12:00, 13:00-16:00", None);
    assert_eq!(expected(&calendar, &TS, None, "30m", "2024-06-06", "2024-06-07"), ["06-06 09:30+5", "06-06 13:00+6"]);
}

#[test]
fn a_bucket_that_only_touches_a_session_is_not_expected_and_one_that_meets_it_is() {
    let calendar = sessions("Mon-Fri 09:30-16:00", None);
    assert_eq!(expected(&calendar, &TS, None, "1h", "2024-06-06", "2024-06-07"), ["06-06 09:00+7"]);
    assert_eq!(expected(&calendar, &TS, None, "1d", "2024-06-07", "2024-06-11"), ["06-07 00:00+1", "06-10 00:00+1"]);
}

#[test]
fn overnight_sessions_open_on_the_first_and_close_on_the_last_day_of_a_stretch() {
    let calendar = sessions("Sun-Fri 18:00-17:00", None);
    let found = expected(&calendar, &TS, None, "1h", "2024-06-06 12:00", "2024-06-10 12:00");
    assert_eq!(found, ["06-06 12:00+5", "06-06 18:00+23", "06-09 18:00+18"]);
    let single = sessions("Sat 22:00-02:00", None);
    assert_eq!(expected(&single, &TS, None, "1h", "2024-06-01", "2024-06-08"), ["06-01 22:00+4"]);
    let every = sessions("daily 18:00-17:00", None);
    assert_eq!(expected(&every, &TS, None, "1h", "2024-06-01", "2024-06-03").len(), 3);
}

#[test]
fn holidays_and_early_closes_replace_the_sessions_of_the_day_on_which_they_close() {
    let early = BTreeMap::from([("2024-11-29".to_owned(), "09:30-13:00".to_owned())]);
    let zone = Some("America/New_York".to_owned());
    let calendar =
        Calendar::of_sessions("Mon-Fri 09:30-16:00".to_owned(), vec!["2024-11-28".to_owned()], early, zone).unwrap();
    let found = expected(&calendar, &TSTZ, None, "30m", "2024-11-27", "2024-12-01");
    assert_eq!(found, ["11-27 14:30+13", "11-29 14:30+7"]);
    let night =
        Calendar::of_sessions("Sun-Fri 18:00-17:00".to_owned(), vec!["2024-06-05".to_owned()], BTreeMap::new(), None);
    let found = expected(&night.unwrap(), &TS, None, "1h", "2024-06-04", "2024-06-07");
    assert_eq!(found, ["06-04 00:00+17", "06-05 18:00+23", "06-06 18:00+6"]);
}

#[test]
fn sessions_follow_the_zone_over_a_change_of_the_clock() {
    let calendar = sessions("Mon-Fri 09:30-16:00", Some("America/New_York"));
    let found = expected(&calendar, &TSTZ, None, "30m", "2024-03-08", "2024-03-12");
    assert_eq!(found, ["03-08 14:30+13", "03-11 13:30+13"]);
}

#[test]
fn a_column_without_zone_shows_the_clock_of_the_tables_zone() {
    let calendar = sessions("Mon-Fri 09:30-16:00", Some("America/New_York"));
    let same = expected(&calendar, &TS, Some("America/New_York"), "30m", "2024-03-08", "2024-03-09");
    assert_eq!(same, ["03-08 09:30+13"]);
    let utc = expected(&calendar, &TS, None, "30m", "2024-03-08", "2024-03-09");
    assert_eq!(utc, ["03-08 14:30+13"]);
    let berlin = expected(&calendar, &TS, Some("Europe/Berlin"), "30m", "2024-03-11", "2024-03-12");
    assert_eq!(berlin, ["03-11 14:30+13"]);
}

#[test]
fn windows_are_expected_exactly() {
    let window = |from: i128, until: i128| (IndexValue(from * HOUR), IndexValue(until * HOUR));
    let calendar = Calendar::of_windows(vec![window(30, 31), window(2, 4), window(3, 6), window(10, 11)]).unwrap();
    assert_eq!(calendar.windows, [window(2, 6), window(10, 11), window(30, 31)]);
    let found = expected(&calendar, &TS, None, "1h", "1970-01-01 03:00", "1970-01-02");
    assert_eq!(found, ["01-01 03:00+3", "01-01 10:00+1"]);
    assert!(Calendar::of_windows(vec![window(2, 2)]).is_err());
    assert!(Calendar::of_windows(Vec::new()).is_err());
}

#[test]
fn what_cannot_be_read_is_named() {
    let cases = [
        ("", "names no session"),
        ("Mon-Fri", "has no times"),
        ("09:30-16:00", "has no days"),
        ("Mon-Fry 09:30-16:00", "Fry"),
        ("Mon 9-16", "'9'"),
        ("Mon 09:30", "not a pair"),
        ("Mon 09:60-16:00", "09:60"),
        ("Mon 24:00-16:00", "24:00"),
        ("Mon 09:30-25:00", "25:00"),
    ];
    for (text, part) in cases {
        let error = check_sessions(text).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
    assert!(check_sessions("monday-FRIDAY 0:00-24:00; sat, sun 10:00-14:30:15").is_ok());
}
