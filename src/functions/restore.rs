//! `tstable_restore`: a new version with the rows and columns of an old one.

use std::sync::Arc;

use tstable_core::{Result, log::Version, schema::ColumnType};

use super::{
    Shared,
    arguments::EXPECTED_VERSION,
    report::{Cell, Report, column, one},
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
        let (root, expected) = (args.root(session)?, args.expected()?);
        let restored = Version(args.count_at(1, "version")?);
        let shared = Arc::clone(&self.0);
        let names = ["restored_version", "version", "segments_added", "segments_removed", "rows_added", "rows_removed"];
        let columns = names.map(|name| column(name, ColumnType::BigInt)).to_vec();
        Ok(Report::bound(columns, move |session| {
            let (table, snapshot) = shared.to_change(&root, expected, session)?;
            let done = table.restore(&snapshot, restored)?;
            shared.changed(&root, &table, &done.changed, session);
            let version = done.changed.snapshot.state.version.0;
            let counts =
                [restored.0, version, done.segments_added, done.segments_removed, done.rows_added, done.rows_removed];
            Ok(one(counts.map(Cell::count).to_vec()))
        }))
    }
}
