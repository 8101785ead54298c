//! `tstable_coverage`: how much of a range each entity has, and at a glance where.

use std::sync::Arc;

use tstable_core::{
    Error, Result,
    schema::ColumnType,
    table::{ask::density::CountedBy, subject::Subject},
    time::{BucketId, BucketWidth, Grid, IndexRange, IndexValue, Run},
};

use super::{
    Shared,
    arguments::{ASKED_PARAMS, RANGE_PARAMS, VERSION_PARAMS, joined},
    literal::width,
    question::{Asked, ask, bounded},
    report::{Cell, Row, column},
    shape::{Shape, row},
};
use crate::host::{Args, Bound, OutColumn, Param, ParamType, Session, Signature, TableFunction};

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
        let columns = move |shape: &Shape| columns(shape, counts);
        ask(&self.0, session, &args, columns, move |asked| {
            let periods = by.as_ref().map(|by| Periods::new(by, &asked)).transpose()?.map(Arc::new);
            let (subjects, counted) = asked.counted_subjects()?;
            if let Some(periods) = &periods {
                bounded(subjects.iter().map(|subject| periods.count(&asked.shape, subject.extent)), WAY)?;
            }
            let shape = Arc::new(asked.shape);
            let rows = subjects.into_iter().flat_map(move |subject| {
                let shape = Arc::clone(&shape);
                let parts = Parts::new(Arc::clone(&shape), periods.clone(), subject.extent);
                parts.map(move |part| Ok(line(&shape, &subject, part, counted)))
            });
            Ok(Box::new(rows))
        })
    }
}

/// How to ask for fewer rows.
const WAY: &str = "give wider periods with by, or a shorter range with start and until";

fn columns(shape: &Shape, counts: bool) -> Vec<OutColumn> {
    let index = || shape.index.clone();
    let own = [
        column("start", index()),
        column("until", index()),
        column("expected_buckets", ColumnType::BigInt),
        column("covered_buckets", ColumnType::BigInt),
        column("missing_buckets", ColumnType::BigInt),
        column("ratio", ColumnType::Double),
        column("gaps", ColumnType::BigInt),
        column("max_gap_buckets", ColumnType::BigInt),
        column("max_gap", shape.duration_type()),
        column("first_covered", index()),
        column("last_covered", index()),
        column("timeline", ColumnType::Varchar),
        column("confirmed_empty_buckets", ColumnType::BigInt),
    ];
    let counted_by = counts.then(|| column("counted_by", ColumnType::Varchar));
    shape.columns(own.into_iter().chain(counted_by))
}

fn line(shape: &Shape, subject: &Subject, part: Run, counted: Option<CountedBy>) -> Row {
    let summary = subject.summary(part);
    let gap = summary.max_gap.map_or(0, |gap| subject.units(&shape.grid, &gap, true));
    row(
        &subject.entity,
        [
            shape.start(part.first).into(),
            shape.end(part.last).into(),
            Cell::count(summary.expected),
            Cell::count(summary.covered),
            Cell::count(summary.missing),
            Cell::maybe(summary.ratio(), Cell::Float),
            Cell::count(summary.gaps),
            Cell::count(summary.max_gap.map_or(0, |gap| gap.buckets)),
            shape.duration(IndexValue(0), IndexValue(gap)),
            Cell::maybe(summary.first_covered, |bucket| shape.start(bucket).into()),
            Cell::maybe(summary.last_covered, |bucket| shape.start(bucket).into()),
            Cell::text(summary.timeline()),
            Cell::count(summary.confirmed_empty),
        ]
        .into_iter()
        .chain(counted.map(|by| Cell::text(by.word()))),
    )
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
