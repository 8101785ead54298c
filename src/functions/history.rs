//! `tstable_history`: the versions of a table, newest first.

use std::{collections::HashMap, sync::Arc};

use tstable_core::{
    Result,
    log::{
        Version,
        commit::{Action, Commit, Instant},
    },
    table::{At, Table, append::EMPTY_SOURCES},
};

use super::{
    Shared,
    answer::Answer,
    report::{Cell, INSTANT, text_list},
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
        Ok(answer().bound(move |session| {
            let (table, snapshot) = shared.snapshot(&root, &At::Latest, session)?;
            let mut entries = entries(&table, snapshot.state.version)?;
            entries.reverse();
            Ok(entries)
        }))
    }
}

/// What is told of a commit.
struct Entry {
    version: Version,
    committed_at: Instant,
    operation: String,
    rows_added: u64,
    /// None where the rows of a removed segment are not known.
    rows_removed: Option<u64>,
    segments_added: u64,
    segments_removed: u64,
    message: Option<String>,
    writer: String,
    sources: Vec<String>,
}

fn answer() -> Answer<Entry> {
    Answer::new()
        .count("version", |entry: &Entry| entry.version.0)
        .column("committed_at", INSTANT, |entry| entry.committed_at.into())
        .text("operation", |entry| Cell::text(&entry.operation))
        .count("rows_added", |entry| entry.rows_added)
        .maybe_count("rows_removed", |entry| entry.rows_removed)
        .count("segments_added", |entry| entry.segments_added)
        .count("segments_removed", |entry| entry.segments_removed)
        .text("message", |entry| Cell::maybe(entry.message.as_ref(), Cell::text))
        .text("writer", |entry| Cell::text(&entry.writer))
        .column("sources", text_list(), |entry| Cell::texts(&entry.sources))
}

/// One for each commit that is still there, oldest first.
fn entries(table: &Table, last: Version) -> Result<Vec<Entry>> {
    let (commits, _) = table.log().list()?;
    let mut segment_rows = HashMap::new();
    let mut entries = Vec::new();
    let commits: Vec<_> = commits.into_iter().filter(|version| *version <= last).collect();
    table.log().read_each(&commits, |_, commit| {
        entries.extend(commit.map(|commit| entry(commit, &mut segment_rows)));
        Ok(())
    })?;
    Ok(entries)
}

/// `segment_rows` knows the rows of the segments added so far; those added before the oldest commit are unknown.
fn entry(commit: Commit, segment_rows: &mut HashMap<String, u64>) -> Entry {
    let (mut segments_added, mut rows_added, mut segments_removed) = (0_u64, 0_u64, 0_u64);
    let mut rows_removed = Some(0_u64);
    let mut sources = Vec::new();
    for action in &commit.actions {
        match action {
            Action::AddSegment(record) => {
                segments_added += 1;
                rows_added = rows_added.saturating_add(record.rows);
                segment_rows.insert(record.id.clone(), record.rows);
                sources.extend(record.sources.iter().map(|source| source.path.clone()));
            }
            Action::RemoveSegment { id } => {
                segments_removed += 1;
                let rows = segment_rows.get(id);
                rows_removed = rows_removed.zip(rows).map(|(sum, rows)| sum.saturating_add(*rows));
            }
            _ => {}
        }
    }
    sources.extend(empty_sources(&commit));
    Entry {
        version: commit.version,
        committed_at: commit.timestamp,
        operation: commit.operation,
        // A row that only went from one segment into another is neither new nor gone.
        rows_added: rows_added.saturating_sub(commit.rows_rewritten),
        rows_removed: rows_removed.map(|rows| rows.saturating_sub(commit.rows_rewritten)),
        segments_added,
        segments_removed,
        message: commit.message,
        writer: commit.writer,
        sources,
    }
}

/// The files of an append that had no rows.
fn empty_sources(commit: &Commit) -> Vec<String> {
    let sources = commit.extra.get(EMPTY_SOURCES).and_then(|sources| sources.as_array());
    let path = |source: &serde_json::Value| source.get("path").and_then(|path| path.as_str()).map(str::to_owned);
    sources.map(|sources| sources.iter().filter_map(path).collect()).unwrap_or_default()
}
