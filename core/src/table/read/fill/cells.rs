//! The cells of one entity and column: what each holds, and where that came from. Reads nothing.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, Float64Array, new_null_array},
    compute::concat,
    datatypes::Float64Type,
};

use super::{
    collect::Place,
    request::{FillRequest, Method, Provenance, bucket_at, cell_count, kept_type},
};
use crate::{
    coverage::subtract,
    error::{Error, Result},
    schema::ColumnType,
    table::{
        ask::subject::Subject,
        numbers::{gather, zero},
    },
    time::{Grid, IndexRange, Run},
};

/// For each cell what it is when it has no value: closed, confirmed empty or missing.
pub(super) fn states(subject: &Subject, grid: &Grid, cells: &Grid, run: Run) -> Vec<Provenance> {
    let count = cell_count(run);
    if !subject.has_expectation() {
        return vec![Provenance::Missing; count];
    }
    let state = |cell: usize| {
        let buckets =
            grid.buckets_in(&cells.range_of(bucket_at(run, cell))).and_then(|buckets| buckets.clip(subject.extent));
        let Some(buckets) = buckets else { return Provenance::Missing };
        if subject.missing_runs(buckets).next().is_some() || subject.covered_runs(buckets).next().is_some() {
            Provenance::Missing
        } else if subject.confirmed_empty_in(buckets) > 0 {
            Provenance::ConfirmedEmpty
        } else {
            Provenance::Closed
        }
    };
    (0..count).map(state).collect()
}

/// For each cell whether a value may be carried or drawn into it, because it counts as covered; none where all may.
pub(super) fn held(subject: &Subject, grid: &Grid, request: &FillRequest, run: Run) -> Result<Option<Vec<bool>>> {
    if request.choice.hold.is_none() {
        return Ok(None);
    }
    let counted = request.choice.counted(Arc::new(subject.covered().clone()), grid)?;
    let is_held = |cell: usize| {
        let buckets = grid.buckets_in(&request.cells.range_of(bucket_at(run, cell)));
        buckets.is_some_and(|buckets| counted.count_in(buckets.first, buckets.last) > 0)
    };
    Ok(Some((0..cell_count(run)).map(is_held).collect()))
}

/// The cells of `run` without what the clock passes over (`skipped`), but for those in which the table has rows.
pub(super) fn kept(subject: &Subject, grid: &Grid, cells: &Grid, run: Run, skipped: &[Run]) -> Vec<Run> {
    let has_rows = |cells_of: Run| {
        let range = IndexRange::new(cells.start_of(cells_of.first), cells.end_of(cells_of.last));
        grid.buckets_in(&range)
            .is_some_and(|buckets| subject.covered().runs_in(buckets.first, buckets.last).next().is_some())
    };
    let without_rows = |skipped: &Run| match has_rows(*skipped) {
        false => vec![*skipped],
        true => (0..cell_count(*skipped))
            .filter_map(|cell| Run::new(bucket_at(*skipped, cell), bucket_at(*skipped, cell)))
            .filter(|cell| !has_rows(*cell))
            .collect(),
    };
    let without: Vec<Run> = skipped.iter().flat_map(without_rows).collect();
    subtract(std::iter::once(run), without.into_iter()).collect()
}

/// Of a column that has all cells of `run`, those that are `kept`.
pub(super) fn only((values, provenance): (ArrayRef, Vec<u8>), run: Run, kept: &[Run]) -> Result<(ArrayRef, Vec<u8>)> {
    if kept == [run] {
        return Ok((values, provenance));
    }
    let place = |part: &Run| {
        let before = part.first.0.saturating_sub(run.first.0);
        (usize::try_from(before).unwrap_or(usize::MAX), cell_count(*part))
    };
    let (mut pieces, mut from) = (vec![values.slice(0, 0)], Vec::new());
    for (at, count) in kept.iter().map(place) {
        pieces.push(values.slice(at, count));
        from.extend(provenance.iter().skip(at).take(count));
    }
    let pieces: Vec<&dyn Array> = pieces.iter().map(AsRef::as_ref).collect();
    let joined =
        concat(&pieces).map_err(|e| Error::internal("the cells of one column cannot be joined").caused_by(e))?;
    Ok((joined, from))
}

/// Fills the cells of one entity.
pub(super) struct Filler<'a> {
    pub(super) cells: &'a Grid,
    pub(super) run: Run,
    pub(super) max_age: Option<i128>,
    pub(super) states: &'a [Provenance],
    /// See [`held`].
    pub(super) held: Option<&'a [bool]>,
}

impl Filler<'_> {
    /// Values and provenance of all cells. `row` has the places of the cells, then those before and after them.
    pub(super) fn fill(
        &self,
        method: Method,
        ty: &ColumnType,
        row: &[Option<Place>],
        values: &[ArrayRef],
    ) -> Result<(ArrayRef, Vec<u8>)> {
        let count = cell_count(self.run);
        let inside = row.get(..count).unwrap_or_default();
        let before = row.get(count).copied().flatten();
        let after = row.get(count.saturating_add(1)).copied().flatten();
        match method {
            Method::Linear => self.interpolate(inside, before, after, values),
            _ => self.pick(method, ty, inside, before, values),
        }
    }

    /// What a cell without a value is.
    fn state(&self, cell: usize) -> Provenance {
        self.states.get(cell).copied().unwrap_or(Provenance::Missing)
    }

    /// Whether a value may come into the cell from elsewhere.
    fn takes(&self, cell: usize) -> bool {
        self.held.is_none_or(|held| held.get(cell).copied().unwrap_or(false))
    }

    fn start(&self, cell: usize) -> i128 {
        self.cells.start_of(bucket_at(self.run, cell)).0
    }

    fn is_near(&self, distance: i128) -> bool {
        self.max_age.is_none_or(|age| distance <= age)
    }

    fn pick(
        &self,
        method: Method,
        ty: &ColumnType,
        inside: &[Option<Place>],
        before: Option<Place>,
        values: &[ArrayRef],
    ) -> Result<(ArrayRef, Vec<u8>)> {
        let own = kept_type(ty, method);
        let null = new_null_array(&own, 1);
        let zero = if method == Method::Zero { zero(&own)? } else { Arc::clone(&null) };
        let mut sources: Vec<&dyn Array> = vec![null.as_ref(), zero.as_ref()];
        sources.extend(values.iter().map(AsRef::as_ref));
        let at = |place: Place| (place.array as usize + 2, place.row as usize);
        let (mut picks, mut provenance) = (Vec::with_capacity(inside.len()), Vec::with_capacity(inside.len()));
        let mut last = before;
        for (cell, place) in inside.iter().enumerate() {
            last = place.or(last);
            let carried = last.filter(|last| {
                method == Method::Locf && self.takes(cell) && self.is_near(self.start(cell).saturating_sub(last.at))
            });
            let (pick, from) = match (place, self.state(cell), method, carried) {
                (Some(place), ..) => (at(*place), Provenance::Observed),
                (None, Provenance::Closed, ..) => ((0, 0), Provenance::Closed),
                (None, _, Method::Locf, Some(carried)) => (at(carried), Provenance::Carried),
                (None, state, Method::Zero, _) => ((1, 0), state),
                (None, state, ..) => ((0, 0), state),
            };
            picks.push(pick);
            provenance.push(from as u8);
        }
        Ok((gather(&sources, picks.into_iter())?, provenance))
    }

    fn interpolate(
        &self,
        inside: &[Option<Place>],
        before: Option<Place>,
        after: Option<Place>,
        values: &[ArrayRef],
    ) -> Result<(ArrayRef, Vec<u8>)> {
        let value = |place: Place| -> Result<f64> {
            let array = values.get(place.array as usize).and_then(|array| array.as_primitive_opt::<Float64Type>());
            let value =
                array.filter(|array| (place.row as usize) < array.len()).map(|array| array.value(place.row as usize));
            value.ok_or_else(|| Error::corrupt("a value to be interpolated is not there"))
        };
        // A value stands at the start of its cell, inside and outside alike.
        let point = |place: Place| -> Result<(i128, f64)> {
            let cell = self.cells.bucket_of(crate::time::IndexValue(place.at))?;
            Ok((self.cells.start_of(cell).0, value(place)?))
        };
        let mut next = vec![None; inside.len()];
        let mut following = after;
        for (slot, place) in next.iter_mut().zip(inside).rev() {
            *slot = following;
            following = place.or(following);
        }
        let (mut filled, mut provenance) = (Vec::with_capacity(inside.len()), Vec::with_capacity(inside.len()));
        let mut last = before;
        for (cell, (place, next)) in inside.iter().zip(next).enumerate() {
            last = place.or(last);
            let state = self.state(cell);
            let (result, from) = match (place, last, next) {
                (Some(place), ..) => (Some(value(*place)?), Provenance::Observed),
                (None, Some(left), Some(right)) if state != Provenance::Closed && self.takes(cell) => {
                    let (left, right) = (point(left)?, point(right)?);
                    let near = self.is_near(right.0.saturating_sub(left.0));
                    match near.then(|| between(left, right, self.start(cell))) {
                        Some(value) => (Some(value), Provenance::Interpolated),
                        None => (None, state),
                    }
                }
                _ => (None, state),
            };
            filled.push(result);
            provenance.push(from as u8);
        }
        Ok((Arc::new(Float64Array::from(filled)), provenance))
    }
}

/// The value at `at` on the line between two points.
#[expect(clippy::cast_precision_loss, reason = "an interpolated value is not exact anyhow")]
fn between(left: (i128, f64), right: (i128, f64), at: i128) -> f64 {
    let share = (at - left.0) as f64 / (right.0 - left.0) as f64;
    left.1 + (right.1 - left.1) * share
}
