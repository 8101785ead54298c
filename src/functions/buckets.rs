//! `tstable_buckets`: the dense grid of buckets, covered or not, to join with for filling gaps.

use std::sync::Arc;

use tstable_core::{Result, schema::ColumnType, table::query::BucketState, time::BucketId};

use super::{
    Shared,
    arguments::RANGE_AND_VERSION_PARAMS,
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
            named: &RANGE_AND_VERSION_PARAMS,
            description: "Every expected bucket of a range for each entity, covered or not.",
            example: "FROM tstable_buckets('prices', start := '2024-01-01', until := '2024-01-02')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        ask(&self.0, session, &args, columns, |asked| {
            let shape = Arc::new(asked.shape.clone());
            let rows = asked.subjects()?.into_iter().flat_map(move |subject| {
                let shape = Arc::clone(&shape);
                (subject.extent.first.0..=subject.extent.last.0).filter_map(move |id| {
                    let bucket = BucketId(id);
                    let state = subject.state_of(bucket);
                    let cells = [
                        shape.start(bucket).into(),
                        shape.end(bucket).into(),
                        Cell::Bool(state == BucketState::Covered),
                        Cell::Bool(state == BucketState::ConfirmedEmpty),
                    ];
                    (state != BucketState::Closed).then(|| Ok(row(&subject.entity, cells)))
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
        column("confirmed_empty", ColumnType::Boolean),
    ])
}
