//! The width of a bucket: a count and a unit, stored as `1h`, `15m`, `1mo`, or a bare integer. Which other spellings are
//! read is the business of `spelling`; how wide a bucket is on a given index column is the grid's.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

use super::{
    spelling::{self, Spelled},
    units::WidthUnit,
};

/// A bucket width: a count of at least one, and its unit. Displays and serialises as the count and the short name
/// of the unit: `60 minutes` is `60m`, and stays so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BucketWidth {
    count: i64,
    unit: WidthUnit,
}

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
        self.unit.is_calendar()
    }
}

fn refusal(text: &str, why: &str) -> Error {
    Error::invalid_argument(format!(
        "the bucket '{text}' {why}; expected a whole number and one of the units {} or their names, such as '15m', '1h', \
         '1 day' or '1mo', or a number alone, such as '1000', for an integer index",
        WidthUnit::short_names()
    ))
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
