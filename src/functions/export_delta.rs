//! `tstable_export_delta`: the log as a Delta log beside it.

use std::sync::Arc;

use tstable_core::{
    Result,
    delta::{self, Exported},
    log::Version,
    table::At,
};

use super::{Shared, answer::Answer, report::Cell};
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
        let answer = Answer::new()
            .count("delta_version", |exported: &Exported| exported.delta_version)
            .count("version", |exported| exported.version.0)
            .text("operation", |exported| Cell::text(&exported.operation))
            .count("files_added", |exported| exported.files_added)
            .count("files_removed", |exported| exported.files_removed);
        Ok(answer.bound(move |session| {
            let (table, latest) = shared.snapshot(&root, &At::Latest, session)?;
            delta::export(table.log(), &latest.state, from)
        }))
    }
}
