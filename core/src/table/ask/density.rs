//! Which buckets have enough rows. Where segments have counts of their own, these are added up; the index and entities of others are
//! read. Rows are counted in windows of buckets that coverage says are few enough to be held.

use std::collections::BTreeMap;

use crate::{
    coverage::{BucketSet, Counts, CountsBuilder, Coverage, Entity},
    error::Result,
    log::segment::Segment,
    segment::{
        WriteColumn,
        look::RowLook,
        rewrite::TableRows,
        visit::{EntityBatch, IndexValues, RowVisitor},
    },
    storage::Storage,
    table::{
        handle::Snapshot,
        monitor::{Monitor, check_cancelled},
        opened,
        target::{KeyColumns, Target, write_columns},
        write::within::{range_filter, row_groups},
    },
    time::{BucketId, Cursor, Grid, IndexRange, IndexValue, Run},
};

/// Pairs of entity and bucket whose rows are counted at once, of some 24 bytes each.
const PAIRS_AT_ONCE: u64 = 1 << 20;

/// How the rows of buckets were counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountedBy {
    /// By what was known without opening a segment.
    Counts,
    /// By reading index and entities of at least one segment.
    Rows,
}

impl CountedBy {
    /// The word in SQL.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Counts => "counts",
            Self::Rows => "rows",
        }
    }
}

/// The buckets with enough rows.
#[derive(Debug)]
pub struct Density {
    /// Of each entity that has some.
    pub sets: BTreeMap<Entity, BucketSet>,
    /// How that became known.
    pub by: CountedBy,
}

/// What is to be counted.
pub struct Counting<'a> {
    snapshot: &'a Snapshot,
    coverage: &'a Coverage,
    wanted: BTreeMap<Entity, Run>,
    monitor: &'a dyn Monitor,
    pairs_at_once: u64,
}

impl std::fmt::Debug for Counting<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Counting").field("wanted", &self.wanted).finish_non_exhaustive()
    }
}

impl<'a> Counting<'a> {
    /// Rows of these entities in these buckets; `coverage` is the snapshot's.
    #[must_use]
    pub fn new(
        snapshot: &'a Snapshot,
        coverage: &'a Coverage,
        wanted: BTreeMap<Entity, Run>,
        monitor: &'a dyn Monitor,
    ) -> Self {
        Self { snapshot, coverage, wanted, monitor, pairs_at_once: PAIRS_AT_ONCE }
    }

    /// The same, with the rows of about that many buckets counted at once.
    #[must_use]
    pub fn holding(mut self, pairs_at_once: u64) -> Self {
        self.pairs_at_once = pairs_at_once.max(1);
        self
    }

    /// The wanted buckets that have at least `least` rows.
    ///
    /// # Errors
    /// As reading segments and their coverage, and `Cancelled`.
    pub fn dense(&self, least: u64) -> Result<Density> {
        let mut density = Density { sets: BTreeMap::new(), by: CountedBy::Counts };
        let extent = |end: fn(&Run) -> BucketId| self.wanted.values().map(end);
        let whole = extent(|run| run.first).min().zip(extent(|run| run.last).max());
        let Some(whole) = whole.and_then(|(first, last)| Run::new(first, last)) else { return Ok(density) };
        let Some(target) = Target::of_table_columns(self.snapshot.definition())? else { return Ok(density) };
        let mut windows = vec![whole];
        while let Some(window) = windows.pop() {
            let pairs = self.pairs_in(window);
            if pairs > self.pairs_at_once && window.first < window.last {
                windows.extend(halves(window));
            } else if pairs > 0 {
                self.count(window, &target, least, &mut density)?;
            }
        }
        Ok(density)
    }

    fn pairs_in(&self, window: Run) -> u64 {
        let own = |(entity, run): (&Entity, &Run)| {
            let part = run.clip(window)?;
            Some(self.coverage.get(entity)?.count_in(part.first, part.last))
        };
        self.wanted.iter().filter_map(own).fold(0, u64::saturating_add)
    }

    fn count(&self, window: Run, target: &Target, least: u64, density: &mut Density) -> Result<()> {
        let storage = self.snapshot.storage().as_ref();
        let range = IndexRange::new(target.grid.start_of(window.first), target.grid.end_of(window.last));
        // Twice what may come of it, so that it is never given up: in order they are not more than the pairs.
        let limit = usize::try_from(self.pairs_at_once.saturating_mul(4).max(self.pairs_in(window).saturating_mul(4)));
        let mut sum = Sum { builder: CountsBuilder::holding(limit.unwrap_or(usize::MAX)), of: self, window };
        for segment in self.snapshot.state.segments.all()? {
            check_cancelled(self.monitor)?;
            if !segment.meets(&range) || !self.concerns(segment, window, storage)? {
                continue;
            }
            match known(segment, storage) {
                Some(counts) => sum.add(&counts),
                None => {
                    density.by = CountedBy::Rows;
                    self.read(segment, &range, target, &mut sum).map_err(|e| e.with("version", segment.added))?;
                }
            }
        }
        sum.builder.finish().map_or(Ok(()), |counts| counts.add_dense(least, &mut density.sets))
    }

    /// Whether the segment has a bucket that is asked about.
    fn concerns(&self, segment: &Segment, window: Run, storage: &dyn Storage) -> Result<bool> {
        let coverage = segment.coverage(storage)?;
        Ok(coverage.iter().any(|(entity, set)| {
            let part = self.wanted.get(entity).and_then(|run| run.clip(window));
            part.is_some_and(|part| set.runs_in(part.first, part.last).next().is_some())
        }))
    }

    fn read(&self, segment: &Segment, range: &IndexRange, target: &Target, sum: &mut Sum<'_>) -> Result<()> {
        let file = opened::open(self.snapshot.storage().as_ref(), segment, self.snapshot.definition())?;
        let whole = range.contains_all(segment.record.index_min, segment.record.index_max);
        let range = if whole { &IndexRange::ALL } else { range };
        let keys = KeyColumns::of(target)?;
        let all = write_columns(target);
        let columns: Vec<WriteColumn> =
            std::iter::once(&keys.index).chain(&keys.entities).filter_map(|at| all.get(*at).cloned()).collect();
        let (groups, filter) = (row_groups(&file, target, range), range_filter(&file, target, range)?);
        let mut look = RowLook::new(keys.entities.len());
        let mut tally = Tally { cursor: target.grid.cursor(), slots: Vec::new(), sum };
        for batch in TableRows::known(&file, &columns, groups, filter, &|id| segment.has_field(id))? {
            check_cancelled(self.monitor)?;
            let batch = batch?;
            let Some((index, entities)) = batch.columns().split_first() else { continue };
            look.batch(index, entities, &mut tally)?;
        }
        Ok(())
    }
}

/// The counts of a segment, when they need not be read from its rows: its own, or where each bucket has one row. Counts that are
/// damaged are as good as none.
fn known(segment: &Segment, storage: &dyn Storage) -> Option<Counts> {
    if segment.record.rows != segment.record.buckets {
        return segment.counts(storage).ok().flatten();
    }
    let mut builder = CountsBuilder::holding(usize::MAX);
    for (entity, set) in segment.coverage(storage).ok()?.iter() {
        let slot = builder.slot(entity);
        set.runs().for_each(|run| builder.add(slot, run, 1));
    }
    builder.finish()
}

fn halves(window: Run) -> impl Iterator<Item = Run> {
    let middle = BucketId(i64::midpoint(window.first.0, window.last.0));
    let after = middle.0.checked_add(1).map(BucketId);
    // The later half is looked at first; the order does not matter.
    Run::new(window.first, middle).into_iter().chain(after.and_then(|after| Run::new(after, window.last)))
}

/// Adds up what is asked about.
struct Sum<'a> {
    builder: CountsBuilder,
    of: &'a Counting<'a>,
    window: Run,
}

impl Sum<'_> {
    fn add(&mut self, counts: &Counts) {
        for (entity, pieces) in counts.iter() {
            let Some(part) = self.of.wanted.get(entity).and_then(|run| run.clip(self.window)) else { continue };
            let slot = self.builder.slot(entity);
            for piece in pieces.iter().skip(pieces.partition_point(|piece| piece.run.last < part.first)) {
                let Some(run) = piece.run.clip(part) else { break };
                self.builder.add(slot, run, piece.rows);
            }
        }
    }
}

/// Counts the rows of a segment.
struct Tally<'a, 'b> {
    cursor: Cursor<'a>,
    /// By the entity's code: where its rows are counted, and in which buckets.
    slots: Vec<Option<(usize, Run)>>,
    sum: &'a mut Sum<'b>,
}

impl Tally<'_, '_> {
    fn rows(&mut self, values: impl Iterator<Item = i128>, codes: &[u32]) -> Result<()> {
        for (value, code) in values.zip(codes) {
            let slot = usize::try_from(*code).ok().and_then(|code| self.slots.get(code).copied().flatten());
            let Some((slot, part)) = slot else { continue };
            let bucket = self.cursor.bucket_of(IndexValue(value))?;
            if part.first <= bucket && bucket <= part.last {
                self.sum.builder.add(slot, Run { first: bucket, last: bucket }, 1);
            }
        }
        Ok(())
    }
}

impl RowVisitor for Tally<'_, '_> {
    fn batch(&mut self, index: IndexValues<'_>, entities: &EntityBatch<'_>) -> Result<()> {
        for entity in entities.entities.iter().skip(self.slots.len()) {
            let part = self.sum.of.wanted.get(entity).and_then(|run| run.clip(self.sum.window));
            let slot = part.map(|part| (self.sum.builder.slot(entity), part));
            self.slots.push(slot);
        }
        match index {
            IndexValues::Signed(values) => self.rows(values.iter().map(|v| i128::from(*v)), entities.codes),
            IndexValues::Unsigned(values) => self.rows(values.iter().map(|v| i128::from(*v)), entities.codes),
        }
    }
}

/// The run, longer at its beginning by what may hold into it.
pub(super) fn with_what_holds(run: Run, hold: Option<i128>, grid: &Grid) -> Run {
    let Some(hold) = hold else { return run };
    let from = IndexValue(grid.start_of(run.first).0.saturating_sub(hold));
    // Where the grid begins there is no bucket before.
    Run { first: grid.bucket_of(from).unwrap_or(BucketId(i64::MIN)).min(run.first), ..run }
}
