//! The grid of a table: which bucket an index value belongs to, and where buckets begin and end.
//!
//! A grid is one of two rulers laid on an axis. The ruler is *even* (every bucket has the same width) or *monthly*
//! (whole calendar months). The axis is that of the index values themselves or, for days and longer in a time zone, that
//! of the zone's wall clock.
//!
//! * Even rulers are aligned to 2000-01-03 00:00:00, a Monday, as DuckDB's `time_bucket` is; so weeks begin on Monday.
//!   Integer indexes are aligned to 0. Monthly rulers are aligned to 2000-01-01.
//! * `id = floor((value - phase) / width)` with `phase = origin mod width`, so ids are anchored near 1970-01-01.
//! * In a zone, days, weeks, months, quarters and years are local: a day of 23 or 25 hours is one bucket. Shorter widths
//!   are elapsed time, aligned to the instant at which the zone's wall clock showed 2000-01-03 00:00:00; this also is the
//!   rule of `time_bucket` with a zone.
//! * A local bucket begins at the first instant whose wall clock shows its start. Where the wall clock skips the start it
//!   begins at the skip; where it shows the start twice it begins at the first time, and hours of the day before that are
//!   repeated after it belong to the new day. A local day that a zone left out altogether is a bucket without instants:
//!   its start equals its end.
//! * A zone moves no bucket of a DATE or a TIMESTAMP without zone: their values are wall-clock values, and days are days.
//!   It says which of them the clock passes over ([`Grid::skipped`]).

use crate::{
    error::{Error, Result},
    schema::ColumnType,
};

use super::{
    BucketId, BucketWidth, Cursor, IndexRange, IndexValue, Run, WidthUnit, civil,
    zone::{self, Tz, Zone},
};

const NANOS_PER_DAY: i128 = 86_400_000_000_000;
const SECONDS_PER_DAY: i128 = 86_400;
/// Days from 1970-01-01 to Monday 2000-01-03.
const ORIGIN_DAY: i128 = 10_959;
/// Months from January 1970 to January 2000.
const ORIGIN_MONTH: i128 = 360;
/// Index values have at most 65 bits; beyond this bound 128-bit sums could overflow.
const MAX_MAGNITUDE: i128 = 1 << 100;

/// The buckets of one table: width, index type, time zone and origin.
#[derive(Debug, Clone)]
pub struct Grid {
    ruler: Ruler,
    zone: Option<Zone>,
    clock: Option<Clock>,
}

/// The clock on the wall that the axis of the ruler shows, where that of the table's zone is known.
#[derive(Debug, Clone, Copy)]
struct Clock {
    rules: Tz,
    units_per_day: i128,
}

#[derive(Debug, Clone, Copy)]
enum Ruler {
    /// Buckets of `width` index units; `phase` is the start of bucket 0, in `0..width`.
    Even { width: i128, phase: i128 },
    /// Buckets of `months`; bucket 0 begins `phase` months after January 1970 (in `0..months`), `shift` units into it.
    Monthly { months: i128, phase: i128, shift: i128, units_per_day: i128 },
}

impl Grid {
    /// The grid of buckets of `width` on an index column of type `index_type`.
    ///
    /// `timezone` is a name of the IANA database. `origin` is any start of a bucket, in the unit of the column (an
    /// instant for TIMESTAMP WITH TIME ZONE, a wall-clock value otherwise); it moves the whole grid.
    ///
    /// # Errors
    /// `InvalidArgument` when the type cannot be an index, the width has the wrong kind of unit for it or is finer than
    /// or no multiple of the column's unit, the zone is unknown or given for an integer index, or the origin is out of
    /// bounds (for months and longer: after the 28th of its month, since not every month has such a day).
    pub fn new(
        width: &BucketWidth,
        index_type: &ColumnType,
        timezone: Option<&str>,
        origin: Option<IndexValue>,
    ) -> Result<Self> {
        if let Some(origin) = origin {
            within_bounds(origin).map_err(|_| {
                Error::invalid_argument(format!("the origin {} is not a value of the index column", origin.0))
            })?;
        }
        let tz = timezone.map(zone::find).transpose()?;
        let Some(unit_nanos) = unit_nanos(index_type)? else {
            return Self::over_integers(width, timezone, origin);
        };
        if width.unit() == WidthUnit::Integer {
            return Err(Error::invalid_argument(format!(
                "the bucket '{width}' has no unit, which a {index_type} index needs; use a width of time such as '1h' \
                 or '1d'"
            )));
        }
        let units_per_day = NANOS_PER_DAY / unit_nanos;
        let zone = match (tz, index_type) {
            (Some(tz), ColumnType::TimestampTz(_)) => Some(Zone::new(tz, units_per_day / 86_400)),
            _ => None,
        };
        let ruler = match width.months() {
            Some(months) => monthly(months.into(), units_per_day, zone, origin)?,
            None => even(width, index_type, unit_nanos, zone, origin)?,
        };
        let zone = zone.filter(|_| width.is_calendar());
        // Instants of short buckets lie on no wall clock; values without zone lie on that of the table.
        let rules = if matches!(index_type, ColumnType::TimestampTz(_)) { zone.map(Zone::rules) } else { tz };
        let clock = rules.map(|rules| Clock { rules, units_per_day });
        Ok(Self { ruler, zone, clock })
    }

    fn over_integers(width: &BucketWidth, timezone: Option<&str>, origin: Option<IndexValue>) -> Result<Self> {
        if width.unit() != WidthUnit::Integer {
            return Err(Error::invalid_argument(format!(
                "the bucket '{width}' is a width of time, but the index is an integer: of block numbers or the like, use a \
                 number alone, such as '1000'; of seconds or milliseconds since 1970, load it as a TIMESTAMP (to_timestamp, epoch_ms, make_timestamp)"
            )));
        }
        if let Some(timezone) = timezone {
            return Err(Error::invalid_argument(format!(
                "the time zone '{timezone}' means nothing to an integer index; leave it out"
            )));
        }
        let width = i128::from(width.count());
        let phase = origin.map_or(0, |origin| origin.0.rem_euclid(width));
        Ok(Self { ruler: Ruler::Even { width, phase }, zone: None, clock: None })
    }

    /// The bucket that holds `value`.
    ///
    /// # Errors
    /// `LimitExceeded` when the number of the bucket does not fit 64 bits.
    pub fn bucket_of(&self, value: IndexValue) -> Result<BucketId> {
        let id = self.number_of(within_bounds(value)?);
        i64::try_from(id).map(BucketId).map_err(|_| out_of_grid(value))
    }

    /// The first value of a bucket. It may lie outside of what the column can hold.
    #[must_use]
    pub fn start_of(&self, id: BucketId) -> IndexValue {
        IndexValue(self.start_at(id.0.into()))
    }

    /// The first value after a bucket: the start of the next.
    #[must_use]
    pub fn end_of(&self, id: BucketId) -> IndexValue {
        IndexValue(self.start_at(i128::from(id.0) + 1))
    }

    /// The values of a bucket.
    #[must_use]
    pub fn range_of(&self, id: BucketId) -> IndexRange {
        IndexRange::new(self.start_of(id), self.end_of(id))
    }

    /// A cursor for many values, quick when neighbours share a bucket.
    #[must_use]
    pub fn cursor(&self) -> Cursor<'_> {
        Cursor::new(self)
    }

    /// Whether both ends of `range` lie in buckets that have numbers: those of single integers end where BIGINT does.
    ///
    /// # Errors
    /// `LimitExceeded` that names the end.
    pub fn reaches(&self, range: &IndexRange) -> Result<()> {
        if let Some(start) = range.start {
            self.bucket_of(start)?;
        }
        if let Some(until) = range.until {
            self.bucket_of(IndexValue(until.0.saturating_sub(1)))?;
        }
        Ok(())
    }

    /// The buckets that lie wholly or partly in `range`; none when the range is empty.
    ///
    /// An unbounded side, or one beyond the grid, gives the first or last number there is (`i64::MIN`, `i64::MAX`).
    #[must_use]
    pub fn buckets_in(&self, range: &IndexRange) -> Option<Run> {
        if range.is_empty() {
            return None;
        }
        let first = range.start.map_or(BucketId(i64::MIN), |start| self.nearest(start.0));
        let last = range.until.map_or(BucketId(i64::MAX), |until| self.nearest(until.0.saturating_sub(1)));
        Run::new(first, last)
    }

    /// The buckets of `extent` that the clock on the wall of the table's zone passes over: a local day that the zone left out,
    /// the hour that is skipped in spring. Nothing can happen in them. Ascending runs that do not touch.
    #[must_use]
    pub fn skipped(&self, extent: Run) -> Vec<Run> {
        let Some(Clock { rules, units_per_day }) = self.clock else { return Vec::new() };
        let seconds = |local: i128| local.div_euclid(units_per_day).saturating_mul(SECONDS_PER_DAY);
        // The axis is that of the wall clock, which is less than two days from UTC.
        let from = seconds(self.ruler.start_at(extent.first.0.into())) - 2 * SECONDS_PER_DAY;
        let until = seconds(self.ruler.start_at(i128::from(extent.last.0) + 1)) + 3 * SECONDS_PER_DAY;
        let whole = |(from, until): (i128, i128)| {
            let start = (from * units_per_day).div_euclid(SECONDS_PER_DAY)
                + i128::from((from * units_per_day).rem_euclid(SECONDS_PER_DAY) != 0);
            let end = (until * units_per_day).div_euclid(SECONDS_PER_DAY);
            let mut first = self.ruler.number_at(start);
            first += i128::from(self.ruler.start_at(first) < start);
            let last = self.ruler.number_at(end) - 1;
            let id = |number: i128| i64::try_from(number).ok().map(BucketId);
            Run::new(id(first)?, id(last)?)?.clip(extent)
        };
        let mut runs: Vec<Run> = Vec::new();
        for run in rules.skips(from, until).filter_map(whole) {
            match runs.last_mut().filter(|last| run.first.0 <= last.last.0.saturating_add(1)) {
                Some(last) => last.last = last.last.max(run.last),
                None => runs.push(run),
            }
        }
        runs
    }

    /// The width of every bucket in index units; none when buckets differ in width.
    #[must_use]
    pub fn fixed_width(&self) -> Option<i128> {
        match (self.ruler, self.zone) {
            (Ruler::Even { width, .. }, None) => Some(width),
            _ => None,
        }
    }

    /// The number, of any size, of the bucket that holds `value`.
    fn number_of(&self, value: i128) -> i128 {
        let Some(zone) = self.zone else { return self.ruler.number_at(value) };
        let mut number = self.ruler.number_at(zone.to_local(value));
        // The wall clock runs backwards where it repeats hours; the starts of buckets never do, so they decide.
        while self.start_at(number + 1) <= value {
            number += 1;
        }
        while self.start_at(number) > value {
            number -= 1;
        }
        number
    }

    fn start_at(&self, number: i128) -> i128 {
        let start = self.ruler.start_at(number);
        self.zone.map_or(start, |zone| zone.first_instant(start))
    }

    fn nearest(&self, value: i128) -> BucketId {
        let number = self.number_of(value.clamp(-MAX_MAGNITUDE, MAX_MAGNITUDE));
        let clamped = number.clamp(i64::MIN.into(), i64::MAX.into());
        BucketId(i64::try_from(clamped).unwrap_or_default())
    }
}

impl Ruler {
    fn number_at(self, value: i128) -> i128 {
        match self {
            Self::Even { width, phase } => {
                let distance = value - phase;
                // Division of 64-bit numbers is several times quicker, and nearly every value allows it.
                match (i64::try_from(distance), i64::try_from(width)) {
                    (Ok(distance), Ok(width)) => distance.div_euclid(width).into(),
                    _ => distance.div_euclid(width),
                }
            }
            Self::Monthly { months, phase, shift, units_per_day } => {
                let day = (value - shift).div_euclid(units_per_day);
                (civil::month_of(day) - phase).div_euclid(months)
            }
        }
    }

    /// At most 2^125: a width has at most 62 bits, a number 64; 100 years of nanoseconds have 62 bits as well.
    fn start_at(self, number: i128) -> i128 {
        match self {
            Self::Even { width, phase } => number * width + phase,
            Self::Monthly { months, phase, shift, units_per_day } => {
                civil::month_start(number * months + phase) * units_per_day + shift
            }
        }
    }
}

/// Nanoseconds in a unit of the index column; none for integers.
fn unit_nanos(index_type: &ColumnType) -> Result<Option<i128>> {
    match index_type {
        ColumnType::Date => Ok(Some(NANOS_PER_DAY)),
        ColumnType::Timestamp(unit) | ColumnType::TimestampTz(unit) => Ok(Some(unit.nanos().into())),
        ty if ty.is_integer() => Ok(None),
        other => Err(Error::invalid_argument(format!(
            "a column of type {other} cannot be the index; expected DATE, TIMESTAMP, TIMESTAMP WITH TIME ZONE or an \
             integer type of at most 64 bits"
        ))),
    }
}

fn even(
    width: &BucketWidth,
    index_type: &ColumnType,
    unit_nanos: i128,
    zone: Option<Zone>,
    origin: Option<IndexValue>,
) -> Result<Ruler> {
    let nanos = i128::from(width.nanos().unwrap_or_default());
    if nanos < unit_nanos || nanos % unit_nanos != 0 {
        return Err(not_a_multiple(width, index_type, nanos < unit_nanos));
    }
    let units = nanos / unit_nanos;
    let default = ORIGIN_DAY * (NANOS_PER_DAY / unit_nanos);
    let origin = match (zone, origin) {
        (Some(zone), Some(origin)) if width.is_calendar() => zone.to_local(origin.0),
        (_, Some(origin)) => origin.0,
        (Some(zone), None) if !width.is_calendar() => zone.first_instant(default),
        (_, None) => default,
    };
    Ok(Ruler::Even { width: units, phase: origin.rem_euclid(units) })
}

fn monthly(months: i128, units_per_day: i128, zone: Option<Zone>, origin: Option<IndexValue>) -> Result<Ruler> {
    let Some(origin) = origin else {
        return Ok(Ruler::Monthly { months, phase: ORIGIN_MONTH.rem_euclid(months), shift: 0, units_per_day });
    };
    let local = zone.map_or(origin.0, |zone| zone.to_local(origin.0));
    let day = local.div_euclid(units_per_day);
    let date = civil::date_of(day);
    if date.day > 28 {
        return Err(Error::invalid_argument(format!(
            "the origin of a grid of months falls on day {} of its month, which not every month has; use day 1 to 28",
            date.day
        )));
    }
    let month = civil::month_of(day);
    let shift = local - civil::month_start(month) * units_per_day;
    Ok(Ruler::Monthly { months, phase: month.rem_euclid(months), shift, units_per_day })
}

fn not_a_multiple(width: &BucketWidth, index_type: &ColumnType, finer: bool) -> Error {
    let (units, example) = match index_type {
        ColumnType::Date => ("days", "1d"),
        ColumnType::Timestamp(unit) | ColumnType::TimestampTz(unit) => match unit.nanos() {
            1_000_000_000 => ("seconds", "1s"),
            1_000_000 => ("milliseconds", "1ms"),
            1_000 => ("microseconds", "1us"),
            _ => ("nanoseconds", "1us"),
        },
        _ => ("integers", "1"),
    };
    let problem = if finer { "is finer than" } else { "is not a whole multiple of" };
    Error::invalid_argument(format!(
        "a bucket of {width} {problem} the {units} of a {index_type} index; use {example} or a multiple"
    ))
}

fn within_bounds(value: IndexValue) -> Result<i128> {
    if value.0.unsigned_abs() > MAX_MAGNITUDE.unsigned_abs() {
        return Err(out_of_grid(value));
    }
    Ok(value.0)
}

fn out_of_grid(value: IndexValue) -> Error {
    Error::limit_exceeded(format!(
        "the index value {} lies in a bucket whose number does not fit 64 bits; use wider buckets",
        value.0
    ))
}
