//! Bringing a history along: tables of timeseries-table-format, stores of PyStore and folders of Parquet become tables of ours. What
//! lies in the source is described first ([`ancestor`], [`pystore`], [`folder`]), then each table is put together beside its place and
//! moved there whole, so that an import that fails or is interrupted leaves nothing.

pub mod ancestor;
pub mod combined;
pub mod folder;
mod metadata;
pub mod pystore;
mod rows;
mod spacing;

use std::path::{Path, PathBuf};

use crate::{
    error::{Error, ErrorKind, Result},
    log::{Version, commit::Action},
    storage::local::roots::{discard_tree, highest_missing, remove_empty, settle},
    table::{
        CreateRequest, Snapshot, Table,
        append::{Appended, FileReport, Status},
        monitor::{Monitor, check_cancelled},
        names::check_name,
        random_id,
        tags_and_properties::check_property,
        target::Target,
        write::policy::{AppendRequest, Mode},
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
    /// Whether columns hold numbers for words, so that the rows are written anew.
    pub decodes: bool,
    /// How the files are taken, but for these and their mode.
    pub how: AppendRequest,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The newest version.
    pub version: Version,
    /// Its rows.
    pub rows: u64,
    /// Its segments.
    pub files: u64,
    /// The files that were left out, and why.
    pub refused: Vec<(String, String)>,
}

/// The tables that one call makes, of which all stay or none does.
#[derive(Debug)]
pub struct Together {
    roots: Vec<PathBuf>,
    top: PathBuf,
}

impl Together {
    /// None yet, at or below `root`.
    #[must_use]
    pub fn below(root: &Path) -> Self {
        Self { roots: Vec::new(), top: highest_missing(root) }
    }

    /// Takes note of a table that was made.
    pub fn made(&mut self, root: &Path) {
        self.roots.push(root.to_owned());
    }

    /// Removes them again, and the directories that were made for them and hold nothing else.
    pub fn undo(self) {
        for root in self.roots {
            discard_tree(&root);
            root.parent().into_iter().for_each(|parent| remove_empty(parent, &self.top));
        }
    }
}

impl Imported {
    fn of(snapshot: &Snapshot) -> Self {
        let state = &snapshot.state;
        Self { version: state.version, rows: state.rows(), files: state.segments.len() as u64, refused: Vec::new() }
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
    let made = match mode {
        Mode::Adopt => in_place(import, root, monitor),
        _ => placed(root, |beside| build(import, beside, mode, monitor)),
    };
    made.map_err(|e| e.with("source", import.source.display()))
}

/// Puts a table together beside its place and moves it there.
fn placed<T>(root: &Path, build: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    let (beside, top) = (beside(root), highest_missing(root));
    let made = build(&beside).and_then(|made| {
        settle(&beside, root)?;
        Ok(made)
    });
    if made.is_err() {
        discard_tree(&beside);
        beside.parent().into_iter().for_each(|parent| remove_empty(parent, &top));
    }
    made
}

/// Makes the table around files that lie where it is to be. They are not touched.
fn in_place(import: &Import, root: &Path, monitor: &dyn Monitor) -> Result<Imported> {
    if import.decodes {
        return Err(Error::invalid_argument(
            "files with columns of pandas categories have numbers for their words, so they cannot be adopted as they are; leave \
             mode := 'adopt' out",
        ));
    }
    let table = Table::at_directory(&root.to_string_lossy());
    match table.log().latest(None) {
        Ok(_) => return Err(Error::already_exists(format!("there is a table at '{}' already", root.display()))),
        Err(e) if e.kind() == ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    if !root.is_dir() {
        return Err(Error::invalid_argument(format!(
            "mode := 'adopt' makes a table of files where they are: '{}' must be the directory that holds them",
            root.display()
        )));
    }
    build(import, root, Mode::Adopt, monitor)
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
        snapshot = fill(&table, &snapshot, &tag, import, &earlier.files, mode, monitor)?.snapshot;
    }
    let mut also = Vec::new();
    for (key, value) in &import.properties {
        check_property(key, Some(value))?;
        also.push(Action::SetProperty { key: key.clone(), value: Some(value.clone()) });
    }
    for earlier in import.snapshots.iter().filter(|earlier| earlier.is_current) {
        also.push(tag(&earlier.name, &snapshot)?);
    }
    let filled = fill(&table, &snapshot, &also, import, &import.files, mode, monitor)?;
    let of_refused = |file: FileReport| (file.file, file.message.unwrap_or_default());
    let refused: Vec<_> =
        filled.files.into_iter().filter(|file| file.status == Status::Refused).map(of_refused).collect();
    Ok(Imported { refused, ..Imported::of(&filled.snapshot) })
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
) -> Result<Appended> {
    check_cancelled(monitor)?;
    if import.decodes {
        let target = Target::of_table(snapshot.definition())?;
        let members = [(String::new(), files.to_vec())].into();
        let loaded = rows::load(table, &target, also.to_vec(), &members, None, monitor);
        let snapshot = loaded.map_err(|blamed| blamed.reason)?;
        return Ok(Appended { snapshot, files: Vec::new(), warnings: Vec::new() });
    }
    let request = AppendRequest { files: files.to_vec(), mode, ..import.how.clone() };
    table.fill_with(snapshot, also, &request, monitor)
}
