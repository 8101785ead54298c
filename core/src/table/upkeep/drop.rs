//! Removing a table: what is its own, by the names that only it gives, and nothing else. First its log gets another name, at once:
//! from then on there is no table, whatever is left of it, so that a drop that was interrupted leaves nothing that looks sound. Called
//! again, it goes on.

use std::path::Path;

use crate::table::files::{is_of_a_segment, is_temporary};
use crate::{
    delta::{self, DELTA_DIRECTORY},
    error::{Error, Result},
    log::{COVERAGE_DIRECTORY, DATA_DIRECTORY, LOG_DIRECTORY},
    storage::{
        Storage,
        local::removal::{is_directory, remove_empty, rename_directory},
    },
    table::handle::{Snapshot, Table},
};

/// What the log is called while the table is being removed.
const DROPPED_LOG: &str = "_timeseries_log.dropped";

/// A file or directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// Relative to the root; `.` for the root itself.
    pub path: String,
    /// Whether it is gone.
    pub deleted: bool,
}

/// Removes the table, or with `dry_run` says what would go. `latest` is its newest snapshot; none where a drop was interrupted.
///
/// # Errors
/// `InvalidArgument` when it has tags and `with_tags` does not say that they may go, or lies in an object store; `NotFound`
/// when there is neither a table nor what an interrupted drop left; `Io` when the system refuses, after which it can be called again.
pub fn drop_table(table: &Table, latest: Option<&Snapshot>, with_tags: bool, dry_run: bool) -> Result<Vec<Dropped>> {
    let storage = table.log().storage().as_ref();
    if storage.is_remote() {
        return Err(Error::invalid_argument(
            "a table in an object store is not dropped from here; remove its prefix with the tools of the store",
        ));
    }
    let root = Path::new(storage.root());
    match latest {
        Some(latest) if !with_tags && !latest.state.tags.is_empty() => {
            let tags: Vec<_> = latest.state.tags.keys().map(String::as_str).collect();
            return Err(Error::invalid_argument(format!(
                "the table has tags, which were given to keep versions: {}; nothing was dropped: say tags := true to drop them \
                 too, or untag them",
                tags.join(", ")
            )));
        }
        None if !is_directory(root, DROPPED_LOG) => {
            return Err(Error::not_found(format!("there is no table at '{}'", storage.root())));
        }
        _ => {}
    }
    if dry_run {
        let files = own(storage, if latest.is_some() { LOG_DIRECTORY } else { DROPPED_LOG })?;
        return Ok(files.into_iter().map(|path| Dropped { path, deleted: false }).collect());
    }
    if latest.is_some() {
        rename_directory(root, LOG_DIRECTORY, DROPPED_LOG)?;
    }
    remove(storage, root)
}

/// Removes all that is the table's own, its log last: what that says is not needed for it, but that it is there says that there is more to do.
fn remove(storage: &dyn Storage, root: &Path) -> Result<Vec<Dropped>> {
    let mut dropped = Vec::new();
    for path in own(storage, DROPPED_LOG)? {
        let deleted = storage.remove(&path)?;
        dropped.push(Dropped { path: path.replacen(DROPPED_LOG, LOG_DIRECTORY, 1), deleted });
    }
    for directory in [DATA_DIRECTORY, COVERAGE_DIRECTORY, DELTA_DIRECTORY, DROPPED_LOG] {
        if !is_directory(root, directory) {
            continue;
        }
        let deleted = remove_empty(&root.join(directory))?;
        if !deleted && directory == DROPPED_LOG {
            // What others put beside the log stays where they put it; without a commit it makes no table.
            rename_directory(root, DROPPED_LOG, LOG_DIRECTORY)?;
        }
        dropped.push(Dropped { path: directory.replacen(DROPPED_LOG, LOG_DIRECTORY, 1), deleted });
    }
    let deleted = remove_empty(root)?;
    dropped.push(Dropped { path: ".".to_owned(), deleted });
    Ok(dropped)
}

/// The files that only the table can have put there, those of the log last.
fn own(storage: &dyn Storage, log: &str) -> Result<Vec<String>> {
    let mut own = Vec::new();
    for directory in [DATA_DIRECTORY, COVERAGE_DIRECTORY] {
        own.extend(named(storage, directory, |name| is_of_a_segment(name) || is_temporary(name))?);
    }
    if delta::is_ours(storage)? {
        own.extend(named(storage, DELTA_DIRECTORY, delta::is_file_of_a_log)?);
    }
    own.extend(named(storage, log, |name| is_of_the_log(name) || is_temporary(name))?);
    Ok(own)
}

fn named(storage: &dyn Storage, directory: &str, ours: impl Fn(&str) -> bool) -> Result<Vec<String>> {
    let mut names: Vec<_> = storage.list(directory)?.into_iter().map(|entry| entry.name).filter(|n| ours(n)).collect();
    names.sort();
    Ok(names.into_iter().map(|name| format!("{directory}/{name}")).collect())
}

/// Whether it is a commit, a checkpoint or the hint.
fn is_of_the_log(name: &str) -> bool {
    let number = name.strip_suffix(".json").or_else(|| name.strip_suffix(".checkpoint"));
    name == "CURRENT" || number.is_some_and(|n| n.len() >= 10 && n.bytes().all(|b| b.is_ascii_digit()))
}
