//! Making the next version: the frame of a commit, and publishing it with everything that follows.

use std::sync::Arc;

use serde_json::Map;

use super::{Snapshot, Table, WRITER};
use crate::{
    error::Result,
    log::{
        COVERAGE_DIRECTORY, DATA_DIRECTORY, FORMAT_VERSION, LOG_DIRECTORY, Version,
        commit::{Action, Commit, Instant},
        state::TableState,
        store::Outcome,
    },
};

/// The commit that follows `base`.
#[must_use]
pub fn commit(base: &TableState, operation: &str, message: Option<String>, actions: Vec<Action>) -> Commit {
    // A clock that runs behind another writer's must not make history run backwards.
    after(base.version, Instant::now().max(base.committed_at), operation, message, actions)
}

fn after(base: Version, timestamp: Instant, operation: &str, message: Option<String>, actions: Vec<Action>) -> Commit {
    Commit {
        format_version: FORMAT_VERSION,
        requires: Vec::new(),
        version: base.next(),
        base_version: base,
        timestamp,
        operation: operation.to_owned(),
        writer: WRITER.to_owned(),
        message,
        rows_rewritten: 0,
        actions,
        extra: Map::new(),
    }
}

/// What became of a published commit.
#[derive(Debug)]
#[must_use]
pub enum Published {
    /// It is a version.
    Done {
        /// The state after it.
        state: Arc<TableState>,
        /// What went wrong without harm.
        warnings: Vec<String>,
    },
    /// Another writer made that version; nothing changed.
    Lost,
}

/// Makes a table of which there is no version yet; `actions` define it, and may fill it. None when another writer made the first
/// version meanwhile.
///
/// # Errors
/// As [`crate::log::store::Log::publish`], and as [`TableState::first`]; errors after publication are warnings.
pub fn begin(
    table: &Table,
    operation: &str,
    message: Option<String>,
    actions: Vec<Action>,
) -> Result<Option<(Arc<TableState>, Vec<String>)>> {
    table.log().storage().prepare(&[LOG_DIRECTORY, COVERAGE_DIRECTORY, DATA_DIRECTORY])?;
    let commit = after(Version(0), Instant::now(), operation, message, actions);
    let state = Arc::new(TableState::first(&commit)?);
    if table.log().publish(&commit)? == Outcome::Lost {
        return Ok(None);
    }
    let warnings = table.log().after_commit(&state);
    Ok(Some((state, warnings)))
}

/// Publishes `commit`, which follows `base`, and writes hint and checkpoint.
///
/// # Errors
/// As [`crate::log::store::Log::publish`], and as [`TableState::followed_by`]; errors after publication are warnings.
pub fn publish(table: &Table, base: &Arc<TableState>, commit: &Commit) -> Result<Published> {
    // Whatever may fail does so before the commit is there: an error after it would look like a commit that never was.
    let state = Arc::new(base.followed_by(commit, table.log().storage().as_ref())?);
    if table.log().publish(commit)? == Outcome::Lost {
        return Ok(Published::Lost);
    }
    let warnings = table.log().after_commit(&state);
    Ok(Published::Done { state, warnings })
}

/// What a change of the log did.
#[derive(Debug, Clone)]
pub struct Changed {
    /// The table after it.
    pub snapshot: Snapshot,
    /// Whether there was anything to change, and so a new version.
    pub committed: bool,
    /// What went wrong without harm.
    pub warnings: Vec<String>,
}

/// What the next version is to do.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The actions; none make no version.
    pub actions: Vec<Action>,
    /// Rows that go from removed segments into added ones.
    pub rows_rewritten: u64,
}

impl From<Vec<Action>> for Plan {
    fn from(actions: Vec<Action>) -> Self {
        Self { actions, rows_rewritten: 0 }
    }
}

/// Makes the actions that `plan` finds for a state into a version, and plans anew for every version that other writers make
/// meanwhile. No actions make no version.
///
/// # Errors
/// As `plan` and [`publish`]; nothing was committed then, unless it is `CommitUnknown`.
pub fn amend<P: Into<Plan>>(
    table: &Table,
    base: &Arc<TableState>,
    operation: &str,
    message: Option<&str>,
    mut plan: impl FnMut(&Arc<TableState>) -> Result<P>,
) -> Result<Changed> {
    let mut state = Arc::clone(base);
    loop {
        let Plan { actions, rows_rewritten } = plan(&state)?.into();
        if actions.is_empty() {
            return Ok(Changed { snapshot: table.snapshot_of(state), committed: false, warnings: Vec::new() });
        }
        let commit = commit(&state, operation, message.map(str::to_owned), actions);
        match publish(table, &state, &Commit { rows_rewritten, ..commit })? {
            Published::Done { state, warnings } => {
                return Ok(Changed { snapshot: table.snapshot_of(state), committed: true, warnings });
            }
            Published::Lost => state = table.log().latest(Some(&state))?,
        }
    }
}
