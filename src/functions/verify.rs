//! `tstable_verify`: looks for damage and reports everything that it looked at.

use std::sync::Arc;

use tstable_core::{Result, schema::ColumnType};

use super::{
    Shared, Watch,
    report::{Cell, Report, column},
};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Verify(pub(crate) Arc<Shared>);

impl TableFunction for Verify {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_verify",
            positional: &[Param { name: "root", ty: ParamType::Varchar }],
            named: &[Param { name: "deep", ty: ParamType::Boolean }],
            description: "Looks for damage: commits, checkpoints, files, checksums; with deep also every row.",
            example: "FROM tstable_verify('prices') WHERE NOT ok",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let root = args.root(session)?;
        let deep = args.flag("deep")?;
        let shared = Arc::clone(&self.0);
        let columns = vec![
            column("what", ColumnType::Varchar),
            column("path", ColumnType::Varchar),
            column("ok", ColumnType::Boolean),
            column("problem", ColumnType::Varchar),
        ];
        Ok(Report::bound(columns, move |session| {
            let findings = shared.cache.table(&root).verify(deep, &Watch(session))?;
            Ok(Box::new(findings.into_iter().map(|finding| {
                Ok(vec![
                    Cell::text(finding.what),
                    Cell::text(&finding.path),
                    Cell::Bool(finding.problem.is_none()),
                    Cell::maybe(finding.problem, Cell::text),
                ])
            })))
        }))
    }
}
