//! `tstable_coverage`: how much of a range each entity has, and at a glance where.

use std::sync::Arc;

use tstable_core::{
    Error, Result,
    schema::ColumnType,
    table::{ask::density::CountedBy, subject::Subject, summary::Summary},
    time::{BucketId, BucketWidth, Grid, IndexRange, IndexValue, Run},
};

use super::{
    Shared,
    answer::Answer,
    arguments::{ASKED_PARAMS, RANGE_PARAMS, VERSION_PARAMS, joined},
    literal::width,
    question::{Asked, ask, bounded},
    report::Cell,
    shape::Shape,
};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Coverage(pub(crate) Arc<Shared>);

impl TableFunction for Coverage {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_coverage",
            positional: &[Param { name: "root", ty: ParamType::Varchar }],
            named: const {
                &joined::<9>(&[
                    &RANGE_PARAMS,
                    &[Param { name: "by", ty: ParamType::Any }],
                    &VERSION_PARAMS,
                    &ASKED_PARAMS,
                ])
            },
            description: "How much of a range each entity has, from the log alone.",
            example: "FROM tstable_coverage('prices', start := '2024-01-01', until := '2024-03-20')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let by = args.named("by").map(|arg| width("by", arg)).transpose()?;
        let counts = args.named("min_rows").is_some();
        let answer = move |shape: &Shape| answer(shape, counts);
        ask(&self.0, session, &args, answer, move |asked| {
            let periods = by.as_ref().map(|by| Periods::new(by, &asked)).transpose()?.map(Arc::new);
            let (subjects, counted) = asked.counted_subjects()?;
            if let Some(periods) = &periods {
                bounded(subjects.iter().map(|subject| periods.count(&asked.shape, subject.extent)), WAY)?;
            }
            let shape = Arc::new(asked.shape);
            Ok(subjects.into_iter().map(Arc::new).flat_map(move |subject| {
                let shape = Arc::clone(&shape);
                let parts = Parts::new(Arc::clone(&shape), periods.clone(), subject.extent);
                parts.map(move |part| Line::of(&shape, &subject, part, counted))
            }))
        })
    }
}

/// How to ask for fewer rows.
const WAY: &str = "give wider periods with by, or a shorter range with start and until";

/// What is told of a part of an entity's extent.
struct Line {
    shape: Arc<Shape>,
    subject: Arc<Subject>,
    part: Run,
    summary: Summary,
    counted: Option<CountedBy>,
}

impl Line {
    fn of(shape: &Arc<Shape>, subject: &Arc<Subject>, part: Run, counted: Option<CountedBy>) -> Self {
        let summary = subject.summary(part);
        Self { shape: Arc::clone(shape), subject: Arc::clone(subject), part, summary, counted }
    }

    /// How long the longest gap is.
    fn max_gap(&self) -> Cell {
        let units = self.summary.max_gap.map_or(0, |gap| self.subject.units(&self.shape.grid, &gap, true));
        self.shape.duration(IndexValue(0), IndexValue(units))
    }

    fn start(&self, bucket: Option<BucketId>) -> Option<IndexValue> {
        bucket.map(|bucket| self.shape.start(bucket))
    }
}

fn answer(shape: &Shape, counts: bool) -> Answer<Line> {
    let index = &shape.index;
    let answer = Answer::new()
        .entity(&shape.entities, |line: &Line| Some(&line.subject.entity))
        .index("start", index, |line| line.shape.start(line.part.first))
        .index("until", index, |line| line.shape.end(line.part.last))
        .count("expected_buckets", |line| line.summary.expected)
        .count("covered_buckets", |line| line.summary.covered)
        .count("missing_buckets", |line| line.summary.missing)
        .column("ratio", ColumnType::Double, |line| Cell::maybe(line.summary.ratio(), Cell::Float))
        .count("gaps", |line| line.summary.gaps)
        .count("max_gap_buckets", |line| line.summary.max_gap.map_or(0, |gap| gap.buckets))
        .column("max_gap", shape.duration_type(), Line::max_gap)
        .maybe_index("first_covered", index, |line| line.start(line.summary.first_covered))
        .maybe_index("last_covered", index, |line| line.start(line.summary.last_covered))
        .text("timeline", |line| Cell::text(line.summary.timeline()))
        .count("confirmed_empty_buckets", |line| line.summary.confirmed_empty);
    if counts {
        return answer.text("counted_by", |line| Cell::maybe(line.counted, |by| Cell::text(by.word())));
    }
    answer
}

/// The periods of `by := ...`: a coarser grid laid over the table's.
struct Periods(Grid);

impl Periods {
    fn new(by: &BucketWidth, asked: &Asked<'_>) -> Result<Self> {
        let timezone = asked.snapshot.definition().timezone.as_deref();
        let grid = Grid::new(by, &asked.shape.index, timezone, None).map_err(|e| {
            Error::invalid_argument(format!("by := '{by}' is not a period of this index: {}", e.message()))
        })?;
        Ok(Self(grid))
    }

    /// The most parts that a run is split into.
    fn count(&self, shape: &Shape, extent: Run) -> u64 {
        let ends = (self.0.bucket_of(shape.start(extent.first)), self.0.bucket_of(shape.start(extent.last)));
        match ends {
            (Ok(first), Ok(last)) => last.0.abs_diff(first.0).saturating_add(1).min(extent.buckets()),
            _ => extent.buckets(),
        }
    }

    /// The last bucket of `extent` that begins in the period in which `first` does.
    fn last(&self, shape: &Shape, extent: Run, first: BucketId) -> Option<BucketId> {
        let period = self.0.bucket_of(shape.start(first)).ok()?;
        let inside = IndexRange::new(shape.start(first), self.0.end_of(period));
        Some(shape.grid.buckets_in(&inside).map_or(first, |run| run.last).clamp(first, extent.last))
    }
}

/// An extent in the parts that the periods make of it, one after another; whole without periods.
struct Parts {
    shape: Arc<Shape>,
    periods: Option<Arc<Periods>>,
    extent: Run,
    next: Option<BucketId>,
}

impl Parts {
    fn new(shape: Arc<Shape>, periods: Option<Arc<Periods>>, extent: Run) -> Self {
        Self { shape, periods, extent, next: Some(extent.first) }
    }
}

impl Iterator for Parts {
    type Item = Run;

    fn next(&mut self) -> Option<Run> {
        let first = self.next.take()?;
        let last = match &self.periods {
            None => self.extent.last,
            Some(periods) => periods.last(&self.shape, self.extent, first)?,
        };
        self.next = last.0.checked_add(1).map(BucketId).filter(|next| *next <= self.extent.last);
        Run::new(first, last)
    }
}
