//! Which entities a question about coverage is about, and what counts as covered: the part of a question that is neither its
//! range nor its version.

use std::sync::Arc;

use crate::{
    coverage::{BucketSet, Coverage, Entity},
    error::Result,
    log::universe::Universe,
    time::{BucketId, Grid, IndexRange, IndexValue, Run},
};

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// These entities, whether or not the table has them; all that it has when empty.
    pub entities: Vec<Entity>,
    /// In units of the index: a bucket counts as covered while the entity's last covered bucket began not longer before it.
    pub hold: Option<i128>,
    /// A bucket counts only with at least this many rows of the entity.
    pub min_rows: Option<u64>,
}

impl Choice {
    /// The entities that are meant, with the buckets asked about: those that are chosen, else all that the table has and all that
    /// it should have.
    pub(super) fn extents(&self, reach: &Reach<'_>) -> Vec<(Entity, Run)> {
        let mut entities = self.entities.clone();
        if entities.is_empty() {
            entities.extend(reach.coverage.entities().chain(reach.universe.entities()).cloned());
        }
        entities.sort();
        entities.dedup();
        let chosen = !self.entities.is_empty();
        let extent = |entity: &Entity| if chosen { reach.of_chosen(entity) } else { reach.of(entity) };
        entities.into_iter().filter_map(|entity| extent(&entity).map(|extent| (entity, extent))).collect()
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

/// How far a question reaches, for one entity or another.
pub(super) struct Reach<'a> {
    pub(super) coverage: &'a Coverage,
    pub(super) universe: &'a Universe,
    pub(super) grid: &'a Grid,
    pub(super) range: &'a IndexRange,
}

impl Reach<'_> {
    /// The buckets that a question about this entity is about. Where the range is open they are those that the entity has, or,
    /// if it should deliver, those in which it should, as far as the whole table reaches.
    fn of(&self, entity: &Entity) -> Option<Run> {
        let own = self.coverage.get(entity).and_then(|set| extent_of(set, self.grid, self.range));
        let Some(ranges) = self.universe.ranges_of(entity) else { return own };
        let asked = self.grid.buckets_in(self.range)?;
        let (first, last) = self.expected_ends(ranges);
        let first = first.or(self.whole().map(|whole| whole.first));
        let first = own.map(|own| own.first).into_iter().chain(first).min();
        let last = own.map(|own| own.last).into_iter().chain(last).max();
        let first = if self.range.start.is_some() { asked.first } else { first? };
        let last = if self.range.until.is_some() { asked.last } else { last.unwrap_or(first) };
        Run::new(first, last).or_else(|| self.one_bucket(first, last))
    }

    /// The same for an entity that is asked about by name: one that the table lacks, or that has nothing in reach of an open end, is asked
    /// about as far as the whole table reaches.
    fn of_chosen(&self, entity: &Entity) -> Option<Run> {
        self.of(entity).or_else(|| {
            let asked = self.grid.buckets_in(self.range)?;
            let first = if self.range.start.is_some() { asked.first } else { self.whole()?.first };
            let last = if self.range.until.is_some() { asked.last } else { self.whole()?.last };
            Run::new(first, last).or_else(|| self.one_bucket(first, last))
        })
    }

    /// A range that the table does not reach has one bucket to show that nothing is there.
    fn one_bucket(&self, first: BucketId, last: BucketId) -> Option<Run> {
        let end = if self.range.start.is_some() { first } else { last };
        Run::new(end, end)
    }

    fn whole(&self) -> Option<Run> {
        self.coverage.extent()
    }

    /// The first and last bucket in which something should have come: none where there is no end to say, the latter not after the end
    /// of the table, as what is still to come is not missing.
    fn expected_ends(&self, ranges: &[IndexRange]) -> (Option<BucketId>, Option<BucketId>) {
        let runs: Vec<_> = ranges.iter().filter_map(|range| self.grid.buckets_in(range)).collect();
        let starts = ranges.iter().all(|range| range.start.is_some());
        let first = runs.iter().map(|run| run.first).min().filter(|_| starts);
        let last = runs.iter().map(|run| run.last).max();
        let end = self.whole().map(|whole| whole.last);
        let bounded = ranges.iter().all(|range| range.until.is_some());
        (first, last.filter(|_| bounded || end.is_some()).map(|last| end.map_or(last, |end| last.min(end))))
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
