//! Making the next version: the frame of a commit, and publishing it with everything that follows.

use std::sync::Arc;

use serde_json::Map;

use super::{Table, WRITER};
use crate::{
    error::Result,
    log::{
        FORMAT_VERSION,
        commit::{Action, Commit, Instant},
        state::TableState,
        store::Outcome,
    },
};

/// The commit that follows `base`.
#[must_use]
pub fn commit(base: &TableState, operation: &str, message: Option<String>, actions: Vec<Action>) -> Commit {
    Commit {
        format_version: FORMAT_VERSION,
        requires: Vec::new(),
        version: base.version.next(),
        base_version: base.version,
        // A clock that runs behind another writer's must not make history run backwards.
        timestamp: Instant::now().max(base.committed_at),
        operation: operation.to_owned(),
        writer: WRITER.to_owned(),
        message,
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
