//! `tstable_check`: sets or removes a check on rows that are appended.

use std::sync::Arc;

use tstable_core::{Result, log::Version};

use super::{
    Shared,
    answer::{Answer, Change},
    arguments::EXPECTED_VERSION,
    report::Cell,
};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Check(pub(crate) Arc<Shared>);

impl TableFunction for Check {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_check",
            positional: &[
                Param { name: "root", ty: ParamType::Varchar },
                Param { name: "name", ty: ParamType::Varchar },
                Param { name: "predicate", ty: ParamType::Varchar },
            ],
            named: &[EXPECTED_VERSION],
            description: "Sets a check that rows must pass to be appended; NULL removes it.",
            example: "CALL tstable_check('prices', 'positive', 'close > 0')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let change = Change::of(&self.0, session, &args)?;
        let name = args.text_at(1, "name")?;
        let predicate = args.text_or_null_at(2, "predicate")?;
        let answer = Answer::new()
            .text("name", |done: &Done| Cell::text(&done.name))
            .text("predicate", |done| Cell::maybe(done.predicate.as_ref(), Cell::text))
            .count("version", |done| done.version.0);
        Ok(change.bound(answer, move |table, snapshot, _| {
            let changed = table.check(snapshot, &name, predicate.as_deref())?;
            let version = changed.snapshot.state.version;
            Ok((changed, [Done { name: name.clone(), predicate: predicate.clone(), version }]))
        }))
    }
}

struct Done {
    name: String,
    predicate: Option<String>,
    /// The table's version afterwards.
    version: Version,
}
