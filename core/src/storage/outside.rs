//! Files outside of any table: those that are loaded, and the pages that are written. They belong to others, who may have put anything
//! under the name.

use std::{
    collections::HashSet,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Creation, Stat,
    local::{publish, stat_of, temporary_beside, write_synced},
    source::{FileSource, Source},
};
use crate::error::{Error, Result};

/// A file outside the table that is about to be loaded. It is not held open.
#[derive(Debug, Clone)]
pub struct OutsideFile {
    /// What identifies its contents, taken when the file was first opened.
    pub stat: Stat,
    /// Its path as the user's pattern found it.
    pub path: PathBuf,
    /// The names that the file has in the file system, a symbolic link that led to it among them; more than there can be where the system does not tell.
    pub links: u64,
    /// The object that it is, when it is in a store.
    #[cfg(feature = "remote")]
    remote: Option<super::remote::RemoteFile>,
}

impl OutsideFile {
    /// Opens a file to be loaded.
    ///
    /// # Errors
    /// `NotFound`, `InvalidArgument` for whatever is not a file, or `Io`.
    pub fn open(path: &Path) -> Result<(Self, Arc<dyn Source>)> {
        #[cfg(feature = "remote")]
        if let Some(address) = path.to_str().filter(|address| super::is_remote_file(address)) {
            let mut remote = super::remote::RemoteFile::at(address)?;
            let (stat, source) = remote.open()?;
            return Ok((Self { stat, path: path.to_owned(), links: 1, remote: Some(remote) }, source));
        }
        let shown = path.display().to_string();
        let failed = |e| Error::io("open", &shown, e);
        // Looked at first, since opening alone may wait for ever or set something off; and again, since it may be another by then.
        check_is_file(path, &fs::metadata(path).map_err(failed)?)?;
        let file = open_at_once(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        check_is_file(path, &metadata)?;
        #[cfg(unix)]
        let links = std::os::unix::fs::MetadataExt::nlink(&metadata);
        // Not told, so that no file is taken for the only name of its contents.
        #[cfg(not(unix))]
        let links = u64::MAX;
        // Whoever follows the link finds the file under its own name too.
        let links = links.saturating_add(u64::from(path.is_symlink()));
        let source = Arc::new(FileSource::from_file(file, shown)?);
        let file = Self {
            stat: stat_of(&metadata),
            path: path.to_owned(),
            links,
            #[cfg(feature = "remote")]
            remote: None,
        };
        Ok((file, source))
    }

    /// Opens the same file again.
    ///
    /// # Errors
    /// As [`OutsideFile::open`]; `Conflict` when another program has changed or replaced it.
    pub fn reopen(&self) -> Result<Arc<dyn Source>> {
        #[cfg(feature = "remote")]
        if let Some(copy) = self.remote.as_ref().and_then(super::remote::RemoteFile::copy) {
            return Ok(copy);
        }
        let (found, source) = Self::open(&self.path)?;
        if found.stat == self.stat { Ok(source) } else { Err(self.changed()) }
    }

    /// Refuses a file that is no longer what was opened.
    ///
    /// # Errors
    /// `Conflict` when another program has changed or replaced it; `NotFound` or `Io` when it cannot be looked at.
    pub fn check_unchanged(&self) -> Result<()> {
        #[cfg(feature = "remote")]
        if let Some(remote) = &self.remote {
            let same = remote.copy().is_some() || remote.stat()? == self.stat;
            return if same { Ok(()) } else { Err(self.changed()) };
        }
        let metadata = fs::metadata(&self.path).map_err(|e| Error::io("look at", self.path.display(), e))?;
        if stat_of(&metadata) == self.stat { Ok(()) } else { Err(self.changed()) }
    }

    fn changed(&self) -> Error {
        Error::conflict("a file was changed while it was being appended; append it again once it is complete")
            .with("file", self.path.display())
    }

    /// Removes the file after its contents have been moved into a table. It is given another name first and looked at under that:
    /// a newer file that took its name meanwhile is put back.
    ///
    /// # Errors
    /// `Conflict` when it is not the file that was loaded, which is left where it is; `Io` when the system refuses.
    pub fn remove(&self) -> Result<()> {
        let failed = |e| Error::io("remove", self.path.display(), e);
        let is_it = |path: &Path| fs::metadata(path).is_ok_and(|found| stat_of(&found) == self.stat);
        let newer = || {
            Error::conflict(
                "the file was loaded, but another one has taken its name since and was left alone; append that one too",
            )
            .with("file", self.path.display())
        };
        if !is_it(&self.path) {
            return Err(newer());
        }
        let aside = temporary_beside(&self.path);
        fs::rename(&self.path, &aside).map_err(failed)?;
        if is_it(&aside) {
            return fs::remove_file(&aside).map_err(failed);
        }
        match publish(&aside, &self.path) {
            Ok(Creation::Created) => {
                // After a rename in place of a link there is nothing left to remove.
                _ = fs::remove_file(&aside);
                Err(newer())
            }
            _ => Err(newer().with("now at", aside.display())),
        }
    }
}

/// The nearest directory around `path`, all links followed, that has a directory `marker`, and where in it the path leads.
#[must_use]
pub fn directory_around(path: &Path, marker: &str) -> Option<(PathBuf, PathBuf)> {
    let real = fs::canonicalize(path).ok()?;
    let around = real.ancestors().skip(1).find(|directory| directory.join(marker).is_dir())?;
    let inside = real.strip_prefix(around).ok()?.to_owned();
    Some((around.to_owned(), inside))
}

/// The path with all links followed; none when there is nothing.
#[must_use]
pub fn real_path(path: &Path) -> Option<PathBuf> {
    fs::canonicalize(path).ok()
}

/// Opens without waiting for the writer of a pipe, where the system can.
fn open_at_once(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0));
    }
    options.open(path)
}

fn check_is_file(path: &Path, metadata: &fs::Metadata) -> Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    Err(Error::invalid_argument(format!("'{}' is {}, not a file", path.display(), kind_of(metadata))))
}

/// What something is that is not a file, in words.
fn kind_of(metadata: &fs::Metadata) -> &'static str {
    if metadata.is_dir() {
        return "a directory";
    }
    if metadata.file_type().is_symlink() {
        return "a symbolic link";
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let kind = metadata.file_type();
        if kind.is_fifo() {
            return "a pipe";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
        if kind.is_socket() {
            return "a socket";
        }
    }
    "something else"
}

/// Writes a file outside of any table, in the place of one that is there: whoever opens it sees the old or the new one whole. A table is
/// a directory that has a directory `marker`.
///
/// # Errors
/// `InvalidArgument` for a place inside a table, and when anything but a file has the name, a symbolic link included; `NotFound` for a
/// directory that is not there; `Io` naming the file.
pub fn write_outside(path: &Path, bytes: &[u8], marker: &str) -> Result<()> {
    let (directory, name) = place_of(path)?;
    refuse_inside_a_table(path, &directory, marker)?;
    let target = directory.join(name);
    match fs::symlink_metadata(&target) {
        Ok(metadata) if !metadata.is_file() => {
            return Err(Error::invalid_argument(format!(
                "'{}' is {}; a page is written to a new file or in the place of one",
                path.display(),
                kind_of(&metadata)
            )));
        }
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(Error::io("look at", path.display(), e)),
        _ => {}
    }
    let temporary = temporary_beside(&target);
    let written = write_synced(&temporary, bytes).and_then(|()| fs::rename(&temporary, &target));
    written.map_err(|e| {
        // Not there when it could not be made.
        _ = fs::remove_file(&temporary);
        Error::io("write", path.display(), e)
    })
}

/// The directory of a file, with all links followed, and the file's name in it.
fn place_of(path: &Path) -> Result<(PathBuf, &std::ffi::OsStr)> {
    let no_name = || Error::invalid_argument(format!("'{}' names no file", path.display()));
    let ends_in_a_name = !path.as_os_str().to_string_lossy().ends_with(std::path::is_separator);
    let name = path.file_name().filter(|_| ends_in_a_name).ok_or_else(no_name)?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let directory = fs::canonicalize(directory).map_err(|e| Error::io("write", path.display(), e))?;
    Ok((directory, name))
}

/// A file in the directory of a table may take the place of one of the table's own, now or when the table makes one of that name.
fn refuse_inside_a_table(path: &Path, directory: &Path, marker: &str) -> Result<()> {
    match directory.ancestors().find(|ancestor| ancestor.join(marker).is_dir()) {
        None => Ok(()),
        Some(root) => Err(Error::invalid_argument(format!(
            "'{}' lies inside the table at '{}'; write the page to another directory",
            path.display(),
            root.display()
        ))),
    }
}

/// The files that paths and globs name, each once, sorted. A path that exists is taken as it is, whatever its characters.
///
/// # Errors
/// `NotFound` for a path that is not there or a glob that matches nothing, `InvalidArgument` for a malformed glob, a
/// directory or no pattern at all.
pub fn expand(patterns: &[String]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for pattern in patterns {
        #[cfg(feature = "remote")]
        if super::is_remote_file(pattern) {
            files.extend(super::remote::expand(pattern)?.into_iter().map(PathBuf::from));
            continue;
        }
        let path = Path::new(pattern);
        if path.is_dir() {
            return Err(Error::invalid_argument(format!("'{pattern}' is a directory; use '{pattern}/*.parquet'")));
        }
        if path.exists() || !pattern.contains(['*', '?', '[']) {
            files.push(path.to_owned());
            continue;
        }
        let matches = glob::glob(pattern)
            .map_err(|e| Error::invalid_argument(format!("'{pattern}' is not a valid glob")).caused_by(e))?;
        let before = files.len();
        for found in matches {
            let found = found.map_err(|e| Error::io("list", pattern, e.into()))?;
            if found.is_file() {
                files.push(found);
            }
        }
        if files.len() == before {
            return Err(Error::not_found(format!("no file matches '{pattern}'")));
        }
    }
    if files.is_empty() {
        return Err(Error::invalid_argument("no file was given to append"));
    }
    files.sort();
    // By what they lead to: under two names, or through a link, a file is one file, whose rows go in once.
    let mut seen = HashSet::new();
    files.retain(|file| seen.insert(real_path(file).unwrap_or_else(|| file.clone())));
    Ok(files)
}

#[cfg(test)]
#[path = "outside_tests.rs"]
mod tests;
