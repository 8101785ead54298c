//! What the log says is expected of a table: calendars, and buckets that are confirmed to be empty. Both change only answers
//! about expectation, never rows; what a calendar means is [`crate::calendar`]'s business.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    calendar::Calendar,
    coverage::{BucketSet, Coverage, Entity},
    error::{Error, Result},
    time::Run,
};

/// The calendars and confirmed-empty buckets of a table at a version.
///
/// The entity without values, [`Entity::none`], stands for all entities; an entity's own calendar goes before that.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Expectations {
    calendars: BTreeMap<Entity, Arc<Calendar>>,
    confirmed_empty: Coverage,
}

impl Expectations {
    /// Whether everything is expected of every entity.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.calendars.is_empty() && self.confirmed_empty.is_empty()
    }

    /// The calendars, and whose they are.
    pub fn calendars(&self) -> impl Iterator<Item = (&Entity, &Arc<Calendar>)> {
        self.calendars.iter()
    }

    /// The calendar that holds for an entity.
    #[must_use]
    pub fn calendar_of(&self, entity: &Entity) -> Option<&Arc<Calendar>> {
        self.calendars.get(entity).or_else(|| self.calendars.get(&Entity::none()))
    }

    /// The buckets that are confirmed to be empty for an entity; none when there are none.
    #[must_use]
    pub fn confirmed_of(&self, entity: &Entity) -> Option<Arc<BucketSet>> {
        let everyone = self.confirmed_empty.set_of(&Entity::none());
        if entity.parts().is_empty() {
            return everyone;
        }
        match (self.confirmed_empty.set_of(entity), everyone) {
            (Some(own), Some(everyone)) => {
                let mut both = own.as_ref().clone();
                both.union_with(&everyone);
                Some(Arc::new(both))
            }
            (own, everyone) => own.or(everyone),
        }
    }

    /// The buckets that are confirmed to be empty for this entity by its own name.
    #[must_use]
    pub fn confirmed_alone(&self, entity: &Entity) -> Option<Arc<BucketSet>> {
        self.confirmed_empty.set_of(entity)
    }

    /// Entities with confirmed-empty buckets of their own.
    pub fn confirmed_entities(&self) -> impl Iterator<Item = &Entity> {
        self.confirmed_empty.entities()
    }

    /// Sets or, with none, removes the calendar of the entities; of all entities when none is named.
    pub(super) fn set_calendar(&mut self, entities: &[Entity], calendar: Option<&Calendar>) {
        let everyone = [Entity::none()];
        let entities = if entities.is_empty() { &everyone } else { entities };
        let calendar = calendar.map(|calendar| Arc::new(calendar.clone()));
        for entity in entities {
            match &calendar {
                Some(calendar) => _ = self.calendars.insert(entity.clone(), Arc::clone(calendar)),
                None => _ = self.calendars.remove(entity),
            }
        }
    }

    /// Marks a run of buckets as confirmed empty, or no longer so.
    ///
    /// # Errors
    /// `LimitExceeded` when the run is too long.
    pub(super) fn mark_empty(&mut self, entity: Option<&Entity>, run: Run, undo: bool) -> Result<()> {
        let entity = entity.cloned().unwrap_or_default();
        if undo {
            self.confirmed_empty.remove_run(Some(&entity), run.first, run.last);
            return Ok(());
        }
        let mut set = BucketSet::new();
        set.insert_run(run.first, run.last)?;
        self.confirmed_empty.insert_set(&entity, set);
        Ok(())
    }

    /// Calendars as JSON and confirmed-empty buckets as serialised coverage; both are empty when there are none.
    pub(super) fn to_stored(&self) -> Result<(String, Vec<u8>)> {
        let calendars: Vec<_> = self.calendars.iter().map(|(entity, calendar)| (entity, calendar.as_ref())).collect();
        let unwritable = |e| Error::invalid_argument("the calendars cannot be written").caused_by(e);
        let text =
            if calendars.is_empty() { String::new() } else { serde_json::to_string(&calendars).map_err(unwritable)? };
        let bytes = if self.confirmed_empty.is_empty() { Vec::new() } else { self.confirmed_empty.to_bytes() };
        Ok((text, bytes))
    }

    /// Reads what [`Self::to_stored`] wrote.
    pub(super) fn of_stored(calendars: &str, confirmed_empty: &[u8]) -> Result<Self> {
        let mut expectations = Self::default();
        if !calendars.is_empty() {
            let list: Vec<(Entity, Calendar)> = serde_json::from_str(calendars)
                .map_err(|e| Error::corrupt("the calendars cannot be read").caused_by(e))?;
            expectations.calendars = list.into_iter().map(|(entity, calendar)| (entity, Arc::new(calendar))).collect();
        }
        if !confirmed_empty.is_empty() {
            expectations.confirmed_empty = Coverage::from_bytes(confirmed_empty, u64::MAX)?;
        }
        Ok(expectations)
    }
}
