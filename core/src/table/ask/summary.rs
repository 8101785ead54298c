//! Coverage in numbers and at a glance, counted in one pass over runs. Knows bucket numbers only.

use super::stretch::Stretch;
use crate::time::{BucketId, Run};

/// The characters of a timeline.
pub const TIMELINE_CHARACTERS: usize = 60;

/// What is covered of an extent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The buckets asked about.
    pub extent: Run,
    /// How many of them are covered or missing.
    pub expected: u64,
    /// How many expected ones are covered.
    pub covered: u64,
    /// How many expected ones are not.
    pub missing: u64,
    /// How many are confirmed empty.
    pub confirmed_empty: u64,
    /// How many gaps there are.
    pub gaps: u64,
    /// The gap with the most buckets, the first of these.
    pub max_gap: Option<Stretch>,
    /// The first covered bucket.
    pub first_covered: Option<BucketId>,
    /// The last covered bucket.
    pub last_covered: Option<BucketId>,
    /// Expected and covered buckets of each equal share of the extent.
    shares: [(u64, u64); TIMELINE_CHARACTERS],
}

impl Summary {
    fn new(extent: Run) -> Self {
        Self {
            extent,
            expected: 0,
            covered: 0,
            missing: 0,
            confirmed_empty: 0,
            gaps: 0,
            max_gap: None,
            first_covered: None,
            last_covered: None,
            shares: [(0, 0); TIMELINE_CHARACTERS],
        }
    }

    /// Of an extent in which every bucket is expected, from its gaps alone.
    pub(crate) fn of_all_expected(extent: Run, gaps: impl Iterator<Item = Run>) -> Self {
        let mut summary = Self::new(extent);
        let shares = Shares::of(extent);
        let mut absent = [0_u64; TIMELINE_CHARACTERS];
        let mut spread = shares.spread();
        (summary.first_covered, summary.last_covered) = (Some(extent.first), Some(extent.last));
        for gap in gaps {
            summary.add_gap(Stretch { run: gap, buckets: gap.buckets() });
            spread.add(gap, &mut absent);
            if gap.first == extent.first {
                summary.first_covered = gap.last.0.checked_add(1).map(BucketId);
            }
            if gap.last == extent.last {
                summary.last_covered = gap.first.0.checked_sub(1).map(BucketId);
            }
        }
        summary.expected = extent.buckets();
        summary.covered = summary.expected.saturating_sub(summary.missing);
        if summary.covered == 0 {
            (summary.first_covered, summary.last_covered) = (None, None);
        }
        for ((share, bounds), absent) in summary.shares.iter_mut().zip(shares.0).zip(absent) {
            *share = (bounds.buckets(), bounds.buckets().saturating_sub(absent));
        }
        summary
    }

    /// Of an extent from the runs of expected buckets that are covered and missing, and its gaps.
    pub(crate) fn of(
        extent: Run,
        covered: impl Iterator<Item = Run>,
        missing: impl Iterator<Item = Run>,
        gaps: impl Iterator<Item = Stretch>,
        confirmed_empty: u64,
    ) -> Self {
        let mut summary = Self { confirmed_empty, ..Self::new(extent) };
        let shares = Shares::of(extent);
        let mut counts = [[0_u64; TIMELINE_CHARACTERS]; 2];
        let [present, absent] = &mut counts;
        let mut spread = shares.spread();
        for run in covered {
            summary.covered = summary.covered.saturating_add(run.buckets());
            summary.first_covered.get_or_insert(run.first);
            summary.last_covered = Some(run.last);
            spread.add(run, present);
        }
        let mut spread = shares.spread();
        missing.for_each(|run| spread.add(run, absent));
        gaps.for_each(|gap| summary.add_gap(gap));
        summary.expected = summary.covered.saturating_add(summary.missing);
        for (share, (present, absent)) in summary.shares.iter_mut().zip(present.iter().zip(absent.iter())) {
            *share = (present.saturating_add(*absent), *present);
        }
        summary
    }

    fn add_gap(&mut self, gap: Stretch) {
        self.gaps = self.gaps.saturating_add(1);
        self.missing = self.missing.saturating_add(gap.buckets);
        if self.max_gap.is_none_or(|longest| gap.buckets > longest.buckets) {
            self.max_gap = Some(gap);
        }
    }

    /// Covered to expected buckets, 0 to 1; none when nothing is expected.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
        (self.expected > 0).then(|| self.covered as f64 / self.expected as f64)
    }

    /// The extent at a glance: [`TIMELINE_CHARACTERS`] characters, each for an equal share of the buckets: `█` all covered,
    /// `▓` at least two thirds of the expected, `▒` at least one third, `░` fewer, `·` none, `-` where none is expected.
    #[must_use]
    pub fn timeline(&self) -> String {
        self.shares.iter().map(|(expected, covered)| shade(*covered, *expected)).collect()
    }
}

fn shade(covered: u64, expected: u64) -> char {
    let (covered, expected) = (u128::from(covered), u128::from(expected));
    match covered * 3 {
        _ if expected == 0 => '-',
        0 => '·',
        _ if covered >= expected => '█',
        thirds if thirds >= expected * 2 => '▓',
        thirds if thirds >= expected => '▒',
        _ => '░',
    }
}

/// The shares of an extent, ascending. They divide it without overlap, unless it has fewer buckets than there are shares.
struct Shares([Run; TIMELINE_CHARACTERS]);

impl Shares {
    fn of(extent: Run) -> Self {
        let buckets = u128::from(extent.buckets());
        let at = |i: usize| u64::try_from(i as u128 * buckets / TIMELINE_CHARACTERS as u128).unwrap_or(u64::MAX);
        let bucket = |skip: u64| BucketId(extent.first.0.saturating_add_unsigned(skip).min(extent.last.0));
        Self(std::array::from_fn(|i| {
            let (from, until) = (at(i), at(i.saturating_add(1)));
            Run { first: bucket(from), last: bucket(until.saturating_sub(1).max(from)) }
        }))
    }

    fn spread(&self) -> Spread<'_> {
        Spread {
            shares: &self.0,
            next: 0,
            disjoint: self.0.windows(2).all(|pair| pair.first().map(|a| a.last) < pair.last().map(|b| b.first)),
        }
    }
}

/// Adds ascending runs to the counts of their shares.
struct Spread<'a> {
    shares: &'a [Run; TIMELINE_CHARACTERS],
    /// The first share that a further run may lie in.
    next: usize,
    disjoint: bool,
}

impl Spread<'_> {
    #[inline]
    fn add(&mut self, run: Run, counts: &mut [u64; TIMELINE_CHARACTERS]) {
        while self.disjoint && self.shares.get(self.next).is_some_and(|share| share.last < run.first) {
            self.next = self.next.saturating_add(1);
        }
        for (share, count) in self.shares.iter().zip(counts).skip(self.next) {
            if share.first > run.last {
                break;
            }
            *count = count.saturating_add(run.clip(*share).map_or(0, |part| part.buckets()));
        }
    }
}
