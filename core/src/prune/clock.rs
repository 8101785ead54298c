//! The clock by which a TIMESTAMPTZ is shown and counted in days: what is known of the session's time zone. Answers are ranges in
//! nanoseconds since 1970 that hold whatever the host does with times that are skipped or shown twice.

use super::calendar::DAY;
use crate::time::Offsets;

/// No zone is further from UTC than this, now or in the past.
pub(super) const ZONE_SLACK: i128 = DAY;

/// See the module.
#[derive(Debug, Clone, Copy)]
pub(super) enum Clock<'a> {
    /// Nothing is known but how far from UTC it can be.
    Unknown,
    /// The zone plays no part.
    Utc,
    /// That of the session.
    Of(&'a Offsets),
}

impl Clock<'_> {
    /// The least and greatest time that it may show at an instant.
    pub(super) fn wall_times(self, instant: i128) -> (i128, i128) {
        let known = match self {
            Self::Unknown => None,
            Self::Utc => Some((instant, instant)),
            Self::Of(offsets) => offsets.wall_times_of(instant),
        };
        known.unwrap_or((instant - ZONE_SLACK, instant + ZONE_SLACK))
    }

    /// The first and last instant that a time on it may stand for.
    pub(super) fn instants(self, wall: i128) -> (i128, i128) {
        let known = match self {
            Self::Unknown => None,
            Self::Utc => Some((wall, wall)),
            Self::Of(offsets) => offsets.instants_of(wall),
        };
        known.unwrap_or((wall - ZONE_SLACK, wall + ZONE_SLACK))
    }
}
