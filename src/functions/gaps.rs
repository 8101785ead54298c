//! `tstable_gaps`: the runs of buckets that an entity does not have.

use std::sync::Arc;

use tstable_core::Result;

use super::{
    Shared,
    arguments::RUNS_PARAMS,
    stretches::{Kind, ask_for},
};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

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
        ask_for(Kind::Gaps(least), &self.0, session, &args)
    }
}
