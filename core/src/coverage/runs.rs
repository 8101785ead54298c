//! The runs of a set of buckets and the gaps between them, in one pass and without expanding a run.

use roaring::{RoaringTreemap, bitmap, treemap};

use crate::time::{BucketId, Run};

use super::bucket_set::bucket_of;

/// The maximal covered runs in a window, ascending. See [`super::BucketSet::runs`].
#[derive(Clone)]
pub struct Runs<'set> {
    maps: treemap::BitmapIter<'set>,
    /// The upper half of the members of the map that is being read, and the rest of it.
    map: Option<(u32, bitmap::Iter<'set>)>,
    /// A run that may go on in the next block or map.
    open: Option<(u64, u64)>,
    first: u64,
    last: u64,
}

impl<'set> Runs<'set> {
    /// The runs of `members` from `first` to `last`, both included.
    pub(super) fn new(members: &'set RoaringTreemap, first: u64, last: u64) -> Self {
        Self { maps: members.bitmaps(), map: None, open: None, first, last }
    }

    /// The next piece of a run, as members; pieces may touch where blocks or maps meet.
    #[inline]
    fn next_piece(&mut self) -> Option<(u64, u64)> {
        loop {
            if let Some((high, rest)) = &mut self.map
                && let Some(piece) = rest.next_range()
            {
                let base = u64::from(*high) << 32;
                return Some((base | u64::from(*piece.start()), base | u64::from(*piece.end())));
            }
            self.map = Some(self.next_map()?);
        }
    }

    fn next_map(&mut self) -> Option<(u32, bitmap::Iter<'set>)> {
        loop {
            let (high, map) = self.maps.next()?;
            let base = u64::from(high) << 32;
            let (start, end) = (self.first.max(base), self.last.min(base | u64::from(u32::MAX)));
            if start <= end {
                return Some((high, map.range(low(start)..=low(end))));
            }
        }
    }
}

/// The lower half of a member.
#[expect(clippy::cast_possible_truncation, reason = "the upper half is what is to be cut off")]
fn low(member: u64) -> u32 {
    member as u32
}

impl Iterator for Runs<'_> {
    type Item = Run;

    #[inline]
    fn next(&mut self) -> Option<Run> {
        let done = loop {
            match (self.open, self.next_piece()) {
                (None, None) => return None,
                (None, piece) => self.open = piece,
                (Some((start, end)), Some((next, next_end))) if end.checked_add(1) == Some(next) => {
                    self.open = Some((start, next_end));
                }
                (Some(run), piece) => {
                    self.open = piece;
                    break run;
                }
            }
        };
        Some(Run { first: bucket_of(done.0), last: bucket_of(done.1) })
    }
}

/// The maximal uncovered runs in a window, ascending. See [`super::BucketSet::gaps_in`].
#[derive(Clone)]
pub struct Gaps<'set> {
    runs: Runs<'set>,
    /// The first bucket that is in no gap or run given so far; none at the end of the window.
    next: Option<BucketId>,
    last: BucketId,
}

impl<'set> Gaps<'set> {
    pub(super) fn new(runs: Runs<'set>, first: BucketId, last: BucketId) -> Self {
        Self { runs, next: (first <= last).then_some(first), last }
    }
}

impl Iterator for Gaps<'_> {
    type Item = Run;

    #[inline]
    fn next(&mut self) -> Option<Run> {
        loop {
            let start = self.next?;
            let Some(run) = self.runs.next() else {
                self.next = None;
                return Run::new(start, self.last);
            };
            self.next = run.last.0.checked_add(1).map(BucketId).filter(|next| *next <= self.last);
            if start < run.first {
                return Some(Run { first: start, last: BucketId(run.first.0.saturating_sub(1)) });
            }
        }
    }
}
