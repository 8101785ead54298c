//! A calendar made ready for a table's grid: which buckets of an extent meet a session.

use std::collections::HashMap;

use chrono::NaiveDate;

use super::{
    Calendar,
    sessions::{DaySession, Week, times, week},
};
use crate::{
    error::{Error, Result},
    schema::ColumnType,
    time::{Grid, IndexRange, IndexValue, Run, WallClock},
};

/// Days of sessions are looked at one by one, up to this many: 10,000 years.
const MAX_DAYS: i128 = 3_700_000;
/// The most sessions that are laid over one range, 64 MB of them; those that touch are one.
const MAX_SESSIONS: usize = 4_000_000;
const NANOS_PER_DAY: i128 = super::sessions::NANOS_PER_DAY as i128;

/// See the module.
#[derive(Debug, Clone)]
pub struct Schedule(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Weekly {
        clock: WallClock,
        week: Box<Week>,
        /// Days whose sessions are not those of their weekday.
        exceptions: HashMap<i128, Vec<DaySession>>,
    },
    Windows(Vec<(IndexValue, IndexValue)>),
}

impl Schedule {
    /// The calendar for an index column of type `index_type` in a table of `table_zone`.
    ///
    /// # Errors
    /// `InvalidArgument` when the calendar cannot be read or does not suit the type.
    pub fn new(calendar: &Calendar, index_type: &ColumnType, table_zone: Option<&str>) -> Result<Self> {
        let Some(sessions) = &calendar.sessions else {
            return Ok(Self(Kind::Windows(calendar.windows.clone())));
        };
        let clock = WallClock::new(index_type, table_zone, calendar.timezone.as_deref())
            .map_err(|e| Error::invalid_argument(format!("sessions do not suit the table: {}", e.message())))?;
        let mut exceptions = HashMap::new();
        for date in &calendar.holidays {
            exceptions.insert(day_number(date)?, Vec::new());
        }
        for (date, hours) in &calendar.early_closes {
            exceptions.insert(day_number(date)?, times(hours)?);
        }
        Ok(Self(Kind::Weekly { clock, week: Box::new(week(sessions)?), exceptions }))
    }

    /// The buckets of `extent` that meet a session, in ascending runs that do not touch. A session costs the same however
    /// many buckets it has.
    ///
    /// # Errors
    /// `LimitExceeded` when the extent is longer than [`MAX_DAYS`] days or meets more than [`MAX_SESSIONS`] sessions.
    pub fn expected(&self, grid: &Grid, extent: Run) -> Result<Vec<Run>> {
        let asked = IndexRange::new(grid.start_of(extent.first), grid.end_of(extent.last));
        let mut expected = Vec::new();
        let mut add = |session: IndexRange| -> Result<()> {
            let run = grid.buckets_in(&session.intersect(&asked)).and_then(|run| run.clip(extent));
            run.map_or(Ok(()), |run| push(&mut expected, run))
        };
        match &self.0 {
            Kind::Windows(windows) => {
                let from = windows.partition_point(|(_, close)| asked.start.is_some_and(|start| *close <= start));
                let inside = windows.iter().skip(from);
                for (open, close) in inside.take_while(|(open, _)| asked.until.is_none_or(|until| *open < until)) {
                    add(IndexRange::new(*open, *close))?;
                }
            }
            Kind::Weekly { clock, week, exceptions } => {
                let days = days_of(clock, &asked)?;
                for day in days {
                    let regular = usize::try_from((day + 3).rem_euclid(7)).ok().and_then(|weekday| week.get(weekday));
                    for session in exceptions.get(&day).or(regular).into_iter().flatten() {
                        let at = |nanos: i64| day * NANOS_PER_DAY + i128::from(nanos);
                        add(clock.range(at(session.open), at(session.close)))?;
                    }
                }
            }
        }
        Ok(joined(expected))
    }
}

/// Adds a run, to the last one where the two meet.
fn push(runs: &mut Vec<Run>, run: Run) -> Result<()> {
    if let Some(last) = runs.last_mut().filter(|last| last.first <= run.first && meets(last, &run)) {
        last.last = last.last.max(run.last);
        return Ok(());
    }
    // A range that somebody asks for must not end the process, whatever memory there is.
    if runs.len() >= MAX_SESSIONS || runs.try_reserve(1).is_err() {
        return Err(Error::limit_exceeded(format!(
            "the calendar has more than {} sessions in the range; ask for a shorter range",
            runs.len()
        )));
    }
    runs.push(run);
    Ok(())
}

/// Whether no bucket lies between a run and one that begins no earlier.
fn meets(run: &Run, next: &Run) -> bool {
    next.first.0 <= run.last.0.saturating_add(1)
}

/// The same buckets in ascending runs that do not meet: sessions of a day stand in any order, and may overlap.
fn joined(mut runs: Vec<Run>) -> Vec<Run> {
    runs.sort_unstable_by_key(|run| (run.first, run.last));
    runs.dedup_by(|next, run| {
        let meet = meets(run, next);
        if meet {
            run.last = run.last.max(next.last);
        }
        meet
    });
    runs
}

/// The days whose sessions may lie in the range, a day more on either side for overnight sessions and the clock's jumps.
fn days_of(clock: &WallClock, range: &IndexRange) -> Result<std::ops::RangeInclusive<i128>> {
    let unbounded = || Error::limit_exceeded("a calendar cannot be laid over a range without ends");
    let (start, until) = range.start.zip(range.until).ok_or_else(unbounded)?;
    let days = clock.day_of(start) - 1..=clock.day_of(until) + 2;
    if days.end() - days.start() > MAX_DAYS {
        return Err(Error::limit_exceeded(format!(
            "the range has {} days, which is more than a calendar is laid out for ({MAX_DAYS}); ask for a shorter range",
            days.end() - days.start()
        )));
    }
    Ok(days)
}

/// Days from 1970-01-01 to a date like `2024-12-25`.
pub(super) fn day_number(date: &str) -> Result<i128> {
    let parsed = NaiveDate::parse_from_str(date, "%Y-%m-%d").map_err(|_| {
        Error::invalid_argument(format!("'{date}' is not a date of a calendar; write it like '2024-12-25'"))
    })?;
    Ok(parsed.signed_duration_since(NaiveDate::default()).num_days().into())
}
