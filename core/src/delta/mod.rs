//! The log as a Delta log: `_delta_log` in the root, over the same files, so that every engine that reads Delta Lake reads the
//! table in place. Version `n` of the table is version `n - 1` there. Others may read it and never write to it: the log names a
//! writer feature that nobody has. Knows no Parquet but that of its checkpoints; decides nothing about the table.
//!
//! The protocol: <https://github.com/delta-io/delta/blob/master/PROTOCOL.md>.

mod actions;
mod checkpoint;
mod partitions;
mod types;
pub mod upkeep;

use std::{collections::HashMap, sync::Arc};

use serde_json::Value;

use crate::{
    error::{Error, Result},
    log::{
        Version,
        commit::{Action, Commit, Instant, SegmentRecord},
        definition::Definition,
        state::TableState,
        store::Log,
    },
    schema::same_name,
    storage::{Creation, Entry, Storage, TEMPORARY_PREFIX},
};

/// The directory of the Delta log, relative to the root.
pub const DELTA_DIRECTORY: &str = "_delta_log";

/// The property that makes every later commit write its Delta commit too; its value is `true`.
pub const DELTA_PROPERTY: &str = "tstable.delta";

/// A checkpoint follows each time this many versions have been made, as readers of Delta expect.
const VERSIONS_PER_CHECKPOINT: u64 = 100;

/// No commit that was exported is larger.
const MAX_DELTA_COMMIT_BYTES: u64 = 512 << 20;

/// A version that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The version in the Delta log.
    pub delta_version: u64,
    /// The table's version.
    pub version: Version,
    /// What made it.
    pub operation: String,
    /// Segments that came.
    pub files_added: u64,
    /// Segments that went.
    pub files_removed: u64,
}

/// Writes what the Delta log does not have yet, oldest first. Without a Delta log it begins with the first version, or with the
/// complete state of `from` where that is given.
///
/// # Errors
/// `SchemaMismatch` naming each column that Delta has no type for, `AlreadyExists` when the directory holds a Delta log that is not
/// of this table, `InvalidArgument` for a `from` that is not a version or comes too late, and what reading the log gives.
pub fn export(log: &Log, latest: &Arc<TableState>, from: Option<Version>) -> Result<Vec<Exported>> {
    let storage = log.storage();
    latest.check_writable(storage.as_ref())?;
    let newest = newest_exported(log, latest)?;
    let begin = match (newest, from) {
        (Some(newest), _) => Begin::After(Version(newest.saturating_add(1))),
        (None, Some(from)) if from > Version(1) => Begin::At(from),
        (None, _) => Begin::First,
    };
    if matches!(begin, Begin::After(done) if done == latest.version) {
        return Ok(Vec::new());
    }
    if newest.is_some() {
        return versions(log, latest, begin);
    }
    types::check(latest.definition.schema.as_ref())?;
    let before = storage.list(DELTA_DIRECTORY)?;
    storage.prepare(&[DELTA_DIRECTORY])?;
    versions(log, latest, begin).inspect_err(|_| withdraw(storage.as_ref(), &before))
}

/// Takes a first export back that failed: half of one would show readers an old version as the newest.
fn withdraw(storage: &dyn Storage, before: &[Entry]) {
    // What cannot be removed stays, and the next export goes on from it.
    for entry in storage.list(DELTA_DIRECTORY).unwrap_or_default() {
        if before.iter().all(|known| known.name != entry.name) {
            let _ = storage.remove(&format!("{DELTA_DIRECTORY}/{}", entry.name));
        }
    }
    storage.withdraw(&[DELTA_DIRECTORY]);
}

/// Writes the versions from `begin` on.
fn versions(log: &Log, latest: &Arc<TableState>, begin: Begin) -> Result<Vec<Exported>> {
    let mut export = Export::new(log);
    let mut state = match begin {
        Begin::First => None,
        Begin::After(done) => Some(log.state_of(done, latest)?),
        Begin::At(from) => {
            let state = log.at(from, latest)?;
            export.complete(&state)?;
            Some(state)
        }
    };
    while state.as_ref().is_none_or(|state| state.version < latest.version) {
        state = Some(export.step(state.as_ref())?);
    }
    Ok(export.done)
}

/// Whether every commit of the table is to be exported.
#[must_use]
pub fn is_on(state: &TableState) -> bool {
    state.properties.get(DELTA_PROPERTY).is_some_and(|value| value == "true")
}

/// Refuses a segment of a table with this definition whose columns Delta could not find: there a column has one name and one type in all
/// files.
///
/// # Errors
/// `SchemaMismatch` naming the column.
pub fn check_names(definition: &Definition, record: &SegmentRecord) -> Result<()> {
    let Some((column, name)) = definition.estranged(record) else { return Ok(()) };
    let how =
        if same_name(column, name) { "has another meaning or type".to_owned() } else { format!("is called '{name}'") };
    Err(Error::schema_mismatch(format!(
        "Delta Lake cannot hold column '{column}', which {how} in segments that were written before it was altered; load the rows into a \
         new table to export them, or export with from_version once all of those segments have been rewritten"
    ))
    .with("path", &record.path))
}

/// Refuses what the Delta log, where the table keeps one, could not say of a new definition.
///
/// # Errors
/// `SchemaMismatch` naming the column.
pub fn check_change(state: &TableState, definition: &Definition) -> Result<()> {
    if !is_on(state) {
        return Ok(());
    }
    let mut checked = types::check(definition.schema.as_ref());
    if !definition.former_columns.is_empty() {
        let segments = state.segments.all()?;
        checked = checked.and_then(|()| segments.iter().try_for_each(|s| check_names(definition, &s.record)));
    }
    checked.map_err(|e| Error::schema_mismatch(format!("{}; nothing was changed", e.message())))
}

/// Writes the Delta commit of `commit`, which has just led from `base` to `latest`, and those that are missing before it.
///
/// # Errors
/// As [`export`].
pub fn follow(log: &Log, base: Option<&TableState>, commit: &Commit, latest: &Arc<TableState>) -> Result<()> {
    let done = base.filter(|base| {
        // The usual case needs no list of the directory.
        let delta_version = base.version.0.saturating_sub(1);
        matches!(stated(log, delta_version), Ok(Some(info)) if info.is_of(latest, delta_version))
    });
    match done {
        Some(base) => Export::new(log).commit(commit, Some(base), latest),
        None => export(log, latest, None).map(drop),
    }
}

/// Where an export begins.
#[derive(Debug, Clone, Copy)]
enum Begin {
    /// With the table's first version.
    First,
    /// After this version, which the Delta log has.
    After(Version),
    /// With all of this version.
    At(Version),
}

fn missing(version: Version) -> Error {
    Error::corrupt("a commit is missing, so the Delta log cannot be written").with("path", version.commit_path())
}

/// The files of the Delta log that are of versions after `version`, and the pointer at a checkpoint among them.
///
/// # Errors
/// `Io` when the directory cannot be read.
pub fn later_files(log: &Log, version: Version) -> Result<Vec<String>> {
    let first = version.0;
    let mut files = Vec::new();
    for entry in log.storage().list(DELTA_DIRECTORY)? {
        let path = format!("{DELTA_DIRECTORY}/{}", entry.name);
        let of_version = entry.name.get(..20).and_then(|digits| digits.parse::<u64>().ok());
        let is_later = match of_version {
            Some(delta_version) => delta_version >= first,
            None => entry.name == "_last_checkpoint" && checkpoint::pointed_at(log)?.is_none_or(|v| v >= first),
        };
        if is_later {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The newest version in the Delta log, which must be this table's.
fn newest_exported(log: &Log, latest: &TableState) -> Result<Option<u64>> {
    let entries = log.storage().list(DELTA_DIRECTORY)?;
    let Some(newest) = entries.iter().filter_map(|entry| version_of_name(&entry.name)).max() else { return Ok(None) };
    let path = commit_path(newest);
    let info = stated(log, newest)?.unwrap_or_default();
    if info.table_id.as_deref() != Some(&latest.definition.table_id) {
        return Err(Error::already_exists(
            "the directory holds a Delta log that tstable did not write for this table; remove it, or move it away, to have \
             one written",
        )
        .with("path", path));
    }
    if !info.is_of(latest, newest) || newest >= latest.version.0 {
        return Err(Error::corrupt(format!(
            "the Delta log has version {newest}, which does not belong to this table's newest version {}; remove '{DELTA_DIRECTORY}' \
             and export again",
            latest.version
        ))
        .with("path", path));
    }
    Ok(Some(newest))
}

/// What a Delta commit that tstable wrote says of itself.
#[derive(Debug, Default)]
struct Stated {
    table_id: Option<String>,
    version: Option<u64>,
}

impl Stated {
    fn is_of(&self, state: &TableState, delta_version: u64) -> bool {
        self.table_id.as_deref() == Some(&state.definition.table_id)
            && self.version == Some(delta_version.saturating_add(1))
    }
}

/// What the Delta commit of a version says of itself; none when there is none, nothing in it when a stranger wrote it.
fn stated(log: &Log, delta_version: u64) -> Result<Option<Stated>> {
    let Some(bytes) = log.storage().read(&commit_path(delta_version), MAX_DELTA_COMMIT_BYTES)? else { return Ok(None) };
    let info = said(&bytes);
    let table_id = info.get("table_id").and_then(Value::as_str).map(str::to_owned);
    Ok(Some(Stated { table_id, version: info.get("version").and_then(Value::as_u64) }))
}

/// Whether there is a Delta log in the root that an export of a table wrote.
///
/// # Errors
/// `Io` when it cannot be read.
pub fn is_ours(storage: &dyn Storage) -> Result<bool> {
    let first = storage.list(DELTA_DIRECTORY)?.into_iter().filter_map(|entry| version_of_name(&entry.name)).min();
    let Some(first) = first else { return Ok(false) };
    let bytes = storage.read(&commit_path(first), MAX_DELTA_COMMIT_BYTES)?.unwrap_or_default();
    Ok(said(&bytes).get("table_id").is_some())
}

/// Whether a file in the directory of a Delta log is named as an export names its files.
#[must_use]
pub fn is_file_of_a_log(name: &str) -> bool {
    let checkpoint = name.strip_suffix(".checkpoint.parquet").map(|digits| format!("{digits}.json"));
    let commit = checkpoint.as_deref().unwrap_or(name);
    version_of_name(commit).is_some() || name == "_last_checkpoint" || name.starts_with(TEMPORARY_PREFIX)
}

/// What the commit says of the table that it was exported from; nothing for a stranger's.
fn said(bytes: &[u8]) -> Value {
    bytes
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
        .find_map(|action| action.get("commitInfo")?.get("tstable").cloned())
        .unwrap_or_default()
}

/// The Delta version that a file's name states.
fn version_of_name(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".json")?;
    (digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

fn commit_path(delta_version: u64) -> String {
    format!("{DELTA_DIRECTORY}/{delta_version:020}.json")
}

fn check_all_names(state: &TableState) -> Result<()> {
    if state.definition.former_columns.is_empty() {
        return Ok(());
    }
    state.segments.all()?.into_iter().try_for_each(|segment| check_names(&state.definition, &segment.record))
}

/// An export under way.
struct Export<'a> {
    log: &'a Log,
    /// The live segments by id; filled when the first is removed.
    live: Option<HashMap<String, SegmentRecord>>,
    done: Vec<Exported>,
}

impl<'a> Export<'a> {
    fn new(log: &'a Log) -> Self {
        Self { log, live: None, done: Vec::new() }
    }

    /// Writes the Delta commit of the version after `before` and gives the state after it.
    fn step(&mut self, before: Option<&Arc<TableState>>) -> Result<Arc<TableState>> {
        let version = before.map_or(Version(1), |state| state.version.next());
        let commit = self.log.read(version)?.ok_or_else(|| missing(version))?;
        let after = match before {
            None => TableState::first(&commit)?,
            Some(before) => before.followed_by(&commit, self.log.storage().as_ref())?,
        };
        self.commit(&commit, before.map(AsRef::as_ref), &after)?;
        Ok(Arc::new(after))
    }

    /// Writes the Delta commit of `commit`, which leads from `before` to `after`.
    fn commit(&mut self, commit: &Commit, before: Option<&TableState>, after: &TableState) -> Result<()> {
        let storage = self.log.storage();
        let partitions_before = before.map(partitions::columns).transpose()?.unwrap_or_default();
        let partitions = partitions::columns(after)?;
        let known = before.map(|state| (state.definition.as_ref(), partitions_before.as_slice()));
        let mut actions = actions::definition(known, (&after.definition, &partitions), commit.timestamp)?;
        if before.is_none_or(|before| before.definition != after.definition) {
            check_all_names(after)?;
        }
        let (mut added, mut removed) = (0_u64, 0_u64);
        let data_change = commit.operation != "compact";
        for action in &commit.actions {
            match action {
                Action::AddSegment(record) => {
                    added = added.saturating_add(1);
                    actions.push(self.add(record, after, &partitions, commit.timestamp, data_change)?);
                    if let Some(live) = &mut self.live {
                        live.insert(record.id.clone(), record.as_ref().clone());
                    }
                }
                Action::RemoveSegment { id } => {
                    removed = removed.saturating_add(1);
                    let record = self.take(id, before)?;
                    let of = before.map_or(&after.definition, |before| &before.definition);
                    let values = partitions::values(&record, &partitions_before, of, storage.as_ref())?;
                    actions.push(actions::remove(&record, &values, commit.timestamp, data_change));
                }
                _ => {}
            }
        }
        if partitions != partitions_before {
            // What is said of files that stay has to name the new columns too.
            for segment in after.segments.all()?.into_iter().filter(|segment| segment.added < commit.version) {
                actions.push(self.add(&segment.record, after, &partitions, commit.timestamp, false)?);
            }
        }
        actions.push(actions::info(commit, &after.definition.table_id));
        self.write(after, &actions, &commit.operation, (added, removed))
    }

    fn add(
        &self,
        record: &SegmentRecord,
        state: &TableState,
        partitions: &[String],
        at: Instant,
        data_change: bool,
    ) -> Result<Value> {
        check_names(&state.definition, record)?;
        actions::add_of(record, &state.definition, partitions, self.log.storage().as_ref(), at, data_change)
    }

    /// Writes all of a version as one Delta commit, and the checkpoint that readers begin with.
    fn complete(&mut self, state: &TableState) -> Result<()> {
        check_all_names(state)?;
        let partitions = partitions::columns(state)?;
        let mut actions = actions::definition(None, (&state.definition, &partitions), state.committed_at)?;
        let segments = state.segments.all()?;
        for segment in &segments {
            actions.push(self.add(&segment.record, state, &partitions, state.committed_at, true)?);
        }
        let commit = self.log.read(state.version)?.ok_or_else(|| missing(state.version))?;
        actions.push(actions::info(&commit, &state.definition.table_id));
        self.write(state, &actions, &commit.operation, (segments.len() as u64, 0))?;
        checkpoint::write(self.log, state, state.version.0.saturating_sub(1))
    }

    fn write(&mut self, state: &TableState, actions: &[Value], operation: &str, files: (u64, u64)) -> Result<()> {
        let storage = self.log.storage();
        let delta_version = state.version.0.saturating_sub(1);
        let mut bytes = Vec::new();
        for action in actions {
            bytes.extend_from_slice(action.to_string().as_bytes());
            bytes.push(b'\n');
        }
        let path = commit_path(delta_version);
        // Who exports at the same time writes the same bytes; whose come second are not missed.
        if storage.create(&path, &bytes)? == Creation::Created {
            storage.set_modified(&path, state.committed_at.0)?;
        }
        if delta_version > 0 && delta_version.is_multiple_of(VERSIONS_PER_CHECKPOINT) {
            checkpoint::write(self.log, state, delta_version)?;
        }
        let (files_added, files_removed) = files;
        self.done.push(Exported {
            delta_version,
            version: state.version,
            operation: operation.to_owned(),
            files_added,
            files_removed,
        });
        Ok(())
    }

    /// The record of a live segment that goes.
    fn take(&mut self, id: &str, before: Option<&TableState>) -> Result<SegmentRecord> {
        if self.live.is_none() {
            let mut live = HashMap::new();
            if let Some(before) = before {
                for segment in before.segments.all()? {
                    live.insert(segment.record.id.clone(), segment.record.clone());
                }
            }
            self.live = Some(live);
        }
        let found = self.live.as_mut().and_then(|live| live.remove(id));
        found.ok_or_else(|| Error::corrupt(format!("a commit removes the segment {id}, which is not in the table")))
    }
}
