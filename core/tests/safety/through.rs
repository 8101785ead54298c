//! A storage that passes every call on to another, but for what a test wants to be otherwise.

use std::{fmt, path::Path, sync::Arc};

use tstable_core::{
    Result,
    storage::{Creation, Entry, Staged, Stat, Storage, source::Source},
};

/// What is otherwise; nothing, unless said.
pub trait Otherwise: fmt::Debug + Send + Sync {
    /// Whether the next look at a file misses it.
    fn hides(&self, _path: &str) -> bool {
        false
    }

    /// What is told of a file.
    fn told(&self, stat: Stat) -> Stat {
        stat
    }

    /// Happens before a directory is listed.
    fn before_listing(&self, _directory: &str) {}
}

/// The storage `inner`, seen so.
#[derive(Debug)]
pub struct Through<O> {
    pub inner: Arc<dyn Storage>,
    pub otherwise: O,
}

impl<O: Otherwise> Storage for Through<O> {
    fn root(&self) -> &str {
        self.inner.root()
    }
    fn prepare(&self, directories: &[&str]) -> Result<()> {
        self.inner.prepare(directories)
    }
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        if self.otherwise.hides(path) { Ok(None) } else { self.inner.read(path, limit) }
    }
    fn open(&self, path: &str) -> Result<Arc<dyn Source>> {
        self.inner.open(path)
    }
    fn stat(&self, path: &str) -> Result<Option<Stat>> {
        let found = if self.otherwise.hides(path) { None } else { self.inner.stat(path)? };
        Ok(found.map(|stat| self.otherwise.told(stat)))
    }
    fn create(&self, path: &str, bytes: &[u8]) -> Result<Creation> {
        self.inner.create(path, bytes)
    }
    fn replace(&self, path: &str, bytes: &[u8]) -> Result<()> {
        self.inner.replace(path, bytes)
    }
    fn stage(&self, path: &str) -> Result<Box<dyn Staged>> {
        self.inner.stage(path)
    }
    fn link(&self, outside: &Path, path: &str) -> Result<Option<Stat>> {
        self.inner.link(outside, path)
    }
    fn rename(&self, from: &str, to: &str) -> Result<bool> {
        self.inner.rename(from, to)
    }
    fn remove(&self, path: &str) -> Result<bool> {
        self.inner.remove(path)
    }
    fn sync(&self, directory: &str) -> Result<()> {
        self.inner.sync(directory)
    }
    fn list(&self, directory: &str) -> Result<Vec<Entry>> {
        self.otherwise.before_listing(directory);
        self.inner.list(directory)
    }
}
