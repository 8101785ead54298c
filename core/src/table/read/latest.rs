//! The newest rows of each entity, from the few segments that can hold them. Every covered bucket has a row, so the newest n rows
//! of an entity lie in its newest n buckets; and once n rows are found that are newer than anything a segment can hold, that segment is
//! not opened.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap, HashSet},
    sync::Arc,
};

use arrow::{array::RecordBatch, compute::interleave_record_batch};

use crate::{
    coverage::{BucketSet, Entity},
    error::{Error, Result},
    log::segment::Segment,
    segment::{
        look::RowLook,
        rewrite::TableRows,
        visit::{EntityBatch, IndexValues, RowVisitor},
    },
    table::{
        cache::Cache,
        handle::Snapshot,
        monitor::{Monitor, check_cancelled},
        target::{KeyColumns, Target, write_columns},
        write::within::{range_filter, row_groups},
    },
    time::{BucketId, Grid, IndexRange, IndexValue},
};

/// Rows handed on together.
const BATCH_ROWS: usize = 8 * 1024;

/// The newest rows.
#[derive(Debug)]
pub struct Latest {
    /// With the table's columns: by entity, each entity's newest row first.
    pub batches: Vec<RecordBatch>,
    /// Segments that were opened.
    pub opened: usize,
}

/// The newest `count` rows of each of these entities, of all when there are none.
///
/// # Errors
/// As [`Snapshot::schema`], what reading segments gives, and `Cancelled`.
pub fn latest(
    snapshot: &Snapshot,
    cache: &Cache,
    count: usize,
    entities: &[Entity],
    monitor: &dyn Monitor,
) -> Result<Latest> {
    let latest = newest_rows(snapshot, cache, count, entities, monitor);
    snapshot.storage().release();
    latest
}

fn newest_rows(
    snapshot: &Snapshot,
    cache: &Cache,
    count: usize,
    entities: &[Entity],
    monitor: &dyn Monitor,
) -> Result<Latest> {
    let target = Target::of_table(snapshot.definition())?;
    let candidates = candidates(snapshot, &target.grid, count, entities)?;
    let chosen: HashSet<Entity> = entities.iter().cloned().collect();
    let mut found = Found { count, chosen, entities: BTreeMap::new(), batches: HashMap::new(), next: 0 };
    let mut opened = 0;
    for candidate in candidates {
        check_cancelled(monitor)?;
        if !candidate.wanted.iter().any(|(entity, upper)| found.lacks(entity, *upper)) {
            continue;
        }
        opened += 1;
        let named = |e: Error| e.with("version", candidate.segment.added);
        let file = cache
            .segment(snapshot.storage(), &candidate.segment, &target.definition)
            .map_err(|e| snapshot.unless_vacuumed(e))?;
        let range = IndexRange { start: Some(candidate.low), until: None };
        let (groups, filter) = (row_groups(&file, &target, &range), range_filter(&file, &target, &range)?);
        let rows =
            TableRows::known(&file, &write_columns(&target), groups, filter, &|id| candidate.segment.has_field(id))
                .map_err(named)?;
        let keys = KeyColumns::of(&target)?;
        let mut look = RowLook::new(keys.entities.len());
        let mut names = Names::default();
        for batch in rows {
            check_cancelled(monitor)?;
            let batch = batch.map_err(named)?;
            let (index, entities) = keys.arrays(&batch)?;
            look.batch(index, &entities, &mut names)?;
            found.take(&batch, &names);
        }
    }
    Ok(Latest { batches: found.batches()?, opened })
}

/// A segment that can hold rows that are wanted.
struct Candidate {
    segment: Arc<Segment>,
    /// Entities, each with the greatest index that its rows here can have.
    wanted: Vec<(Entity, IndexValue)>,
    /// No row before is wanted.
    low: IndexValue,
}

/// The candidates, those that can hold the newest rows first.
fn candidates(snapshot: &Snapshot, grid: &Grid, count: usize, chosen: &[Entity]) -> Result<Vec<Candidate>> {
    let coverage = snapshot.coverage()?;
    let all = chosen.is_empty().then(|| coverage.iter());
    let named = chosen.iter().filter_map(|entity| Some((entity, coverage.get(entity)?)));
    let sets = all.into_iter().flatten().chain(named);
    let thresholds: BTreeMap<&Entity, BucketId> =
        sets.filter_map(|(entity, set)| Some((entity, nth_newest(set, count)?))).collect();
    let Some(least) = thresholds.values().min().map(|bucket| grid.start_of(*bucket)) else { return Ok(Vec::new()) };
    let mut candidates = Vec::new();
    for segment in snapshot.state.segments.all()?.into_iter().filter(|s| s.record.index_max >= least) {
        let own = segment.coverage(snapshot.storage().as_ref()).map_err(|e| snapshot.unless_vacuumed(e))?;
        let mut wanted = Vec::new();
        let mut low: Option<BucketId> = None;
        for (entity, set) in own.iter() {
            let Some((last, threshold)) = set.last().zip(thresholds.get(entity).copied()) else { continue };
            if last >= threshold {
                let upper = IndexValue(grid.end_of(last).0.saturating_sub(1)).min(segment.record.index_max);
                wanted.push((entity.clone(), upper));
                low = Some(low.map_or(threshold, |low| low.min(threshold)));
            }
        }
        if let Some(low) = low {
            candidates.push(Candidate { segment: Arc::clone(segment), wanted, low: grid.start_of(low) });
        }
    }
    candidates.sort_by_key(|candidate| Reverse(candidate.wanted.iter().map(|(_, upper)| *upper).max()));
    Ok(candidates)
}

/// The bucket before which at least `count` newer buckets are covered, or the first one.
fn nth_newest(set: &BucketSet, count: usize) -> Option<BucketId> {
    let mut left = (count as u64).max(1);
    let runs: Vec<_> = set.runs().collect();
    for run in runs.iter().rev() {
        if run.buckets() >= left {
            let back = i64::try_from(left - 1).unwrap_or(i64::MAX);
            return Some(BucketId(run.last.0.saturating_sub(back)));
        }
        left -= run.buckets();
    }
    set.first()
}

/// Entities of the codes of a segment, and index and code of the rows of its last batch.
#[derive(Default)]
pub(super) struct Names {
    pub(super) entities: Vec<Entity>,
    pub(super) rows: Vec<(i128, u32)>,
}

impl RowVisitor for Names {
    fn batch(&mut self, index: IndexValues<'_>, entities: &EntityBatch<'_>) -> Result<()> {
        self.entities.extend(entities.entities.iter().skip(self.entities.len()).cloned());
        self.rows.clear();
        let codes = entities.codes.iter().copied();
        match index {
            IndexValues::Signed(values) => self.rows.extend(values.iter().map(|v| i128::from(*v)).zip(codes)),
            IndexValues::Unsigned(values) => self.rows.extend(values.iter().map(|v| i128::from(*v)).zip(codes)),
        }
        Ok(())
    }
}

/// A row: its index, then where it is.
type Place = (i128, Reverse<(u64, usize)>);

/// The newest rows so far.
struct Found {
    count: usize,
    /// Rows of these entities are wanted, of all when there are none.
    chosen: HashSet<Entity>,
    /// For each entity its newest rows, the oldest of them on top.
    entities: BTreeMap<Entity, BinaryHeap<Reverse<Place>>>,
    /// Batches that such rows are in, with how many of them.
    batches: HashMap<u64, (RecordBatch, usize)>,
    next: u64,
}

impl Found {
    /// Whether rows of `entity` up to `upper` could be among the newest.
    fn lacks(&self, entity: &Entity, upper: IndexValue) -> bool {
        let Some(heap) = self.entities.get(entity).filter(|heap| heap.len() >= self.count) else { return true };
        heap.peek().is_none_or(|Reverse((oldest, _))| *oldest < upper.0)
    }

    fn take(&mut self, batch: &RecordBatch, names: &Names) {
        let number = self.next;
        self.next += 1;
        let mut kept = 0_usize;
        for (row, (index, code)) in names.rows.iter().enumerate() {
            let Some(entity) = usize::try_from(*code).ok().and_then(|code| names.entities.get(code)) else { continue };
            if !self.chosen.is_empty() && !self.chosen.contains(entity) {
                continue;
            }
            if !self.entities.contains_key(entity) {
                self.entities.insert(entity.clone(), BinaryHeap::new());
            }
            let Some(heap) = self.entities.get_mut(entity) else { continue };
            if heap.len() >= self.count && heap.peek().is_some_and(|Reverse((oldest, _))| oldest >= index) {
                continue;
            }
            heap.push(Reverse((*index, Reverse((number, row)))));
            kept += 1;
            if heap.len() <= self.count {
                continue;
            }
            let Some(Reverse((_, Reverse((other, _))))) = heap.pop() else { continue };
            if other == number {
                kept -= 1;
            } else if let Some((_, rows)) = self.batches.get_mut(&other) {
                *rows -= 1;
                if *rows == 0 {
                    self.batches.remove(&other);
                }
            }
        }
        if kept > 0 {
            self.batches.insert(number, (batch.clone(), kept));
        }
    }

    fn batches(self) -> Result<Vec<RecordBatch>> {
        let mut numbers = HashMap::new();
        let mut held = Vec::new();
        for (number, (batch, _)) in &self.batches {
            numbers.insert(*number, held.len());
            held.push(batch);
        }
        let mut places = Vec::new();
        for heap in self.entities.into_values() {
            // Ascending in reverse: the newest first.
            let rows = heap.into_sorted_vec();
            places.extend(
                rows.iter().filter_map(|Reverse((_, Reverse((batch, row))))| Some((*numbers.get(batch)?, *row))),
            );
        }
        let unfit = |e| Error::corrupt("rows of different segments do not go together").caused_by(e);
        places.chunks(BATCH_ROWS).map(|part| interleave_record_batch(&held, part).map_err(unfit)).collect()
    }
}
