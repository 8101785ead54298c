//! The clocks of sessions, each learned once from DuckDB itself: what it casts instants to is what its functions go by, whatever
//! time zone data it was built with.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use duckdb_neo::connection::Context;
use tstable_core::{
    prune::expr::Constant,
    schema::{ColumnType, TimeUnit},
    time::Offsets,
};

use super::session::cast;

/// The setting that names a session's time zone. It comes with ICU, and so do the casts between its clock and UTC.
const ZONE: &str = "TimeZone";
/// Of more zones than sessions ever use, none is kept.
const MOST_ZONES: usize = 64;

/// The clocks that are known in a database, by zone; none of a zone of which DuckDB does not tell.
#[derive(Debug, Default)]
pub(super) struct Clocks(Mutex<HashMap<String, Option<Arc<Offsets>>>>);

impl Clocks {
    /// The clock of the session; none when DuckDB does not tell.
    pub(super) fn of_session(&self, context: &Context) -> Option<Arc<Offsets>> {
        let (value, _) = context.config().ok()?.try_get_value(ZONE).ok()??;
        let Some(Constant::Text(zone)) = super::value::constant(&value).ok()? else { return None };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(clock) = known.get(&zone) {
            return clock.clone();
        }
        let clock = Offsets::learn(&zone, |instant| wall_time(context, instant)).map(Arc::new);
        if known.len() >= MOST_ZONES {
            known.clear();
        }
        known.insert(zone, clock.clone());
        clock
    }
}

/// What the session's clock shows at an instant, both in microseconds since 1970.
fn wall_time(context: &Context, instant: i64) -> Option<i64> {
    let value = Constant::Temporal(ColumnType::TimestampTz(TimeUnit::Us), instant);
    match cast(context, &value, &ColumnType::Timestamp(TimeUnit::Us)).ok()?? {
        Constant::Temporal(_, shown) => Some(shown),
        _ => None,
    }
}
