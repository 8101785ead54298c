//! Index values and buckets as messages show them. Not for SQL results, which carry the values themselves.

use crate::schema::ColumnType;

use super::{BucketId, Grid, IndexValue, civil};

const NANOS_PER_DAY: i128 = 86_400_000_000_000;
const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// A value for a message: `2024-06-01 00:00`, with seconds and their fraction only where they are not zero; a DATE
/// without a time, a TIMESTAMP WITH TIME ZONE in UTC and marked `+00`, an integer as it is.
///
/// A value outside the years 1 to 9999 is shown as a number with its unit.
#[must_use]
pub fn format_value(value: IndexValue, ty: &ColumnType) -> String {
    match calendar(value, ty) {
        Some(text) if text.time.is_empty() => text.date,
        Some(text) => format!("{} {}{}", text.date, text.time, text.zone),
        None => format!("{}{}", value.0, raw_unit(ty)),
    }
}

/// A bucket for a message, half-open: `[2024-06-01 00:00, 01:00)`. The date is shown once when both ends share it.
#[must_use]
pub fn format_bucket(grid: &Grid, id: BucketId, ty: &ColumnType) -> String {
    let (start, end) = (grid.start_of(id), grid.end_of(id));
    if let (Some(from), Some(until)) = (calendar(start, ty), calendar(end, ty))
        && from.date == until.date
        && !until.time.is_empty()
    {
        return format!("[{}, {}{})", format_value(start, ty), until.time, until.zone);
    }
    format!("[{}, {})", format_value(start, ty), format_value(end, ty))
}

struct CalendarText {
    date: String,
    time: String,
    zone: &'static str,
}

fn calendar(value: IndexValue, ty: &ColumnType) -> Option<CalendarText> {
    let (unit_nanos, zone) = match ty {
        ColumnType::Date => (NANOS_PER_DAY, ""),
        ColumnType::Timestamp(unit) => (unit.nanos().into(), ""),
        ColumnType::TimestampTz(unit) => (unit.nanos().into(), "+00"),
        _ => return None,
    };
    let units_per_day = NANOS_PER_DAY / unit_nanos;
    let day = value.0.div_euclid(units_per_day);
    // Also keeps the calendar's sums away from overflow: 4 million days are far beyond the year 9999.
    let date = (day.unsigned_abs() < 4_000_000).then(|| civil::date_of(day))?;
    if !(1..=9999).contains(&date.year) {
        return None;
    }
    let time = match ty {
        ColumnType::Date => String::new(),
        _ => time_of_day(value.0.rem_euclid(units_per_day) * unit_nanos),
    };
    Some(CalendarText { date: format!("{:04}-{:02}-{:02}", date.year, date.month, date.day), time, zone })
}

fn time_of_day(nanos: i128) -> String {
    let (seconds, fraction) = (nanos / NANOS_PER_SECOND, nanos % NANOS_PER_SECOND);
    let mut text = format!("{:02}:{:02}", seconds / 3_600, seconds / 60 % 60);
    if seconds % 60 != 0 || fraction != 0 {
        text.push_str(&format!(":{:02}", seconds % 60));
    }
    if fraction != 0 {
        text.push_str(format!(".{fraction:09}").trim_end_matches('0'));
    }
    text
}

fn raw_unit(ty: &ColumnType) -> &'static str {
    match ty {
        ColumnType::Date => " days",
        ColumnType::Timestamp(unit) | ColumnType::TimestampTz(unit) => match unit.nanos() {
            1_000_000_000 => " s",
            1_000_000 => " ms",
            1_000 => " us",
            _ => " ns",
        },
        _ => "",
    }
}
