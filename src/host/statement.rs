//! Which executions belong to one run of a statement, so that all of them see one version of a table: those that are alive on
//! a connection at the same time. A connection runs one statement at a time, and DuckDB keeps each execution until its
//! statement ends, so nothing that was found outlives the statement.

use std::{
    collections::{HashMap, hash_map::Entry},
    fs,
    path::{self, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tstable_core::{
    Result,
    storage::is_remote,
    table::{Snapshot, Table},
};

/// What the executions of one run of a statement have found.
#[derive(Debug, Default)]
pub(crate) struct Statement {
    /// By the directory that a root leads to, however it is spelt.
    newest: Mutex<HashMap<PathBuf, (Table, Snapshot)>>,
}

impl Statement {
    /// The newest version of the table at `root`, as the first that asked found it.
    ///
    /// # Errors
    /// What `find` gives.
    pub(crate) fn newest(
        &self,
        root: &str,
        find: impl FnOnce() -> Result<(Table, Snapshot)>,
    ) -> Result<(Table, Snapshot)> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(match newest.entry(directory(root)) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(place) => place.insert(find()?).clone(),
        })
    }
}

/// The directory that a root leads to: `t`, `./t` and a link to it are one. An address in a store has one spelling.
fn directory(root: &str) -> PathBuf {
    if is_remote(root) {
        return PathBuf::from(root);
    }
    fs::canonicalize(root).or_else(|_| path::absolute(root)).unwrap_or_else(|_| PathBuf::from(root))
}

/// The statements that run in a database, by connection.
#[derive(Debug, Default)]
pub(crate) struct Statements {
    running: Mutex<HashMap<u64, Weak<Statement>>>,
}

impl Statements {
    /// The statement that runs on a connection: a new one when no execution is alive there.
    pub(crate) fn running_on(&self, connection: u64) -> Arc<Statement> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(statement) = running.get(&connection).and_then(Weak::upgrade) {
            return statement;
        }
        running.retain(|_, statement| statement.strong_count() > 0);
        let statement = Arc::new(Statement::default());
        running.insert(connection, Arc::downgrade(&statement));
        statement
    }
}

#[cfg(test)]
#[path = "statement_tests.rs"]
mod tests;
