//! `tstable_untag`: forgets the name of a version.

use std::sync::Arc;

use tstable_core::Result;

use super::{
    Shared,
    arguments::EXPECTED_VERSION,
    report::{Cell, Report, one},
    tag::tag_columns,
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
        let (root, expected) = (args.root(session)?, args.expected()?);
        let name = args.text_at(1, "name")?;
        let shared = Arc::clone(&self.0);
        Ok(Report::bound(tag_columns(), move |session| {
            let (table, snapshot) = shared.to_change(&root, expected, session)?;
            let (tagged, changed) = table.untag(&snapshot, &name)?;
            shared.changed(&root, &table, &changed, session);
            Ok(one(vec![Cell::text(&name), Cell::count(tagged.0), Cell::count(changed.snapshot.state.version.0)]))
        }))
    }
}
