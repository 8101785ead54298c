//! `tstable_coverage`: how much of a range each entity has, and at a glance where.

use std::sync::Arc;

use tstable_core::{
    Error, Result,
    schema::ColumnType,
    table::query::Subject,
    time::{BucketWidth, Grid, IndexRange, IndexValue, Run},
};

use super::{
    Shared,
    literal::width,
    question::{Asked, ask},
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
            named: &[
                Param { name: "start", ty: ParamType::Any },
                Param { name: "until", ty: ParamType::Any },
                Param { name: "by", ty: ParamType::Any },
                Param { name: "version", ty: ParamType::BigInt },
                Param { name: "as_of", ty: ParamType::TimestampTz },
                Param { name: "tag", ty: ParamType::Varchar },
            ],
            description: "How much of a range each entity has, from the log alone.",
            example: "FROM tstable_coverage('prices', start := '2024-01-01', until := '2024-03-20')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let by = args.named("by").map(|arg| width("by", arg)).transpose()?;
        ask(&self.0, session, &args, columns, move |asked| {
            let periods = by.as_ref().map(|by| Periods::new(by, &asked)).transpose()?;
            let rows = asked.subjects()?.into_iter().flat_map(move |subject| {
                let parts = match &periods {
                    None => vec![subject.extent],
                    Some(periods) => periods.split(&asked.shape, subject.extent),
                };
                parts.into_iter().map(|part| Ok(line(&asked.shape, &subject, part))).collect::<Vec<_>>()
            });
            Ok(Box::new(rows))
        })
    }
}

fn columns(shape: &Shape) -> Vec<OutColumn> {
    let index = || shape.index.clone();
    shape.columns([
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
    ])
}

fn line(shape: &Shape, subject: &Subject, part: Run) -> Row {
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
        ],
    )
}

/// The periods of `by := ...`: a coarser grid laid over the table's.
struct Periods(Grid);

impl Periods {
    fn new(by: &BucketWidth, asked: &Asked) -> Result<Self> {
        let timezone = asked.snapshot.definition().timezone.as_deref();
        let grid = Grid::new(by, &asked.shape.index, timezone, None).map_err(|e| {
            Error::invalid_argument(format!("by := '{by}' is no period of this index: {}", e.message()))
        })?;
        Ok(Self(grid))
    }

    /// The buckets of `extent` that begin in each period, for the periods that have any.
    fn split(&self, shape: &Shape, extent: Run) -> Vec<Run> {
        let mut parts = Vec::new();
        let mut first = extent.first;
        while first <= extent.last {
            let Ok(period) = self.0.bucket_of(shape.start(first)) else { break };
            let inside = IndexRange::new(shape.start(first), self.0.end_of(period));
            let last = shape.grid.buckets_in(&inside).map_or(first, |run| run.last).clamp(first, extent.last);
            parts.push(Run { first, last });
            let Some(next) = last.0.checked_add(1) else { break };
            first = tstable_core::time::BucketId(next);
        }
        parts
    }
}
