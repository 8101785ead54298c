//! Questions about coverage, answered from the log alone: how much of what is expected is covered, where the gaps and the
//! covered windows are. Everything here counts buckets; turning them into times is [`crate::time`]'s.
//!
//! A bucket is *expected* unless a calendar leaves it out, or it is not covered and either confirmed empty or skipped by the
//! clock of the table's zone. What is not expected is passed over: gaps and windows are runs of neighbours among the expected buckets, so a closed weekend is not a gap and
//! breaks no window.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use super::{
    choice::{Choice, Reach},
    density::{CountedBy, Counting, with_what_holds},
    summary::Summary,
};
use crate::table::ask::choice::extent_of;
use crate::table::ask::stretch::Position;
use crate::table::ask::stretch::Stretch;
use crate::table::ask::stretch::whole;
use crate::{
    calendar::Schedule,
    coverage::{BucketSet, Coverage, Entity, intersect, subtract},
    error::Result,
    log::{expectations::Expectations, universe::Universe},
    table::{
        handle::Snapshot,
        monitor::{Monitor, Unwatched},
    },
    time::{BucketId, Grid, IndexRange, Run},
};

/// What a bucket of an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BucketState {
    /// It has a row.
    Covered,
    /// It is expected and has none.
    Missing,
    /// It is confirmed to have none.
    ConfirmedEmpty,
}

/// An entity that a question is about.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The entity.
    pub entity: Entity,
    /// The buckets asked about.
    pub extent: Run,
    covered: Arc<BucketSet>,
    /// What is expected in the extent; none when all of it is.
    expected: Option<Expected>,
}

/// What is expected of an extent. Kept as it is given and laid over what is covered whenever somebody asks: the buckets of
/// a day of microseconds are more than memory holds.
#[derive(Debug, Clone)]
struct Expected {
    /// What calendar and clock leave to be expected, in ascending runs that do not touch; none when that is everything.
    sessions: Option<Arc<[Run]>>,
    /// What is confirmed to be empty, unless it is covered.
    confirmed: Arc<BucketSet>,
}

impl Expected {
    /// The sessions in `part`.
    fn sessions_in(&self, part: Run) -> impl Iterator<Item = Run> + Send + '_ {
        let known = self.sessions.as_deref().unwrap_or_default();
        let inside = known.iter().skip(known.partition_point(|run| run.last < part.first));
        let all = self.sessions.is_none().then_some(part);
        all.into_iter().chain(inside.map_while(move |run| run.clip(part)))
    }
}

impl Snapshot {
    /// Every entity that a question about `range` is about, in order. A table without entity columns is one entity, known
    /// even while nothing is covered.
    ///
    /// # Errors
    /// As [`Snapshot::coverage`]; `InvalidArgument` or `LimitExceeded` when a calendar cannot be laid over the range.
    pub fn subjects(&self, grid: &Grid, range: &IndexRange) -> Result<Vec<Subject>> {
        self.chosen_subjects(grid, range, &Choice::default())
    }

    /// The entities of `choice` that a question about `range` is about, in order.
    ///
    /// # Errors
    /// As [`Snapshot::counted_subjects`].
    pub fn chosen_subjects(&self, grid: &Grid, range: &IndexRange, choice: &Choice) -> Result<Vec<Subject>> {
        Ok(self.counted_subjects(grid, range, choice, &Unwatched)?.0)
    }

    /// The same, and how rows were counted, where `choice` asks for a number of rows a bucket.
    ///
    /// # Errors
    /// As [`Snapshot::subjects`]; where rows must be read, as reading segments does, and `Cancelled`.
    pub fn counted_subjects(
        &self,
        grid: &Grid,
        range: &IndexRange,
        choice: &Choice,
        monitor: &dyn Monitor,
    ) -> Result<(Vec<Subject>, Option<CountedBy>)> {
        self.subjects_over(&*self.coverage()?, grid, range, choice, monitor)
    }

    /// Every entity as if this were covered, and nothing else.
    ///
    /// # Errors
    /// As [`Snapshot::subjects`].
    pub fn subjects_if(&self, coverage: &Coverage, grid: &Grid) -> Result<Vec<Subject>> {
        Ok(self.subjects_over(coverage, grid, &IndexRange::ALL, &Choice::default(), &Unwatched)?.0)
    }

    fn subjects_over(
        &self,
        coverage: &Coverage,
        grid: &Grid,
        range: &IndexRange,
        choice: &Choice,
        monitor: &dyn Monitor,
    ) -> Result<(Vec<Subject>, Option<CountedBy>)> {
        let universe = Universe::of(&self.state.properties)?;
        let mut extents = choice.extents(&Reach { coverage, universe: &universe, grid, range });
        if extents.is_empty() && coverage.is_empty() && self.definition().entity_columns.is_empty() {
            extents.extend(extent_of(&BucketSet::new(), grid, range).map(|extent| (Entity::none(), extent)));
        }
        let dense = choice.min_rows.map(|least| {
            let wanted = extents.iter().map(|(e, run)| (e.clone(), with_what_holds(*run, choice.hold, grid))).collect();
            Counting::new(self, coverage, wanted, monitor).dense(least)
        });
        let mut dense = dense.transpose()?;
        let mut calendars = Calendars::new(self, grid, &universe, &extents);
        let subjects = extents.into_iter().map(|(entity, extent)| {
            let own = coverage.set_of(&entity).unwrap_or_default();
            // What is held only is not a row in an hour that the clock passes over.
            let mut expected = calendars.expected(&entity, &own)?;
            let mut covered = Arc::clone(&own);
            if let Some(dense) = &mut dense {
                covered = Arc::new(dense.sets.remove(&entity).unwrap_or_default());
                // A bucket with too few rows is not empty.
                expected.iter_mut().for_each(|expected| Arc::make_mut(&mut expected.confirmed).subtract(&own));
            }
            Ok(Subject { entity, extent, covered: choice.counted(covered, grid)?, expected })
        });
        let subjects = subjects.collect::<Result<_>>()?;
        Ok((subjects, dense.map(|dense| dense.by)))
    }
}

/// Lays calendars over the extents of a question, each calendar once.
struct Calendars<'a> {
    snapshot: &'a Snapshot,
    grid: &'a Grid,
    expectations: &'a Expectations,
    universe: &'a Universe,
    /// All extents together.
    all: Option<Run>,
    /// What the clock of the table's zone skips in `all`.
    skipped: Vec<Run>,
    /// The expected runs in `all`, by calendar.
    calendars: HashMap<*const crate::calendar::Calendar, Arc<[Run]>>,
}

impl<'a> Calendars<'a> {
    fn new(snapshot: &'a Snapshot, grid: &'a Grid, universe: &'a Universe, extents: &[(Entity, Run)]) -> Self {
        let first = extents.iter().map(|(_, extent)| extent.first).min();
        let last = extents.iter().map(|(_, extent)| extent.last).max();
        let all = first.zip(last).and_then(|(first, last)| Run::new(first, last));
        let expectations = snapshot.state.expectations.as_ref();
        let skipped = all.map(|all| grid.skipped(all)).unwrap_or_default();
        Self { snapshot, grid, expectations, universe, all, skipped, calendars: HashMap::new() }
    }

    fn expected(&mut self, entity: &Entity, covered: &BucketSet) -> Result<Option<Expected>> {
        let listed = self.listed(entity);
        if self.expectations.is_empty() && self.skipped.is_empty() && listed.is_none() {
            return Ok(None);
        }
        let sessions = match (self.sessions(entity)?, listed) {
            (Some(sessions), Some(listed)) => Some(intersect(sessions.iter().copied(), listed.into_iter()).collect()),
            (sessions, listed) => sessions.or(listed.map(Arc::from)),
        };
        let sessions = self.without_skipped(sessions, covered);
        let confirmed = self.expectations.confirmed_of(entity);
        if sessions.is_none() && confirmed.is_none() {
            return Ok(None);
        }
        Ok(Some(Expected { sessions, confirmed: confirmed.unwrap_or_default() }))
    }

    /// The buckets of all extents in which the entity should deliver; none when that is not said, or in all.
    fn listed(&self, entity: &Entity) -> Option<Vec<Run>> {
        let (runs, all) = (self.universe.runs_of(entity, self.grid)?, self.all?);
        Some(runs.iter().filter_map(|run| run.clip(all)).collect())
    }

    /// The same without what the clock skips, but for what is covered all the same.
    fn without_skipped(&self, sessions: Option<Arc<[Run]>>, covered: &BucketSet) -> Option<Arc<[Run]>> {
        let Some(all) = self.all.filter(|_| !self.skipped.is_empty()) else { return sessions };
        let skipped = subtract(self.skipped.iter().copied(), covered.runs_in(all.first, all.last));
        let left: Vec<Run> = match &sessions {
            Some(sessions) => subtract(sessions.iter().copied(), skipped).collect(),
            None => subtract(std::iter::once(all), skipped).collect(),
        };
        Some(left.into())
    }

    /// The buckets that the entity's calendar expects, over all extents.
    fn sessions(&mut self, entity: &Entity) -> Result<Option<Arc<[Run]>>> {
        let (Some(calendar), Some(all)) = (self.expectations.calendar_of(entity), self.all) else { return Ok(None) };
        Ok(Some(match self.calendars.entry(Arc::as_ptr(calendar)) {
            Entry::Occupied(known) => Arc::clone(known.get()),
            Entry::Vacant(place) => {
                let zone = self.snapshot.definition().timezone.as_deref();
                let schedule = Schedule::new(calendar, self.snapshot.index_type()?, zone)?;
                Arc::clone(place.insert(Arc::from(schedule.expected(self.grid, all)?)))
            }
        }))
    }
}

impl Subject {
    /// All covered buckets, whether or not they are expected or in the extent.
    #[must_use]
    pub fn covered(&self) -> &BucketSet {
        &self.covered
    }

    /// Whether a calendar or confirmed-empty buckets play a part.
    #[must_use]
    pub fn has_expectation(&self) -> bool {
        self.expected.is_some()
    }

    /// The gaps in `part` of the extent, ascending.
    pub fn gaps(&self, part: Run) -> Box<dyn Iterator<Item = Stretch> + Send + '_> {
        match &self.expected {
            None => Box::new(self.covered.gaps_in(part.first, part.last).map(whole)),
            Some(_) => Box::new(stretches(self.missing_runs(part), self.covered_runs(part))),
        }
    }

    /// The windows in `part` of the extent, ascending.
    pub fn windows(&self, part: Run) -> Box<dyn Iterator<Item = Stretch> + Send + '_> {
        match &self.expected {
            None => Box::new(self.covered.runs_in(part.first, part.last).map(whole)),
            Some(_) => Box::new(stretches(self.covered_runs(part), self.missing_runs(part))),
        }
    }

    /// The missing buckets of `part` in runs without a hole, ascending.
    pub fn missing_runs(&self, part: Run) -> Box<dyn Iterator<Item = Run> + Send + '_> {
        match &self.expected {
            None => Box::new(self.covered.gaps_in(part.first, part.last)),
            Some(expected) => {
                let confirmed = expected.confirmed.runs_in(part.first, part.last);
                Box::new(subtract(self.uncovered_sessions(expected, part), confirmed))
            }
        }
    }

    /// The covered expected buckets of `part` in runs without a hole, ascending.
    pub fn covered_runs(&self, part: Run) -> Box<dyn Iterator<Item = Run> + Send + '_> {
        let covered = self.covered.runs_in(part.first, part.last);
        match &self.expected {
            None => Box::new(covered),
            Some(expected) => Box::new(intersect(expected.sessions_in(part), covered)),
        }
    }

    /// The buckets of `part` that are confirmed empty and expected otherwise, in ascending runs.
    fn confirmed_runs(&self, part: Run) -> impl Iterator<Item = Run> + Send + '_ {
        self.expected.iter().flat_map(move |expected| {
            let confirmed = expected.confirmed.runs_in(part.first, part.last);
            intersect(self.uncovered_sessions(expected, part), confirmed)
        })
    }

    fn uncovered_sessions<'a>(&'a self, expected: &'a Expected, part: Run) -> impl Iterator<Item = Run> + Send + 'a {
        subtract(expected.sessions_in(part), self.covered.runs_in(part.first, part.last))
    }

    /// How many buckets of `part` are confirmed empty.
    #[must_use]
    pub fn confirmed_empty_in(&self, part: Run) -> u64 {
        total(self.confirmed_runs(part))
    }

    /// How many buckets of `part` are expected and covered, and expected and missing.
    #[must_use]
    pub fn counts(&self, part: Run) -> (u64, u64) {
        match &self.expected {
            None => {
                let covered = self.covered.count_in(part.first, part.last);
                (covered, part.buckets().saturating_sub(covered))
            }
            Some(_) => (total(self.covered_runs(part)), total(self.missing_runs(part))),
        }
    }

    /// The next buckets of the extent from `from` on that are all one thing, and what; those that no calendar expects are
    /// passed over. None at the end.
    #[must_use]
    pub fn next_piece(&self, from: BucketId) -> Option<(Run, BucketState)> {
        let rest = Run::new(from.max(self.extent.first), self.extent.last)?;
        let covered = self.covered_runs(rest).next().map(|run| (run, BucketState::Covered));
        let missing = self.missing_runs(rest).next().map(|run| (run, BucketState::Missing));
        let confirmed = self.confirmed_runs(rest).next().map(|run| (run, BucketState::ConfirmedEmpty));
        [covered, missing, confirmed].into_iter().flatten().min_by_key(|(run, _)| run.first)
    }

    /// Counts what is covered of `part` of the extent.
    #[must_use]
    pub fn summary(&self, part: Run) -> Summary {
        match &self.expected {
            None => Summary::of_all_expected(part, self.covered.gaps_in(part.first, part.last)),
            Some(_) => Summary::of(
                part,
                self.covered_runs(part),
                self.missing_runs(part),
                self.gaps(part),
                self.confirmed_empty_in(part),
            ),
        }
    }

    /// The length of a stretch in index units: that of its expected buckets, without what lies between them.
    #[must_use]
    pub fn units(&self, grid: &Grid, stretch: &Stretch, gap: bool) -> i128 {
        let units = |run: Run| grid.end_of(run.last).0.saturating_sub(grid.start_of(run.first).0);
        match grid.fixed_width() {
            _ if stretch.buckets == stretch.run.buckets() => units(stretch.run),
            Some(width) => width.saturating_mul(stretch.buckets.into()),
            None if gap => self.missing_runs(stretch.run).map(units).fold(0, i128::saturating_add),
            None => self.covered_runs(stretch.run).map(units).fold(0, i128::saturating_add),
        }
    }

    /// The place of a gap of `part` among the covered buckets there; `summary` is that of `part`.
    #[must_use]
    pub fn position(&self, gap: &Stretch, part: Run) -> Position {
        if self.expected.is_none() {
            return position(gap.run, part);
        }
        let before = part.first.0..gap.run.first.0;
        let any =
            |from: i64, until: i64| self.covered_runs(Run { first: BucketId(from), last: BucketId(until) }).next();
        if before.is_empty() || any(before.start, before.end.saturating_sub(1)).is_none() {
            return Position::Leading;
        }
        let after = gap.run.last.0.saturating_add(1);
        if after > part.last.0 || any(after, part.last.0).is_none() { Position::Trailing } else { Position::Inner }
    }
}

fn total(runs: impl Iterator<Item = Run>) -> u64 {
    runs.map(|run| run.buckets()).fold(0, u64::saturating_add)
}

/// The runs of `of`, joined where no run of `breaks` lies between; both ascending and disjoint.
fn stretches<'a>(
    of: impl Iterator<Item = Run> + Send + 'a,
    breaks: impl Iterator<Item = Run> + Send + 'a,
) -> impl Iterator<Item = Stretch> + Send + 'a {
    let (mut of, mut breaks) = (of.peekable(), breaks.peekable());
    std::iter::from_fn(move || {
        let mut stretch = whole(of.next()?);
        while let Some(next) = of.peek().copied() {
            while breaks.next_if(|broken| broken.last < stretch.run.last).is_some() {}
            if breaks.peek().is_some_and(|broken| broken.first < next.first) {
                break;
            }
            stretch.run.last = next.last;
            stretch.buckets = stretch.buckets.saturating_add(next.buckets());
            of.next();
        }
        Some(stretch)
    })
}

/// The place of a gap among the covered buckets of its extent, where all of that is expected.
fn position(gap: Run, extent: Run) -> Position {
    if gap.first == extent.first {
        Position::Leading
    } else if gap.last == extent.last {
        Position::Trailing
    } else {
        Position::Inner
    }
}

#[cfg(test)]
#[path = "subject_tests.rs"]
pub(crate) mod tests;
