//! Where a writer acts: a name in a directory that is held open meanwhile. A directory that is checked first and named then can be
//! another by then, a link to somewhere else, where a file would be made or removed that is none of the table's.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use super::beneath::{self, Held};
use crate::error::{Error, Result};

/// A name in a directory under a root.
#[derive(Debug)]
pub(super) struct Place {
    /// As people know it.
    pub(super) shown: PathBuf,
    /// The same by way of the directory that is held, where the system has a way.
    pub(super) path: PathBuf,
    /// What `path` goes through.
    _held: Option<File>,
}

impl Place {
    /// The place of `name` in `directory` under `root`; the directory itself for an empty name. A directory that does not exist has
    /// places in which nothing is and nothing can be made.
    ///
    /// # Errors
    /// `Corrupt` where a link leads out of the root, `Io`.
    pub(super) fn new(root: &Path, directory: &str, name: &str) -> Result<Self> {
        let shown = root.join(directory);
        let (path, held) = match beneath::hold(root, directory)? {
            Held::Directory(file) => (beneath::path_of(&file), Some(file)),
            Held::Nowhere => (PathBuf::from("/proc/self/fd/none"), None),
            Held::Unable => {
                check_inside(root, &shown, directory)?;
                (shown.clone(), None)
            }
        };
        let named = |path: PathBuf| if name.is_empty() { path } else { path.join(name) };
        Ok(Self { shown: named(shown), path: named(path), _held: held })
    }

    /// The directory that the place is in.
    pub(super) fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }
}

/// Refuses a directory that a symbolic link takes out of the root. A directory that does not exist passes: what is done with it
/// will say so.
fn check_inside(root: &Path, directory: &Path, path: &str) -> Result<()> {
    let (Ok(real), Ok(real_root)) = (fs::canonicalize(directory), fs::canonicalize(root)) else { return Ok(()) };
    if real.starts_with(real_root) {
        return Ok(());
    }
    Err(Error::corrupt("a symbolic link leads out of the table's directory").with("path", path))
}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
#[path = "place_tests.rs"]
mod tests;
