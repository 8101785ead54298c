//! `tstable_checkpoint`: writes the state after the newest version, so that opening needs no commit before it.

use std::sync::Arc;

use tstable_core::{Result, schema::ColumnType};

use super::{
    Shared,
    report::{Cell, Report, column},
};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Checkpoint(pub(crate) Arc<Shared>);

impl TableFunction for Checkpoint {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_checkpoint",
            positional: &[Param { name: "root", ty: ParamType::Varchar }],
            named: &[],
            description: "Writes a checkpoint of the newest version, unless there is one.",
            example: "CALL tstable_checkpoint('prices')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let root = args.root(session)?;
        let shared = Arc::clone(&self.0);
        let columns = vec![
            column("version", ColumnType::BigInt),
            column("path", ColumnType::Varchar),
            column("bytes", ColumnType::BigInt),
            column("created", ColumnType::Boolean),
        ];
        Ok(Report::bound(columns, move |_| {
            let written = shared.cache.table(&root).checkpoint()?;
            let row = vec![
                Cell::count(written.version.0),
                Cell::text(&written.path),
                Cell::count(written.bytes),
                Cell::Bool(written.created),
            ];
            Ok(Box::new(std::iter::once(Ok(row))))
        }))
    }
}
