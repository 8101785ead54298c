//! Sessions as people write them: `Mon-Fri 09:30-12:00, 13:00-16:00; Sun-Fri 18:00-17:00`. Decides which day a session
//! belongs to; knows no dates.
//!
//! A session that closes at or before the time at which it opens is an overnight session: it closes on the next day, and
//! belongs to the day on which it closes. Days joined by a dash name the whole stretch from the first opening to the last
//! closing, so `Sun-Fri 18:00-17:00` opens on Sunday for the first and closes on Friday for the last time; a day that
//! stands alone is the one on which an overnight session opens. A session that closes at `24:00` or `00:00` ends with its
//! day.

use crate::error::{Error, Result};

const NANOS_PER_SECOND: i64 = 1_000_000_000;
pub(super) const NANOS_PER_DAY: i64 = 86_400 * NANOS_PER_SECOND;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A session of a day, in nanoseconds since that day's midnight; an overnight session opens before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DaySession {
    /// When it opens; negative on the day before.
    pub open: i64,
    /// When it closes.
    pub close: i64,
}

/// The sessions of each weekday, Monday first.
pub(super) type Week = [Vec<DaySession>; 7];

/// Refuses what [`week`] cannot read.
///
/// # Errors
/// `InvalidArgument` saying what is wrong with which part.
pub fn check_sessions(text: &str) -> Result<()> {
    week(text).map(drop)
}

/// Refuses what [`times`] cannot read.
///
/// # Errors
/// `InvalidArgument` saying what is wrong with which part.
pub fn check_times(text: &str) -> Result<()> {
    times(text).map(drop)
}

/// The sessions by weekday.
pub(super) fn week(text: &str) -> Result<Week> {
    let mut week = Week::default();
    for group in text.split(';').map(str::trim).filter(|group| !group.is_empty()) {
        let at = group.find(|c: char| c.is_ascii_digit()).ok_or_else(|| refusal(group, "has no times"))?;
        let (days, hours) = group.split_at_checked(at).ok_or_else(|| refusal(group, "has no times"))?;
        let sessions = times(hours)?;
        for stretch in days.split([',', ' ']).filter(|days| !days.is_empty()) {
            let (first, count) = stretch_of(stretch)?;
            for session in &sessions {
                add(&mut week, first, count, *session);
            }
        }
        if days.trim().is_empty() {
            return Err(refusal(group, "has no days in front of its times"));
        }
    }
    if week.iter().all(Vec::is_empty) {
        return Err(refusal(text, "names no session"));
    }
    Ok(week)
}

/// Puts a session on the `count` days from `first` on, or what they stand for when it is an overnight one.
fn add(week: &mut Week, first: usize, count: usize, session: DaySession) {
    let overnight = session.open < 0;
    let (from, count) = match (overnight, count) {
        (false, count) => (first, count),
        // A single day is the one of opening, and so is each day when all seven are named.
        (true, 1 | 7) => (first.saturating_add(1), count),
        (true, count) => (first.saturating_add(1), count.saturating_sub(1)),
    };
    for day in from..from.saturating_add(count) {
        if let Some(sessions) = week.get_mut(day % DAYS.len()) {
            sessions.push(session);
        }
    }
}

/// The first weekday of `Mon`, `Mon-Fri` or `daily`, and how many days follow each other.
fn stretch_of(text: &str) -> Result<(usize, usize)> {
    if text.eq_ignore_ascii_case("daily") {
        return Ok((0, 7));
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (weekday(first)?, weekday(last)?);
    Ok((first, (last + DAYS.len() - first) % DAYS.len() + 1))
}

fn weekday(text: &str) -> Result<usize> {
    let name = text.trim().to_ascii_lowercase();
    let short = name.get(..3).unwrap_or_default();
    let long = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let day = DAYS.iter().position(|day| *day == short);
    day.filter(|day| long.get(*day).is_some_and(|long| name == short || long.starts_with(&name)))
        .ok_or_else(|| refusal(text, "is not a day; days are Mon, Tue, Wed, Thu, Fri, Sat and Sun"))
}

/// The sessions of `09:30-12:00, 13:00-16:00`, whatever their day.
pub(super) fn times(text: &str) -> Result<Vec<DaySession>> {
    let ranges: Vec<_> = text.split(',').map(str::trim).filter(|range| !range.is_empty()).collect();
    if ranges.is_empty() {
        return Err(refusal(text, "names no time"));
    }
    ranges.into_iter().map(session).collect()
}

fn session(text: &str) -> Result<DaySession> {
    let (open, close) = text.split_once('-').ok_or_else(|| refusal(text, "is not a pair of times joined by '-'"))?;
    let (open, close) = (time_of_day(open)?, time_of_day(close)?);
    let close = if close == 0 { NANOS_PER_DAY } else { close };
    if open == NANOS_PER_DAY {
        return Err(refusal(text, "opens at 24:00; write 00:00 and the next day"));
    }
    let open = if close <= open { open.saturating_sub(NANOS_PER_DAY) } else { open };
    Ok(DaySession { open, close })
}

/// `9:30`, `09:30` or `09:30:15` in nanoseconds since midnight; at most `24:00`.
fn time_of_day(text: &str) -> Result<i64> {
    let wrong = || refusal(text, "is not a time of day; write it like 09:30");
    let mut parts = text.trim().split(':').map(|part| {
        let digits = !part.is_empty() && part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<i64>().ok().filter(|_| digits)
    });
    let mut next = |needed: bool| match parts.next() {
        Some(part) => part.ok_or_else(wrong),
        None if needed => Err(wrong()),
        None => Ok(0),
    };
    let (hours, minutes, seconds) = (next(true)?, next(true)?, next(false)?);
    let total = hours * 3_600 + minutes * 60 + seconds;
    if minutes > 59 || seconds > 59 || total > 86_400 || parts.next().is_some() {
        return Err(wrong());
    }
    Ok(total * NANOS_PER_SECOND)
}

fn refusal(text: &str, why: &str) -> Error {
    Error::invalid_argument(format!(
        "the sessions cannot be read: '{}' {why}; expected days and times, such as 'Mon-Fri 09:30-16:00' or \
         'Mon-Fri 09:30-12:00, 13:00-16:00; Sun-Fri 18:00-17:00'",
        text.trim()
    ))
}
