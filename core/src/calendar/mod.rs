//! What is expected: the sessions of a calendar, and the buckets that they meet. Knows days, sessions and buckets; knows
//! neither what is covered nor tables.

mod schedule;
mod sessions;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use schedule::Schedule;
pub use sessions::{DaySession, check_sessions, check_times};

use crate::{
    error::{Error, Result},
    time::{IndexValue, check_zone},
};

/// A calendar as the log keeps it: in the words it was given in.
///
/// Either `sessions` (with `holidays`, `early_closes` and `timezone`) or `windows`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Calendar {
    /// Sessions by weekday, as in `Mon-Fri 09:30-12:00, 13:00-16:00; Sun-Fri 18:00-17:00`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions: Option<String>,
    /// The zone of the sessions' wall clock; the table's when none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Dates without a session, as `2024-12-25`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<String>,
    /// Dates with other sessions than their weekday has: date to times, as in `09:30-13:00`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub early_closes: BTreeMap<String, String>,
    /// Exact half-open ranges of index values, ascending and disjoint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<(IndexValue, IndexValue)>,
    /// Fields that this version does not know, kept as they are.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Calendar {
    /// A calendar of sessions by weekday, checked.
    ///
    /// # Errors
    /// `InvalidArgument` naming what cannot be read.
    pub fn of_sessions(
        sessions: String,
        holidays: Vec<String>,
        early_closes: BTreeMap<String, String>,
        timezone: Option<String>,
    ) -> Result<Self> {
        check_sessions(&sessions)?;
        if let Some(zone) = &timezone {
            check_zone(zone)?;
        }
        for date in holidays.iter().chain(early_closes.keys()) {
            schedule::day_number(date)?;
        }
        for (date, times) in &early_closes {
            check_times(times)
                .map_err(|e| Error::invalid_argument(format!("early_closes of {date}: {}", e.message())))?;
            if holidays.contains(date) {
                return Err(Error::invalid_argument(format!(
                    "{date} is among the holidays and the early closes; it can be one of them only"
                )));
            }
        }
        let mut holidays = holidays;
        holidays.sort();
        holidays.dedup();
        Ok(Self { sessions: Some(sessions), timezone, holidays, early_closes, ..Self::default() })
    }

    /// A calendar of exact windows `[open, close)`, in any order; windows that meet are joined.
    ///
    /// # Errors
    /// `InvalidArgument` for a window that does not close after it opens, and when there is none.
    pub fn of_windows(mut windows: Vec<(IndexValue, IndexValue)>) -> Result<Self> {
        if let Some((open, close)) = windows.iter().find(|(open, close)| close <= open) {
            return Err(Error::invalid_argument(format!(
                "a window opens at {} and closes at {}, which is not after it (in units of the index)",
                open.0, close.0
            )));
        }
        if windows.is_empty() {
            return Err(Error::invalid_argument(
                "the file of windows has no row; leave windows out to expect everything",
            ));
        }
        windows.sort_unstable();
        let mut joined: Vec<(IndexValue, IndexValue)> = Vec::with_capacity(windows.len());
        for (open, close) in windows {
            match joined.last_mut() {
                Some(last) if last.1 >= open => last.1 = last.1.max(close),
                _ => joined.push((open, close)),
            }
        }
        Ok(Self { windows: joined, ..Self::default() })
    }
}

#[cfg(test)]
mod tests;
