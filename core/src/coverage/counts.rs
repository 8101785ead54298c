//! How many rows each bucket of each entity has: runs of neighbouring buckets with equally many. Built from rows in any order,
//! added up over segments. Knows bucket numbers and entities only.

use std::collections::{BTreeMap, HashMap};

use super::{BucketSet, Entity};
use crate::{
    error::Result,
    time::{BucketId, Run},
};

/// Neighbouring buckets with equally many rows each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// The buckets.
    pub run: Run,
    /// The rows of each of them; at least 1.
    pub rows: u64,
}

/// The rows of the buckets of every entity.
///
/// Invariant: the pieces of an entity ascend, and two that touch have different numbers of rows; no entity is without one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    pub(super) pieces: BTreeMap<Entity, Vec<Piece>>,
}

impl Counts {
    /// The pieces of each entity, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Entity, &[Piece])> {
        self.pieces.iter().map(|(entity, pieces)| (entity, pieces.as_slice()))
    }

    /// How many buckets and how many rows there are, over all entities.
    #[must_use]
    pub fn totals(&self) -> (u64, u64) {
        self.pieces.values().flatten().fold((0, 0), |(buckets, rows), piece| {
            let own = piece.run.buckets();
            (buckets.saturating_add(own), rows.saturating_add(own.saturating_mul(piece.rows)))
        })
    }

    /// Adds to `dense` the buckets with at least `least` rows.
    ///
    /// # Errors
    /// As [`BucketSet::insert_run`].
    pub fn add_dense(&self, least: u64, dense: &mut BTreeMap<Entity, BucketSet>) -> Result<()> {
        for (entity, pieces) in self.iter() {
            let mut enough = pieces.iter().filter(|piece| piece.rows >= least).peekable();
            if enough.peek().is_none() {
                continue;
            }
            let set = dense.entry(entity.clone()).or_default();
            for piece in enough {
                set.insert_run(piece.run.first, piece.run.last)?;
            }
        }
        Ok(())
    }
}

/// Counts rows.
#[derive(Debug)]
pub struct CountsBuilder {
    slots: HashMap<Entity, usize>,
    lists: Vec<Pieces>,
    /// Pieces that were pushed since they were last put in order.
    pushed: usize,
    /// When there are more than this, they are put in order.
    limit: usize,
    given_up: bool,
}

/// The pieces of one entity; those that were put in order last come first.
#[derive(Debug, Default)]
struct Pieces {
    /// The bucket that rows are coming for.
    open: Option<Piece>,
    list: Vec<Piece>,
    in_order: bool,
}

impl CountsBuilder {
    /// Counts whose pieces take memory for about `limit` of them, 24 bytes each; where there are more, they are given up.
    #[must_use]
    pub fn holding(limit: usize) -> Self {
        Self { slots: HashMap::new(), lists: Vec::new(), pushed: 0, limit: limit.max(1), given_up: false }
    }

    /// The place of an entity, for [`Self::add`].
    pub fn slot(&mut self, entity: &Entity) -> usize {
        if let Some(slot) = self.slots.get(entity) {
            return *slot;
        }
        let slot = self.lists.len();
        self.lists.push(Pieces { in_order: true, ..Pieces::default() });
        self.slots.insert(entity.clone(), slot);
        slot
    }

    /// Adds `rows` rows to each bucket of `run`, of the entity at `slot`.
    #[inline]
    pub fn add(&mut self, slot: usize, run: Run, rows: u64) {
        let Some(pieces) = self.lists.get_mut(slot) else { return };
        if let Some(open) = pieces.open.as_mut().filter(|open| open.run == run) {
            open.rows = open.rows.saturating_add(rows);
            return;
        }
        let closed = pieces.open.replace(Piece { run, rows });
        let grown = closed.is_some_and(|closed| pieces.push(closed));
        self.pushed = self.pushed.saturating_add(usize::from(grown));
        if self.pushed > self.limit {
            self.settle();
        }
    }

    /// Puts the pieces in order, and gives up when that leaves more than half of what may be held.
    fn settle(&mut self) {
        if self.given_up {
            self.lists.iter_mut().for_each(|pieces| pieces.list = Vec::new());
        }
        self.lists.iter_mut().for_each(Pieces::settle);
        self.pushed = self.lists.iter().map(|pieces| pieces.list.len()).sum();
        self.given_up |= self.pushed > self.limit / 2;
    }

    /// What was counted; none when that were more pieces than may be held.
    #[must_use]
    pub fn finish(mut self) -> Option<Counts> {
        for pieces in &mut self.lists {
            if let Some(open) = pieces.open.take() {
                pieces.push(open);
            }
            pieces.settle();
        }
        let mut counts = Counts::default();
        for (entity, slot) in self.slots {
            let list = self.lists.get_mut(slot).map(|pieces| std::mem::take(&mut pieces.list)).unwrap_or_default();
            if !list.is_empty() {
                counts.pieces.insert(entity, list);
            }
        }
        (!self.given_up).then_some(counts)
    }
}

impl Pieces {
    /// Adds a piece; whether there is one more.
    fn push(&mut self, piece: Piece) -> bool {
        if let Some(last) = self.list.last_mut() {
            if last.rows == piece.rows && last.run.last.0.checked_add(1) == Some(piece.run.first.0) {
                last.run.last = piece.run.last;
                return false;
            }
            self.in_order &= last.run.last < piece.run.first;
        }
        self.list.push(piece);
        true
    }

    /// Brings the pieces into ascending order, each bucket once.
    fn settle(&mut self) {
        if !self.in_order {
            self.list = added_up(&self.list);
            self.in_order = true;
        }
    }
}

/// The sum of pieces that may overlap.
fn added_up(pieces: &[Piece]) -> Vec<Piece> {
    let ends = pieces.iter().flat_map(|piece| {
        let rows = i128::from(piece.rows);
        [(i128::from(piece.run.first.0), rows), (i128::from(piece.run.last.0).saturating_add(1), -rows)]
    });
    let mut ends: Vec<(i128, i128)> = ends.collect();
    ends.sort_unstable_by_key(|(at, _)| *at);
    let mut sums = Pieces::default();
    let (mut rows, mut from) = (0_i128, 0_i128);
    for (at, change) in ends {
        let bucket = |number: i128| i64::try_from(number).map(BucketId).ok();
        let run = bucket(from).zip(bucket(at.saturating_sub(1))).and_then(|(first, last)| Run::new(first, last));
        if let (Some(run), Ok(rows @ 1..)) = (run, u64::try_from(rows)) {
            sums.push(Piece { run, rows });
        }
        rows = rows.saturating_add(change);
        from = at;
    }
    sums.list
}

#[cfg(test)]
#[path = "counts_tests.rs"]
mod tests;
