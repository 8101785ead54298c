//! `tstable_repair`: rebuilds what can be derived, and says what cannot.

use std::sync::Arc;

use tstable_core::{
    Result,
    log::{Version, commit::Instant},
    schema::ColumnType,
};

use super::{
    Shared,
    report::{Cell, Report, column},
};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Repair(pub(crate) Arc<Shared>);

impl TableFunction for Repair {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_repair",
            positional: &[Param { name: "root", ty: ParamType::Varchar }],
            named: &[
                Param { name: "dry_run", ty: ParamType::Boolean },
                Param { name: "back_to", ty: ParamType::BigInt },
            ],
            description: "Rebuilds coverage, checkpoints and the hint; puts aside what nothing explains; never removes rows.",
            example: "FROM tstable_repair('prices')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let root = args.root(session)?;
        let dry_run = args.named("dry_run").is_none() || args.flag("dry_run")?;
        let back_to = args.count("back_to")?.map(Version);
        let shared = Arc::clone(&self.0);
        let columns = vec![
            column("what", ColumnType::Varchar),
            column("path", ColumnType::Varchar),
            column("action", ColumnType::Varchar),
            column("done", ColumnType::Boolean),
        ];
        Ok(Report::bound(columns, move |_| {
            let table = shared.cache.table(&root);
            let rows = match back_to {
                Some(version) => table.go_back(version, dry_run)?,
                None => table.repair(dry_run, Instant::now())?,
            };
            Ok(Box::new(rows.into_iter().map(|row| {
                Ok(vec![Cell::text(row.what), Cell::text(&row.path), Cell::text(&row.action), Cell::Bool(row.done)])
            })))
        }))
    }
}
