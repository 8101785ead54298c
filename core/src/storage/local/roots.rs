//! Finding tables in a tree of directories by the name of a directory that each has. What a table holds is not its business.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

use crate::error::{Error, Result};

/// What of a table's own may lie where it is to be made: what a program left that was killed in the middle of making it.
const OWN: [&str; 3] = ["_timeseries_log", "_coverage", "data"];

/// The name of something in a directory that shows it to be in use for something else than a table: anything but Parquet
/// files, folders of nothing but such files, hidden names and what a table has itself. None when there is no such directory yet.
///
/// # Errors
/// `InvalidArgument` for the root of the file system and for a file, `Io` when the directory cannot be read.
pub fn stranger(directory: &Path) -> Result<Option<String>> {
    let real = fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned());
    if real.parent().is_none() && real.has_root() {
        return Err(Error::invalid_argument(format!(
            "'{}' is the root of the file system, and no place for a table; name a directory of its own",
            directory.display()
        )));
    }
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io("list", directory.display(), e)),
    };
    for entry in entries {
        let entry = entry.map_err(|e| Error::io("list", directory.display(), e))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let own = name.starts_with('.') || OWN.contains(&name.as_str());
        if !own && !is_parquet(Path::new(&name)) && !holds_parquet_alone(&entry.path()) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Whether a path is a pattern.
#[must_use]
pub fn has_pattern(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// The directories that match a pattern and have a directory `marker`, in order of their paths. `**` stands for any depth.
///
/// # Errors
/// `InvalidArgument` for what is not a pattern, `Io` when a directory cannot be read, and that of `go_on`, which is asked before each.
pub fn matching(pattern: &str, marker: &str, go_on: &dyn Fn() -> Result<()>) -> Result<Vec<PathBuf>> {
    let matches = glob::glob(pattern)
        .map_err(|e| Error::invalid_argument(format!("'{pattern}' is not a valid glob")).caused_by(e))?;
    let mut found = Vec::new();
    for path in matches {
        go_on()?;
        let path = path.map_err(|e| Error::io("list", pattern, e.into()))?;
        if path.join(marker).is_dir() {
            found.push(path);
        }
    }
    Ok(found)
}

/// Whether a file is called as Parquet files are.
#[must_use]
pub fn is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("parquet"))
}

/// Whether there is nothing below a directory but Parquet files, at any depth, and what their writers leave beside them: one such file
/// at least, and no other's table.
fn holds_parquet_alone(directory: &Path) -> bool {
    const BESIDE: [&str; 3] = ["_SUCCESS", "_metadata", "_common_metadata"];
    let (mut folders, mut found) = (vec![directory.to_owned()], false);
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { return false };
        for entry in entries {
            let Ok((entry, kind)) = entry.and_then(|entry| entry.file_type().map(|kind| (entry, kind))) else {
                return false;
            };
            let name = entry.file_name().to_string_lossy().into_owned();
            if kind.is_dir() && !name.starts_with('_') {
                folders.push(entry.path());
            } else if kind.is_file() && is_parquet(Path::new(&name)) {
                found = true;
            } else if !(kind.is_file() && (name.starts_with('.') || BESIDE.contains(&name.as_str()))) {
                return false;
            }
        }
    }
    found
}

/// A directory that has the marker, or one of which nobody can say.
#[derive(Debug)]
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// Why it could not be read; none for a directory that has the marker.
    pub error: Option<Error>,
}

/// The directories at or under `directory` that have a directory `marker`, in order of their paths, at any depth, and those that cannot
/// be read or that `refusal` has an error for. Does not look into those; follows links to directories, each directory once.
///
/// # Errors
/// `NotFound` when there is no such directory, `Io` when it cannot be read, and that of `refusal` itself, which is asked before each.
pub(in crate::storage) fn find_marked(
    directory: &Path,
    marker: &str,
    refusal: impl Fn(&Path) -> Result<Option<Error>>,
) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut open = vec![directory.to_owned()];
    while let Some(path) = open.pop() {
        if let Some(error) = refusal(&path)? {
            found.push(Found { path, error: Some(error) });
            continue;
        }
        let listed = subdirectories(&path, marker);
        let (is_marked, mut children) = match listed {
            Ok(listed) => listed,
            // A directory that vanishes while its parent is read is as good as not there.
            Err(e) if e.kind() == io::ErrorKind::NotFound && path != directory => continue,
            // One that may be entered, not listed, may be marked all the same.
            Err(_) if path.join(marker).is_dir() => (true, Vec::new()),
            Err(e) if path == directory => return Err(Error::io("list", path.display(), e)),
            Err(e) => {
                let error = Some(Error::io("list", path.display(), e));
                found.push(Found { path, error });
                continue;
            }
        };
        if !fs::canonicalize(&path).is_ok_and(|real| seen.insert(real)) {
            continue;
        }
        if is_marked {
            found.push(Found { path, error: None });
        } else {
            open.append(&mut children);
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// What lies directly in a directory, each in order of names; links are followed.
#[derive(Debug, Clone, Default)]
pub struct Children {
    /// Directories.
    pub directories: Vec<PathBuf>,
    /// Everything else.
    pub files: Vec<PathBuf>,
}

/// # Errors
/// `NotFound` when there is no such directory, `Io` when it cannot be read.
pub fn children(directory: &Path) -> Result<Children> {
    let mut found = Children::default();
    let failed = |e| Error::io("list", directory.display(), e);
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            found.directories.push(path);
        } else {
            found.files.push(path);
        }
    }
    found.directories.sort();
    found.files.sort();
    Ok(found)
}

/// Moves a directory that was put together elsewhere on the file system to its place, whole.
///
/// # Errors
/// `AlreadyExists` when something other than an empty directory is there, else `Io`.
pub fn settle(from: &Path, to: &Path) -> Result<()> {
    let taken = match fs::read_dir(to) {
        Ok(mut entries) => entries.next().is_some(),
        Err(e) => e.kind() != io::ErrorKind::NotFound,
    };
    if taken {
        return Err(Error::already_exists(format!("there is something at '{}' already", to.display())));
    }
    fs::rename(from, to).map_err(|e| Error::io("move the table to", to.display(), e))
}

/// Removes a directory that was being put together, as far as that goes: what is left begins with a dot and is of no table.
pub fn discard_tree(directory: &Path) {
    let _ = fs::remove_dir_all(directory);
}

/// The highest of a path's directories, itself last, that does not exist; the path itself when it does.
#[must_use]
pub fn highest_missing(path: &Path) -> PathBuf {
    let missing = path.ancestors().take_while(|above| !above.as_os_str().is_empty() && !above.exists()).last();
    missing.unwrap_or(path).to_owned()
}

/// Removes a directory, and then those above it down from `top`, as far as they are empty.
pub fn remove_empty(directory: &Path, top: &Path) {
    for directory in directory.ancestors().take_while(|directory| directory.starts_with(top)) {
        if fs::remove_dir(directory).is_err() {
            break;
        }
    }
}

/// Whether the directory has the marker, and the directories in it when it does not.
fn subdirectories(path: &Path, marker: &str) -> io::Result<(bool, Vec<PathBuf>)> {
    let mut children = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let child = entry.path();
        let kind = entry.file_type()?;
        if kind.is_dir() || (kind.is_symlink() && child.is_dir()) {
            if entry.file_name() == marker {
                return Ok((true, Vec::new()));
            }
            children.push(child);
        }
    }
    Ok((false, children))
}
