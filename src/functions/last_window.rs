//! `tstable_last_window`: the latest run of at least a given number of covered buckets, of each entity that has one.

use std::sync::Arc;

use tstable_core::Result;

use super::{
    Shared,
    arguments::{ASKED_PARAMS, VERSION_PARAMS, joined},
    stretches::{Kind, ask_for},
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
            named: const { &joined::<7>(&[&[Param { name: "until", ty: ParamType::Any }], &VERSION_PARAMS, &ASKED_PARAMS]) },
            description: "The latest run of at least a given number of covered buckets, of each entity that has one.",
            example: "FROM tstable_last_window('prices', 24)",
            projects: true,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let least = args.count_at(1, "buckets")?;
        ask_for(Kind::LastWindow(least), &self.0, session, &args)
    }
}
