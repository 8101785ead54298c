//! What a scan writes into DuckDB's log: JSON objects, so that a query over the log can take them apart. One record says what was
//! chosen before anything is opened, a second one, when everything has been read, what the footers spared.

use serde_json::json;
use tstable_core::{
    log::Version,
    prune::{describe, expr::Expr, is_modelled},
    table::scan::Scan,
};

use crate::host::{LogLevel, Session};

/// The table that is scanned, as records name it.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    pub(super) root: String,
    pub(super) version: Version,
}

/// What was chosen.
pub(super) fn chosen(session: &dyn Session, subject: &Subject, scan: &Scan) {
    let (used, ignored) = predicates(scan);
    let names = scan.column_names();
    let accepted: Vec<_> = scan.applied().iter().map(|predicate| describe(predicate, &names)).collect();
    let s = scan.selection;
    let mut record = json!({
        "event": "scan",
        "root": subject.root,
        "version": subject.version.0,
        "segments": s.segments,
        "segments_kept": s.kept,
        "row_groups": s.row_groups,
        "row_groups_kept": scan.units(),
        "rows": s.rows,
        "bytes": s.bytes,
        "used": used,
        "ignored": ignored,
    });
    if !accepted.is_empty()
        && let Some(record) = record.as_object_mut()
    {
        record.insert("accepted".to_owned(), json!(accepted));
    }
    session.log(LogLevel::Info, &record.to_string());
}

/// Logged once the scan ends: how many of the kept row groups contained matching rows.
pub(super) fn finished(session: &dyn Session, subject: &Subject, scan: &Scan, row_groups_read: usize) {
    let record = json!({
        "event": "scanned",
        "root": subject.root,
        "version": subject.version.0,
        "row_groups_kept": scan.units(),
        "row_groups_read": row_groups_read,
    });
    session.log(LogLevel::Info, &record.to_string());
}

/// The predicates that pruning understands, and the others.
fn predicates(scan: &Scan) -> (Vec<String>, Vec<String>) {
    let names = scan.column_names();
    let show = |predicate: &&Expr| describe(predicate, &names);
    let (used, ignored): (Vec<_>, Vec<_>) = conjuncts(scan.predicates()).partition(|p| is_modelled(p, scan.types()));
    (used.iter().map(show).collect(), ignored.iter().map(show).collect())
}

/// Each part of a conjunction is a predicate of its own.
fn conjuncts(predicates: &[Expr]) -> impl Iterator<Item = &Expr> {
    predicates.iter().flat_map(|predicate| match predicate {
        Expr::And(parts) => parts.as_slice(),
        other => std::slice::from_ref(other),
    })
}
