//! The clocks of sessions and of zones that queries name, each learned once from DuckDB itself: what it casts instants to is what its
//! functions go by, whatever time zone data it was built with.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use duckdb_neo::connection::Context;
use tstable_core::{
    prune::expr::Constant,
    schema::{ColumnType, TimeUnit},
    time::{IndexValue, Offsets, format_value},
};

use super::{session::cast, value};

/// The setting that names a session's time zone. It comes with ICU, and so do the casts between its clock and UTC.
const ZONE: &str = "TimeZone";
/// Of more zones than sessions ever use, none is kept.
const MOST_ZONES: usize = 64;

/// By zone; none of a zone of which DuckDB does not tell.
type Known = Mutex<HashMap<String, Option<Arc<Offsets>>>>;

/// The clocks that are known in a database.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    of_sessions: Known,
    of_zones: Known,
}

impl Clocks {
    /// The clock of the session; none when DuckDB does not tell.
    pub(super) fn of_session(&self, context: &Context) -> Option<Arc<Offsets>> {
        let (value, _) = context.config().ok()?.try_get_value(ZONE).ok()??;
        let Some(Constant::Text(zone)) = value::constant(&value).ok()? else { return None };
        let learn = |zone: &str| Offsets::learn(zone, |instant| wall_time(context, instant));
        remembered(&self.of_sessions, zone, learn)
    }

    /// The clock of a zone that is named in a query; none where DuckDB has another than we.
    pub(super) fn of_zone(&self, context: &Context, zone: &str) -> Option<Arc<Offsets>> {
        let learn = |zone: &str| Offsets::agreed(zone, |wall| instant(context, wall, zone));
        remembered(&self.of_zones, zone.to_owned(), learn)
    }
}

fn remembered(known: &Known, zone: String, learn: impl FnOnce(&str) -> Option<Offsets>) -> Option<Arc<Offsets>> {
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(clock) = known.get(&zone) {
        return clock.clone();
    }
    let clock = learn(&zone).map(Arc::new);
    if known.len() >= MOST_ZONES {
        known.clear();
    }
    known.insert(zone, clock.clone());
    clock
}

/// The instant at which the clock of a zone shows a time, both in microseconds since 1970: DuckDB reads a text with both.
fn instant(context: &Context, wall: i64, zone: &str) -> Option<i64> {
    let text = format!("{} {zone}", format_value(IndexValue::from(wall), &ColumnType::Timestamp(TimeUnit::Us)));
    moment(context, &Constant::Text(text), &ColumnType::TimestampTz(TimeUnit::Us))
}

/// What the session's clock shows at an instant, both in microseconds since 1970.
fn wall_time(context: &Context, instant: i64) -> Option<i64> {
    let value = Constant::Temporal(ColumnType::TimestampTz(TimeUnit::Us), instant);
    moment(context, &value, &ColumnType::Timestamp(TimeUnit::Us))
}

/// What DuckDB casts a value to, in the unit of `to`.
fn moment(context: &Context, value: &Constant, to: &ColumnType) -> Option<i64> {
    match cast(context, value, to).ok()?? {
        Constant::Temporal(_, moment) => Some(moment),
        _ => None,
    }
}
