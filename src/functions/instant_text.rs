//! Dates and times as text, in the spellings that every version of DuckDB reads, and reads alike: for hosts that cast nothing
//! for us. Whatever else DuckDB reads is refused by the caller.

use chrono::NaiveDate;

const NANOS_PER_SECOND: i128 = 1_000_000_000;
const NANOS_PER_DAY: i128 = 86_400 * NANOS_PER_SECOND;

/// A time as it is written: nanoseconds since 1970 on its own clock, and that clock's offset from UTC if it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spelled {
    pub(super) local: i128,
    pub(super) offset: Option<i128>,
}

/// Reads `2024-1-31`, `2024-01-31 9:30[:15[.25]]` or the like with `T`; after seconds also `Z`, ` UTC`, `+02`, `-05:30` or
/// `+0530`.
pub(super) fn parse(text: &str) -> Option<Spelled> {
    let text = text.trim_start();
    let (date, time) = match text.find([' ', 'T']) {
        Some(at) => (text.get(..at)?, Some(text.get(at + 1..)?)),
        None => (text, None),
    };
    let midnight = day(date)? * NANOS_PER_DAY;
    let Some(time) = time else { return Some(Spelled { local: midnight, offset: None }) };
    let (hour, rest) = leading(time, 1..=2)?;
    let (minute, rest) = leading(rest.strip_prefix(':')?, 2..=2)?;
    let seconds = (hour * 60 + minute) * 60;
    if hour > 23 || minute > 59 {
        return None;
    }
    let Some(rest) = rest.strip_prefix(':') else {
        return rest.is_empty().then_some(Spelled { local: midnight + seconds * NANOS_PER_SECOND, offset: None });
    };
    let (second, rest) = leading(rest, 2..=2)?;
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => {
            let (digits, rest) = rest.split_at_checked(rest.bytes().take_while(u8::is_ascii_digit).count())?;
            (format!("{digits:0<9}").get(..9)?.parse().ok().filter(|_| (1..=9).contains(&digits.len()))?, rest)
        }
        None => (0, rest),
    };
    let local = midnight + (seconds + second) * NANOS_PER_SECOND + fraction;
    (second < 60).then_some(Spelled { local, offset: offset(rest)? })
}

/// Whether a text ends with an offset or the name of a zone.
pub(super) fn has_offset(text: &str) -> bool {
    let Some(read) = parse(text) else {
        // What only DuckDB reads has a zone where it ends in anything but digits and brackets, as in ' Europe/Berlin'.
        return text.trim_end().ends_with(|c: char| c.is_ascii_alphabetic()) && text.contains(':');
    };
    read.offset.is_some()
}

/// Days from 1970-01-01 to a date with a year of four digits.
fn day(text: &str) -> Option<i128> {
    let (year, rest) = leading(text, 4..=4)?;
    let (month, rest) = leading(rest.strip_prefix('-')?, 1..=2)?;
    let (day, rest) = leading(rest.strip_prefix('-')?, 1..=2)?;
    let narrow = |number: i128| u32::try_from(number).ok();
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, narrow(month)?, narrow(day)?)?;
    rest.is_empty().then(|| date.signed_duration_since(NaiveDate::default()).num_days().into())
}

/// Nanoseconds of an offset; none inside when there is no offset.
#[expect(clippy::option_option, reason = "no offset is not a wrong one")]
fn offset(text: &str) -> Option<Option<i128>> {
    if text.is_empty() {
        return Some(None);
    }
    if text == "Z" || text == " UTC" {
        return Some(Some(0));
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (hours, rest) = leading(text.strip_prefix(['+', '-'])?, 2..=2)?;
    let (minutes, rest) = match rest {
        "" => (0, rest),
        rest => leading(rest.strip_prefix(':').unwrap_or(rest), 2..=2)?,
    };
    (rest.is_empty() && hours <= 15 && minutes < 60)
        .then(|| Some(sign * (hours * 60 + minutes) * 60 * NANOS_PER_SECOND))
}

/// The number that a text begins with, of this many digits, and what comes after.
fn leading(text: &str, digits: std::ops::RangeInclusive<usize>) -> Option<(i128, &str)> {
    let count = text.bytes().take(*digits.end()).take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(count)?;
    digits.contains(&count).then_some((number.parse().ok()?, rest))
}
