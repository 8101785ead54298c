//! `tstable_gaps`: the runs of buckets that an entity does not have.

use std::sync::Arc;

use tstable_core::{Result, schema::ColumnType, table::query::position};

use super::{
    Shared,
    question::ask,
    report::{Cell, Row, column},
    shape::{Shape, row},
};
use crate::host::{Args, Bound, OutColumn, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Gaps(pub(crate) Arc<Shared>);

impl TableFunction for Gaps {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_gaps",
            positional: &[Param { name: "root", ty: ParamType::Varchar }],
            named: &[
                Param { name: "start", ty: ParamType::Any },
                Param { name: "until", ty: ParamType::Any },
                Param { name: "min_buckets", ty: ParamType::BigInt },
                Param { name: "version", ty: ParamType::BigInt },
                Param { name: "as_of", ty: ParamType::TimestampTz },
                Param { name: "tag", ty: ParamType::Varchar },
            ],
            description: "The runs of buckets that each entity does not have, from the log alone.",
            example: "FROM tstable_gaps('prices', min_buckets := 3)",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let least = args.count("min_buckets")?.unwrap_or(1);
        ask(&self.0, session, &args, columns, move |asked| {
            let rows = asked.extents().into_iter().flat_map(move |(entity, set, extent)| {
                let gaps = set.gaps_in(extent.first, extent.last).filter(|gap| gap.buckets() >= least);
                let line = |gap: tstable_core::time::Run| -> Result<Row> {
                    let (start, end) = (asked.shape.start(gap.first), asked.shape.end(gap.last));
                    let cells = [
                        start.into(),
                        end.into(),
                        Cell::count(gap.buckets()),
                        asked.shape.duration(start, end),
                        Cell::text(position(gap, extent).word()),
                    ];
                    Ok(row(&entity, cells))
                };
                gaps.map(line).collect::<Vec<_>>()
            });
            Ok(Box::new(rows))
        })
    }
}

fn columns(shape: &Shape) -> Vec<OutColumn> {
    shape.columns([
        column("gap_start", shape.index.clone()),
        column("gap_end", shape.index.clone()),
        column("buckets", ColumnType::BigInt),
        column("duration", shape.duration_type()),
        column("position", ColumnType::Varchar),
    ])
}
