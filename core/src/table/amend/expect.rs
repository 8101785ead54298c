//! Saying what is expected: which entities, setting calendars and marking buckets as confirmed empty. Each is a commit of its own that
//! touches no rows, so it never conflicts with another writer's.

use std::sync::Arc;

use crate::{
    calendar::{Calendar, Schedule},
    coverage::{Entity, EntityPart},
    error::{Error, Result},
    log::{
        commit::Action,
        state::TableState,
        universe::{UNIVERSE_PROPERTY, Universe},
    },
    schema::same_name,
    segment::values::fitted_to,
    table::{
        commit::{Changed, amend},
        handle::{Snapshot, Table},
    },
    time::{BucketId, IndexRange},
};

/// A run of buckets to be marked as confirmed empty.
#[derive(Debug, Clone)]
pub struct EmptyRequest {
    /// Bounded on both sides; every bucket that it meets is marked.
    pub range: IndexRange,
    /// Whose buckets; those of all entities, also of those to come, when empty.
    pub entities: Vec<Entity>,
    /// Why.
    pub reason: Option<String>,
    /// Whether the buckets are no longer confirmed.
    pub undo: bool,
}

/// What marking did.
#[derive(Debug, Clone)]
pub struct Marked {
    /// The table after it.
    pub changed: Changed,
    /// The buckets marked.
    pub run: crate::time::Run,
}

impl Table {
    /// Sets the calendar of `entities` (of all entities without one of their own, when empty), or removes it.
    ///
    /// # Errors
    /// `InvalidArgument` when the calendar does not suit the index; as [`crate::table::commit::publish`] else.
    pub fn set_calendar(
        &self,
        snapshot: &Snapshot,
        entities: &[Entity],
        calendar: Option<&Calendar>,
        message: Option<&str>,
    ) -> Result<Changed> {
        let definition = snapshot.definition();
        if let (Some(calendar), Some(index)) = (calendar, definition.index_type()) {
            Schedule::new(calendar, index, definition.timezone.as_deref())?;
        }
        let calendar = calendar.map(|calendar| Box::new(calendar.clone()));
        let action = Action::SetCalendar { entities: entities.to_vec(), calendar };
        self.publish_alone(&snapshot.state, "set_calendar", message, vec![action])
    }

    /// Marks buckets as confirmed empty: they count neither as a gap nor as data.
    ///
    /// # Errors
    /// `InvalidArgument` before the first append, and when the range is open or holds no bucket; as [`crate::table::commit::publish`] else.
    pub fn mark_empty(&self, snapshot: &Snapshot, request: &EmptyRequest) -> Result<Marked> {
        let run = snapshot.grid()?.buckets_in(&request.range);
        let bounded = run.filter(|run| run.first != BucketId(i64::MIN) && run.last != BucketId(i64::MAX));
        let run = bounded.ok_or_else(|| Error::invalid_argument("the range to be marked has no end or no bucket"))?;
        let mark = |entity: Option<Entity>| {
            let (first, last, reason, undo) = (run.first, run.last, request.reason.clone(), request.undo);
            Action::MarkEmpty { entity, first, last, reason, undo }
        };
        let of_all = request.entities.is_empty().then(|| mark(None));
        let actions =
            of_all.into_iter().chain(request.entities.iter().cloned().map(|entity| mark(Some(entity)))).collect();
        let operation = if request.undo { "unmark_empty" } else { "mark_empty" };
        let changed = self.publish_alone(&snapshot.state, operation, request.reason.as_deref(), actions)?;
        Ok(Marked { changed, run })
    }

    /// Says which entities should deliver, and when, instead of what was said before; with none nothing is said any more.
    /// Saying the same again changes nothing.
    ///
    /// # Errors
    /// `LimitExceeded` when there are too many; as [`amend`] else.
    pub fn expect_entities(&self, snapshot: &Snapshot, universe: &Universe) -> Result<Changed> {
        let value = if universe.is_empty() { None } else { Some(universe.encode()?) };
        amend(self, &snapshot.state, "expect", None, |state| {
            if state.properties.get(UNIVERSE_PROPERTY) == value.as_ref() {
                return Ok(Vec::new());
            }
            Ok(vec![Action::SetProperty { key: UNIVERSE_PROPERTY.to_owned(), value: value.clone() }])
        })
    }

    /// Publishes a commit of actions that suit any state of the table.
    fn publish_alone(
        &self,
        state: &Arc<TableState>,
        operation: &str,
        message: Option<&str>,
        actions: Vec<Action>,
    ) -> Result<Changed> {
        amend(self, state, operation, message, |_| Ok(actions.clone()))
    }
}

impl Snapshot {
    /// The entity whose columns have these values, each named once.
    ///
    /// # Errors
    /// `InvalidArgument` naming the column that is missing, unknown or of another type.
    pub fn entity(&self, values: &[(String, EntityPart)]) -> Result<Entity> {
        let names = &self.definition().entity_columns;
        let listed = || if names.is_empty() { "the table has none".to_owned() } else { names.join(", ") };
        if let Some((unknown, _)) = values.iter().find(|(name, _)| !names.iter().any(|own| same_name(own, name))) {
            return Err(Error::invalid_argument(format!(
                "'{unknown}' is not an entity column; those are: {}",
                listed()
            )));
        }
        names
            .iter()
            .map(|name| {
                let mut given = values.iter().filter(|(given, _)| same_name(given, name));
                let (Some((_, part)), None) = (given.next(), given.next()) else {
                    return Err(Error::invalid_argument(format!(
                        "the entity must name each entity column once ({}); '{name}' is missing or named twice",
                        listed()
                    )));
                };
                let ty =
                    self.definition().schema.as_ref().and_then(|schema| schema.find(name)).map(|column| &column.ty);
                ty.map_or_else(|| Ok(part.clone()), |ty| fitted_to(name, part, ty))
            })
            .collect()
    }
}

#[cfg(test)]
#[path = "expect_tests.rs"]
mod tests;
