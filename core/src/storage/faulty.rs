//! A storage that fails on purpose: at the n-th call, once or from then on. For tests of what a table promises.

use std::{
    io::{self, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{Creation, Entry, Staged, Stat, Storage, source::Source};
use crate::error::{Error, Result};

/// What happens at the chosen call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It fails and does nothing; later calls work.
    Fail,
    /// It and all later calls fail and do nothing, as if the process had been killed before it.
    Stop,
    /// It does its work and says that it failed, and all later calls fail: as if killed after it.
    StopAfter,
    /// When it writes, it writes the first half; then as [`Fault::Stop`].
    Tear,
}

/// Another storage with a fault. Calls are counted from 1, reads of open files and writes to staged ones among them.
#[derive(Debug, Clone)]
pub struct FaultyStorage {
    inner: Arc<dyn Storage>,
    plan: Arc<Plan>,
}

#[derive(Debug)]
struct Plan {
    fault: Fault,
    at: u64,
    calls: AtomicU64,
}

/// How a call goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Course {
    Works,
    Fails,
    WorksAndFails,
    Tears,
}

impl Plan {
    fn next(&self) -> Course {
        let call = self.calls.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        if call < self.at {
            return Course::Works;
        }
        match (self.fault, call == self.at) {
            (Fault::Fail, false) => Course::Works,
            (Fault::Fail | Fault::Stop, true) | (Fault::Stop | Fault::StopAfter | Fault::Tear, false) => Course::Fails,
            (Fault::StopAfter, true) => Course::WorksAndFails,
            (Fault::Tear, true) => Course::Tears,
        }
    }

    fn run<T>(&self, path: &str, call: impl FnOnce() -> Result<T>) -> Result<T> {
        match self.next() {
            Course::Works => call(),
            Course::Fails | Course::Tears => Err(Error::io("reach", path, refused())),
            Course::WorksAndFails => call().and_then(|_| Err(Error::io("reach", path, refused()))),
        }
    }

    fn run_io<T>(&self, call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match self.next() {
            Course::Works => call(),
            Course::Fails | Course::Tears => Err(refused()),
            Course::WorksAndFails => call().and_then(|_| Err(refused())),
        }
    }
}

fn refused() -> io::Error {
    io::Error::other("a fault was injected")
}

impl FaultyStorage {
    /// `inner`, failing at call number `at`.
    #[must_use]
    pub fn new(inner: Arc<dyn Storage>, fault: Fault, at: u64) -> Self {
        Self { inner, plan: Arc::new(Plan { fault, at, calls: AtomicU64::new(0) }) }
    }

    /// How many calls there were.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.plan.calls.load(Ordering::SeqCst)
    }
}

impl Storage for FaultyStorage {
    fn root(&self) -> &str {
        self.inner.root()
    }

    fn prepare(&self, directories: &[&str]) -> Result<()> {
        self.plan.run("the root", || self.inner.prepare(directories))
    }

    fn withdraw(&self, directories: &[&str]) {
        self.inner.withdraw(directories);
    }

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        self.plan.run(path, || self.inner.read(path, limit))
    }

    fn open(&self, path: &str) -> Result<Arc<dyn Source>> {
        let inner = self.plan.run(path, || self.inner.open(path))?;
        Ok(Arc::new(FaultySource { inner, plan: Arc::clone(&self.plan) }))
    }

    fn open_held(&self, path: &str) -> Result<Arc<dyn Source>> {
        let inner = self.plan.run(path, || self.inner.open_held(path))?;
        Ok(Arc::new(FaultySource { inner, plan: Arc::clone(&self.plan) }))
    }

    fn release(&self) {
        self.inner.release();
    }

    fn stat(&self, path: &str) -> Result<Option<Stat>> {
        self.plan.run(path, || self.inner.stat(path))
    }

    fn create(&self, path: &str, bytes: &[u8]) -> Result<Creation> {
        match self.plan.next() {
            Course::Works => self.inner.create(path, bytes),
            Course::Fails => Err(Error::io("write", path, refused())),
            // What was written is left under a name that readers pass over.
            Course::Tears => {
                let mut staged = self.inner.stage(path)?;
                staged.write_all(half(bytes)).map_err(|e| Error::io("write", path, e))?;
                std::mem::forget(staged);
                Err(Error::io("write", path, refused()))
            }
            Course::WorksAndFails => match self.inner.create(path, bytes)? {
                Creation::Exists => Err(Error::io("write", path, refused())),
                Creation::Created => Err(Error::commit_unknown("a fault was injected").with("path", path)),
            },
        }
    }

    fn replace(&self, path: &str, bytes: &[u8]) -> Result<()> {
        match self.plan.next() {
            Course::Works => self.inner.replace(path, bytes),
            Course::Fails => Err(Error::io("write", path, refused())),
            // Replacing is not durable, so that half of it may be all that a crash leaves.
            Course::Tears => {
                self.inner.replace(path, half(bytes)).and_then(|()| Err(Error::io("write", path, refused())))
            }
            Course::WorksAndFails => {
                self.inner.replace(path, bytes).and_then(|()| Err(Error::io("write", path, refused())))
            }
        }
    }

    fn stage(&self, path: &str) -> Result<Box<dyn Staged>> {
        let inner = self.plan.run(path, || self.inner.stage(path))?;
        Ok(Box::new(FaultyStaged { inner: Some(inner), plan: Arc::clone(&self.plan), path: path.to_owned() }))
    }

    fn link(&self, outside: &Path, path: &str) -> Result<Option<Stat>> {
        self.plan.run(path, || self.inner.link(outside, path))
    }

    fn rename(&self, from: &str, to: &str) -> Result<bool> {
        self.plan.run(from, || self.inner.rename(from, to))
    }

    fn remove(&self, path: &str) -> Result<bool> {
        self.plan.run(path, || self.inner.remove(path))
    }

    fn keep(&self, paths: &[&str]) -> Result<()> {
        self.plan.run(paths.first().copied().unwrap_or_default(), || self.inner.keep(paths))
    }

    fn sync(&self, directory: &str) -> Result<()> {
        self.plan.run(directory, || self.inner.sync(directory))
    }

    fn list(&self, directory: &str) -> Result<Vec<Entry>> {
        self.plan.run(directory, || self.inner.list(directory))
    }
}

fn half(bytes: &[u8]) -> &[u8] {
    bytes.get(..bytes.len() / 2).unwrap_or(bytes)
}

#[derive(Debug)]
struct FaultySource {
    inner: Arc<dyn Source>,
    plan: Arc<Plan>,
}

impl Source for FaultySource {
    fn len(&self) -> u64 {
        self.inner.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.plan.run(self.inner.path(), || self.inner.read_at(offset, buffer))
    }

    fn path(&self) -> &str {
        self.inner.path()
    }
}

struct FaultyStaged {
    inner: Option<Box<dyn Staged>>,
    plan: Arc<Plan>,
    path: String,
}

impl FaultyStaged {
    fn inner(&mut self) -> io::Result<&mut Box<dyn Staged>> {
        self.inner.as_mut().ok_or_else(refused)
    }
}

impl Write for FaultyStaged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let plan = Arc::clone(&self.plan);
        match plan.next() {
            Course::Works => self.inner()?.write(bytes),
            Course::Fails => Err(refused()),
            Course::Tears => self.inner()?.write_all(half(bytes)).and_then(|()| Err(refused())),
            Course::WorksAndFails => self.inner()?.write_all(bytes).and_then(|()| Err(refused())),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        let plan = Arc::clone(&self.plan);
        plan.run_io(|| self.inner()?.flush())
    }
}

impl Staged for FaultyStaged {
    fn finish(mut self: Box<Self>) -> Result<u64> {
        let path = self.path.clone();
        let inner = self.inner.take().ok_or_else(|| Error::io("write", &path, refused()))?;
        match self.plan.next() {
            Course::Works => inner.finish(),
            Course::WorksAndFails => inner.finish().and_then(|_| Err(Error::io("write", &path, refused()))),
            Course::Fails | Course::Tears => {
                self.inner = Some(inner);
                Err(Error::io("write", &path, refused()))
            }
        }
    }
}

impl Drop for FaultyStaged {
    fn drop(&mut self) {
        // A process that was killed cleans nothing up.
        let calls = self.plan.calls.load(Ordering::SeqCst);
        if self.plan.fault != Fault::Fail && calls >= self.plan.at {
            std::mem::forget(self.inner.take());
        }
    }
}
