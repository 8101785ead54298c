//! Coverage from rows, one (entity, bucket) pair after the other. Built for rows in order of time, of entity, or both.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use crate::{
    error::Result,
    time::{BucketId, Run},
};

use super::{BucketSet, Coverage, Entity};

/// The place of an entity in a [`CoverageBuilder`]; valid for the builder that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot(usize);

/// Collects coverage from rows.
///
/// A row whose bucket is that of the last row of its entity costs a comparison, or a look-up of the entity where the
/// caller has no [`Slot`] at hand and the entity changed.
#[derive(Debug, Default)]
pub struct CoverageBuilder {
    slots: HashMap<Entity, usize>,
    open: Vec<OpenSet>,
    last: Option<(Entity, Slot)>,
}

#[derive(Debug, Default)]
struct OpenSet {
    set: BucketSet,
    /// The run that rows are extending; not yet in the set.
    run: Option<Run>,
}

impl CoverageBuilder {
    /// A builder without rows.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The place of an entity, for [`Self::cover`]. An entity that is never covered is absent from the result.
    pub fn slot(&mut self, entity: &Entity) -> Slot {
        if let Some(found) = self.slots.get(entity) {
            return Slot(*found);
        }
        let slot = self.open.len();
        self.open.push(OpenSet::default());
        self.slots.insert(entity.clone(), slot);
        Slot(slot)
    }

    /// Adds a row of the entity at `slot`.
    ///
    /// # Errors
    /// `LimitExceeded` when the entity's rows make an unbroken run of more than [`super::MAX_RUN_BUCKETS`] buckets.
    #[inline]
    pub fn cover(&mut self, slot: Slot, id: BucketId) -> Result<()> {
        match self.open.get_mut(slot.0) {
            Some(open) => open.cover(id),
            None => Ok(()),
        }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// As [`Self::cover`].
    pub fn push(&mut self, entity: &Entity, id: BucketId) -> Result<()> {
        let slot = match &self.last {
            Some((last, slot)) if last == entity => *slot,
            _ => {
                let slot = self.slot(entity);
                self.last = Some((entity.clone(), slot));
                slot
            }
        };
        self.cover(slot, id)
    }

    /// The coverage of all rows.
    ///
    /// # Errors
    /// As [`Self::cover`].
    pub fn finish(mut self) -> Result<Coverage> {
        let mut sets = BTreeMap::new();
        for (entity, slot) in self.slots {
            let Some(open) = self.open.get_mut(slot) else { continue };
            open.close_run()?;
            let mut set = std::mem::take(&mut open.set);
            if !set.is_empty() {
                set.optimize();
                sets.insert(entity, Arc::new(set));
            }
        }
        Ok(Coverage::from_sets(sets))
    }
}

impl OpenSet {
    #[inline]
    fn cover(&mut self, id: BucketId) -> Result<()> {
        if let Some(run) = &mut self.run {
            if run.first <= id && id <= run.last {
                return Ok(());
            }
            if run.last.0.checked_add(1) == Some(id.0) {
                run.last = id;
                return Ok(());
            }
        }
        self.close_run()?;
        self.run = Some(Run { first: id, last: id });
        Ok(())
    }

    fn close_run(&mut self) -> Result<()> {
        match self.run.take() {
            Some(run) if run.first == run.last => {
                self.set.insert(run.first);
                Ok(())
            }
            Some(run) => self.set.insert_run(run.first, run.last),
            None => Ok(()),
        }
    }
}
