//! Reading instants from arguments: what SQL wrote becomes a value of the index column, and means what DuckDB's cast to the
//! type of that column makes of it in the session, as in WHERE. Where a host lets us ask DuckDB, DuckDB casts; elsewhere
//! it is read here, in the spellings that all versions of DuckDB read alike, by the session's zone where the host tells it,
//! and what needs an unknown zone is refused with the way to write it. The table's own time zone is for its buckets and calendars, never for arguments.

use tstable_core::{
    Error, Result,
    prune::expr::Constant,
    schema::{ColumnType, TimeUnit},
    time::{IndexValue, check_zone, instant_of_wall_time, wall_time_of_instant},
};

use super::{
    instant_text::{Spelled, parse},
    literal::{show, unit_nanos},
};
use crate::host::{Arg, Session};

const NANOS_PER_DAY: i128 = 86_400 * 1_000_000_000;
const NANOS_PER_MINUTE: i128 = 60 * 1_000_000_000;
/// How far clocks have been put forward: summer time of one hour, half of one (Lord Howe) and two, and a day (Samoa and others).
const SKIPS_IN_MINUTES: [i128; 4] = [60, 30, 120, 24 * 60];
const WALL: ColumnType = ColumnType::Timestamp(TimeUnit::Us);
const INSTANT: ColumnType = ColumnType::TimestampTz(TimeUnit::Us);

/// What an argument is read for: its name, and the type of the index.
struct Wanted<'a> {
    name: &'a str,
    arg: &'a Arg,
    index: &'a ColumnType,
    session: &'a dyn Session,
}

/// The least index value that is not before what the argument `name` says: exact for both ends of a half-open range.
pub(crate) fn index_value(session: &dyn Session, name: &str, arg: &Arg, index: &ColumnType) -> Result<IndexValue> {
    let wanted = Wanted { name, arg, index, session };
    let Arg::Scalar(constant) = arg else { return Err(wanted.unfit()) };
    if index.is_integer() {
        return wanted.integer(constant);
    }
    let nanos = match constant {
        Constant::Text(text) => wanted.text(text)?,
        Constant::Temporal(ty, value) => wanted.temporal(ty, *value)?,
        _ => return Err(wanted.unfit()),
    };
    let unit = unit_nanos(index);
    Ok(IndexValue(nanos.div_euclid(unit) + i128::from(nanos.rem_euclid(unit) != 0)))
}

/// Microseconds since 1970 in UTC of an argument that is an instant, read as for a TIMESTAMP WITH TIME ZONE.
pub(crate) fn instant_micros(session: &dyn Session, name: &str, arg: &Arg) -> Result<i64> {
    let value = index_value(session, name, arg, &INSTANT)?;
    i64::try_from(value.0).map_err(|_| Error::invalid_argument(format!("{name} is out of the range of a TIMESTAMP")))
}

impl Wanted<'_> {
    fn integer(&self, constant: &Constant) -> Result<IndexValue> {
        match constant {
            Constant::Int(value) => Ok(IndexValue(*value)),
            Constant::Text(text) => text.trim().parse().map(IndexValue).map_err(|_| self.unfit()),
            _ => Err(self.unfit()),
        }
    }

    fn is_zoned(&self) -> bool {
        matches!(self.index, ColumnType::TimestampTz(_))
    }

    /// Nanoseconds since 1970, in UTC or on the wall clock as the index has it, of a DATE or TIMESTAMP of any kind.
    fn temporal(&self, ty: &ColumnType, value: i64) -> Result<i128> {
        let (nanos, zoned) = match ty {
            ColumnType::Date => (i128::from(value) * NANOS_PER_DAY, false),
            ColumnType::Timestamp(unit) => (i128::from(value) * i128::from(unit.nanos()), false),
            ColumnType::TimestampTz(unit) => (i128::from(value) * i128::from(unit.nanos()), true),
            _ => return Err(self.unfit()),
        };
        if is_infinite(ty, value) {
            return Err(self.infinite());
        }
        match (zoned, self.is_zoned()) {
            (false, true) => self.across(nanos, &WALL, &INSTANT),
            (true, false) => {
                let wall = self.across(nanos, &INSTANT, &WALL)?;
                // An hour that the wall clock shows twice stands for one of its instants only.
                if self.across(wall, &WALL, &INSTANT)? != nanos {
                    return Err(self.shown_twice());
                }
                self.least_of_two(wall, nanos)
            }
            _ => Ok(nanos),
        }
    }

    /// The least time of the wall clock from which on all are at or after the instant, which the clock shows as `wall`. A time in
    /// an hour that the clock skips in spring is cast to an instant of the hour after it, which so has two times.
    fn least_of_two(&self, wall: i128, instant: i128) -> Result<i128> {
        let stands_for = |wall: i128| self.across(wall, &WALL, &INSTANT);
        for skipped in SKIPS_IN_MINUTES.map(|minutes| minutes * NANOS_PER_MINUTE) {
            let earlier = wall - skipped;
            if stands_for(earlier)? != instant {
                continue;
            }
            // Where the clock goes on after the gap, everything before it is earlier and everything in it is not.
            let just_after_the_gap = stands_for(wall - 1_000)? != instant - 1_000;
            return if just_after_the_gap { Ok(earlier) } else { Err(self.has_two_times()) };
        }
        Ok(wall)
    }

    /// Nanoseconds of one kind of time as the other, by the session's zone. Casts know microseconds; what is finer is kept.
    fn across(&self, nanos: i128, from: &ColumnType, to: &ColumnType) -> Result<i128> {
        let (micros, rest) = (nanos.div_euclid(1_000), nanos.rem_euclid(1_000));
        let micros = i64::try_from(micros).map_err(|_| self.unfit())?;
        let value = Constant::Temporal(from.clone(), micros);
        match self.session.cast(&value, to) {
            Some(Ok(Constant::Temporal(_, micros))) if !is_infinite(to, micros) => {
                Ok(i128::from(micros) * 1_000 + rest)
            }
            Some(_) => Err(self.unfit()),
            None => Ok(i128::from(self.by_zone(micros, to)?) * 1_000 + rest),
        }
    }

    /// Microseconds of one kind of time as the other where the host tells the session's zone.
    fn by_zone(&self, micros: i64, to: &ColumnType) -> Result<i64> {
        let zone = self.session.text_setting("TimeZone").filter(|zone| check_zone(zone).is_ok());
        let zone = zone.ok_or_else(|| self.zone_unknown())?;
        match to {
            ColumnType::TimestampTz(_) => instant_of_wall_time(&zone, micros),
            _ => wall_time_of_instant(&zone, micros),
        }
    }

    /// Nanoseconds of a text, as DuckDB casts it to the type that the index column has there.
    fn text(&self, text: &str) -> Result<i128> {
        let to = host_type(self.index);
        match self.session.cast(&Constant::Text(text.to_owned()), &to) {
            Some(Ok(Constant::Temporal(_, value))) if is_infinite(&to, value) => Err(self.infinite()),
            Some(Ok(Constant::Temporal(ty, value))) => Ok(i128::from(value) * unit_nanos(&ty)),
            Some(_) => Err(self.unfit()),
            None => self.plain_text(parse(text).ok_or_else(|| self.unfit())?),
        }
    }

    /// As [`Self::text`] on a host that casts nothing for us.
    fn plain_text(&self, read: Spelled) -> Result<i128> {
        let Spelled { local, offset } = read;
        let floor = |unit: i128| local.div_euclid(unit) * unit;
        match (self.index, offset) {
            (ColumnType::TimestampTz(_), Some(offset)) => Ok(floor(1_000) - offset),
            (ColumnType::TimestampTz(_), None) => self.across(floor(1_000), &WALL, &INSTANT),
            (ColumnType::Date, _) => Ok(floor(NANOS_PER_DAY)),
            // DuckDB 1.x rounds these texts, and takes heed of the offset of the other.
            (ColumnType::Timestamp(TimeUnit::S), _) if local % 1_000_000_000 != 0 => Err(self.unfit()),
            (ColumnType::Timestamp(TimeUnit::Ns), Some(_)) => Err(self.unfit()),
            (ColumnType::Timestamp(TimeUnit::Ns), None) => Ok(local),
            // A TIMESTAMP is read from a text without regard to its offset.
            _ => Ok(floor(1_000)),
        }
    }

    fn unfit(&self) -> Error {
        let example = match self.index {
            ty if ty.is_integer() => "an integer, as in 1000",
            ColumnType::Date => "a date, as in '2024-01-31'",
            _ => "a date or timestamp, as in '2024-01-31' or '2024-01-31 09:30:00'",
        };
        let (name, index) = (self.name, self.index);
        let role = if name == "as_of" { "the type" } else { "the index of type" };
        Error::invalid_argument(format!("{name} := {} does not fit {role} {index}; give {example}", show(self.arg)))
    }

    fn infinite(&self) -> Error {
        Error::invalid_argument(format!(
            "{} := {}: a range cannot begin or end at infinity; leave the argument out for an open end",
            self.name,
            show(self.arg)
        ))
    }

    fn zone_unknown(&self) -> Error {
        let (name, shown) = (self.name, show(self.arg));
        Error::invalid_argument(if self.is_zoned() {
            let written = match self.arg {
                Arg::Scalar(Constant::Text(_)) => format!("TIMESTAMPTZ {shown}"),
                _ => format!("({shown})::TIMESTAMPTZ"),
            };
            format!(
                "{name} := {shown} has no time zone, and is compared with instants: it means another one in each session's \
                 zone, which this version of DuckDB does not tell an extension; write {name} := {written}, which DuckDB \
                 reads in the session's zone, or give the offset, as in TIMESTAMPTZ '2024-01-31 00:00:00+00'"
            )
        } else {
            format!(
                "{name} := {shown} is an instant, and is compared with times of a wall clock: it means another one in each \
                 session's zone, which this version of DuckDB does not tell an extension; write {name} := (...)::TIMESTAMP, \
                 which DuckDB reads in the session's zone, or a TIMESTAMP without zone"
            )
        })
    }

    fn has_two_times(&self) -> Error {
        Error::invalid_argument(format!(
            "{} := {} is an instant of the hour after one that the clock of the session's time zone skips; times of the skipped hour \
             are taken for it as well, so that no range of the wall clock begins there; give a TIMESTAMP without zone",
            self.name,
            show(self.arg)
        ))
    }

    fn shown_twice(&self) -> Error {
        Error::invalid_argument(format!(
            "{} := {} is an instant of an hour that the clock of the session's time zone shows twice, so no time of the wall \
             clock stands for it alone; give a TIMESTAMP without zone",
            self.name,
            show(self.arg)
        ))
    }
}

/// The type that DuckDB shows a column of type `index` with; milliseconds are shown as microseconds.
fn host_type(index: &ColumnType) -> ColumnType {
    match index {
        ColumnType::Timestamp(TimeUnit::Ms) => WALL,
        ColumnType::TimestampTz(TimeUnit::Ns) => index.clone(),
        ColumnType::TimestampTz(_) => INSTANT,
        _ => index.clone(),
    }
}

fn is_infinite(ty: &ColumnType, value: i64) -> bool {
    match ty {
        ColumnType::Date => [i64::from(i32::MAX), -i64::from(i32::MAX)].contains(&value),
        _ => matches!(value, i64::MAX | i64::MIN | -9_223_372_036_854_775_807),
    }
}

#[cfg(test)]
#[path = "instant_tests.rs"]
mod tests;
