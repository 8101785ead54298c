//! The width of a bucket: a count and a unit, stored as `1h`, `15m`, `1mo`, or a bare integer. Which other spellings are
//! read is the business of `spelling`; how wide a bucket is on a given index column is the grid's.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

use super::spelling::{self, Spelled};

/// The unit of a bucket width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WidthUnit {
    /// The integers of an integer index; written without a unit.
    Integer,
    /// Microseconds, `us`.
    Microsecond,
    /// Milliseconds, `ms`.
    Millisecond,
    /// Seconds, `s`.
    Second,
    /// Minutes, `m`.
    Minute,
    /// Hours, `h`.
    Hour,
    /// Days, `d`: 24 hours, or local days when the table has a time zone.
    Day,
    /// Weeks from Monday to Sunday, `w`.
    Week,
    /// Calendar months, `mo`.
    Month,
    /// Quarters of a calendar year, `q`.
    Quarter,
    /// Calendar years, `y`.
    Year,
}

/// A bucket width: a count of at least one, and its unit. Displays and serialises as the count and the short name
/// of the unit: `60 minutes` is `60m`, and stays so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BucketWidth {
    count: i64,
    unit: WidthUnit,
}

const EXPECTED: &str = "expected a whole number and one of the units us ms s m h d w mo q y or their names, such as \
                        '15m', '1h', '1 day' or '1mo', or a number alone, such as '1000', for an integer index";

/// The widest bucket of time: 100 years. It keeps the ends of every bucket that has a number inside 128 bits.
const MAX_YEARS: i64 = 100;
const MAX_DAYS: i64 = 36_525;
const NANOS_PER_DAY: i64 = 86_400_000_000_000;

impl BucketWidth {
    /// Reads a width as people write it: `15m`, `15min`, `1 hour`, `6H`, `100 ms`, `INTERVAL 5 MINUTE`, a bare integer.
    ///
    /// # Errors
    /// `InvalidArgument` when the number is missing, not positive or wider than 100 years (for an integer: than 2^62),
    /// the unit is unknown or has two meanings (`M`), or there are several parts.
    pub fn parse(text: &str) -> Result<Self> {
        let spelled = spelling::read(text).map_err(|why| refusal(text, &why))?;
        Self::checked(spelled, text)
    }

    /// The width that an interval of one part has: months, days or microseconds.
    ///
    /// # Errors
    /// `InvalidArgument` when it has several parts, is not positive or wider than 100 years.
    pub fn of_interval(months: i32, days: i32, micros: i64) -> Result<Self> {
        let spelled = spelling::of_interval(months, days, micros)?;
        let text = format!("{}{}", spelled.count, spelled.unit.suffix());
        Self::checked(spelled, &text)
    }

    fn checked(spelled: Spelled, text: &str) -> Result<Self> {
        let Spelled { count, unit } = spelled;
        if count < 0 {
            return Err(refusal(text, "is negative"));
        }
        if count == 0 {
            return Err(refusal(text, "is zero wide"));
        }
        if count > unit.max_count() {
            return Err(refusal(text, "is wider than 100 years (an integer: than 2^62)"));
        }
        Ok(Self { count, unit })
    }

    /// How many units wide; at least one.
    #[must_use]
    pub fn count(&self) -> i64 {
        self.count
    }

    /// The unit.
    #[must_use]
    pub fn unit(&self) -> WidthUnit {
        self.unit
    }

    /// The width in nanoseconds; none for calendar months and longer, and for integers.
    #[must_use]
    pub fn nanos(&self) -> Option<i64> {
        self.unit.nanos().and_then(|nanos| nanos.checked_mul(self.count))
    }

    /// The width in calendar months; none for weeks and shorter, and for integers.
    #[must_use]
    pub fn months(&self) -> Option<i64> {
        self.unit.months().and_then(|months| months.checked_mul(self.count))
    }

    /// Whether days are counted on the calendar when there is a time zone: `d`, `w` and longer.
    #[must_use]
    pub fn is_calendar(&self) -> bool {
        matches!(self.unit, WidthUnit::Day | WidthUnit::Week | WidthUnit::Month | WidthUnit::Quarter | WidthUnit::Year)
    }
}

impl WidthUnit {
    const fn nanos(self) -> Option<i64> {
        Some(match self {
            Self::Microsecond => 1_000,
            Self::Millisecond => 1_000_000,
            Self::Second => 1_000_000_000,
            Self::Minute => 60_000_000_000,
            Self::Hour => 3_600_000_000_000,
            Self::Day => NANOS_PER_DAY,
            Self::Week => 7 * NANOS_PER_DAY,
            Self::Integer | Self::Month | Self::Quarter | Self::Year => return None,
        })
    }

    const fn months(self) -> Option<i64> {
        match self {
            Self::Month => Some(1),
            Self::Quarter => Some(3),
            Self::Year => Some(12),
            _ => None,
        }
    }

    const fn max_count(self) -> i64 {
        match (self.nanos(), self.months()) {
            (Some(nanos), _) => MAX_DAYS * NANOS_PER_DAY / nanos,
            (_, Some(months)) => MAX_YEARS * 12 / months,
            (None, None) => 1 << 62,
        }
    }

    const fn suffix(self) -> &'static str {
        match self {
            Self::Integer => "",
            Self::Microsecond => "us",
            Self::Millisecond => "ms",
            Self::Second => "s",
            Self::Minute => "m",
            Self::Hour => "h",
            Self::Day => "d",
            Self::Week => "w",
            Self::Month => "mo",
            Self::Quarter => "q",
            Self::Year => "y",
        }
    }
}

fn refusal(text: &str, why: &str) -> Error {
    Error::invalid_argument(format!("the bucket '{text}' {why}; {EXPECTED}"))
}

impl FromStr for BucketWidth {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl TryFrom<String> for BucketWidth {
    type Error = Error;

    /// The stored form only: a log is written by programs, which have one way to write a width.
    fn try_from(text: String) -> Result<Self> {
        let width = Self::parse(&text)?;
        if width.to_string() != text {
            return Err(refusal(&text, &format!("is not in the form that is stored, which is '{width}'")));
        }
        Ok(width)
    }
}

impl From<BucketWidth> for String {
    fn from(width: BucketWidth) -> Self {
        width.to_string()
    }
}

impl fmt::Display for BucketWidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.count, self.unit.suffix())
    }
}
