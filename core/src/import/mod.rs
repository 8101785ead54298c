//! Bringing a history along: tables of timeseries-table-format and stores of PyStore become tables of ours. What lies in the source
//! is described first ([`ancestor`], [`pystore`]), then each table is put together beside its place and moved there whole, so that
//! an import that fails or is interrupted leaves nothing.

pub mod ancestor;
pub mod combined;
pub mod pystore;
mod spacing;

use std::path::{Path, PathBuf};

use crate::{
    error::{Error, ErrorKind, Result},
    log::{Version, commit::Action},
    storage::local::roots::{discard_tree, remove_empty, settle},
    table::{
        CreateRequest, Snapshot, Table,
        monitor::{Monitor, check_cancelled},
        names::check_name,
        random_id,
        tags_and_properties::check_property,
        write::policy::{AppendRequest, Mode, OnOverlap},
    },
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

/// The tables that one call makes, of which all stay or none does.
#[derive(Debug, Default)]
pub struct Together(Vec<PathBuf>);

impl Together {
    /// Takes note of a table that was made.
    pub fn made(&mut self, root: &Path) {
        self.0.push(root.to_owned());
    }

    /// Removes them again, and the directories between them and `top` that hold nothing else.
    pub fn undo(self, top: &Path) {
        for root in self.0 {
            discard_tree(&root);
            root.parent().into_iter().for_each(|parent| remove_empty(parent, top));
        }
    }
}

impl Imported {
    fn of(snapshot: &Snapshot) -> Self {
        let state = &snapshot.state;
        Self { version: state.version, rows: state.rows(), files: state.segments.len() as u64 }
    }
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
    let made = placed(root, |beside| build(import, beside, mode, monitor));
    made.map_err(|e| e.with("source", import.source.display()))
}

/// Puts a table together beside its place and moves it there.
fn placed<T>(root: &Path, build: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    let beside = beside(root);
    let made = build(&beside).and_then(|made| {
        settle(&beside, root)?;
        Ok(made)
    });
    if made.is_err() {
        discard_tree(&beside);
    }
    made
}

/// Where the table is put together: in the directory that will hold it, so that links and the last move stay on one file system.
fn beside(root: &Path) -> PathBuf {
    let name = root.file_name().map_or_else(|| "table".to_owned(), |name| name.to_string_lossy().into_owned());
    root.with_file_name(format!(".{name}.importing-{}", random_id()))
}

fn build(import: &Import, root: &Path, mode: Mode, monitor: &dyn Monitor) -> Result<Imported> {
    let table = Table::at_directory(&root.to_string_lossy());
    let mut snapshot = table.unborn(import.definition.clone().definition()?);
    for earlier in import.snapshots.iter().filter(|earlier| !earlier.is_current) {
        let tag = [tag(&earlier.name, &snapshot)?];
        snapshot = fill(&table, &snapshot, &tag, import, &earlier.files, mode, monitor)?;
    }
    let mut also = Vec::new();
    for (key, value) in &import.properties {
        check_property(key, Some(value))?;
        also.push(Action::SetProperty { key: key.clone(), value: Some(value.clone()) });
    }
    for earlier in import.snapshots.iter().filter(|earlier| earlier.is_current) {
        also.push(tag(&earlier.name, &snapshot)?);
    }
    snapshot = fill(&table, &snapshot, &also, import, &import.files, mode, monitor)?;
    Ok(Imported::of(&snapshot))
}

/// Names the version that comes after a snapshot.
fn tag(name: &str, before: &Snapshot) -> Result<Action> {
    check_name("the name of a snapshot", name)?;
    Ok(Action::SetTag { name: name.to_owned(), version: before.state.version.next() })
}

/// Makes a version that holds the rows of `files` and no others.
fn fill(
    table: &Table,
    snapshot: &Snapshot,
    also: &[Action],
    import: &Import,
    files: &[PathBuf],
    mode: Mode,
    monitor: &dyn Monitor,
) -> Result<Snapshot> {
    check_cancelled(monitor)?;
    let on_overlap = if import.shared_buckets { OnOverlap::Allow } else { OnOverlap::Error };
    let request = AppendRequest { files: files.to_vec(), on_overlap, mode, ..AppendRequest::default() };
    table.fill_with(snapshot, also, &request, monitor).map_err(|e| match e.kind() {
        ErrorKind::InvalidArgument if mode == Mode::Link => e.with("hint", "mode := 'copy' works across file systems"),
        _ => e,
    })
}
