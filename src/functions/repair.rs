//! `tstable_repair`: rebuilds what can be derived, and says what cannot.

use std::sync::Arc;

use tstable_core::{
    Result,
    log::{Version, commit::Instant},
    table::repair::Repaired,
};

use super::{Shared, answer::Answer, report::Cell};
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
        let answer = Answer::new()
            .text("what", |row: &Repaired| Cell::text(row.what))
            .text("path", |row| Cell::text(&row.path))
            .text("action", |row| Cell::text(&row.action))
            .flag("done", |row| row.done);
        Ok(answer.bound(move |_| {
            let table = shared.cache.table(&root);
            match back_to {
                Some(version) => table.go_back(version, dry_run),
                None => table.repair(dry_run, Instant::now()),
            }
        }))
    }
}
