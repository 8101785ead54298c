//! `tstable_export_delta`: the log as a Delta log beside it.

use std::sync::Arc;

use tstable_core::{Result, delta, log::Version, schema::ColumnType, table::At};

use super::{
    Shared,
    report::{Cell, Report, column},
};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct ExportDelta(pub(crate) Arc<Shared>);

impl TableFunction for ExportDelta {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_export_delta",
            positional: &[Param { name: "root", ty: ParamType::Varchar }],
            named: &[Param { name: "from_version", ty: ParamType::BigInt }],
            description: "Writes a Delta log over the table's files, for engines that read Delta Lake.",
            example: "CALL tstable_export_delta('prices')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let root = args.root(session)?;
        let from = args.count("from_version")?.map(Version);
        let shared = Arc::clone(&self.0);
        let columns = vec![
            column("delta_version", ColumnType::BigInt),
            column("version", ColumnType::BigInt),
            column("operation", ColumnType::Varchar),
            column("files_added", ColumnType::BigInt),
            column("files_removed", ColumnType::BigInt),
        ];
        Ok(Report::bound(columns, move |session| {
            let (table, latest) = shared.snapshot(&root, &At::Latest, session)?;
            let exported = delta::export(table.log(), &latest.state, from)?;
            Ok(Box::new(exported.into_iter().map(|version| {
                Ok(vec![
                    Cell::count(version.delta_version),
                    Cell::count(version.version.0),
                    Cell::text(&version.operation),
                    Cell::count(version.files_added),
                    Cell::count(version.files_removed),
                ])
            })))
        }))
    }
}
