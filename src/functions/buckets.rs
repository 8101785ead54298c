//! `tstable_buckets`: the dense grid of buckets, covered or not, to join with for filling gaps.

use std::sync::Arc;

use tstable_core::{Result, schema::ColumnType, time::BucketId};

use super::{
    Shared,
    question::ask,
    report::{Cell, column},
    shape::{Shape, row},
};
use crate::host::{Args, Bound, OutColumn, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Buckets(pub(crate) Arc<Shared>);

impl TableFunction for Buckets {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_buckets",
            positional: &[Param { name: "root", ty: ParamType::Varchar }],
            named: &[
                Param { name: "start", ty: ParamType::Any },
                Param { name: "until", ty: ParamType::Any },
                Param { name: "version", ty: ParamType::BigInt },
                Param { name: "as_of", ty: ParamType::TimestampTz },
                Param { name: "tag", ty: ParamType::Varchar },
            ],
            description: "Every bucket of a range for each entity, covered or not.",
            example: "FROM tstable_buckets('prices', start := '2024-01-01', until := '2024-01-02')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        ask(&self.0, session, &args, columns, |asked| {
            let shape = Arc::new(asked.shape.clone());
            let rows = asked.extents().into_iter().flat_map(move |(entity, set, extent)| {
                let shape = Arc::clone(&shape);
                (extent.first.0..=extent.last.0).map(move |id| {
                    let bucket = BucketId(id);
                    let covered = Cell::Bool(set.contains(bucket));
                    Ok(row(&entity, [shape.start(bucket).into(), shape.end(bucket).into(), covered]))
                })
            });
            Ok(Box::new(rows))
        })
    }
}

fn columns(shape: &Shape) -> Vec<OutColumn> {
    shape.columns([
        column("bucket_start", shape.index.clone()),
        column("bucket_end", shape.index.clone()),
        column("covered", ColumnType::Boolean),
    ])
}
