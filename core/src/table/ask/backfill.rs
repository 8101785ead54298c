//! What to ask a data vendor for: gaps packed into requests of a bounded length of time. Knows no vendor.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::subject::Subject;
use crate::{
    coverage::Entity,
    time::{BucketId, Grid, IndexValue, Run},
};

/// One request: from the first to the last missing bucket that it fetches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    /// The first and last bucket.
    pub run: RunOrder,
    /// Whose data.
    pub entity: Entity,
    /// Missing buckets in it.
    pub buckets: u64,
    /// Runs of missing buckets in it, whole or in part.
    pub gaps: u64,
}

/// A run in the order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunOrder {
    /// The first bucket.
    pub first: BucketId,
    /// The last bucket.
    pub last: BucketId,
}

/// The requests for the gaps of all subjects, oldest first, made one by one. Each spans at most `max_units` index units, but at
/// least a bucket; gaps near each other share one. Holds one request of each subject, however many there are.
#[derive(Debug)]
pub struct Requests {
    subjects: Vec<Subject>,
    grid: Grid,
    max_units: Option<i128>,
    /// The oldest request of each subject that has one left, the subject, and where its next one is looked for.
    heads: BinaryHeap<Reverse<(Request, usize, Option<BucketId>)>>,
}

impl Requests {
    /// The requests of these subjects.
    #[must_use]
    pub fn new(subjects: Vec<Subject>, grid: Grid, max_units: Option<i128>) -> Self {
        let mut requests = Self { heads: BinaryHeap::with_capacity(subjects.len()), subjects, grid, max_units };
        for at in 0..requests.subjects.len() {
            requests.look(at, requests.subjects.get(at).map(|subject| subject.extent.first));
        }
        requests
    }

    /// Finds the next request of a subject from a bucket on.
    fn look(&mut self, at: usize, from: Option<BucketId>) {
        let Some(subject) = self.subjects.get(at) else { return };
        let Some(rest) = from.and_then(|from| Run::new(from, subject.extent.last)) else { return };
        let mut packer = Packer { grid: &self.grid, max_units: self.max_units, open: None };
        for run in subject.missing_runs(rest) {
            let (done, left) = packer.add(&subject.entity, run);
            if let Some(done) = done {
                self.heads.push(Reverse((done, at, left.map(|left| left.first))));
                return;
            }
        }
        if let Some(last) = packer.open.take() {
            self.heads.push(Reverse((last, at, None)));
        }
    }
}

impl Iterator for Requests {
    type Item = Request;

    fn next(&mut self) -> Option<Request> {
        let Reverse((request, at, next)) = self.heads.pop()?;
        self.look(at, next);
        Some(request)
    }
}

struct Packer<'a> {
    grid: &'a Grid,
    max_units: Option<i128>,
    open: Option<Request>,
}

impl Packer<'_> {
    /// Adds as much of `run` as the open request takes; gives the request that is full, and what is left of the run.
    fn add(&mut self, entity: &Entity, run: Run) -> (Option<Request>, Option<Run>) {
        let first = self.open.as_ref().map_or(run.first, |open| open.run.first);
        let Some(last) = self.last_from(first).filter(|last| *last >= run.first) else {
            return (self.open.take(), Some(run));
        };
        let taken = Run { first: run.first, last: run.last.min(last) };
        let open = self.open.get_or_insert_with(|| Request {
            run: RunOrder { first, last },
            entity: entity.clone(),
            buckets: 0,
            gaps: 0,
        });
        open.run.last = taken.last;
        open.buckets = open.buckets.saturating_add(taken.buckets());
        open.gaps = open.gaps.saturating_add(1);
        if taken.last == run.last {
            return (None, None);
        }
        let left = taken.last.0.checked_add(1).and_then(|next| Run::new(BucketId(next), run.last));
        (self.open.take(), left)
    }

    /// The last bucket that a request from `first` on may have.
    fn last_from(&self, first: BucketId) -> Option<BucketId> {
        let Some(units) = self.max_units else { return Some(BucketId(i64::MAX)) };
        let end = IndexValue(self.grid.start_of(first).0.saturating_add(units));
        let beyond = self.grid.bucket_of(end).unwrap_or(BucketId(i64::MAX));
        // The bucket at the end is not wholly inside, unless it is the first, which a request always takes.
        Some(BucketId(beyond.0.saturating_sub(1)).max(first))
    }
}

#[cfg(test)]
#[path = "backfill_tests.rs"]
mod tests;
