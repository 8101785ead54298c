//! Times of day that people write down, as index values: the clock on the wall of a place, and the clock that the index
//! column is kept in. Knows nothing of weekdays or sessions.

use crate::{
    error::{Error, Result},
    schema::ColumnType,
};

use super::{
    IndexRange, IndexValue,
    zone::{self, Zone},
};

const NANOS_PER_SECOND: i128 = 1_000_000_000;
const NANOS_PER_DAY: i128 = 86_400 * NANOS_PER_SECOND;

/// A clock on the wall, and how its times become index values.
///
/// A TIMESTAMP WITH TIME ZONE is an instant. A DATE or TIMESTAMP without zone is read as the wall-clock time of the table's
/// zone, or of UTC when it has none.
#[derive(Debug, Clone, Copy)]
pub struct WallClock {
    unit_nanos: i128,
    /// The zone of this clock; none for UTC, and when the column shows this very clock.
    zone: Option<Zone>,
    /// The zone that the column's values are wall-clock values of; none when they are instants or need no conversion.
    column: Option<Zone>,
}

impl WallClock {
    /// The clock of `zone` (of the table's zone when none, of UTC when the table has none either) for an index column of
    /// type `index_type` in a table of `table_zone`.
    ///
    /// # Errors
    /// `InvalidArgument` for an unknown zone and for an index that is not a time.
    pub fn new(index_type: &ColumnType, table_zone: Option<&str>, zone: Option<&str>) -> Result<Self> {
        let (unit_nanos, is_instant) = match index_type {
            ColumnType::Date => (NANOS_PER_DAY, false),
            ColumnType::Timestamp(unit) => (unit.nanos().into(), false),
            ColumnType::TimestampTz(unit) => (unit.nanos().into(), true),
            other => {
                return Err(Error::invalid_argument(format!(
                    "an index of type {other} has no days and no times of day"
                )));
            }
        };
        let own = zone.or(table_zone);
        let find = |name: Option<&str>| name.map(zone::find).transpose();
        let clock = |name| -> Result<Option<Zone>> { Ok(find(name)?.map(|tz| Zone::new(tz, NANOS_PER_SECOND))) };
        let same = !is_instant && own == table_zone;
        Ok(Self {
            unit_nanos,
            zone: if same { find(own)?.and(None) } else { clock(own)? },
            column: if is_instant || same { None } else { clock(table_zone)? },
        })
    }

    /// The day on this clock, counted from 1970-01-01, at an index value.
    #[must_use]
    pub fn day_of(&self, value: IndexValue) -> i128 {
        let axis = value.0.saturating_mul(self.unit_nanos);
        let instant = self.column.map_or(axis, |column| column.first_instant(axis));
        self.zone.map_or(instant, |zone| zone.to_local(instant)).div_euclid(NANOS_PER_DAY)
    }

    /// The index values from `open` to `close`, both in nanoseconds on this clock since 1970-01-01 00:00: every value of
    /// the column's unit that lies partly inside. Times that the clock skips or shows twice are read as for the start
    /// of a bucket.
    #[must_use]
    pub fn range(&self, open: i128, close: i128) -> IndexRange {
        let (open, close) = (self.on_axis(open), self.on_axis(close));
        let until = close.div_euclid(self.unit_nanos) + i128::from(close.rem_euclid(self.unit_nanos) != 0);
        IndexRange::new(IndexValue(open.div_euclid(self.unit_nanos)), IndexValue(until))
    }

    fn on_axis(&self, local: i128) -> i128 {
        let instant = self.zone.map_or(local, |zone| zone.first_instant(local));
        self.column.map_or(instant, |column| column.to_local(instant))
    }
}
