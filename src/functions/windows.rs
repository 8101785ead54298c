//! `tstable_windows`: the runs of buckets that an entity has without a hole.

use std::sync::Arc;

use tstable_core::Result;

use super::{
    Shared,
    arguments::RUNS_PARAMS,
    stretches::{Kind, ask_for},
};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Windows(pub(crate) Arc<Shared>);

impl TableFunction for Windows {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_windows",
            positional: &[Param { name: "root", ty: ParamType::Varchar }],
            named: &RUNS_PARAMS,
            description: "The runs of buckets that each entity has without a hole, from the log alone.",
            example: "FROM tstable_windows('prices', min_buckets := 24)",
            projects: true,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let least = args.count("min_buckets")?.unwrap_or(1);
        ask_for(Kind::Windows(least), &self.0, session, &args)
    }
}
