//! `tstable_verify`: looks for damage and reports everything that it looked at.

use std::{path::Path, sync::Arc};

use tstable_core::{
    Error, ErrorKind, Result,
    log::LOG_DIRECTORY,
    storage::access::Access,
    table::{
        monitor::{Monitor, check_cancelled},
        verify::Finding,
    },
};

use super::{Shared, Watch, access, answer::Answer, report::Cell};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

const EMPTIED: &str = "its log has no commit: either making the table stopped half-way, or every file of it was deleted, as DuckDB does for \
                       COPY with OVERWRITE and PARTITION_BY, ORDER_BY or PER_THREAD_OUTPUT; if there was a table, restore it from a copy";

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
        let (shared, access) = (Arc::clone(&self.0), access::of(session));
        let answer = Answer::new()
            .text("what", |finding: &Finding| Cell::text(finding.what))
            .text("path", |finding| Cell::text(&finding.path))
            .flag("ok", |finding| finding.problem.is_none())
            .text("problem", |finding| Cell::maybe(finding.problem.as_ref(), Cell::text));
        Ok(answer.bound(move |session| {
            let verify = |root: &str| shared.cache.table(root).verify(deep, &Watch(session));
            match verify(&root) {
                Err(e) if e.kind() == ErrorKind::NotFound => beneath(&root, &access, &Watch(session), verify, e),
                findings => findings,
            }
        }))
    }
}

/// What is found of all tables below a directory that is not a table itself. One of which no commit is left is found as well: a
/// program that deletes the files of a directory leaves the directories.
///
/// # Errors
/// `missing` where nothing below is or was a table; as `verify`.
fn beneath(
    root: &str,
    access: &Access,
    monitor: &dyn Monitor,
    verify: impl Fn(&str) -> Result<Vec<Finding>>,
    missing: Error,
) -> Result<Vec<Finding>> {
    let found = match access.find_marked(Path::new(root), LOG_DIRECTORY, &|| check_cancelled(monitor)) {
        Err(e) if e.kind() == ErrorKind::Cancelled => return Err(e),
        found => found.unwrap_or_default(),
    };
    if found.is_empty() {
        return Err(missing);
    }
    let mut findings = Vec::new();
    for table in found {
        let own = table.path.to_string_lossy().into_owned();
        let inside = table.path.strip_prefix(root).map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
        match table.error.map_or_else(|| verify(&own), Err) {
            Ok(all) => findings.extend(all.into_iter().map(|mut finding| {
                finding.path = format!("{inside}/{}", finding.path);
                finding
            })),
            Err(e) if e.kind() == ErrorKind::Cancelled => return Err(e),
            Err(e) => {
                let problem = if e.kind() == ErrorKind::NotFound { EMPTIED.to_owned() } else { e.to_string() };
                findings.push(Finding { what: "table", path: own, problem: Some(problem) });
            }
        }
    }
    Ok(findings)
}
