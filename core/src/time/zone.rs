//! Local wall-clock time of a time zone. The only file that asks the time zone database.

use chrono::{DateTime, NaiveDateTime, Offset, TimeZone, offset::LocalResult};
use chrono_tz::{GapInfo, Tz};

use crate::error::{Error, Result};

/// The years 1 to 9999 in seconds. Beyond them a zone keeps the offset that it has at that end.
const FIRST_SECOND: i128 = -62_135_596_800;
const LAST_SECOND: i128 = 253_402_300_799;

/// The version of the IANA time zone database that the buckets of zoned tables are computed with, such as `2025b`.
///
/// A newer database may move the bounds of buckets in the future of its predecessor.
#[must_use]
pub fn zone_data_version() -> &'static str {
    chrono_tz::IANA_TZDB_VERSION
}

/// Refuses a name that is no zone of the IANA database.
///
/// # Errors
/// `InvalidArgument` naming it, with examples.
pub fn check_zone(name: &str) -> Result<()> {
    find(name).map(drop)
}

/// A time zone, and the number of index units in a second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Zone {
    tz: Tz,
    units_per_second: i128,
}

/// The zone of that name in the IANA database, in its exact spelling.
pub(super) fn find(name: &str) -> Result<Tz> {
    name.parse().map_err(|_| {
        Error::invalid_argument(format!(
            "the time zone '{name}' is unknown; expected a name of the IANA time zone database, such as \
             'America/New_York', 'Europe/Berlin' or 'UTC'"
        ))
    })
}

impl Zone {
    pub(super) fn new(tz: Tz, units_per_second: i128) -> Self {
        Self { tz, units_per_second }
    }

    /// The wall-clock value at an instant, both in index units.
    pub(super) fn to_local(self, instant: i128) -> i128 {
        let naive = naive(instant.div_euclid(self.units_per_second));
        let offset = self.tz.offset_from_utc_datetime(&naive).fix().local_minus_utc();
        instant + i128::from(offset) * self.units_per_second
    }

    /// The first instant at which the wall clock shows `local` or, where it skips that value, the instant of the skip.
    pub(super) fn first_instant(self, local: i128) -> i128 {
        let naive = naive(local.div_euclid(self.units_per_second));
        let at_offset = |offset: i32| local - i128::from(offset) * self.units_per_second;
        match self.tz.offset_from_local_datetime(&naive) {
            LocalResult::Single(offset) => at_offset(offset.fix().local_minus_utc()),
            LocalResult::Ambiguous(a, b) => {
                at_offset(a.fix().local_minus_utc()).min(at_offset(b.fix().local_minus_utc()))
            }
            LocalResult::None => match GapInfo::new(&naive, &self.tz).and_then(|gap| gap.end) {
                Some(end) => i128::from(end.timestamp()) * self.units_per_second,
                None => self.crossing(local),
            },
        }
    }

    /// An instant at which the wall clock reaches `local`, by bisection: for the rare skip that ends in a repetition.
    fn crossing(self, local: i128) -> i128 {
        const MAX_OFFSET_SECONDS: i128 = 26 * 3_600;
        let reach = MAX_OFFSET_SECONDS * self.units_per_second;
        let (mut before, mut after) = (local - reach, local + reach);
        while after - before > 1 {
            let middle = before + (after - before) / 2;
            if self.to_local(middle) >= local {
                after = middle;
            } else {
                before = middle;
            }
        }
        after
    }
}

fn naive(second: i128) -> NaiveDateTime {
    let second = i64::try_from(second.clamp(FIRST_SECOND, LAST_SECOND)).unwrap_or_default();
    DateTime::from_timestamp(second, 0).unwrap_or_default().naive_utc()
}
