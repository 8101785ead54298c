//! `tstable_restore`: a new version with the rows and columns of an old one.

use std::sync::Arc;

use tstable_core::{Result, log::Version, table::restore::Restored};

use super::{
    Shared,
    answer::{Answer, Change},
    arguments::EXPECTED_VERSION,
};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Restore(pub(crate) Arc<Shared>);

impl TableFunction for Restore {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_restore",
            positional: &[
                Param { name: "root", ty: ParamType::Varchar },
                Param { name: "version", ty: ParamType::BigInt },
            ],
            named: &[EXPECTED_VERSION],
            description: "Makes a new version with the rows and columns of an old one.",
            example: "CALL tstable_restore('prices', 3)",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let change = Change::of(&self.0, session, &args)?;
        let restored = Version(args.count_at(1, "version")?);
        let answer = Answer::new()
            .count("restored_version", move |_| restored.0)
            .count("version", |done: &Restored| done.changed.snapshot.state.version.0)
            .count("segments_added", |done| done.segments_added)
            .count("segments_removed", |done| done.segments_removed)
            .count("rows_added", |done| done.rows_added)
            .count("rows_removed", |done| done.rows_removed);
        Ok(change.bound(answer, move |table, snapshot, _| {
            let done = table.restore(snapshot, restored)?;
            Ok((done.changed.clone(), [done]))
        }))
    }
}
