//! A table in memory that forgets like a disk: contents and names become durable separately, each by its own sync, and a
//! power loss takes what was not synced. For tests of what a table promises; nothing here touches the file system.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    Creation, Entry, Staged, Stat, Storage, check_path,
    source::{MemorySource, Source},
};
use crate::error::{Error, Result};

/// What a power loss leaves of the changes that were not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Survival {
    /// Nothing: the worst disk that keeps the contract.
    Synced,
    /// Everything, as after a crash of the process alone.
    Everything,
    /// Each change by the toss of a coin from this seed; contents may be cut anywhere.
    Chance(u64),
}

/// See the module. Clones share the same disk.
#[derive(Debug, Clone)]
pub struct MemoryStorage {
    root: String,
    disk: Arc<Mutex<Disk>>,
}

type Inode = u64;

#[derive(Debug, Default)]
struct Disk {
    files: HashMap<Inode, Contents>,
    names: Names,
    durable: Names,
    next_inode: Inode,
    /// Advances with every change, so that no two contents look alike.
    clock_ns: i128,
    /// Steps done since the last restart.
    steps: u64,
    /// The step at which the power goes.
    cut_at: Option<u64>,
    is_off: bool,
}

#[derive(Debug, Clone, Default)]
struct Names {
    files: BTreeMap<String, Inode>,
    directories: BTreeSet<String>,
}

#[derive(Debug, Clone, Default)]
struct Contents {
    bytes: Vec<u8>,
    synced: Vec<u8>,
    modified_ns: i128,
    changed_ns: i128,
}

impl MemoryStorage {
    /// An empty disk whose table is called `root` in messages.
    #[must_use]
    pub fn new(root: &str) -> Self {
        Self { root: root.to_owned(), disk: Arc::default() }
    }

    /// Another disk with the same contents.
    #[must_use]
    pub fn copy(&self) -> Self {
        let disk = self.lock();
        let copy = Disk {
            files: disk.files.clone(),
            names: disk.names.clone(),
            durable: disk.durable.clone(),
            next_inode: disk.next_inode,
            clock_ns: disk.clock_ns,
            ..Disk::default()
        };
        Self { root: self.root.clone(), disk: Arc::new(Mutex::new(copy)) }
    }

    /// Lets the power go at the `n`-th step from here, from 1: a step is one system call of a real storage, so that calls
    /// of the trait are interrupted in their midst too. Everything fails from then on, until [`MemoryStorage::restart`].
    pub fn cut_power_at(&self, n: u64) {
        let mut disk = self.lock();
        disk.steps = 0;
        disk.cut_at = Some(n);
    }

    /// Whether the power is gone.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.lock().is_off
    }

    /// Loses the power, if it is still there, and brings back what survives.
    pub fn restart(&self, survival: Survival) {
        let mut disk = self.lock();
        disk.lose(survival);
        disk.is_off = false;
        disk.cut_at = None;
    }

    /// Changes a file's bytes behind the table's back; false when there is none.
    pub fn damage(&self, path: &str, change: impl FnOnce(&mut Vec<u8>)) -> bool {
        let mut disk = self.lock();
        let now = disk.tick();
        let Some(inode) = disk.names.files.get(path).copied() else { return false };
        let Some(contents) = disk.files.get_mut(&inode) else { return false };
        change(&mut contents.bytes);
        contents.synced.clone_from(&contents.bytes);
        contents.modified_ns = now;
        true
    }

    /// Every file's path.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        self.lock().names.files.keys().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The disk, once another step may be done.
    fn step(&self) -> io::Result<MutexGuard<'_, Disk>> {
        let mut disk = self.lock();
        disk.steps = disk.steps.saturating_add(1);
        if disk.cut_at.is_some_and(|at| disk.steps >= at) {
            disk.is_off = true;
        }
        if disk.is_off { Err(io::Error::other("the power is off")) } else { Ok(disk) }
    }

    fn look(&self, path: &str) -> Result<MutexGuard<'_, Disk>> {
        check_path(path)?;
        self.step().map_err(|e| Error::io("read", path, e))
    }

    fn new_file(&self, path: &str) -> io::Result<Inode> {
        let mut disk = self.step()?;
        if !disk.names.directories.contains(directory_of(path)) {
            return Err(io::ErrorKind::NotFound.into());
        }
        disk.next_inode = disk.next_inode.saturating_add(1);
        let (inode, now) = (disk.next_inode, disk.tick());
        disk.files.insert(inode, Contents { modified_ns: now, changed_ns: now, ..Contents::default() });
        let temporary = temporary(path, inode);
        disk.names.files.insert(temporary, inode);
        Ok(inode)
    }

    fn append(&self, inode: Inode, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.step()?;
        let now = disk.tick();
        let contents = disk.files.get_mut(&inode).ok_or(io::ErrorKind::NotFound)?;
        contents.bytes.extend_from_slice(bytes);
        (contents.modified_ns, contents.changed_ns) = (now, now);
        Ok(())
    }

    fn sync_contents(&self, inode: Inode) -> io::Result<u64> {
        let mut disk = self.step()?;
        let contents = disk.files.get_mut(&inode).ok_or(io::ErrorKind::NotFound)?;
        contents.synced.clone_from(&contents.bytes);
        Ok(contents.bytes.len() as u64)
    }

    fn sync_directory(&self, path: &str) -> io::Result<()> {
        let mut disk = self.step()?;
        disk.sync_names(directory_of(path));
        Ok(())
    }

    fn write_synced(&self, path: &str, bytes: &[u8]) -> io::Result<Inode> {
        let inode = self.new_file(path)?;
        self.append(inode, bytes)?;
        self.sync_contents(inode)?;
        Ok(inode)
    }

    fn link_inode(&self, inode: Inode, path: &str) -> io::Result<Creation> {
        let mut disk = self.step()?;
        if disk.names.files.contains_key(path) {
            return Ok(Creation::Exists);
        }
        disk.names.files.insert(path.to_owned(), inode);
        Ok(Creation::Created)
    }

    fn rename_over(&self, inode: Inode, path: &str) -> io::Result<()> {
        let mut disk = self.step()?;
        disk.names.files.remove(&temporary(path, inode));
        disk.names.files.insert(path.to_owned(), inode);
        Ok(())
    }

    fn unlink(&self, path: &str) -> io::Result<bool> {
        let mut disk = self.step()?;
        Ok(disk.names.files.remove(path).is_some())
    }
}

impl Disk {
    fn tick(&mut self) -> i128 {
        let now = std::time::UNIX_EPOCH.elapsed().map_or(0, |d| i128::try_from(d.as_nanos()).unwrap_or(0));
        self.clock_ns = now.max(self.clock_ns.saturating_add(1));
        self.clock_ns
    }

    fn stat(&self, inode: Inode) -> Option<(Stat, i128)> {
        let contents = self.files.get(&inode)?;
        let stat = Stat { bytes: contents.bytes.len() as u64, modified_ns: contents.modified_ns, inode };
        Some((stat, contents.changed_ns))
    }

    fn sync_names(&mut self, directory: &str) {
        let inside = |path: &String| directory_of(path) == directory;
        self.durable.files.retain(|path, _| !inside(path));
        let live: Vec<_> = self.names.files.iter().filter(|(path, _)| inside(path)).collect();
        self.durable.files.extend(live.into_iter().map(|(path, inode)| (path.clone(), *inode)));
        let live: Vec<_> = self.names.directories.iter().filter(|path| inside(path)).cloned().collect();
        self.durable.directories.extend(live);
    }

    fn lose(&mut self, survival: Survival) {
        let mut coin = match survival {
            Survival::Everything => return,
            Survival::Synced => Coin(None),
            Survival::Chance(seed) => Coin(Some(seed)),
        };
        let changed: BTreeSet<String> = self.names.files.keys().chain(self.durable.files.keys()).cloned().collect();
        let mut names = self.durable.clone();
        for path in changed {
            let (now, then) = (self.names.files.get(&path), self.durable.files.get(&path));
            if now != then && coin.toss() {
                match now {
                    Some(inode) => _ = names.files.insert(path, *inode),
                    None => _ = names.files.remove(&path),
                }
            }
        }
        // A file whose directory is gone is gone too.
        names.files.retain(|path, _| names.directories.contains(directory_of(path)));
        for contents in self.files.values_mut() {
            if contents.bytes != contents.synced {
                contents.bytes = coin.survivor(&contents.bytes, &contents.synced);
                contents.synced.clone_from(&contents.bytes);
            }
        }
        self.names = names.clone();
        self.durable = names;
    }
}

/// Decides what survives; without a state nothing does.
struct Coin(Option<u64>);

impl Coin {
    fn number(&mut self) -> Option<u64> {
        let state = self.0.as_mut()?;
        // SplitMix64.
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Some(z ^ (z >> 31))
    }

    fn toss(&mut self) -> bool {
        self.number().is_some_and(|n| n % 2 == 0)
    }

    fn survivor(&mut self, written: &[u8], synced: &[u8]) -> Vec<u8> {
        let Some(number) = self.number() else { return synced.to_vec() };
        let length = usize::try_from(number % (written.len() as u64 + 1)).unwrap_or(0);
        if number % 3 == 0 { synced.to_vec() } else { written.get(..length).unwrap_or(written).to_vec() }
    }
}

fn directory_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

fn temporary(path: &str, inode: Inode) -> String {
    let directory = directory_of(path);
    let slash = if directory.is_empty() { "" } else { "/" };
    format!("{directory}{slash}{}{inode}", super::TEMPORARY_PREFIX)
}

impl Storage for MemoryStorage {
    fn root(&self) -> &str {
        &self.root
    }

    fn prepare(&self, directories: &[&str]) -> Result<()> {
        for directory in std::iter::once(&"").chain(directories) {
            let made = self.step().map(|mut disk| disk.names.directories.insert((*directory).to_owned()));
            let synced =
                made.and_then(|_| self.step()).map(|mut disk| disk.durable.directories.insert((*directory).to_owned()));
            synced.map_err(|e| Error::io("create the directory", directory, e))?;
        }
        Ok(())
    }

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        let disk = self.look(path)?;
        let Some(contents) = disk.names.files.get(path).and_then(|inode| disk.files.get(inode)) else {
            return Ok(None);
        };
        let bytes = contents.bytes.len() as u64;
        if bytes > limit {
            return Err(
                Error::limit_exceeded(format!("a file of {bytes} bytes; at most {limit} are read")).with("path", path)
            );
        }
        Ok(Some(contents.bytes.clone()))
    }

    fn open(&self, path: &str) -> Result<Arc<dyn Source>> {
        let disk = self.look(path)?;
        let contents = disk.names.files.get(path).and_then(|inode| disk.files.get(inode));
        let contents = contents.ok_or_else(|| Error::not_found("a file of the table is missing").with("path", path))?;
        Ok(Arc::new(MemorySource::new(path, contents.bytes.clone())))
    }

    fn stat(&self, path: &str) -> Result<Option<Stat>> {
        let disk = self.look(path)?;
        Ok(disk.names.files.get(path).and_then(|inode| Some(disk.stat(*inode)?.0)))
    }

    fn create(&self, path: &str, bytes: &[u8]) -> Result<Creation> {
        check_path(path)?;
        let failed = |e| Error::io("write", path, e);
        let inode = self.write_synced(path, bytes).map_err(failed)?;
        let created = self.link_inode(inode, path).map_err(failed)?;
        let unknown = |e| Error::commit_unknown("the directory could not be synced").with("path", path).caused_by(e);
        if created == Creation::Created {
            self.sync_directory(path).map_err(unknown)?;
        }
        // The leftover of a failure is what vacuum is for.
        let _ = self.unlink(&temporary(path, inode));
        Ok(created)
    }

    fn replace(&self, path: &str, bytes: &[u8]) -> Result<()> {
        check_path(path)?;
        let replaced = self.new_file(path).and_then(|inode| {
            self.append(inode, bytes)?;
            self.rename_over(inode, path)
        });
        replaced.map_err(|e| Error::io("write", path, e))
    }

    fn stage(&self, path: &str) -> Result<Box<dyn Staged>> {
        check_path(path)?;
        let inode = self.new_file(path).map_err(|e| Error::io("write", path, e))?;
        Ok(Box::new(StagedMemory { storage: self.clone(), inode, path: path.to_owned(), finished: false }))
    }

    /// There is nothing outside that could be linked.
    fn link(&self, _outside: &std::path::Path, _path: &str) -> Result<Option<Stat>> {
        Ok(None)
    }

    fn rename(&self, from: &str, to: &str) -> Result<bool> {
        check_path(to)?;
        let inode = self.look(from)?.names.files.get(from).copied();
        let Some(inode) = inode else { return Ok(false) };
        let failed = |e| Error::io("rename", from, e);
        if self.link_inode(inode, to).map_err(failed)? == Creation::Exists {
            return Err(Error::already_exists("a file has the new name already").with("path", to));
        }
        self.sync_directory(to).map_err(failed)?;
        self.unlink(from).map_err(failed)?;
        self.sync_directory(from).map_err(failed)?;
        Ok(true)
    }

    fn remove(&self, path: &str) -> Result<bool> {
        check_path(path)?;
        self.unlink(path).map_err(|e| Error::io("remove", path, e))
    }

    fn sync(&self, directory: &str) -> Result<()> {
        check_path(directory)?;
        self.step().map(|mut disk| disk.sync_names(directory)).map_err(|e| Error::io("sync", directory, e))
    }

    fn list(&self, directory: &str) -> Result<Vec<Entry>> {
        let disk = self.look(directory)?;
        let files = disk.names.files.iter().filter(|(path, _)| directory_of(path) == directory);
        let entry = |(path, inode): (&String, &Inode)| {
            let name = path.rsplit('/').next().unwrap_or_default().to_owned();
            disk.stat(*inode).map(|(stat, changed_ns)| Entry { name, stat, changed_ns })
        };
        Ok(files.filter_map(entry).collect())
    }
}

#[derive(Debug)]
struct StagedMemory {
    storage: MemoryStorage,
    inode: Inode,
    path: String,
    finished: bool,
}

impl Write for StagedMemory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.storage.append(self.inode, bytes)?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Staged for StagedMemory {
    fn finish(mut self: Box<Self>) -> Result<u64> {
        let failed = |e| Error::io("write", &self.path, e);
        let bytes = self.storage.sync_contents(self.inode).map_err(failed)?;
        self.storage.rename_over(self.inode, &self.path).map_err(failed)?;
        self.storage.sync_directory(&self.path).map_err(failed)?;
        self.finished = true;
        Ok(bytes)
    }
}

impl Drop for StagedMemory {
    fn drop(&mut self) {
        if !self.finished {
            let _ = self.storage.unlink(&temporary(&self.path, self.inode));
        }
    }
}
