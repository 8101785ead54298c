//! Bringing a history along: tables of timeseries-table-format and stores of PyStore become tables of ours. What lies in the source
//! is described first ([`ancestor`], [`pystore`]), then each table is put together beside its place and moved there whole, so that
//! an import that fails or is interrupted leaves nothing.

pub mod ancestor;
pub mod pystore;
mod spacing;

use std::path::{Path, PathBuf};

use crate::{
    error::{Error, ErrorKind, Result},
    log::Version,
    schema::Schema,
    storage::local::roots::{discard_tree, settle},
    table::{
        CreateRequest, Snapshot, Table,
        delete::DeleteRequest,
        monitor::{Monitor, check_cancelled},
        random_id,
        write::policy::{AppendRequest, Mode, OnOverlap},
    },
    time::IndexRange,
};

/// A table to be made.
#[derive(Debug, Clone)]
pub struct Import {
    /// Where it comes from.
    pub source: PathBuf,
    /// What that is, in a few words.
    pub kind: String,
    /// What the table is.
    pub definition: CreateRequest,
    /// Its Parquet files.
    pub files: Vec<PathBuf>,
    /// Columns that no file has, with the types that the source gives them.
    pub added: Schema,
    /// Its properties.
    pub properties: Vec<(String, String)>,
    /// Earlier contents, oldest first.
    pub snapshots: Vec<Earlier>,
    /// Whether buckets may be shared among the files.
    pub shared_buckets: bool,
}

/// Contents that a table had before.
#[derive(Debug, Clone)]
pub struct Earlier {
    /// The name of the snapshot, which becomes a tag.
    pub name: String,
    /// The files.
    pub files: Vec<PathBuf>,
    /// Whether they hold the very rows that the table holds now.
    pub is_current: bool,
}

/// What an import made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    /// The newest version.
    pub version: Version,
    /// Its rows.
    pub rows: u64,
    /// Its segments.
    pub files: u64,
}

/// Makes the table at `root`, where there must be none.
///
/// # Errors
/// `AlreadyExists` when something is at `root`, and what creating and appending give; nothing is left at `root` then.
pub fn run(import: &Import, root: &Path, mode: Mode, monitor: &dyn Monitor) -> Result<Imported> {
    if mode == Mode::Move {
        return Err(Error::invalid_argument(
            "mode := 'move' would empty the source of an import; use 'link', 'copy' or 'rewrite', and remove the source once the \
             table is verified",
        ));
    }
    let beside = beside(root);
    let made = build(import, &beside, mode, monitor).and_then(|imported| {
        settle(&beside, root)?;
        Ok(imported)
    });
    if made.is_err() {
        discard_tree(&beside);
    }
    made.map_err(|e| e.with("source", import.source.display()))
}

/// Where the table is put together: in the directory that will hold it, so that links and the last move stay on one file system.
fn beside(root: &Path) -> PathBuf {
    let name = root.file_name().map_or_else(|| "table".to_owned(), |name| name.to_string_lossy().into_owned());
    root.with_file_name(format!(".{name}.importing-{}", random_id()))
}

fn build(import: &Import, root: &Path, mode: Mode, monitor: &dyn Monitor) -> Result<Imported> {
    let table = Table::at_directory(&root.to_string_lossy());
    let mut snapshot = table.create(import.definition.clone().definition()?, false)?.snapshot;
    for earlier in import.snapshots.iter().filter(|earlier| !earlier.is_current) {
        check_cancelled(monitor)?;
        snapshot = replace_all(&table, &snapshot, import, &earlier.files, mode, monitor)?;
        snapshot = table.tag(&snapshot, &earlier.name, None)?.1.snapshot;
    }
    snapshot = replace_all(&table, &snapshot, import, &import.files, mode, monitor)?;
    if !import.added.columns.is_empty() && snapshot.definition().schema.is_some() {
        let columns: Vec<_> = import.added.columns.iter().map(|c| (c.name.clone(), c.ty.clone())).collect();
        snapshot = table.add_columns(&snapshot, &columns)?.snapshot;
    }
    for (key, value) in &import.properties {
        snapshot = table.set(&snapshot, key, Some(value))?.snapshot;
    }
    for earlier in import.snapshots.iter().filter(|earlier| earlier.is_current) {
        snapshot = table.tag(&snapshot, &earlier.name, None)?.1.snapshot;
    }
    let state = &snapshot.state;
    Ok(Imported { version: state.version, rows: state.rows(), files: state.segments.len() as u64 })
}

/// Puts the rows of `files` in the place of whatever the table holds.
fn replace_all(
    table: &Table,
    snapshot: &Snapshot,
    import: &Import,
    files: &[PathBuf],
    mode: Mode,
    monitor: &dyn Monitor,
) -> Result<Snapshot> {
    let mut snapshot = snapshot.clone();
    if !snapshot.state.segments.is_empty() {
        let request = DeleteRequest { range: IndexRange::ALL, ..DeleteRequest::default() };
        snapshot = table.delete(&snapshot, &request, monitor)?.changed.snapshot;
    }
    if files.is_empty() {
        return Ok(snapshot);
    }
    let on_overlap = if import.shared_buckets { OnOverlap::Allow } else { OnOverlap::Error };
    let request = AppendRequest { files: files.to_vec(), on_overlap, mode, ..AppendRequest::default() };
    let appended = table.append(&snapshot, &request, monitor).map_err(|e| match e.kind() {
        ErrorKind::InvalidArgument if mode == Mode::Link => e.with("hint", "mode := 'copy' works across file systems"),
        _ => e,
    });
    Ok(appended?.snapshot)
}
