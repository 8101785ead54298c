//! Questions about coverage, answered from the log alone: how much of a range is covered, where the gaps and the covered
//! windows are. Everything here counts buckets; turning them into times is [`crate::time`]'s.

use crate::{
    coverage::{BucketSet, Coverage, Entity},
    time::{BucketId, Grid, IndexRange, Run},
};

/// The characters of a timeline.
pub const TIMELINE_CHARACTERS: u64 = 60;

/// What is covered of one entity's extent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoverageSummary {
    /// The buckets asked about.
    pub extent: Run,
    /// How many of them are covered.
    pub covered: u64,
    /// Maximal runs of buckets that are not covered.
    pub gaps: u64,
    /// The buckets of the longest of these.
    pub max_gap: Option<Run>,
    /// The first covered bucket.
    pub first_covered: Option<BucketId>,
    /// The last covered bucket.
    pub last_covered: Option<BucketId>,
}

/// Where a gap lies between the covered buckets of its extent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// Before the first covered bucket, or nothing is covered.
    Leading,
    /// Between covered buckets.
    Inner,
    /// After the last covered bucket.
    Trailing,
}

impl Position {
    /// The word in SQL.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Leading => "leading",
            Self::Inner => "inner",
            Self::Trailing => "trailing",
        }
    }
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

/// Every entity that a question about `range` is about, with its extent, in order. A table without entity columns is
/// one entity, known even while nothing is covered.
#[must_use]
pub fn extents(coverage: &Coverage, grid: &Grid, range: &IndexRange, has_entities: bool) -> Vec<(Entity, Run)> {
    let mut extents: Vec<_> =
        coverage.iter().filter_map(|(entity, set)| Some((entity.clone(), extent_of(set, grid, range)?))).collect();
    if coverage.is_empty() && !has_entities {
        extents.extend(extent_of(&BucketSet::new(), grid, range).map(|extent| (Entity::none(), extent)));
    }
    extents
}

/// The part of `extent` from `skip` buckets after its first on, of at most `count` buckets.
fn part(extent: Run, skip: u64, count: u64) -> Run {
    let at = |n: u64| BucketId(extent.first.0.saturating_add_unsigned(n).min(extent.last.0));
    Run { first: at(skip), last: at(skip.saturating_add(count.saturating_sub(1))) }
}

/// Counts what is covered of an extent.
#[must_use]
pub fn summarize(set: &BucketSet, extent: Run) -> CoverageSummary {
    let mut summary = CoverageSummary {
        extent,
        covered: set.count_in(extent.first, extent.last),
        gaps: 0,
        max_gap: None,
        first_covered: Some(extent.first),
        last_covered: Some(extent.last),
    };
    for gap in set.gaps_in(extent.first, extent.last) {
        summary.gaps = summary.gaps.saturating_add(1);
        if summary.max_gap.is_none_or(|longest| gap.buckets() > longest.buckets()) {
            summary.max_gap = Some(gap);
        }
        if gap.first == extent.first {
            summary.first_covered = gap.last.0.checked_add(1).map(BucketId);
        }
        if gap.last == extent.last {
            summary.last_covered = gap.first.0.checked_sub(1).map(BucketId);
        }
    }
    if summary.covered == 0 {
        (summary.first_covered, summary.last_covered) = (None, None);
    }
    summary
}

/// The place of a gap among the covered buckets of its extent.
#[must_use]
pub fn position(gap: Run, extent: Run) -> Position {
    if gap.first == extent.first {
        Position::Leading
    } else if gap.last == extent.last {
        Position::Trailing
    } else {
        Position::Inner
    }
}

/// The extent at a glance: [`TIMELINE_CHARACTERS`] characters, each for an equal share of the buckets: `█` all covered,
/// `▓` at least two thirds, `▒` at least one third, `░` fewer, `·` none.
#[must_use]
pub fn timeline(set: &BucketSet, extent: Run) -> String {
    let buckets = u128::from(extent.buckets());
    let at = |i: u64| u64::try_from(u128::from(i) * buckets / u128::from(TIMELINE_CHARACTERS)).unwrap_or(u64::MAX);
    (0..TIMELINE_CHARACTERS)
        .map(|i| {
            let from = at(i);
            let count = at(i + 1).saturating_sub(from).max(1);
            let part = part(extent, from, count);
            shade(set.count_in(part.first, part.last), part.buckets())
        })
        .collect()
}

fn shade(covered: u64, expected: u64) -> char {
    let (covered, expected) = (u128::from(covered), u128::from(expected));
    match covered * 3 {
        0 => '·',
        _ if covered >= expected => '█',
        thirds if thirds >= expected * 2 => '▓',
        thirds if thirds >= expected => '▒',
        _ => '░',
    }
}
