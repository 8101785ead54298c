//! `tstable_windows`: the runs of buckets that an entity has without a hole.

use std::sync::Arc;

use tstable_core::{Result, coverage::Entity, schema::ColumnType, time::Run};

use super::{
    Shared,
    question::ask,
    report::{Cell, Row, column},
    shape::{Shape, row},
};
use crate::host::{Args, Bound, OutColumn, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Windows(pub(crate) Arc<Shared>);

impl TableFunction for Windows {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_windows",
            positional: &[Param { name: "root", ty: ParamType::Varchar }],
            named: &[
                Param { name: "start", ty: ParamType::Any },
                Param { name: "until", ty: ParamType::Any },
                Param { name: "min_buckets", ty: ParamType::BigInt },
                Param { name: "version", ty: ParamType::BigInt },
                Param { name: "as_of", ty: ParamType::TimestampTz },
                Param { name: "tag", ty: ParamType::Varchar },
            ],
            description: "The runs of buckets that each entity has without a hole, from the log alone.",
            example: "FROM tstable_windows('prices', min_buckets := 24)",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let least = args.count("min_buckets")?.unwrap_or(1);
        ask(&self.0, session, &args, columns, move |asked| {
            let rows = asked.extents().into_iter().flat_map(move |(entity, set, extent)| {
                let runs = set.runs_in(extent.first, extent.last).filter(|run| run.buckets() >= least);
                runs.map(|run| Ok(window(&asked.shape, &entity, run))).collect::<Vec<_>>()
            });
            Ok(Box::new(rows))
        })
    }
}

pub(super) fn columns(shape: &Shape) -> Vec<OutColumn> {
    shape.columns([
        column("window_start", shape.index.clone()),
        column("window_end", shape.index.clone()),
        column("buckets", ColumnType::BigInt),
    ])
}

pub(super) fn window(shape: &Shape, entity: &Entity, run: Run) -> Row {
    row(entity, [shape.start(run.first).into(), shape.end(run.last).into(), Cell::count(run.buckets())])
}
