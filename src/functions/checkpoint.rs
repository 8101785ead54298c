//! `tstable_checkpoint`: writes the state after the newest version, so that opening needs no commit before it.

use std::sync::Arc;

use tstable_core::{Result, table::checkpoint::Checkpointed};

use super::{Shared, answer::Answer, report::Cell};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Checkpoint(pub(crate) Arc<Shared>);

impl TableFunction for Checkpoint {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_checkpoint",
            positional: &[Param { name: "root", ty: ParamType::Varchar }],
            named: &[],
            description: "Writes a checkpoint of the newest version, unless there is one.",
            example: "CALL tstable_checkpoint('prices')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let root = args.root(session)?;
        let shared = Arc::clone(&self.0);
        let answer = Answer::new()
            .count("version", |written: &Checkpointed| written.version.0)
            .text("path", |written| Cell::text(&written.path))
            .count("bytes", |written| written.bytes)
            .flag("created", |written| written.created);
        Ok(answer.bound(move |_| Ok([shared.cache.table(&root).checkpoint()?])))
    }
}
