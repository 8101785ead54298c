//! A table cut into parts of about equal size for several workers, from the log alone: by time, at bounds of buckets, or by
//! entity. Every row of the range is in exactly one part. The rows of a segment count as spread evenly over its buckets, so what
//! a part holds is exact where no segment is cut and an estimate elsewhere; the parts' rows always sum up to those of the whole.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    coverage::Entity,
    error::{Error, Result},
    log::segment::Segment,
    schema::ColumnType,
    table::Snapshot,
    time::{BucketId, Grid, IndexRange, IndexValue, Run},
};

/// Nobody has more workers.
const MAX_SHARES: u64 = 1 << 20;

/// What a table is cut by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Each part has all entities and some of the buckets.
    Time,
    /// Each part has all buckets and some of the entities.
    Entity,
}

/// One part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Its index values.
    pub range: IndexRange,
    /// Its entities, ascending; all when none.
    pub entities: Option<Vec<Entity>>,
    /// About how many rows.
    pub rows: u64,
    /// About how many bytes of files.
    pub bytes: u64,
}

/// Rows and bytes, as far as they can be told.
#[derive(Debug, Clone, Copy, Default)]
struct Weight {
    rows: f64,
    bytes: f64,
}

impl Weight {
    fn plus(self, other: Self, times: f64) -> Self {
        Self { rows: other.rows.mul_add(times, self.rows), bytes: other.bytes.mul_add(times, self.bytes) }
    }
}

impl Snapshot {
    /// Cuts the rows of `range` into `parts` parts; into fewer where there are fewer buckets, or entities. None for no rows.
    ///
    /// # Errors
    /// `InvalidArgument` for no parts, or by entity where the table has no entity columns; `LimitExceeded` for more than a million
    /// parts; as [`Segment::coverage`].
    pub fn shares(&self, parts: u64, by: By, range: &IndexRange) -> Result<Vec<Share>> {
        if parts == 0 {
            return Err(Error::invalid_argument("a table cannot be cut into 0 shares; ask for 1 or more"));
        }
        if parts > MAX_SHARES {
            return Err(Error::limit_exceeded(format!(
                "{parts} shares are more than the {MAX_SHARES} that can be made"
            )));
        }
        if by == By::Entity && self.definition().entity_columns.is_empty() {
            return Err(Error::invalid_argument(
                "the table has no entity columns to cut it by; use by := 'time', which cuts it at bounds of buckets",
            ));
        }
        let grid = self.grid()?;
        let Some(asked) = grid.buckets_in(range) else { return Ok(Vec::new()) };
        let segments = self.state.segments.all()?;
        match by {
            By::Time => self.by_time(&segments, parts, range, &grid, asked),
            By::Entity => self.by_entity(&segments, parts, range, asked),
        }
    }

    /// All index values in ranges, each with about that many rows of the segments at most, and with how many about. A bucket that has more
    /// is one range all the same.
    ///
    /// # Errors
    /// As [`Snapshot::shares`].
    pub fn windows(&self, segments: &[Arc<Segment>], rows_at_once: u64) -> Result<Vec<(IndexRange, u64)>> {
        let rows = segments.iter().fold(0_u64, |sum, segment| sum.saturating_add(segment.record.rows));
        let parts = rows.div_ceil(rows_at_once.max(1)).min(MAX_SHARES);
        let grid = self.grid()?;
        let Some(all) = grid.buckets_in(&IndexRange::ALL).filter(|_| parts > 1) else {
            return Ok(vec![(IndexRange::ALL, rows)]);
        };
        let segments: Vec<_> = segments.iter().collect();
        let mut shares = self.by_time(&segments, parts, &IndexRange::ALL, &grid, all)?;
        if let Some(first) = shares.first_mut() {
            first.range.start = None;
        }
        if let Some(last) = shares.last_mut() {
            last.range.until = None;
        }
        Ok(shares.into_iter().map(|share| (share.range, share.rows)).collect())
    }

    /// Calls `each` with every run of buckets of every entity that one of the segments has in `asked`, and with what one of them
    /// weighs.
    fn weigh(
        &self,
        segments: &[&Arc<Segment>],
        range: &IndexRange,
        asked: Run,
        mut each: impl FnMut(&Entity, Run, Weight),
    ) -> Result<()> {
        for segment in segments {
            let record = &segment.record;
            if !segment.meets(range) || record.buckets == 0 {
                continue;
            }
            let buckets = real(record.buckets);
            let weight = Weight { rows: real(record.rows) / buckets, bytes: real(record.bytes) / buckets };
            for (entity, set) in segment.coverage(self.storage().as_ref())?.iter() {
                set.runs_in(asked.first, asked.last).for_each(|run| each(entity, run, weight));
            }
        }
        Ok(())
    }

    fn by_time(
        &self,
        segments: &[&Arc<Segment>],
        parts: u64,
        range: &IndexRange,
        grid: &Grid,
        asked: Run,
    ) -> Result<Vec<Share>> {
        // Where runs begin and end: by how many more, or fewer, there are from a bucket on, and what they weigh.
        let mut bounds: BTreeMap<i64, (i64, Weight)> = BTreeMap::new();
        self.weigh(segments, range, asked, |_, run, weight| {
            let (more, begun) = bounds.entry(run.first.0).or_default();
            (*more, *begun) = (more.saturating_add(1), begun.plus(weight, 1.0));
            if let Some(after) = run.last.0.checked_add(1) {
                let (more, ended) = bounds.entry(after).or_default();
                (*more, *ended) = (more.saturating_sub(1), ended.plus(weight, -1.0));
            }
        })?;
        let pieces = pieces(bounds);
        let line = Line::of(pieces.iter().map(|(run, weight)| (run.buckets(), *weight)));
        let bucket_at = |place: u64| {
            let at = line.piece_of(place)?;
            let into = place.saturating_sub(line.before.get(at)?.0);
            pieces.get(at)?.0.first.0.checked_add_unsigned(into).map(BucketId)
        };
        let last = pieces.last().map(|(run, _)| run.last);
        let ty = self.index_type()?;
        let start_at = |place| bucket_at(place).and_then(|bucket| shown(grid.start_of(bucket), ty));
        let end = last.and_then(|last| shown(grid.end_of(last), ty));
        let cuts = line.cuts(parts);
        let share = |(from, to): (u64, u64)| {
            let until = if to == line.places() { end } else { start_at(to) };
            let whole = IndexRange { start: start_at(from), until };
            let (rows, bytes) = line.between(from, to);
            Share { range: whole.intersect(range), entities: None, rows, bytes }
        };
        Ok(neighbours(&cuts).map(share).collect())
    }

    fn by_entity(&self, segments: &[&Arc<Segment>], parts: u64, range: &IndexRange, asked: Run) -> Result<Vec<Share>> {
        let mut entities: BTreeMap<Entity, Weight> = BTreeMap::new();
        self.weigh(segments, range, asked, |entity, run, weight| {
            let times = real(run.buckets());
            match entities.get_mut(entity) {
                Some(sum) => *sum = sum.plus(weight, times),
                None => _ = entities.insert(entity.clone(), Weight::default().plus(weight, times)),
            }
        })?;
        let line = Line::of(entities.values().map(|weight| (1, *weight)));
        let cuts = line.cuts(parts);
        let mut rest = entities.into_keys();
        let share = |(from, to): (u64, u64)| {
            let count = usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX);
            let (rows, bytes) = line.between(from, to);
            Share { range: *range, entities: Some(rest.by_ref().take(count).collect()), rows, bytes }
        };
        Ok(neighbours(&cuts).map(share).collect())
    }
}

/// A bound as SQL can show it; none, which leaves that end open, for one beyond what the index can hold.
fn shown(value: IndexValue, ty: &ColumnType) -> Option<IndexValue> {
    let count = || i64::try_from(value.0).ok();
    let fits = match ty {
        ColumnType::Timestamp(unit) | ColumnType::TimestampTz(unit) => {
            count().is_some_and(|count| count != i64::MAX && count != -i64::MAX && unit.shows(count))
        }
        ColumnType::Date => i32::try_from(value.0).is_ok_and(|days| days != i32::MAX && days != -i32::MAX),
        ColumnType::UBigInt => u64::try_from(value.0).is_ok(),
        _ => match ty.integer_bits() {
            Some((bits, true)) => value.0.unsigned_abs() < 1 << (bits - 1) || value.0 == -(1 << (bits - 1)),
            Some((bits, false)) => u128::try_from(value.0).is_ok_and(|value| value < 1 << bits),
            None => count().is_some(),
        },
    };
    fits.then_some(value)
}

/// The buckets that some entity has, in ascending runs over which their weight is the same.
fn pieces(bounds: BTreeMap<i64, (i64, Weight)>) -> Vec<(Run, Weight)> {
    let mut pieces = Vec::new();
    let (mut open, mut weight) = (0_i64, Weight::default());
    let mut bounds = bounds.into_iter().peekable();
    while let Some((from, (more, change))) = bounds.next() {
        open = open.saturating_add(more);
        // Sums of fractions do not quite come back to zero; where nothing is open there is nothing.
        weight = if open == 0 { Weight::default() } else { weight.plus(change, 1.0) };
        let until = bounds.peek().map_or(i64::MAX, |(until, _)| until.saturating_sub(1));
        if open > 0
            && let Some(run) = Run::new(BucketId(from), BucketId(until))
        {
            pieces.push((run, weight));
        }
    }
    pieces
}

/// Things in a row, each with a weight, which are cut into parts. Neighbours of the same weight are one piece.
struct Line {
    /// For each piece, and at the end of all, how many things and how much weight come before it.
    before: Vec<(u64, Weight)>,
}

impl Line {
    fn of(pieces: impl Iterator<Item = (u64, Weight)>) -> Self {
        let mut before = vec![(0_u64, Weight::default())];
        let mut sum = (0_u64, Weight::default());
        for (count, weight) in pieces {
            sum = (sum.0.saturating_add(count), sum.1.plus(weight, real(count)));
            before.push(sum);
        }
        Self { before }
    }

    /// How many things there are.
    fn places(&self) -> u64 {
        self.before.last().map_or(0, |(places, _)| *places)
    }

    /// The piece that the thing at `place` is in.
    fn piece_of(&self, place: u64) -> Option<usize> {
        self.before.partition_point(|(before, _)| *before <= place).checked_sub(1)
    }

    /// The weight of all things before `place`.
    fn weight_before(&self, place: u64) -> Weight {
        let at = self.piece_of(place).unwrap_or(0);
        let Some((begun, weight)) = self.before.get(at) else { return Weight::default() };
        let Some((end, after)) = self.before.get(at.saturating_add(1)) else { return *weight };
        let part = real(place.saturating_sub(*begun)) / real(end.saturating_sub(*begun)).max(1.0);
        weight.plus(after.plus(*weight, -1.0), part)
    }

    /// The place before which the rows come nearest to `rows`.
    fn place_of(&self, rows: f64) -> u64 {
        let at = self.before.partition_point(|(_, before)| before.rows <= rows).saturating_sub(1);
        let (Some((begun, weight)), Some((end, after))) = (self.before.get(at), self.before.get(at.saturating_add(1)))
        else {
            return self.places();
        };
        let count = end.saturating_sub(*begun);
        let each = (after.rows - weight.rows) / real(count).max(1.0);
        begun.saturating_add(whole((rows - weight.rows) / each).min(count))
    }

    /// Where at most `parts` parts begin, each of one thing at least, and where the last of them ends.
    fn cuts(&self, parts: u64) -> Vec<u64> {
        let places = self.places();
        let parts = parts.min(places);
        let total = self.before.last().map_or(0.0, |(_, weight)| weight.rows);
        let mut cuts = vec![0];
        let mut last = 0_u64;
        for part in 1..parts {
            let ideal = self.place_of(total * real(part) / real(parts));
            // What is left must be enough for the parts that are left.
            last = ideal.clamp(last.saturating_add(1), places.saturating_sub(parts.saturating_sub(part)));
            cuts.push(last);
        }
        if parts > 0 {
            cuts.push(places);
        }
        cuts
    }

    /// Rows and bytes from one place to another. Rounded so that those of parts side by side sum up to those of both.
    fn between(&self, from: u64, to: u64) -> (u64, u64) {
        let (from, to) = (self.weight_before(from), self.weight_before(to));
        (whole(to.rows).saturating_sub(whole(from.rows)), whole(to.bytes).saturating_sub(whole(from.bytes)))
    }
}

fn neighbours(cuts: &[u64]) -> impl Iterator<Item = (u64, u64)> + '_ {
    cuts.iter().copied().zip(cuts.iter().copied().skip(1))
}

#[expect(clippy::cast_precision_loss, reason = "weights are estimates, exact up to 2^53")]
fn real(count: u64) -> f64 {
    count as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rounded; what is not in range becomes its end"
)]
fn whole(weight: f64) -> u64 {
    weight.round() as u64
}

#[cfg(test)]
#[path = "shares_tests.rs"]
mod tests;
