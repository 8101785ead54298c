//! A table in a directory of the local file system. The only code of this crate that touches `std::fs`.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::UNIX_EPOCH,
};

use super::{
    Creation, Entry, Staged, Stat, Storage, TEMPORARY_PREFIX, check_path,
    source::{FileSource, Source},
};
use crate::error::{Error, Result};
pub(super) use exclusive::publish;
use handles::PooledFile;
pub use handles::limit as handle_limit;
use place::Place;
#[cfg(feature = "remote")]
pub(super) use unnamed::copied_here;

mod beneath;
mod exclusive;
pub mod guard;
mod handles;
mod place;
pub mod removal;
pub mod roots;
#[cfg(test)]
mod swapping;
#[cfg(feature = "remote")]
mod unnamed;

/// A directory as a table's root.
#[derive(Debug)]
pub struct LocalStorage {
    root: String,
    directory: PathBuf,
    /// Directories that were missing and have been made.
    made: Mutex<Vec<PathBuf>>,
}

impl LocalStorage {
    /// The directory `root`, which need not exist yet.
    #[must_use]
    pub fn new(root: &str) -> Self {
        Self { root: root.to_owned(), directory: PathBuf::from(root), made: Mutex::new(Vec::new()) }
    }

    fn place(&self, path: &str) -> Result<Place> {
        check_path(path)?;
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        Place::new(&self.directory, directory, name)
    }

    /// As [`LocalStorage::place`], for a new file: the directory is made where only it is missing.
    fn new_place(&self, path: &str) -> Result<Place> {
        let missing = |directory: &&str| self.directory.is_dir() && !self.directory.join(directory).exists();
        if let Some(directory) = path.rsplit_once('/').map(|(directory, _)| directory).filter(missing) {
            self.prepare(&[directory])?;
        }
        self.place(path)
    }

    /// A directory of the table, which is held.
    fn held(&self, directory: &str) -> Result<Place> {
        check_path(directory)?;
        Place::new(&self.directory, directory, "")
    }

    fn open_file(&self, path: &str) -> Result<Option<File>> {
        check_path(path)?;
        beneath::open(&self.directory, path)
    }

    fn open_existing(&self, path: &str) -> Result<File> {
        self.open_file(path)?.ok_or_else(|| Error::not_found("a file of the table is missing").with("path", path))
    }

    /// Removes the directories that this storage has made and that are `wanted`, the last first, as long as nothing is in them.
    fn unprepare(&self, wanted: impl Fn(&Path) -> bool) {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        // One in which something is stays, and may go later.
        let stays = |directory: &PathBuf| !wanted(directory) || fs::remove_dir(directory).is_err();
        *made = std::mem::take(&mut *made).into_iter().rev().filter(stays).collect();
        made.reverse();
    }
}

/// What identifies the contents of an open file.
#[must_use]
pub fn stat_of(metadata: &fs::Metadata) -> Stat {
    let modified_ns = metadata.modified().map_or(0, |time| match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i128::try_from(after.as_nanos()).unwrap_or(i128::MAX),
        Err(before) => -i128::try_from(before.duration().as_nanos()).unwrap_or(i128::MAX),
    });
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(metadata);
    #[cfg(not(unix))]
    let inode = 0;
    Stat { bytes: metadata.len(), modified_ns, inode }
}

/// What identifies the names in a directory under `root`, as finely as the clock of the file system; none when there is no such directory.
#[must_use]
pub fn stat_of_directory(root: &str, directory: &str) -> Option<Stat> {
    let metadata = fs::symlink_metadata(Path::new(root).join(directory)).ok()?;
    metadata.is_dir().then(|| last_changed(&metadata))
}

/// As [`stat_of`], but the time is that of the last change of any kind: a program that writes into a file and puts its time back, as tools
/// that copy do, cannot put this one back. A new link to the file changes it too, so it is for what may be looked at again.
fn last_changed(metadata: &fs::Metadata) -> Stat {
    Stat { modified_ns: changed_ns(metadata), ..stat_of(metadata) }
}

/// When the file's contents or its names last changed, in nanoseconds since 1970.
fn changed_ns(metadata: &fs::Metadata) -> i128 {
    let modified = stat_of(metadata).modified_ns;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let changed = i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec());
        modified.max(changed)
    }
    #[cfg(not(unix))]
    modified
}

/// A name that no other writer uses, beside `path`.
pub(super) fn temporary_beside(path: &Path) -> PathBuf {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let nanos = UNIX_EPOCH.elapsed().map_or(0, |d| d.as_nanos());
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    path.with_file_name(format!("{TEMPORARY_PREFIX}{}-{count}-{nanos:x}", std::process::id()))
}

fn sync_directory(path: &Path) -> io::Result<()> {
    // Windows has no call for it; its file systems order the creation of names by themselves.
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

/// Makes a directory and those above it that are missing, each durably in the one above; notes those that were missing.
fn create_directories(directory: &Path, made: &mut Vec<PathBuf>) -> Result<()> {
    let parent = directory.parent().map(|p| if p.as_os_str().is_empty() { Path::new(".") } else { p });
    match fs::create_dir(directory) {
        Ok(()) => made.push(directory.to_owned()),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && directory.is_dir() => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound && parent.is_some_and(|p| !p.exists()) => {
            parent.map_or(Ok(()), |parent| create_directories(parent, made))?;
            fs::create_dir(directory).map_err(|e| Error::io("create the directory", directory.display(), e))?;
            made.push(directory.to_owned());
        }
        Err(e) => return Err(Error::io("create the directory", directory.display(), e)),
    }
    let Some(parent) = parent else { return Ok(()) };
    sync_directory(parent).map_err(|e| Error::io("sync the directory", parent.display(), e))
}

/// The whole of a file that is not a table's, such as one of settings.
#[cfg(feature = "remote")]
pub(super) fn read_whole(path: &Path) -> io::Result<Vec<u8>> {
    fs::read(path)
}

pub(super) fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_data()
}

impl Storage for LocalStorage {
    fn root(&self) -> &str {
        &self.root
    }

    fn prepare(&self, directories: &[&str]) -> Result<()> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        create_directories(&self.directory, &mut made)?;
        directories.iter().try_for_each(|directory| {
            check_path(directory)?;
            create_directories(&self.directory.join(directory), &mut made)?;
            // What is there already may be a link that leads out.
            self.held(directory).map(drop)
        })
    }

    fn withdraw(&self, directories: &[&str]) {
        let named = |made: &Path| directories.iter().any(|directory| *made == self.directory.join(directory));
        self.unprepare(|made| named(made) || self.directory.starts_with(made));
    }

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        let Some(file) = self.open_file(path)? else { return Ok(None) };
        let failed = |e| Error::io("read", self.directory.join(path).display(), e);
        let bytes = file.metadata().map_err(failed)?.len();
        if bytes > limit {
            return Err(
                Error::limit_exceeded(format!("a file of {bytes} bytes; at most {limit} are read")).with("path", path)
            );
        }
        let mut contents = Vec::with_capacity(usize::try_from(bytes).unwrap_or(0));
        file.take(limit).read_to_end(&mut contents).map_err(failed)?;
        Ok(Some(contents))
    }

    fn open(&self, path: &str) -> Result<Arc<dyn Source>> {
        Ok(Arc::new(PooledFile::opened(&self.directory, path, self.open_existing(path)?)?))
    }

    fn open_held(&self, path: &str) -> Result<Arc<dyn Source>> {
        Ok(Arc::new(FileSource::from_file(self.open_existing(path)?, path)?))
    }

    fn release(&self) {
        handles::close_under(&self.directory);
    }

    fn stat(&self, path: &str) -> Result<Option<Stat>> {
        check_path(path)?;
        let looked = match beneath::look(&self.directory, path) {
            Some(Err(e)) if e.kind() == io::ErrorKind::NotADirectory => None,
            looked => looked,
        };
        let full = self.directory.join(path);
        let looked = match looked {
            Some(looked) => looked,
            None => fs::symlink_metadata(&self.place(path)?.path),
        };
        match looked {
            Ok(metadata) if metadata.is_file() => Ok(Some(last_changed(&metadata))),
            Ok(_) => Ok(None),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::io("look at", full.display(), e)),
        }
    }

    fn create(&self, path: &str, bytes: &[u8]) -> Result<Creation> {
        let place = self.place(path)?;
        let temporary = temporary_beside(&place.path);
        let created = write_synced(&temporary, bytes).and_then(|()| publish(&temporary, &place.path));
        // After a rename there is nothing to remove, and a leftover of a failure is what vacuum is for.
        let _ = fs::remove_file(&temporary);
        let refused = |e: io::Error| {
            if e.kind() == io::ErrorKind::Unsupported {
                self.unprepare(|_| true);
            }
            Error::io("write", place.shown.display(), e)
        };
        match created.map_err(refused)? {
            Creation::Exists => Ok(Creation::Exists),
            Creation::Created => {
                sync_directory(place.directory()).map_err(|e| {
                    Error::commit_unknown("the file was written, but its directory could not be synced")
                        .with("path", path)
                        .caused_by(e)
                })?;
                Ok(Creation::Created)
            }
        }
    }

    fn replace(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let place = self.place(path)?;
        let temporary = temporary_beside(&place.path);
        let write = |mut file: File| file.write_all(bytes);
        let written = OpenOptions::new().write(true).create_new(true).open(&temporary).and_then(write);
        written.and_then(|()| fs::rename(&temporary, &place.path)).map_err(|e| {
            let _ = fs::remove_file(&temporary);
            Error::io("write", place.shown.display(), e)
        })
    }

    fn stage(&self, path: &str) -> Result<Box<dyn Staged>> {
        let place = self.new_place(path)?;
        let temporary = temporary_beside(&place.path);
        let file = OpenOptions::new().write(true).create_new(true).open(&temporary);
        let file = file.map_err(|e| Error::io("write", place.shown.display(), e))?;
        Ok(Box::new(StagedFile { file, temporary, place, finished: false }))
    }

    fn link(&self, outside: &Path, path: &str) -> Result<Option<Stat>> {
        let place = self.new_place(path)?;
        // A link to a symbolic link would be one itself.
        if fs::canonicalize(outside).and_then(|outside| fs::hard_link(outside, &place.path)).is_err() {
            return Ok(None);
        }
        let synced = File::open(&place.path).and_then(|file| {
            file.sync_all()?;
            sync_directory(place.directory())?;
            file.metadata()
        });
        synced.map(|metadata| Some(stat_of(&metadata))).map_err(|e| Error::io("sync", place.shown.display(), e))
    }

    fn keep(&self, paths: &[&str]) -> Result<()> {
        let mut folders = BTreeSet::new();
        for path in paths {
            let place = self.place(path)?;
            let synced = File::open(&place.path).and_then(|file| file.sync_all());
            synced.map_err(|e| Error::io("sync", place.shown.display(), e))?;
            // Every folder on the way may be as new as the file.
            let on_the_way = place.shown.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.directory));
            folders.extend(on_the_way.map(Path::to_owned));
        }
        folders.iter().try_for_each(|folder| {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            sync_directory(folder).map_err(|e| Error::io("sync the directory", folder.display(), e))
        })
    }

    fn rename(&self, from: &str, to: &str) -> Result<bool> {
        let (old, new) = (self.place(from)?, self.place(to)?);
        let failed = |e| Error::io("rename", old.shown.display(), e);
        match publish(&old.path, &new.path) {
            Ok(Creation::Created) => {}
            Ok(Creation::Exists) => {
                return Err(Error::already_exists("a file has the new name already").with("path", to));
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound && !old.path.exists() => return Ok(false),
            Err(e) => return Err(failed(e)),
        }
        sync_directory(new.directory()).map_err(failed)?;
        // After a rename in place of a link there is nothing left to remove.
        match fs::remove_file(&old.path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(failed(e)),
            _ => sync_directory(old.directory()).map_err(failed)?,
        }
        Ok(true)
    }

    fn set_modified(&self, path: &str, at_us: i64) -> Result<()> {
        let place = self.place(path)?;
        let offset = std::time::Duration::from_micros(at_us.unsigned_abs());
        let epoch = std::time::SystemTime::UNIX_EPOCH;
        let time = if at_us < 0 { epoch.checked_sub(offset) } else { epoch.checked_add(offset) };
        let Some(time) = time else { return Ok(()) };
        let dated = OpenOptions::new().write(true).open(&place.path).and_then(|file| file.set_modified(time));
        dated.map_err(|e| Error::io("date", place.shown.display(), e))
    }

    fn remove(&self, path: &str) -> Result<bool> {
        // The name of a guard is not a path that a log may name, but vacuum finds it in a list.
        let place = match path.rsplit_once('/') {
            Some((directory, name)) if guard::is_guard(name) => Place::new(&self.directory, directory, name)?,
            _ => self.place(path)?,
        };
        match fs::remove_file(&place.path) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(Error::io("remove", place.shown.display(), e)),
        }
    }

    fn sync(&self, directory: &str) -> Result<()> {
        let place = self.held(directory)?;
        sync_directory(&place.path).map_err(|e| Error::io("sync the directory", place.shown.display(), e))
    }

    fn list(&self, directory: &str) -> Result<Vec<Entry>> {
        let place = self.held(directory)?;
        let failed = |e| Error::io("list", place.shown.display(), e);
        let entries = match fs::read_dir(&place.path) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(failed(e)),
        };
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            // A file that vanishes between the listing and the look is as good as not listed.
            let Ok(metadata) = entry.metadata() else { continue };
            if let (true, Ok(name)) = (metadata.is_file(), entry.file_name().into_string()) {
                files.push(Entry { name, stat: stat_of(&metadata), changed_ns: changed_ns(&metadata) });
            }
        }
        Ok(files)
    }
}

struct StagedFile {
    file: File,
    temporary: PathBuf,
    place: Place,
    finished: bool,
}

impl Write for StagedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Staged for StagedFile {
    fn finish(mut self: Box<Self>) -> Result<u64> {
        let failed = |e| Error::io("write", self.place.shown.display(), e);
        self.file.sync_data().map_err(failed)?;
        let bytes = self.file.metadata().map_err(failed)?.len();
        fs::rename(&self.temporary, &self.place.path).map_err(failed)?;
        sync_directory(self.place.directory()).map_err(failed)?;
        self.finished = true;
        Ok(bytes)
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if !self.finished {
            let _ = fs::remove_file(&self.temporary);
        }
    }
}
