//! Which entities a question about coverage is about, and what counts as covered: the part of a question that is neither its
//! range nor its version.

use std::sync::Arc;

use crate::{
    coverage::{BucketSet, Coverage, Entity},
    error::Result,
    time::{BucketId, Grid, IndexRange, IndexValue, Run},
};

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// These entities, whether or not the table has them; all that it has when empty.
    pub entities: Vec<Entity>,
    /// In units of the index: a bucket counts as covered while the entity's last covered bucket began not longer before it.
    pub hold: Option<i128>,
}

impl Choice {
    /// The chosen entities with the buckets asked about; none when all are meant. An entity that the table lacks, or that has
    /// nothing in reach of an open end, is asked about as far as the whole table reaches.
    pub(crate) fn extents(&self, coverage: &Coverage, grid: &Grid, range: &IndexRange) -> Option<Vec<(Entity, Run)>> {
        if self.entities.is_empty() {
            return None;
        }
        let mut entities = self.entities.clone();
        entities.sort();
        entities.dedup();
        let whole = coverage.extent();
        let extent = |entity: &Entity| {
            let own = coverage.get(entity).and_then(|set| extent_of(set, grid, range));
            own.or_else(|| {
                let asked = grid.buckets_in(range)?;
                let first = if range.start.is_some() { asked.first } else { whole?.first };
                let last = if range.until.is_some() { asked.last } else { whole?.last };
                // A range that the table does not reach has one bucket to show that nothing is there.
                Run::new(first, last).or_else(|| {
                    let end = if range.start.is_some() { first } else { last };
                    Run::new(end, end)
                })
            })
        };
        Some(entities.into_iter().filter_map(|entity| extent(&entity).map(|extent| (entity, extent))).collect())
    }

    /// The buckets that count as covered, given those that are.
    ///
    /// # Errors
    /// `LimitExceeded` when a bucket's number is out of bounds.
    pub(crate) fn counted(&self, covered: Arc<BucketSet>, grid: &Grid) -> Result<Arc<BucketSet>> {
        let Some(hold) = self.hold else { return Ok(covered) };
        let mut counted = BucketSet::new();
        for run in covered.runs() {
            counted.insert_run(run.first, held_until(run.last, hold, grid))?;
        }
        Ok(Arc::new(counted))
    }
}

/// The last bucket that begins at most `hold` after `last` does.
fn held_until(last: BucketId, hold: i128, grid: &Grid) -> BucketId {
    let end = IndexValue(grid.start_of(last).0.saturating_add(hold));
    // Where the grid ends there is no bucket to hold for.
    grid.bucket_of(end).map_or(last, |held| held.max(last))
}

/// The buckets that a question about `range` of an entity with these buckets is about: those in the range, and where the
/// range is open, up to the entity's own first or last covered one. None when there are none.
#[must_use]
pub fn extent_of(set: &BucketSet, grid: &Grid, range: &IndexRange) -> Option<Run> {
    let asked = grid.buckets_in(range)?;
    let first = if range.start.is_some() { asked.first } else { set.first()? };
    let last = if range.until.is_some() { asked.last } else { set.last()? };
    Run::new(first, last)
}
