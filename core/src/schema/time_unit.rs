//! The resolutions in which times and timestamps are stored, and which of their counts DuckDB can show.

use std::fmt;

use arrow::datatypes::TimeUnit as ArrowUnit;
use serde::{Deserialize, Serialize};

/// The resolution of a time or timestamp, as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeUnit {
    /// Seconds.
    S,
    /// Milliseconds.
    Ms,
    /// Microseconds.
    Us,
    /// Nanoseconds.
    Ns,
}

impl TimeUnit {
    /// Nanoseconds in one unit.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        match self {
            Self::S => 1_000_000_000,
            Self::Ms => 1_000_000,
            Self::Us => 1_000,
            Self::Ns => 1,
        }
    }

    /// -290308-12-22 00:00:00 in microseconds, DuckDB's least TIMESTAMP.
    pub const LEAST_US: i64 = -9_223_372_022_400_000_000;

    /// Whether DuckDB can show a timestamp of this count since 1970: it is one of the infinities, or lies in the years that a TIMESTAMP has.
    #[must_use]
    pub const fn shows(self, count: i64) -> bool {
        if count == i64::MAX || count == -i64::MAX {
            return true;
        }
        match self {
            // Nanoseconds are shown as they are.
            Self::Ns => count > -i64::MAX,
            unit => match count.checked_mul(unit.nanos() / Self::Us.nanos()) {
                Some(micros) => micros >= Self::LEAST_US,
                None => false,
            },
        }
    }

    /// The same unit in Arrow's words.
    #[must_use]
    pub const fn arrow(self) -> ArrowUnit {
        match self {
            Self::S => ArrowUnit::Second,
            Self::Ms => ArrowUnit::Millisecond,
            Self::Us => ArrowUnit::Microsecond,
            Self::Ns => ArrowUnit::Nanosecond,
        }
    }
}

/// The unit's symbol.
impl fmt::Display for TimeUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::S => "s",
            Self::Ms => "ms",
            Self::Us => "us",
            Self::Ns => "ns",
        })
    }
}

impl From<ArrowUnit> for TimeUnit {
    fn from(unit: ArrowUnit) -> Self {
        match unit {
            ArrowUnit::Second => Self::S,
            ArrowUnit::Millisecond => Self::Ms,
            ArrowUnit::Microsecond => Self::Us,
            ArrowUnit::Nanosecond => Self::Ns,
        }
    }
}
