//! `tstable_set`: sets or removes a property of a table.

use std::sync::Arc;

use tstable_core::{Result, schema::ColumnType};

use super::{
    Shared,
    arguments::EXPECTED_VERSION,
    report::{Cell, Report, column, one},
};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Set(pub(crate) Arc<Shared>);

impl TableFunction for Set {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_set",
            positional: &[
                Param { name: "root", ty: ParamType::Varchar },
                Param { name: "key", ty: ParamType::Varchar },
                Param { name: "value", ty: ParamType::Varchar },
            ],
            named: &[EXPECTED_VERSION],
            description: "Sets a property of a table; NULL removes it.",
            example: "CALL tstable_set('prices', 'owner', 'research')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let (root, expected) = (args.root(session)?, args.expected()?);
        let key = args.text_at(1, "key")?;
        let value = args.text_or_null_at(2, "value")?;
        let shared = Arc::clone(&self.0);
        let columns = vec![
            column("key", ColumnType::Varchar),
            column("value", ColumnType::Varchar),
            column("version", ColumnType::BigInt),
        ];
        Ok(Report::bound(columns, move |session| {
            let (table, snapshot) = shared.to_change(&root, expected, session)?;
            let changed = table.set(&snapshot, &key, value.as_deref())?;
            shared.changed(&root, &table, &changed, session);
            let version = changed.snapshot.state.version.0;
            Ok(one(vec![Cell::text(&key), Cell::maybe(value.as_ref(), Cell::text), Cell::count(version)]))
        }))
    }
}
