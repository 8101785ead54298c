//! The log on a storage: finding the newest version, replaying to any version, and publishing the next one.

use std::sync::Arc;

use super::{
    LOG_DIRECTORY, Version,
    checkpoint::{self, COMMITS_PER_CHECKPOINT, checkpoint_path, of_checkpoint_name},
    commit::{Commit, Instant, MAX_COMMIT_BYTES},
    foreign::{self, ReadForeign},
    hint::{HINT_PATH, Hint, MAX_HINT_BYTES},
    state::TableState,
};
use crate::{
    error::{Error, Result},
    storage::{Creation, Storage},
};

/// How many of the newest checkpoints are kept, in case the last ones are damaged.
const CHECKPOINTS_KEPT: u64 = 3;

/// The log of the table on a storage.
#[derive(Debug, Clone)]
pub struct Log {
    storage: Arc<dyn Storage>,
    /// Who reads the commits of another program's log; without it they are refused.
    foreign: Option<Arc<dyn ReadForeign>>,
}

/// What became of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// It is the version that it says.
    Committed,
    /// Another writer made that version first; nothing changed.
    Lost,
}

impl Log {
    /// The log on `storage`.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage, foreign: None }
    }

    /// The log on `storage`, which may be another program's: then `foreign` reads it.
    #[must_use]
    pub fn reading(storage: Arc<dyn Storage>, foreign: Arc<dyn ReadForeign>) -> Self {
        Self { storage, foreign: Some(foreign) }
    }

    /// The storage below.
    #[must_use]
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    /// The commit of a version; none when there is no such version.
    ///
    /// # Errors
    /// `Corrupt`, `UnsupportedFormat` or `Io`, with path and version.
    pub fn read(&self, version: Version) -> Result<Option<Commit>> {
        let Some(bytes) = self.storage.read(&version.commit_path(), MAX_COMMIT_BYTES)? else { return Ok(None) };
        match (Commit::decode(&bytes, version), &self.foreign) {
            (Ok(commit), _) => Ok(Some(commit)),
            (Err(_), Some(reader)) if self.is_foreign()? => reader.commit(&self.storage, version),
            (Err(e), _) => Err(e),
        }
    }

    /// Whether it is the log of another program that is read here.
    ///
    /// # Errors
    /// `Io` when it cannot be read.
    fn is_foreign(&self) -> Result<bool> {
        Ok(self.foreign.is_some() && foreign::is_table(self.storage.as_ref())?)
    }

    /// Refuses to write where the log is another program's, whatever its state.
    ///
    /// # Errors
    /// `UnsupportedFormat` with the call that makes a table of ours of it; `Io` when it cannot be read.
    pub fn check_ours(&self) -> Result<()> {
        if self.is_foreign()? { Err(foreign::read_only(foreign::PROGRAM, self.storage.root())) } else { Ok(()) }
    }

    /// What `CURRENT` says in the log of another program, which is the newest version there.
    fn foreign_current(&self) -> Result<Option<Version>> {
        let current = foreign::current(self.storage.as_ref())?;
        if current.is_some() && self.is_foreign()? { Ok(current) } else { Ok(None) }
    }

    /// The state at `version`.
    ///
    /// # Errors
    /// `NotFound` naming the newest version when there is none such; as [`Log::latest`] otherwise.
    pub fn at(&self, version: Version, latest: &Arc<TableState>) -> Result<Arc<TableState>> {
        if version == latest.version {
            return Ok(Arc::clone(latest));
        }
        if version > latest.version || version.0 == 0 {
            return Err(Error::not_found(format!(
                "the table has no version {version}; its versions are 1 to {}",
                latest.version
            )));
        }
        latest.check_kept(version)?;
        self.state_of(version, latest)
    }

    /// The state at a version that there is, whether or not the files that it names are still kept.
    ///
    /// # Errors
    /// As [`Log::latest`].
    pub fn state_of(&self, version: Version, latest: &Arc<TableState>) -> Result<Arc<TableState>> {
        if version == latest.version {
            return Ok(Arc::clone(latest));
        }
        let (_, checkpoints) = self.list()?;
        let before = checkpoints.into_iter().rev().filter(|candidate| *candidate <= version);
        let start = before.map(|candidate| checkpoint::read(self.storage.as_ref(), candidate));
        let start = match start.filter_map(|read| read.ok().flatten()).next() {
            Some(state) => state,
            None => self.first()?,
        };
        self.replay(start, Some(version)).map(Arc::new)
    }

    /// The last version committed at or before `instant`.
    ///
    /// # Errors
    /// `NotFound` when the table was created after it.
    pub fn version_as_of(&self, instant: Instant, latest: &Arc<TableState>) -> Result<Version> {
        if latest.committed_at <= instant {
            return Ok(latest.version);
        }
        let timestamp = |version: Version| -> Result<Instant> {
            Ok(self.read(version)?.ok_or_else(|| self.hole(version))?.timestamp)
        };
        let (mut low, mut high) = (Version(1), latest.version);
        if latest.created_at > instant {
            return Err(Error::not_found(format!("the table was created at {}, after {instant}", latest.created_at)));
        }
        // Timestamps never fall: `low` is at or before the instant, `high` after it.
        while low.next() < high {
            let middle = Version(low.0 + (high.0 - low.0) / 2);
            if timestamp(middle)? <= instant { low = middle } else { high = middle }
        }
        Ok(low)
    }

    /// Publishes the commit, which must be the next after the state it was made from.
    ///
    /// # Errors
    /// `CommitUnknown` when nobody can say; any other error means that nothing was committed.
    pub fn publish(&self, commit: &Commit) -> Result<Outcome> {
        let bytes = commit.encode()?;
        match self.storage.create(&commit.version.commit_path(), &bytes)? {
            Creation::Created => Ok(Outcome::Committed),
            Creation::Exists => Ok(Outcome::Lost),
        }
    }

    /// Writes the hint, and a checkpoint at regular intervals of versions. Neither can fail the commit that it follows.
    pub fn after_commit(&self, state: &TableState) -> Vec<String> {
        let mut warnings = Vec::new();
        let due = state.version.0.is_multiple_of(COMMITS_PER_CHECKPOINT);
        if due && let Err(e) = self.write_checkpoint(state) {
            warnings.push(format!("the checkpoint of version {} was not written: {e}", state.version));
        }
        if due && warnings.is_empty() {
            self.remove_old_checkpoints(state.version);
        }
        let last = state.version.0 - state.version.0 % COMMITS_PER_CHECKPOINT;
        self.write_hint(Hint { version: state.version, checkpoint: state.checkpoint.max(Version(last)) });
        warnings
    }

    /// Writes the checkpoint of `state` unless there is one.
    ///
    /// # Errors
    /// As the storage and [`TableState::coverage`] say.
    pub fn write_checkpoint(&self, state: &TableState) -> Result<Creation> {
        let bytes = checkpoint::encode(state, self.storage.as_ref())?;
        self.storage.create(&checkpoint_path(state.version), &bytes)
    }

    /// Keeps the newest checkpoints and, of those before, ever fewer the older they are: what they take up stays in
    /// proportion to the table, and old versions stay near to one.
    fn remove_old_checkpoints(&self, newest: Version) {
        let obsolete = newest.0.checked_sub(CHECKPOINTS_KEPT.saturating_mul(COMMITS_PER_CHECKPOINT));
        let Some(obsolete) = obsolete.filter(|version| *version > 0) else { return };
        if !(obsolete / COMMITS_PER_CHECKPOINT).is_power_of_two() {
            // One that cannot be removed costs space, nothing else.
            let _ = self.storage.remove(&checkpoint_path(Version(obsolete)));
        }
    }

    /// Points the hint at `version`, which may be another writer's and so not durable yet: it is before the hint names it.
    ///
    /// # Errors
    /// `Io` when the storage refuses.
    pub fn write_hint_at(&self, version: Version, checkpoint: Version) -> Result<()> {
        self.storage.sync(LOG_DIRECTORY)?;
        self.storage.replace(HINT_PATH, &Hint { version, checkpoint }.encode())
    }

    /// The hint; none when there is none.
    ///
    /// # Errors
    /// `Corrupt` when it is damaged.
    pub fn read_hint(&self) -> Result<Option<Hint>> {
        let Some(bytes) = self.storage.read(HINT_PATH, MAX_HINT_BYTES)? else { return Ok(None) };
        match Hint::decode(&bytes) {
            Ok(hint) => Ok(Some(hint)),
            Err(e) => match self.foreign_current()? {
                Some(version) => Ok(Some(Hint { version, checkpoint: Version(0) })),
                None => Err(e),
            },
        }
    }

    fn write_hint(&self, hint: Hint) {
        // It is a hint: without it readers take a moment longer.
        let _ = self.storage.replace(HINT_PATH, &hint.encode());
    }

    pub(super) fn first(&self) -> Result<TableState> {
        match self.read(Version(1))? {
            Some(commit) => TableState::first(&commit),
            None => Err(self.no_table()),
        }
    }

    pub(super) fn no_table(&self) -> Error {
        Error::not_found(format!("there is no table at '{}'; tstable_create makes one", self.storage.root()))
    }

    pub(super) fn replay(&self, mut state: TableState, until: Option<Version>) -> Result<TableState> {
        if let (Some(until), true) = (until, self.storage.is_remote()) {
            self.each_commit(state.version, until, |commit| state.apply(commit))?;
            return Ok(state);
        }
        while until.is_none_or(|until| state.version < until) {
            match self.read(state.version.next())? {
                Some(commit) => state.apply(&commit)?,
                None if until.is_none() => break,
                None => return Err(self.hole(state.version.next())),
            }
        }
        Ok(state)
    }

    pub(super) fn hole(&self, version: Version) -> Error {
        Error::corrupt(format!("the log has a hole: version {version} is missing, though later ones are there"))
            .with("path", version.commit_path())
    }

    /// Versions with a commit and with a checkpoint, ascending.
    ///
    /// # Errors
    /// `Io` when the directory cannot be read.
    pub fn list(&self) -> Result<(Vec<Version>, Vec<Version>)> {
        let entries = self.storage.list(LOG_DIRECTORY)?;
        let mut commits: Vec<_> = entries.iter().filter_map(|e| Version::of_commit_name(&e.name)).collect();
        let mut checkpoints: Vec<_> = entries.iter().filter_map(|e| of_checkpoint_name(&e.name)).collect();
        commits.sort_unstable();
        if let Some(current) = self.foreign_current()? {
            commits.retain(|version| *version <= current);
        }
        checkpoints.sort_unstable();
        Ok((commits, checkpoints))
    }
}
