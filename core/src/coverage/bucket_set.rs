//! A set of bucket numbers, compressed. Set algebra, counts and windows; no entities, no bytes on disk.

use std::{fmt, ops::RangeInclusive};

use roaring::{RoaringBitmap, RoaringTreemap};

use crate::{
    error::{Error, Result},
    time::{BucketId, Run},
};

use super::{Gaps, Runs};

/// The longest run that can be inserted at once: 2^34 buckets, 544 years of seconds.
///
/// A set holds a block of memory for every 65,536 buckets, so without a bound one call could exhaust it.
pub const MAX_RUN_BUCKETS: u64 = 1 << 34;

const SIGN: u64 = 1 << 63;

/// A set of at most this many buckets is joined to another bucket by bucket.
const FEW_BUCKETS: u64 = 64;

/// A set of buckets.
///
/// Invariant: a bucket's member is its number with the sign bit inverted, so the order of members is that of buckets.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct BucketSet {
    members: RoaringTreemap,
}

pub(super) fn member_of(id: BucketId) -> u64 {
    id.0.cast_unsigned() ^ SIGN
}

pub(super) fn bucket_of(member: u64) -> BucketId {
    BucketId((member ^ SIGN).cast_signed())
}

fn members_of(window: Run) -> RangeInclusive<u64> {
    member_of(window.first)..=member_of(window.last)
}

impl BucketSet {
    /// The empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn from_maps(maps: impl IntoIterator<Item = (u32, RoaringBitmap)>) -> Self {
        Self { members: RoaringTreemap::from_bitmaps(maps) }
    }

    pub(super) fn members(&self) -> &RoaringTreemap {
        &self.members
    }

    /// Adds one bucket; false when it was there.
    pub fn insert(&mut self, id: BucketId) -> bool {
        self.members.insert(member_of(id))
    }

    /// Adds all buckets from `first` to `last`, both included; none when `last` is before `first`.
    ///
    /// # Errors
    /// `LimitExceeded`, changing nothing, when the run is longer than [`MAX_RUN_BUCKETS`].
    pub fn insert_run(&mut self, first: BucketId, last: BucketId) -> Result<()> {
        let Some(run) = Run::new(first, last) else { return Ok(()) };
        if run.buckets() > MAX_RUN_BUCKETS {
            return Err(Error::limit_exceeded(format!(
                "a run of {} buckets is longer than the {MAX_RUN_BUCKETS} that one run may have; use wider buckets",
                run.buckets()
            )));
        }
        self.members.insert_range(members_of(run));
        Ok(())
    }

    /// Removes all buckets from `first` to `last`, both included, however many they are.
    pub fn remove_run(&mut self, first: BucketId, last: BucketId) {
        if let Some(run) = Run::new(first, last) {
            self.members.remove_range(members_of(run));
        }
    }

    /// Removes all buckets outside of `first` to `last`.
    pub fn keep_run(&mut self, first: BucketId, last: BucketId) {
        if first > last {
            return self.members.clear();
        }
        if let Some(before) = first.0.checked_sub(1) {
            self.remove_run(BucketId(i64::MIN), BucketId(before));
        }
        if let Some(after) = last.0.checked_add(1) {
            self.remove_run(BucketId(after), BucketId(i64::MAX));
        }
    }

    /// Whether the bucket is in the set.
    #[must_use]
    pub fn contains(&self, id: BucketId) -> bool {
        self.members.contains(member_of(id))
    }

    /// The number of buckets.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.members.len()
    }

    /// Whether there is no bucket.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The first bucket.
    #[must_use]
    pub fn first(&self) -> Option<BucketId> {
        self.members.min().map(bucket_of)
    }

    /// The last bucket.
    #[must_use]
    pub fn last(&self) -> Option<BucketId> {
        self.members.max().map(bucket_of)
    }

    /// From the first to the last bucket, with the gaps between.
    #[must_use]
    pub fn extent(&self) -> Option<Run> {
        Run::new(self.first()?, self.last()?)
    }

    /// The buckets in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = BucketId> + '_ {
        self.members.iter().map(bucket_of)
    }

    /// The maximal runs of covered buckets, ascending.
    #[must_use]
    pub fn runs(&self) -> Runs<'_> {
        self.runs_in(BucketId(i64::MIN), BucketId(i64::MAX))
    }

    /// The parts of the covered runs that lie in `first` to `last`, both included, ascending.
    #[must_use]
    pub fn runs_in(&self, first: BucketId, last: BucketId) -> Runs<'_> {
        Runs::new(&self.members, member_of(first), member_of(last))
    }

    /// The maximal runs of uncovered buckets in `first` to `last`, both included, ascending.
    #[must_use]
    pub fn gaps_in(&self, first: BucketId, last: BucketId) -> Gaps<'_> {
        Gaps::new(self.runs_in(first, last), first, last)
    }

    /// How many buckets from `first` to `last`, both included, are in the set.
    #[must_use]
    pub fn count_in(&self, first: BucketId, last: BucketId) -> u64 {
        Run::new(first, last).map_or(0, |run| self.members.range_cardinality(members_of(run)))
    }

    /// The latest covered run of at least `buckets` buckets, all of them before `until`; it is given in its full length,
    /// cut at `until`. None when there is no such run.
    #[must_use]
    pub fn last_run_of_at_least(&self, buckets: u64, until: Option<BucketId>) -> Option<Run> {
        let last = match until {
            Some(until) => BucketId(until.0.checked_sub(1)?),
            None => BucketId(i64::MAX),
        };
        self.runs_in(BucketId(i64::MIN), last).filter(|run| run.buckets() >= buckets).last()
    }

    /// Adds the buckets of `other`.
    pub fn union_with(&mut self, other: &Self) {
        // Bitmaps are joined at the cost of both; a few buckets, as of one of many segments, at their own.
        if other.len() <= FEW_BUCKETS {
            self.members.extend(other.members.iter());
        } else {
            self.members |= &other.members;
        }
    }

    /// The buckets in both sets.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        Self { members: &self.members & &other.members }
    }

    /// Removes the buckets of `other`.
    pub fn subtract(&mut self, other: &Self) {
        self.members -= &other.members;
    }

    /// Whether no bucket is in both sets.
    #[must_use]
    pub fn is_disjoint(&self, other: &Self) -> bool {
        self.members.is_disjoint(&other.members)
    }

    /// Whether every bucket is in `other` as well.
    #[must_use]
    pub fn is_subset_of(&self, other: &Self) -> bool {
        self.members.is_subset(&other.members)
    }

    /// How many buckets are in both sets.
    #[must_use]
    pub fn intersection_len(&self, other: &Self) -> u64 {
        self.members.intersection_len(&other.members)
    }

    /// Gives every block its smallest form. Changes no bucket; worth it once a set is complete.
    pub fn optimize(&mut self) {
        self.members.optimize();
    }
}

impl fmt::Debug for BucketSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.runs().map(|run| run.first.0..=run.last.0)).finish()
    }
}

impl FromIterator<BucketId> for BucketSet {
    fn from_iter<I: IntoIterator<Item = BucketId>>(buckets: I) -> Self {
        let mut set = Self::new();
        set.extend(buckets);
        set
    }
}

impl Extend<BucketId> for BucketSet {
    fn extend<I: IntoIterator<Item = BucketId>>(&mut self, buckets: I) {
        self.members.extend(buckets.into_iter().map(member_of));
    }
}
