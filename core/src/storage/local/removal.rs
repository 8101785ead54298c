//! Taking directories away: by another name at once, or when nothing is left in them.

use std::{fs, io, path::Path};

use super::sync_directory;
use crate::error::{Error, Result};

/// Gives the directory `from` of `root` the name `to`, at once and durably; false when there is none.
///
/// # Errors
/// `Io` when the system refuses, as it does when `to` is there and not empty.
pub fn rename_directory(root: &Path, from: &str, to: &str) -> Result<bool> {
    let old = root.join(from);
    // A link leads to what may be somebody else's.
    if !fs::symlink_metadata(&old).is_ok_and(|metadata| metadata.is_dir()) {
        return Ok(false);
    }
    let renamed = fs::rename(&old, root.join(to)).and_then(|()| sync_directory(root));
    renamed.map_err(|e| Error::io("rename", old.display(), e))?;
    Ok(true)
}

/// Whether there is such a directory below `root`, and no link.
#[must_use]
pub fn is_directory(root: &Path, name: &str) -> bool {
    fs::symlink_metadata(root.join(name)).is_ok_and(|metadata| metadata.is_dir())
}

/// Removes a directory in which nothing is; false when something is, or there is none.
///
/// # Errors
/// `Io` when the system refuses for another reason.
pub fn remove_empty(directory: &Path) -> Result<bool> {
    match fs::remove_dir(directory) {
        Ok(()) => Ok(true),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty) => Ok(false),
        Err(e) => Err(Error::io("remove", directory.display(), e)),
    }
}
