//! `tstable_gaps`: the runs of buckets that an entity does not have.

use std::sync::Arc;

use tstable_core::{Result, schema::ColumnType};

use super::{
    Shared,
    arguments::RUNS_PARAMS,
    question::ask_for_many,
    report::column,
    shape::Shape,
    stretches::{Kind, Stretches},
};
use crate::host::{Args, Bound, OutColumn, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Gaps(pub(crate) Arc<Shared>);

impl TableFunction for Gaps {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_gaps",
            positional: &[Param { name: "root", ty: ParamType::Varchar }],
            named: &RUNS_PARAMS,
            description: "The runs of buckets that each entity does not have, from the log alone.",
            example: "FROM tstable_gaps('prices', min_buckets := 3)",
            projects: true,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let least = args.count("min_buckets")?.unwrap_or(1);
        ask_for_many(&self.0, session, &args, columns, move |asked, projection| {
            let subjects = asked.subjects()?;
            Ok(Box::new(Stretches::new(asked.shape, Kind::Gaps(least), subjects, projection)?))
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
