//! `tstable_history`: the versions of a table, newest first.

use std::{collections::HashMap, sync::Arc};

use tstable_core::{
    Result,
    log::{
        Version,
        commit::{Action, Commit},
    },
    schema::ColumnType,
    table::{At, Table, append::EMPTY_SOURCES},
};

use super::{
    Shared,
    report::{Cell, INSTANT, Report, Row, column, text_list},
};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct History(pub(crate) Arc<Shared>);

impl TableFunction for History {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_history",
            positional: &[Param { name: "root", ty: ParamType::Varchar }],
            named: &[],
            description: "The versions of a table, newest first.",
            example: "FROM tstable_history('prices')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let root = args.root(session)?;
        let shared = Arc::clone(&self.0);
        let columns = vec![
            column("version", ColumnType::BigInt),
            column("committed_at", INSTANT),
            column("operation", ColumnType::Varchar),
            column("rows_added", ColumnType::BigInt),
            column("rows_removed", ColumnType::BigInt),
            column("segments_added", ColumnType::BigInt),
            column("segments_removed", ColumnType::BigInt),
            column("message", ColumnType::Varchar),
            column("writer", ColumnType::Varchar),
            column("sources", text_list()),
        ];
        Ok(Report::bound(columns, move |session| {
            let (table, snapshot) = shared.snapshot(&root, &At::Latest, session)?;
            let mut rows = rows(&table, snapshot.state.version)?;
            rows.reverse();
            Ok(Box::new(rows.into_iter().map(Ok)))
        }))
    }
}

/// A row for each commit that is still there, oldest first.
fn rows(table: &Table, last: Version) -> Result<Vec<Row>> {
    let (commits, _) = table.log().list()?;
    let mut segment_rows = HashMap::new();
    let mut rows = Vec::new();
    let commits: Vec<_> = commits.into_iter().filter(|version| *version <= last).collect();
    table.log().read_each(&commits, |_, commit| {
        rows.extend(commit.map(|commit| row(&commit, &mut segment_rows)));
        Ok(())
    })?;
    Ok(rows)
}

/// `segment_rows` knows the rows of the segments added so far; those added before the oldest commit are unknown.
fn row(commit: &Commit, segment_rows: &mut HashMap<String, u64>) -> Row {
    let (mut added, mut rows_added, mut removed) = (0_u64, 0_u64, 0_u64);
    let mut rows_removed = Some(0_u64);
    let mut sources = Vec::new();
    for action in &commit.actions {
        match action {
            Action::AddSegment(record) => {
                added += 1;
                rows_added = rows_added.saturating_add(record.rows);
                segment_rows.insert(record.id.clone(), record.rows);
                sources.extend(record.sources.iter().map(|source| source.path.clone()));
            }
            Action::RemoveSegment { id } => {
                removed += 1;
                let rows = segment_rows.get(id);
                rows_removed = rows_removed.zip(rows).map(|(sum, rows)| sum.saturating_add(*rows));
            }
            _ => {}
        }
    }
    sources.extend(empty_sources(commit));
    // A row that only went from one segment into another is neither new nor gone.
    let rows_added = rows_added.saturating_sub(commit.rows_rewritten);
    let rows_removed = rows_removed.map(|rows| rows.saturating_sub(commit.rows_rewritten));
    vec![
        Cell::count(commit.version.0),
        commit.timestamp.into(),
        Cell::text(&commit.operation),
        Cell::count(rows_added),
        Cell::maybe(rows_removed, Cell::count),
        Cell::count(added),
        Cell::count(removed),
        Cell::maybe(commit.message.as_ref(), Cell::text),
        Cell::text(&commit.writer),
        Cell::texts(sources),
    ]
}

/// The files of an append that had no rows.
fn empty_sources(commit: &Commit) -> Vec<String> {
    let sources = commit.extra.get(EMPTY_SOURCES).and_then(|sources| sources.as_array());
    let path = |source: &serde_json::Value| source.get("path").and_then(|path| path.as_str()).map(str::to_owned);
    sources.map(|sources| sources.iter().filter_map(path).collect()).unwrap_or_default()
}
