//! Texts and constants that are instants, and those that are not, on hosts that cast for us and on others.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::host::LogLevel;

const US: ColumnType = WALL;
const DAY: i64 = 86_400_000_000;

/// A host that casts nothing.
struct Plain;

/// A host whose session is this many microseconds ahead of UTC, and shows the first hour of 1970 twice.
struct Ahead(i64);

impl Session for Plain {
    fn log(&self, _: LogLevel, _: &str) {}
    fn interrupted(&self) -> bool {
        false
    }
}

impl Session for Ahead {
    fn log(&self, _: LogLevel, _: &str) {}
    fn interrupted(&self) -> bool {
        false
    }
    fn cast(&self, value: &Constant, to: &ColumnType) -> Option<Result<Constant>> {
        Some(Ok(match (value, to) {
            (Constant::Text(text), to) if text == "infinity" => Constant::Temporal(to.clone(), i64::MAX),
            (Constant::Text(_), ColumnType::TimestampTz(_)) => Constant::Temporal(to.clone(), -self.0),
            (Constant::Text(_), _) => Constant::Temporal(to.clone(), 0),
            (Constant::Temporal(ColumnType::Timestamp(_), at), ColumnType::TimestampTz(_)) => {
                Constant::Temporal(to.clone(), at - self.0)
            }
            (Constant::Temporal(_, at), _) if (0..3_600_000_000).contains(at) => {
                Constant::Temporal(to.clone(), at + self.0 - 3_600_000_000)
            }
            (Constant::Temporal(_, at), _) => Constant::Temporal(to.clone(), at + self.0),
            _ => return Some(Err(Error::invalid_argument("no time"))),
        }))
    }
}

fn text(value: &str) -> Arg {
    Arg::Scalar(Constant::Text(value.to_owned()))
}

fn temporal(ty: ColumnType, value: i64) -> Arg {
    Arg::Scalar(Constant::Temporal(ty, value))
}

#[test]
fn dates_and_timestamps_are_read_in_every_common_spelling() {
    for (spelling, micros, index) in [
        ("1970-01-02", 86_400_000_000, US),
        ("1970-01-01 00:00", 0, US),
        ("1970-1-1 2:00:00", 7_200_000_000, US),
        ("1970-01-01T00:00:01.5", 1_500_000, US),
        ("1970-01-01 02:00:00+02", 0, INSTANT),
        ("1970-01-01 02:00:00+02:00", 0, INSTANT),
        ("1969-12-31 19:00:00-0500", 0, INSTANT),
        ("1970-01-01T00:00:00Z", 0, INSTANT),
        (" 1969-12-31 23:59:59 UTC", -1_000_000, INSTANT),
    ] {
        let read = index_value(&Plain, "start", &text(spelling), &index).expect(spelling);
        assert_eq!(read, IndexValue(micros), "{spelling}");
    }
}

#[test]
fn a_finer_instant_is_rounded_up_to_the_columns_unit() {
    let noon = Arg::Scalar(Constant::Temporal(US, 43_200_000_000));
    assert_eq!(index_value(&Plain, "start", &noon, &ColumnType::Date).unwrap(), IndexValue(1));
    let before = Arg::Scalar(Constant::Temporal(US, -1));
    assert_eq!(index_value(&Plain, "start", &before, &ColumnType::Date).unwrap(), IndexValue(0));
}

#[test]
fn what_is_no_instant_is_refused_with_its_value() {
    for wrong in ["yesterday", "2024-13-01", "2024-01-01 25:00", "", "2024-01-01 10:00 Mars/Olympus"] {
        let error = index_value(&Plain, "until", &text(wrong), &US).unwrap_err().to_string();
        assert!(error.contains(&format!("until := '{wrong}'")), "{error}");
    }
    let infinite = Arg::Scalar(Constant::Temporal(US, i64::MAX));
    assert!(index_value(&Plain, "start", &infinite, &US).unwrap_err().to_string().contains("infinity"));
}

#[test]
fn integers_are_taken_for_integer_indexes_only() {
    let five = Arg::Scalar(Constant::Int(5));
    assert_eq!(index_value(&Plain, "start", &five, &ColumnType::UBigInt).unwrap(), IndexValue(5));
    assert_eq!(index_value(&Plain, "start", &text("-7"), &ColumnType::BigInt).unwrap(), IndexValue(-7));
    assert!(index_value(&Plain, "start", &five, &US).is_err());
    assert!(index_value(&Plain, "start", &text("2024-01-01"), &ColumnType::BigInt).is_err());
}

#[test]
fn a_host_that_casts_is_asked_for_every_text_and_across_zones() {
    let behind = Ahead(-4 * 3_600_000_000);
    let at = |arg: &Arg, index: &ColumnType| index_value(&behind, "start", arg, index).map(|value| value.0);
    assert_eq!(at(&text("any"), &INSTANT).unwrap(), 4 * 3_600_000_000);
    assert_eq!(at(&text("any"), &US).unwrap(), 0);
    assert_eq!(at(&temporal(ColumnType::Date, 1), &INSTANT).unwrap(), i128::from(DAY) + 4 * 3_600_000_000);
    assert_eq!(at(&temporal(US, 5), &ColumnType::TimestampTz(TimeUnit::Ms)).unwrap(), 4 * 3_600_000 + 1);
    assert_eq!(
        at(&temporal(ColumnType::Timestamp(TimeUnit::Ns), 7), &ColumnType::TimestampTz(TimeUnit::Ns)).unwrap(),
        4 * 3_600_000_000_000 + 7
    );
    assert_eq!(at(&temporal(INSTANT, DAY), &US).unwrap(), i128::from(DAY) - 4 * 3_600_000_000);
    // What needs no zone is not asked for.
    assert_eq!(at(&temporal(INSTANT, 5), &INSTANT).unwrap(), 5);
    assert_eq!(at(&temporal(ColumnType::Date, 1), &US).unwrap(), i128::from(DAY));
    assert!(at(&text("infinity"), &US).unwrap_err().to_string().contains("infinity"));
    assert!(at(&temporal(INSTANT, 5), &US).unwrap_err().to_string().contains("shows twice"));
}

#[test]
fn without_the_sessions_zone_what_needs_it_is_refused_with_the_way_to_write_it() {
    for (arg, written) in [
        (text("2024-06-01"), "TIMESTAMPTZ '2024-06-01'"),
        (temporal(ColumnType::Date, 19_875), "(DATE '2024-06-01')::TIMESTAMPTZ"),
        (temporal(US, 0), "(TIMESTAMP '1970-01-01 00:00')::TIMESTAMPTZ"),
    ] {
        let error = index_value(&Plain, "start", &arg, &INSTANT).unwrap_err().to_string();
        assert!(error.contains(&format!("start := {written}")), "{error}");
    }
    let error = index_value(&Plain, "until", &temporal(INSTANT, 0), &US).unwrap_err().to_string();
    assert!(error.contains("until := (...)::TIMESTAMP"), "{error}");
    assert_eq!(index_value(&Plain, "start", &text("1970-01-01 02:00:00+02"), &INSTANT).unwrap(), IndexValue(0));
    assert_eq!(
        index_value(&Plain, "start", &text("1970-01-01 00:00:00-0530"), &INSTANT).unwrap(),
        IndexValue(19_800_000_000)
    );
}

#[test]
fn an_offset_means_nothing_to_a_wall_clock() {
    let text = text("1970-01-01 02:00:00+02");
    assert_eq!(index_value(&Plain, "start", &text, &US).unwrap(), IndexValue(7_200_000_000));
    assert!(index_value(&Plain, "start", &text, &ColumnType::Timestamp(TimeUnit::Ns)).is_err());
}
