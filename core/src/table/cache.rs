//! Keeps what was learnt of tables between calls: the newest state and open footers, bounded in number and bytes and never
//! trusted without a look at what identifies the file. Owned by whoever embeds the crate; nothing here is global.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    foreign::{ForeignTables, is_absent},
    handle::{Snapshot, Table},
    opened,
};
use crate::{
    error::{Error, Result},
    log::{
        LOG_DIRECTORY, Version, checkpoint::COMMITS_PER_CHECKPOINT, definition::Definition, segment::Segment,
        state::TableState,
    },
    segment::SegmentFile,
    storage::{
        self, Stat, Storage,
        local::{handle_limit, stat_of_directory},
    },
};

/// States of at most this many tables are kept, and not of more than a half of the handles suffices for: each may hold its checkpoint open.
const MAX_TABLES: usize = 64;

/// See the module.
#[derive(Debug)]
pub struct Cache {
    tables: Mutex<HashMap<String, Known>>,
    foreign: Arc<ForeignTables>,
    footers: Mutex<Footers>,
}

#[derive(Debug)]
struct Known {
    state: Arc<TableState>,
    /// What identified the commit of that state: a table that took another's place has another.
    commit: Stat,
    /// What identified the directory of the log: while it is the same, no file of it came or went.
    log: Option<Stat>,
    used: u64,
}

#[derive(Debug, Default)]
struct Footers {
    files: HashMap<(String, String), Footer>,
    bytes: usize,
    limit: usize,
    clock: u64,
}

#[derive(Debug)]
struct Footer {
    file: SegmentFile,
    stat: Stat,
    bytes: usize,
    used: u64,
}

impl Cache {
    /// An empty cache that keeps footers of at most `footer_bytes` in all.
    #[must_use]
    pub fn new(footer_bytes: usize) -> Self {
        Self {
            tables: Mutex::new(HashMap::new()),
            foreign: Arc::default(),
            footers: Mutex::new(Footers { limit: footer_bytes, ..Footers::default() }),
        }
    }

    /// The table in the directory or at the address `root`, whether or not there is one yet.
    #[must_use]
    pub fn table(&self, root: &str) -> Table {
        Table::reading(storage::open(root), self.foreign.clone())
    }

    /// The newest snapshot of the table in the directory `root`.
    ///
    /// # Errors
    /// As [`Table::latest`].
    pub fn latest(&self, root: &str) -> Result<(Table, Snapshot)> {
        let table = self.table(root);
        if table.log().storage().is_remote() {
            return self.latest_listed(root, table);
        }
        let known = self.known(root, &table)?;
        let snapshot = table.latest(known.as_ref())?;
        if known.is_none_or(|known| !Arc::ptr_eq(&known, &snapshot.state)) {
            self.remember(root, &table, &snapshot.state);
        }
        Ok((table, snapshot))
    }

    /// As [`Cache::latest`], in one list where nothing is new.
    fn latest_listed(&self, root: &str, table: Table) -> Result<(Table, Snapshot)> {
        let known = {
            let mut tables = self.lock_tables();
            let clock = next_use(&tables);
            tables.get_mut(&absolute(root)).map(|known| {
                known.used = clock;
                (Arc::clone(&known.state), known.commit)
            })
        };
        let before = known.as_ref().map(|(state, commit)| (state, Some(*commit)));
        let (state, commit) = table.log().latest_listed(before)?;
        if let Some(commit) = commit.filter(|_| known.is_none_or(|(known, _)| !Arc::ptr_eq(&known, &state))) {
            self.keep(root, &state, commit, None);
        }
        let snapshot = table.snapshot_of(state);
        Ok((table, snapshot))
    }

    fn known(&self, root: &str, table: &Table) -> Result<Option<Arc<TableState>>> {
        let key = absolute(root);
        let found = {
            let mut tables = self.lock_tables();
            let clock = next_use(&tables);
            tables.get_mut(&key).map(|known| {
                known.used = clock;
                (Arc::clone(&known.state), known.commit, known.log)
            })
        };
        let Some((state, commit, log)) = found else { return Ok(None) };
        let storage = table.log().storage();
        if storage.stat(&state.version.commit_path())? != Some(commit) {
            return Ok(None);
        }
        // A file that was missing may be back, which no log tells of.
        if state.foreign.is_some() && state.segments.all()?.iter().any(|segment| is_absent(&segment.record)) {
            return Ok(None);
        }
        let now = stat_of_directory(root, LOG_DIRECTORY);
        // Another program may rename nothing when it makes a version.
        if now.is_some() && now == log && state.foreign.is_none() {
            return Ok(Some(state));
        }
        // What a fresh reader would stumble over must not be papered over from memory.
        let mut tail = state.version.0 - state.version.0 % COMMITS_PER_CHECKPOINT + 1..state.version.0;
        let whole = tail
            .try_fold(true, |whole, v| Ok::<_, Error>(whole && storage.stat(&Version(v).commit_path())?.is_some()))?;
        if let Some(known) = self.lock_tables().get_mut(&key).filter(|known| Arc::ptr_eq(&known.state, &state)) {
            known.log = now;
        }
        Ok(whole.then_some(state))
    }

    /// Keeps `state` as the newest of the table in the directory `root`, unless its commit cannot be looked at.
    pub fn remember(&self, root: &str, table: &Table, state: &Arc<TableState>) {
        let log = stat_of_directory(root, LOG_DIRECTORY);
        let Ok(Some(commit)) = table.log().storage().stat(&state.version.commit_path()) else { return };
        self.keep(root, state, commit, log);
    }

    fn keep(&self, root: &str, state: &Arc<TableState>, commit: Stat, log: Option<Stat>) {
        let mut tables = self.lock_tables();
        let used = next_use(&tables);
        let mut state = Arc::clone(state);
        if !state.warnings.is_empty() {
            // Whoever loaded it has them; who goes on from it need not be told again.
            Arc::make_mut(&mut state).warnings.clear();
        }
        tables.insert(absolute(root), Known { state, commit, log, used });
        if tables.len() > MAX_TABLES.min(handle_limit() / 2) {
            let oldest = tables.iter().min_by_key(|(_, known)| known.used).map(|(key, _)| key.clone());
            oldest.and_then(|key| tables.remove(&key));
        }
    }

    /// The segment's open file, in the words of the table's definition, its footer read at most once while it stays in the cache.
    ///
    /// # Errors
    /// `NotFound` with path and version when the segment is missing, `Corrupt` when its size or footer is wrong.
    pub fn segment(
        &self,
        storage: &Arc<dyn Storage>,
        segment: &Segment,
        definition: &Definition,
    ) -> Result<SegmentFile> {
        let file = self.as_written(storage, segment)?;
        Ok(opened::in_words_of(file, segment, definition))
    }

    fn as_written(&self, storage: &Arc<dyn Storage>, segment: &Segment) -> Result<SegmentFile> {
        let record = &segment.record;
        let named = |e: Error| e.with("path", &record.path).with("version", segment.added);
        let missing = || named(Error::not_found("a segment of the table is missing"));
        // The name of an object is never given twice, and its checksum tells it from one of another table that was there before.
        let stat = if storage.is_remote() {
            let inode = u64::try_from(record.checksum.0 >> 64).unwrap_or(0);
            Stat { bytes: record.bytes, modified_ns: 0, inode }
        } else {
            storage.stat(&record.path).map_err(named)?.ok_or_else(missing)?
        };
        opened::check_size(segment, stat.bytes)?;
        // A file that two segments share may have other constants in each.
        let path = if record.has_constants() { format!("{}\0{}", record.path, record.id) } else { record.path.clone() };
        let key = (absolute(storage.root()), path);
        if let Some(file) = self.lock_footers().get(&key, stat) {
            return Ok(file);
        }
        let file = opened::open_as_written(storage.as_ref(), segment)?;
        self.lock_footers().put(key, file.clone(), stat);
        Ok(file)
    }

    fn lock_tables(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_footers(&self) -> MutexGuard<'_, Footers> {
        self.footers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Footers {
    fn get(&mut self, key: &(String, String), stat: Stat) -> Option<SegmentFile> {
        self.clock = self.clock.saturating_add(1);
        let footer = self.files.get_mut(key).filter(|footer| footer.stat == stat)?;
        footer.used = self.clock;
        Some(footer.file.clone())
    }

    fn put(&mut self, key: (String, String), file: SegmentFile, stat: Stat) {
        let bytes = file.metadata_bytes();
        let footer = Footer { file, stat, bytes, used: self.clock };
        let before = self.files.insert(key, footer).map_or(0, |old| old.bytes);
        self.bytes = self.bytes.saturating_sub(before).saturating_add(bytes);
        if self.bytes > self.limit {
            self.shrink();
        }
    }

    /// Forgets the least recently used half, so that the sorting is paid for rarely.
    fn shrink(&mut self) {
        let mut used: Vec<_> = self.files.values().map(|footer| footer.used).collect();
        used.sort_unstable();
        let middle = used.get(used.len() / 2).copied().unwrap_or(0);
        self.files.retain(|_, footer| footer.used > middle);
        self.bytes = self.files.values().fold(0, |sum, footer| sum.saturating_add(footer.bytes));
    }
}

fn next_use(tables: &HashMap<String, Known>) -> u64 {
    tables.values().map(|known| known.used).max().unwrap_or(0).saturating_add(1)
}

fn absolute(root: &str) -> String {
    if storage::is_remote(root) {
        return root.to_owned();
    }
    std::path::absolute(root).map_or_else(|_| root.to_owned(), |path| path.to_string_lossy().into_owned())
}
