//! `tstable_untag`: forgets the name of a version.

use std::sync::Arc;

use tstable_core::Result;

use super::{
    Shared,
    answer::Change,
    arguments::EXPECTED_VERSION,
    tag::{Tagged, tagged},
};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Untag(pub(crate) Arc<Shared>);

impl TableFunction for Untag {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_untag",
            positional: &[
                Param { name: "root", ty: ParamType::Varchar },
                Param { name: "name", ty: ParamType::Varchar },
            ],
            named: &[EXPECTED_VERSION],
            description: "Forgets the name of a version of a table.",
            example: "CALL tstable_untag('prices', 'audit 2024')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let change = Change::of(&self.0, session, &args)?;
        let name = args.text_at(1, "name")?;
        Ok(change.bound(tagged(), move |table, snapshot, _| {
            let (tagged, changed) = table.untag(snapshot, &name)?;
            let version = changed.snapshot.state.version;
            Ok((changed, [Tagged { name: name.clone(), tagged, version }]))
        }))
    }
}
