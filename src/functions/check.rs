//! `tstable_check`: sets or removes a check on rows that are appended.

use std::sync::Arc;

use tstable_core::{Result, schema::ColumnType};

use super::{
    Shared,
    arguments::EXPECTED_VERSION,
    report::{Cell, Report, column, one},
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
        let (root, expected) = (args.root(session)?, args.expected()?);
        let name = args.text_at(1, "name")?;
        let predicate = args.text_or_null_at(2, "predicate")?;
        let shared = Arc::clone(&self.0);
        let columns = vec![
            column("name", ColumnType::Varchar),
            column("predicate", ColumnType::Varchar),
            column("version", ColumnType::BigInt),
        ];
        Ok(Report::bound(columns, move |session| {
            let (table, snapshot) = shared.to_change(&root, expected, session)?;
            let changed = table.check(&snapshot, &name, predicate.as_deref())?;
            shared.changed(&root, &table, &changed, session);
            let version = changed.snapshot.state.version.0;
            Ok(one(vec![Cell::text(&name), Cell::maybe(predicate.as_ref(), Cell::text), Cell::count(version)]))
        }))
    }
}
