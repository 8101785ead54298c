//! What a storage is, whatever keeps it: the names, the promises and the errors that its implementations share. Knows none of them.

use std::{collections::BTreeSet, fmt, io, sync::Arc};

use super::source::Source;
use crate::error::{Error, Result};

/// Files that are being written begin with this; readers never look at them, vacuum removes those left behind.
pub const TEMPORARY_PREFIX: &str = ".tmp-";

/// A tree of files under a root. Paths are relative, of segments joined by `/`, as [`check_path`] allows.
///
/// The contract on durability, which every implementation keeps and every test suite of storages checks:
/// what [`Storage::create`] reports as created and what [`Staged::finish`] returned from survives a power loss, contents
/// and name; anything else may be lost, but never seen half-written under its final name.
pub trait Storage: fmt::Debug + Send + Sync {
    /// The root as the user named it, for messages.
    fn root(&self) -> &str;

    /// Whether each call is a request to another machine: then what is asked for together is fetched together, names that are given
    /// once are believed, and there are no directories that could be missing.
    fn is_remote(&self) -> bool {
        false
    }

    /// Makes the root and the given directories under it, durably. Of a store it makes sure that exactly one of two writers can
    /// create a file.
    fn prepare(&self, directories: &[&str]) -> Result<()>;

    /// Takes back what [`Storage::prepare`] has made of these directories, of the root and above it, as far as nothing is in it.
    fn withdraw(&self, directories: &[&str]) {
        _ = directories;
    }

    /// The whole file, or none when there is no such file. Refuses files of more than `limit` bytes (`LimitExceeded`).
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>>;

    /// As [`Storage::read`] for each of `paths`, in their order.
    fn read_many(&self, paths: &[String], limit: u64) -> Result<Vec<Option<Vec<u8>>>> {
        paths.iter().map(|path| self.read(path, limit)).collect()
    }

    /// Random access to a file; `NotFound` when there is none.
    fn open(&self, path: &str) -> Result<Arc<dyn Source>>;

    /// As [`Storage::open`], for a file that should have that many bytes; whoever opens it still has to compare.
    fn open_sized(&self, path: &str, bytes: u64) -> Result<Arc<dyn Source>> {
        _ = bytes;
        self.open(path)
    }

    /// As [`Storage::open`], for a file that others may remove while it is still of use: it stays open as long as the source lives.
    fn open_held(&self, path: &str) -> Result<Arc<dyn Source>> {
        self.open(path)
    }

    /// Gives back what is held of files that were opened for reading; a file that is read again is opened again.
    fn release(&self) {}

    /// What identifies the file's present contents, or none when there is no such file. It may differ though the contents do not.
    fn stat(&self, path: &str) -> Result<Option<Stat>>;

    /// Creates the file with these bytes unless the name is taken: whole or not at all, and durable when `Created`.
    ///
    /// # Errors
    /// `CommitUnknown` when the name appeared but could not be made durable; `Io` when nothing appeared.
    fn create(&self, path: &str, bytes: &[u8]) -> Result<Creation>;

    /// Replaces or makes the file as a whole. Not durable: for hints only.
    fn replace(&self, path: &str, bytes: &[u8]) -> Result<()>;

    /// A new file to write to; it exists under `path` once finished. A directory that a root lacks is made: copies of a table may leave
    /// out what was empty.
    fn stage(&self, path: &str) -> Result<Box<dyn Staged>>;

    /// Makes a hard link at `path` to a file outside the root; `None` when the storage or the file system cannot.
    fn link(&self, outside: &std::path::Path, path: &str) -> Result<Option<Stat>>;

    /// Makes contents and names of files durable that somebody else put there.
    fn keep(&self, paths: &[&str]) -> Result<()> {
        let directories: BTreeSet<&str> = paths.iter().filter_map(|path| Some(path.rsplit_once('/')?.0)).collect();
        directories.into_iter().try_for_each(|directory| self.sync(directory))
    }

    /// Gives a file another name, durably; false when there is none. Never replaces a file: `AlreadyExists`.
    fn rename(&self, from: &str, to: &str) -> Result<bool>;

    /// Dates a file, in microseconds since 1970, where the storage keeps such dates: readers of other formats go by them.
    fn set_modified(&self, path: &str, at_us: i64) -> Result<()> {
        let _ = (path, at_us);
        Ok(())
    }

    /// Removes a file; false when there was none.
    fn remove(&self, path: &str) -> Result<bool>;

    /// Makes the names in a directory durable, whoever gave them.
    fn sync(&self, directory: &str) -> Result<()>;

    /// The files directly in a directory, in no particular order; none when there is no such directory.
    fn list(&self, directory: &str) -> Result<Vec<Entry>>;

    /// As [`Storage::list`], those alone whose names come after `after` in the order of bytes.
    fn list_after(&self, directory: &str, after: &str) -> Result<Vec<Entry>> {
        let mut entries = self.list(directory)?;
        entries.retain(|entry| entry.name.as_str() > after);
        Ok(entries)
    }
}

/// The outcome of an exclusive creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Creation {
    /// The file is there, with these contents, durably.
    Created,
    /// Another file has the name; nothing was changed.
    Exists,
}

/// A file that is being written.
pub trait Staged: io::Write + Send {
    /// Makes contents and name durable and returns the size in bytes. Dropping instead leaves nothing behind.
    fn finish(self: Box<Self>) -> Result<u64>;
}

/// What tells two contents of one name apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Stat {
    /// The size.
    pub bytes: u64,
    /// Last change, in nanoseconds since 1970.
    pub modified_ns: i128,
    /// The file system's number of the file; zero where there is none.
    pub inode: u64,
}

/// A file in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name without its directory.
    pub name: String,
    /// What identifies its contents.
    pub stat: Stat,
    /// When contents or name last changed, in nanoseconds since 1970: a file that was linked in is as young as its link.
    pub changed_ns: i128,
}

/// Refuses paths that could lead out of the root: absolute ones, `..`, empty parts, backslashes and drive letters.
///
/// # Errors
/// `Corrupt`, since such a path can only come from a damaged or hostile log.
pub fn check_path(path: &str) -> Result<()> {
    let bad = path.is_empty()
        || path.contains(['\\', '\0', ':'])
        || path.split('/').any(|part| matches!(part, "" | "." | ".."));
    if bad {
        return Err(Error::corrupt("the log names a path that leads out of the table's directory").with("path", path));
    }
    Ok(())
}
