//! `tstable_tag`: names a version.

use std::sync::Arc;

use tstable_core::{Result, log::Version, schema::ColumnType};

use super::{
    Shared,
    arguments::EXPECTED_VERSION,
    report::{Cell, Report, column, one},
};
use crate::host::{Args, Bound, OutColumn, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Tag(pub(crate) Arc<Shared>);

impl TableFunction for Tag {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_tag",
            positional: &[
                Param { name: "root", ty: ParamType::Varchar },
                Param { name: "name", ty: ParamType::Varchar },
            ],
            named: &[Param { name: "version", ty: ParamType::BigInt }, EXPECTED_VERSION],
            description: "Names a version of a table, the newest unless told otherwise.",
            example: "CALL tstable_tag('prices', 'audit 2024')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let (root, expected) = (args.root(session)?, args.expected()?);
        let name = args.text_at(1, "name")?;
        let version = args.count("version")?.map(Version);
        let shared = Arc::clone(&self.0);
        Ok(Report::bound(tag_columns(), move |session| {
            let (table, snapshot) = shared.to_change(&root, expected, session)?;
            let (tagged, changed) = table.tag(&snapshot, &name, version)?;
            shared.changed(&root, &table, &changed, session);
            Ok(one(vec![Cell::text(&name), Cell::count(tagged.0), Cell::count(changed.snapshot.state.version.0)]))
        }))
    }
}

/// What the functions on tags report: the name, the version that it names (or named), and the table's version afterwards.
pub(super) fn tag_columns() -> Vec<OutColumn> {
    vec![
        column("name", ColumnType::Varchar),
        column("tagged_version", ColumnType::BigInt),
        column("version", ColumnType::BigInt),
    ]
}
