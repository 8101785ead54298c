//! The values next to the cells: the last before the first cell, for carrying and interpolating, and the first after the
//! last, for interpolating. Coverage says which buckets hold rows; only those are read, further away only while every row
//! that was found is NULL.

use super::{
    collect::{Collection, Side},
    request::{Method, cell_count},
};
use crate::{
    coverage::BucketSet,
    error::Result,
    table::ask::subject::Subject,
    time::{BucketId, Grid, IndexRange, IndexValue, Run},
};

/// Each further look reads this many times more buckets.
const GROWTH: u64 = 8;

impl Collection<'_> {
    /// Finds what the methods need beyond the cells.
    pub(super) fn look_around(&mut self, subjects: &[Subject], max_age: Option<i128>) -> Result<()> {
        if self.methods().any(Method::looks_back) {
            self.look(subjects, max_age, Side::Before)?;
        }
        if self.methods().any(|method| method == Method::Linear) {
            self.look(subjects, max_age, Side::After)?;
        }
        Ok(())
    }

    fn look(&mut self, subjects: &[Subject], max_age: Option<i128>, target: Side) -> Result<()> {
        let grid = self.snapshot.grid()?;
        let reach = self.reach(max_age, target);
        let Some(reach) = reach.and_then(|range| grid.buckets_in(&range)) else { return Ok(()) };
        let mut rest: Vec<Search> =
            (0..subjects.len()).map(|slot| Search { slot, left: Some(reach), searched: None }).collect();
        let mut buckets = 1;
        loop {
            let mut wanted = Vec::new();
            rest.retain_mut(|search| {
                let lacks = self.lacks(search.slot, target, &grid, search.searched);
                let covered = subjects.get(search.slot).map(Subject::covered);
                let next = covered.zip(search.left).and_then(|(covered, left)| nearest(covered, left, buckets, target));
                let (true, Some((run, left))) = (lacks, next) else { return false };
                wanted.push(run);
                search.left = left;
                search.searched = Some(run);
                true
            });
            if wanted.is_empty() {
                return Ok(());
            }
            for run in joined(wanted) {
                let values = self.beyond(&grid, run, target);
                self.read_rows(values, target, false)?;
            }
            buckets = buckets.saturating_mul(GROWTH);
        }
    }

    /// The index values in which a value may be looked for.
    fn reach(&self, max_age: Option<i128>, target: Side) -> Option<IndexRange> {
        let (start, until) =
            (self.request.cells.start_of(self.cells.first), self.request.cells.end_of(self.cells.last));
        let range = match target {
            Side::Before => {
                // A linear cell may begin a cell's width before its value.
                IndexRange { start: max_age.map(|age| IndexValue(start.0.saturating_sub(age))), until: Some(start) }
            }
            _ => {
                let last = max_age.map(|age| IndexValue(until.0.saturating_add(age)));
                IndexRange { start: Some(until), until: last }
            }
        };
        (!range.is_empty()).then_some(range)
    }

    /// The values of a run of the table's buckets that lie beyond the cells; after them, to the end of their last cell.
    fn beyond(&self, grid: &Grid, run: Run, target: Side) -> IndexRange {
        let (start, until) = (grid.start_of(run.first), grid.end_of(run.last));
        if target == Side::Before {
            return IndexRange::new(start, until.min(self.request.cells.start_of(self.cells.first)));
        }
        let last = self.request.cells.bucket_of(IndexValue(until.0.saturating_sub(1)));
        let cell_end = last.map_or(until, |cell| self.request.cells.end_of(cell));
        IndexRange::new(start.max(self.request.cells.end_of(self.cells.last)), until.max(cell_end))
    }

    /// Whether a column that looks that way has no value yet that is certainly the nearest: one that lies beyond what was
    /// searched for this entity was read for another one, and there may be a nearer one.
    fn lacks(&self, slot: usize, target: Side, grid: &Grid, searched: Option<Run>) -> bool {
        let place = cell_count(self.cells).saturating_add(usize::from(target == Side::After));
        let certain = |at: i128| match (searched, target) {
            (None, _) => false,
            (Some(run), Side::Before) => at >= grid.start_of(run.first).0,
            (Some(run), _) => at < grid.end_of(run.last).0,
        };
        self.methods().enumerate().any(|(column, method)| {
            let looks = if target == Side::Before { method.looks_back() } else { method == Method::Linear };
            let known = self.row(slot, column).get(place).copied().flatten();
            looks && !known.is_some_and(|known| certain(known.at))
        })
    }
}

/// How far an entity's values were looked for.
struct Search {
    slot: usize,
    left: Option<Run>,
    /// The latest part of it; all that is nearer was searched before.
    searched: Option<Run>,
}

/// The buckets from the nearest covered one on, `count` of them towards the far end of `reach`, and what is left of it.
fn nearest(covered: &BucketSet, reach: Run, count: u64, target: Side) -> Option<(Run, Option<Run>)> {
    let extent = covered.extent()?.clip(reach)?;
    if target == Side::Before {
        let last = covered.last_run_of_at_least(1, extent.last.0.checked_add(1).map(BucketId))?.last;
        let first = BucketId(last.0.saturating_sub_unsigned(count.saturating_sub(1))).max(extent.first);
        let left = first.0.checked_sub(1).and_then(|before| Run::new(extent.first, BucketId(before)));
        return (last >= extent.first).then_some((Run { first, last }, left));
    }
    let first = covered.runs_in(extent.first, extent.last).next()?.first;
    let last = BucketId(first.0.saturating_add_unsigned(count.saturating_sub(1))).min(extent.last);
    let left = last.0.checked_add(1).and_then(|after| Run::new(BucketId(after), extent.last));
    Some((Run { first, last }, left))
}

/// The runs in order, joined where they meet.
fn joined(mut runs: Vec<Run>) -> Vec<Run> {
    runs.sort_unstable_by_key(|run| (run.first, run.last));
    let mut joined: Vec<Run> = Vec::new();
    for run in runs {
        match joined.last_mut() {
            Some(last) if run.first.0 <= last.last.0.saturating_add(1) => last.last = last.last.max(run.last),
            _ => joined.push(run),
        }
    }
    joined
}
