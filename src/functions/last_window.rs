//! `tstable_last_window`: the latest run of at least so many covered buckets of each entity that has one.

use std::sync::Arc;

use tstable_core::Result;

use super::{
    Shared,
    question::ask,
    windows::{columns, window},
};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct LastWindow(pub(crate) Arc<Shared>);

impl TableFunction for LastWindow {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_last_window",
            positional: &[
                Param { name: "root", ty: ParamType::Varchar },
                Param { name: "buckets", ty: ParamType::BigInt },
            ],
            named: &[
                Param { name: "until", ty: ParamType::Any },
                Param { name: "version", ty: ParamType::BigInt },
                Param { name: "as_of", ty: ParamType::TimestampTz },
                Param { name: "tag", ty: ParamType::Varchar },
            ],
            description: "The latest run of at least so many covered buckets of each entity that has one.",
            example: "FROM tstable_last_window('prices', 24)",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let least = args.count_at(1, "buckets")?;
        ask(&self.0, session, &args, columns, move |asked| {
            let rows = asked.extents().into_iter().filter_map(move |(entity, set, extent)| {
                let runs = set.runs_in(extent.first, extent.last).filter(|run| run.buckets() >= least);
                runs.last().map(|run| Ok(window(&asked.shape, &entity, run)))
            });
            Ok(Box::new(rows))
        })
    }
}
