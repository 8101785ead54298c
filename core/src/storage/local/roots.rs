//! Finding tables in a tree of directories by the name of a directory that each has. What a table holds is not its business.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

use crate::error::{Error, Result};

/// The directories at or under `directory` that have a directory `marker`, in order of their paths, at any depth. Does not look
/// into those; follows links to directories, each directory once.
///
/// # Errors
/// `NotFound` when there is no such directory, `Io` when one cannot be read.
pub fn find_marked(directory: &Path, marker: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut open = vec![directory.to_owned()];
    while let Some(path) = open.pop() {
        let listed = subdirectories(&path, marker);
        let (is_marked, mut children) = match listed {
            Ok(listed) => listed,
            // A directory that vanishes while its parent is read is as good as not there.
            Err(e) if e.kind() == io::ErrorKind::NotFound && path != directory => continue,
            Err(e) => return Err(Error::io("list", path.display(), e)),
        };
        if !fs::canonicalize(&path).is_ok_and(|real| seen.insert(real)) {
            continue;
        }
        if is_marked {
            found.push(path);
        } else {
            open.append(&mut children);
        }
    }
    found.sort();
    Ok(found)
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
