//! How many files may be open at once. A process has few handles (1,024 on Linux, 256 on macOS unless told otherwise), shares them with
//! the host, and a scan may lead through thousands of segments: so files of tables are opened when they are read, and those not read for
//! longest are closed when there are too many. What a closed file is read again for must be the same file.
//!
//! The pool is the process's, as its handles are: the one thing of this crate that all tables share.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{beneath, stat_of};
use crate::{
    error::{Error, Result},
    storage::{
        Stat,
        source::{Source, past_end, read_exact_at},
    },
};

/// At most this part of the handles that the process may have is taken.
const SHARE: u64 = 4;
/// So many are taken in any case: a scan with several threads needs one each.
const LEAST: u64 = 8;
/// More help nobody.
const MOST: u64 = 1024;

static POOL: Pool = Pool { slots: Mutex::new(Vec::new()), clock: AtomicU64::new(0) };

struct Pool {
    /// The files that are open, in no order.
    slots: Mutex<Vec<Arc<Slot>>>,
    clock: AtomicU64,
}

/// Where an open file stands; empty while it is closed.
#[derive(Debug)]
struct Slot {
    root: PathBuf,
    file: Mutex<Option<Arc<File>>>,
    /// The time of the last use, by the pool's clock.
    used: AtomicU64,
}

/// The most files of tables that are open at once, by the present limit of the process.
#[must_use]
pub fn limit() -> usize {
    let limit = handles_of_the_process().map_or(MOST, |handles| (handles / SHARE).clamp(LEAST, MOST));
    usize::try_from(limit).unwrap_or(usize::MAX)
}

#[cfg(unix)]
fn handles_of_the_process() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

#[cfg(not(unix))]
fn handles_of_the_process() -> Option<u64> {
    Some(MOST)
}

/// Runs `open` again after closing what is open of tables, when the process has no handles left.
pub(super) fn with_handles<T>(open: impl Fn() -> io::Result<T>) -> io::Result<T> {
    match open() {
        Err(e) if is_exhausted(&e) && POOL.close_some(|_| true) > 0 => open(),
        opened => opened,
    }
}

/// Closes what is open of the table in the directory `root`; what is read again is opened again.
pub(super) fn close_under(root: &Path) {
    let root = absolute(root);
    POOL.close_some(|slot| slot.root == root);
}

/// The directory, wherever the process goes meanwhile.
fn absolute(root: &Path) -> PathBuf {
    std::path::absolute(root).unwrap_or_else(|_| root.to_owned())
}

#[cfg(unix)]
fn is_exhausted(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::MFILE, Errno::NFILE].iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

#[cfg(not(unix))]
fn is_exhausted(_error: &io::Error) -> bool {
    false
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes an open file in, and closes those not used for longest when there are too many.
    fn admit(&self, slot: &Arc<Slot>, file: Arc<File>) {
        let mut slots = self.lock();
        slot.used.store(self.now(), Ordering::Relaxed);
        if !slots.iter().any(|other| Arc::ptr_eq(other, slot)) {
            let limit = limit();
            while slots.len() >= limit {
                let oldest = slots.iter().enumerate().min_by_key(|(_, slot)| slot.used.load(Ordering::Relaxed));
                let Some((oldest, _)) = oldest else { break };
                slots.swap_remove(oldest).close();
            }
            slots.push(Arc::clone(slot));
        }
        *slot.lock() = Some(file);
    }

    fn forget(&self, slot: &Arc<Slot>) {
        self.lock().retain(|other| !Arc::ptr_eq(other, slot));
        slot.close();
    }

    /// Closes the files that `which` chooses; says how many.
    fn close_some(&self, which: impl Fn(&Slot) -> bool) -> usize {
        let mut slots = self.lock();
        let before = slots.len();
        slots.retain(|slot| {
            let close = which(slot);
            if close {
                slot.close();
            }
            !close
        });
        before - slots.len()
    }
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, Option<Arc<File>>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        *self.lock() = None;
    }
}

/// A file of a table that takes a handle only while it is read.
#[derive(Debug)]
pub(super) struct PooledFile {
    path: String,
    stat: Stat,
    slot: Arc<Slot>,
}

impl PooledFile {
    /// The file at `path` under `root`, open already.
    ///
    /// # Errors
    /// `Io` when the system does not say what identifies it.
    pub(super) fn opened(root: &Path, path: &str, file: File) -> Result<Self> {
        let stat = stat_of(&file.metadata().map_err(|e| Error::io("look at", path, e))?);
        let slot = Slot { root: absolute(root), file: Mutex::new(None), used: AtomicU64::new(0) };
        let pooled = Self { path: path.to_owned(), stat, slot: Arc::new(slot) };
        POOL.admit(&pooled.slot, Arc::new(file));
        Ok(pooled)
    }

    fn file(&self) -> Result<Arc<File>> {
        if let Some(file) = self.slot.lock().as_ref() {
            self.slot.used.store(POOL.now(), Ordering::Relaxed);
            return Ok(Arc::clone(file));
        }
        let missing = || Error::not_found("a file of the table is gone").with("path", &self.path);
        let file = beneath::open(&self.slot.root, &self.path)?.ok_or_else(missing)?;
        let stat = stat_of(&file.metadata().map_err(|e| Error::io("look at", &self.path, e))?);
        if stat != self.stat {
            return Err(Error::corrupt("a file of the table was changed or replaced while it was read")
                .with("path", &self.path));
        }
        let file = Arc::new(file);
        POOL.admit(&self.slot, Arc::clone(&file));
        Ok(file)
    }
}

impl Drop for PooledFile {
    fn drop(&mut self) {
        POOL.forget(&self.slot);
    }
}

impl Source for PooledFile {
    fn len(&self) -> u64 {
        self.stat.bytes
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let length = buffer.len();
        read_exact_at(self.file()?.as_ref(), offset, buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => past_end(&self.path, self.stat.bytes, offset, length),
            _ => Error::io("read", &self.path, error),
        })
    }

    fn path(&self) -> &str {
        &self.path
    }
}

#[cfg(test)]
#[path = "handles_tests.rs"]
mod tests;
