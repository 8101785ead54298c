//! Making the next version: the frame of a commit, and publishing it with everything that follows.

use std::{collections::HashSet, sync::Arc};

use serde_json::{Map, Value};

use super::{
    clock,
    handle::{OWN_DIRECTORIES, Snapshot, Table},
    names::WRITER,
    retold::retold,
};
use crate::{
    delta,
    error::{Error, Result},
    log::{
        ALTERED_COLUMNS, CONSTANT_COLUMNS, ENTITY_TYPES, FORMAT_VERSION, OPEN_TYPES, Version,
        commit::{Action, Commit, Instant},
        state::TableState,
        store::Outcome,
    },
    schema::Schema,
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
        requires: required(&actions),
        version: base.next(),
        base_version: base,
        timestamp,
        operation: operation.to_owned(),
        writer: WRITER.to_owned(),
        message,
        rows_rewritten: 0,
        actions,
        extra: Map::new(),
        foreign: None,
    }
}

/// The features without which the actions are not understood.
fn required(actions: &[Action]) -> Vec<String> {
    let open = |action: &Action| match action {
        Action::DefineTable(definition) => definition.schema.as_ref().is_some_and(Schema::is_open),
        _ => false,
    };
    let constant = |action: &Action| matches!(action, Action::AddSegment(record) if record.has_constants());
    let altered = |action: &Action| matches!(action, Action::DefineTable(definition) if definition.is_altered());
    let kinds = |action: &Action| matches!(action, Action::DefineTable(definition) if definition.has_entity_types());
    let features = [
        (OPEN_TYPES, actions.iter().any(open)),
        (CONSTANT_COLUMNS, actions.iter().any(constant)),
        (ALTERED_COLUMNS, actions.iter().any(altered)),
        (ENTITY_TYPES, actions.iter().any(kinds)),
    ];
    features.into_iter().filter(|(_, required)| *required).map(|(feature, _)| feature.to_owned()).collect()
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
    let _nest = table.nest(&OWN_DIRECTORIES)?;
    let commit = after(Version(0), Instant::now(), operation, message, actions);
    clock::check(table.log().storage().as_ref(), commit.timestamp, None)?;
    check_staged(table, &commit.actions, &Condemned::new())?;
    let state = Arc::new(TableState::first(&commit)?);
    if table.log().publish(&commit)? == Outcome::Lost {
        return Ok(None);
    }
    let warnings = after_commit(table, None, &commit, &state);
    Ok(Some((state, warnings)))
}

/// Publishes `commit`, which follows `base`, and writes hint and checkpoint.
///
/// # Errors
/// As [`crate::log::store::Log::publish`], and as [`TableState::followed_by`]; errors after publication are warnings.
pub fn publish(table: &Table, base: &Arc<TableState>, commit: &Commit) -> Result<Published> {
    base.check_writable(table.log().storage().as_ref())?;
    // Whatever may fail does so before the commit is there: an error after it would look like a commit that never was.
    let state = Arc::new(base.followed_by(commit, table.log().storage().as_ref())?);
    if table.log().publish(commit)? == Outcome::Lost {
        return Ok(Published::Lost);
    }
    let warnings = after_commit(table, Some(base), commit, &state);
    Ok(Published::Done { state, warnings })
}

/// What follows a commit and cannot fail it: hint, checkpoint, and the Delta commit where the table keeps a Delta log.
fn after_commit(table: &Table, base: Option<&TableState>, commit: &Commit, state: &Arc<TableState>) -> Vec<String> {
    let mut warnings = table.log().after_commit(state);
    if delta::is_on(state)
        && let Err(e) = delta::follow(table.log(), base, commit, state)
    {
        warnings.push(format!("the Delta log was not brought up to version {}: {e}", state.version));
    }
    warnings
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
    /// Optional fields of the commit.
    pub extra: Map<String, Value>,
}

impl From<Vec<Action>> for Plan {
    fn from(actions: Vec<Action>) -> Self {
        Self { actions, ..Self::default() }
    }
}

/// Makes the actions that `plan` finds for a state into a version, and plans again for every version that other writers make
/// meanwhile. No actions make no version.
///
/// # Errors
/// As `plan` and [`Amendment::run`]; nothing was committed then, unless it is `CommitUnknown`.
pub fn amend<P: Into<Plan>>(
    table: &Table,
    base: &Arc<TableState>,
    operation: &str,
    message: Option<&str>,
    mut plan: impl FnMut(&Arc<TableState>) -> Result<P>,
) -> Result<Changed> {
    Amendment { message, ..Amendment::new(table, base, operation) }.run(|state, _| plan(state))
}

/// The files of segments that vacuums have condemned: they go at any moment, or are gone.
pub type Condemned = HashSet<String>;

/// A version that is to be made from a state, whatever others make meanwhile: the one loop in which all of them are.
///
/// A writer may have slept for days between staging its files and this, and a vacuum may have taken them for leftovers. No
/// clock decides that race but the log: a vacuum names what it condemns in a commit of its own before it removes anything.
/// Whoever commits after that must first have read it, here, and stages again what was condemned; a vacuum that comes after the
/// commit finds the files named.
#[derive(Debug, Clone, Copy)]
pub struct Amendment<'a> {
    /// The table.
    pub table: &'a Table,
    /// The state to begin with.
    pub base: &'a Arc<TableState>,
    /// The newest version when the first file was staged.
    pub since: Version,
    /// What it is called in the log.
    pub operation: &'a str,
    /// The user's words.
    pub message: Option<&'a str>,
}

impl<'a> Amendment<'a> {
    /// An amendment of `base`, after which everything is staged.
    #[must_use]
    pub fn new(table: &'a Table, base: &'a Arc<TableState>, operation: &'a str) -> Self {
        Self { table, base, since: base.version, operation, message: None }
    }

    /// Plans and publishes until nobody was first. `plan` hears of the newest state and of what is condemned.
    ///
    /// # Errors
    /// As `plan`; `Conflict` when another table took the place of this one, when another version than the expected one is the
    /// newest, or when a file that is to be named is not there; as [`publish`] otherwise. Nothing was committed then, unless it is
    /// `CommitUnknown`.
    pub fn run<P: Into<Plan>>(
        &self,
        mut plan: impl FnMut(&Arc<TableState>, &Condemned) -> Result<P>,
    ) -> Result<Changed> {
        let mut state = Arc::clone(self.base);
        state.check_writable(self.table.log().storage().as_ref())?;
        let mut condemned = Condemned::new();
        self.hear(self.since, state.version, &mut condemned)?;
        loop {
            self.table.check_expected(state.version)?;
            let Plan { actions, rows_rewritten, extra } = plan(&state, &condemned)?.into();
            if actions.is_empty() {
                return Ok(Changed { snapshot: self.table.snapshot_of(state), committed: false, warnings: Vec::new() });
            }
            let actions = retold(&state, &actions)?.into_iter().chain(actions).collect::<Vec<_>>();
            check_staged(self.table, &actions, &condemned)?;
            let commit = commit(&state, self.operation, self.message.map(str::to_owned), actions);
            clock::check(self.table.log().storage().as_ref(), commit.timestamp, Some(state.committed_at))?;
            match publish(self.table, &state, &Commit { rows_rewritten, extra, ..commit })? {
                Published::Done { state, warnings } => {
                    return Ok(Changed { snapshot: self.table.snapshot_of(state), committed: true, warnings });
                }
                Published::Lost => state = self.follow(&state, &mut condemned)?,
            }
        }
    }

    /// The newest state after a commit was lost.
    fn follow(&self, state: &Arc<TableState>, condemned: &mut Condemned) -> Result<Arc<TableState>> {
        let newest = self.table.log().latest(Some(state))?;
        if newest.definition.table_id != self.base.definition.table_id {
            return Err(Error::conflict("another table took the place of this one; nothing was changed"));
        }
        self.hear(state.version, newest.version, condemned)?;
        Ok(newest)
    }

    /// Adds what the versions after `from` up to `to` condemn.
    fn hear(&self, from: Version, to: Version, condemned: &mut Condemned) -> Result<()> {
        self.table.log().each_commit(from, to, |commit| {
            for action in &commit.actions {
                if let Action::Vacuum { removed, .. } = action {
                    condemned.extend(removed.iter().cloned());
                }
            }
            Ok(())
        })
    }
}

/// The most versions in between that a message names, where another version than the expected one is the newest.
const NAMED_VERSIONS: usize = 3;

impl Table {
    /// Refuses another newest version than the one that this table's changes expect.
    ///
    /// # Errors
    /// `Conflict` naming both, and what came between.
    pub fn check_expected(&self, newest: Version) -> Result<()> {
        let Some(expected) = self.expected.filter(|expected| *expected != newest) else { return Ok(()) };
        let between = self.between(expected, newest);
        Err(Error::conflict(format!(
            "expected_version := {expected}, but the newest version is {newest}; nothing was changed: {between}; look at it \
             (tstable_history), and call again with expected_version := {newest}"
        )))
    }

    /// Refuses to make a table whose version was expected to be there.
    ///
    /// # Errors
    /// `Conflict` naming the version.
    pub(crate) fn check_nothing_expected(&self) -> Result<()> {
        self.expected.map_or(Ok(()), |expected| {
            Err(Error::conflict(format!("expected_version := {expected}, but there is no table; nothing was changed")))
        })
    }

    /// Who made the versions after `expected`, the last first. Says so much as can be read: it is for a message.
    fn between(&self, expected: Version, newest: Version) -> String {
        if expected > newest {
            return format!("there is no version {expected} yet");
        }
        let all = newest.0.saturating_sub(expected.0);
        let versions = (0..all).map(|back| Version(newest.0.saturating_sub(back))).take(NAMED_VERSIONS);
        let mut named: Vec<_> =
            versions.filter_map(|version| self.log().read(version).ok().flatten()).map(told).collect();
        let left = usize::try_from(all).unwrap_or(usize::MAX).saturating_sub(named.len());
        if left > 0 {
            named.push(format!("{left} more before"));
        }
        named.join(", ")
    }
}

/// `version 5 (append at 2024-06-01T00:00:00Z by tstable 0.1.0: 'nightly')`
fn told(commit: Commit) -> String {
    let Commit { version, operation, timestamp, writer, message, .. } = commit;
    let words = message.map(|words| format!(": '{words}'")).unwrap_or_default();
    format!("version {version} ({operation} at {timestamp} by {writer}{words})")
}

/// Refuses to name files that are not there, or that a vacuum is about to remove.
fn check_staged(table: &Table, actions: &[Action], condemned: &Condemned) -> Result<()> {
    let storage = table.log().storage();
    let added = actions.iter().filter_map(|action| match action {
        Action::AddSegment(record) => Some(record),
        _ => None,
    });
    for path in added.flat_map(|record| record.files()) {
        if condemned.contains(path) || storage.stat(path)?.is_none() {
            return Err(Error::conflict(
                "a file that this writer had staged is gone, because a vacuum took it for a leftover or somebody removed it; \
                 nothing was changed: try again",
            )
            .with("path", path));
        }
    }
    Ok(())
}
