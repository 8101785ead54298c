//! What tells one mention of a table in a statement from every other, where the host lets a mention carry a number. DuckDB copies
//! plans, and a copied call is bound again with the same arguments: by the number it finds what its original has accepted.
//!
//! The rule: filters are accepted at the first offer, and only where the mention has been bound once. From then on what was accepted
//! is fixed, and whoever is bound later inherits exactly that. Where it was bound more than once before anything was offered, nobody
//! knows for which of the copies an offer would hold, so nothing is accepted at all. A number that is not known is an error, never
//! a scan without its filters.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use tstable_core::{Error, Result, prune::expr::Expr};

/// Numbers that were given out and never bound are forgotten when this many have been given out after them. They are bound at once
/// where all is well.
const UNBOUND: i64 = 4096;
/// What has ended is looked for once this many numbers are known, and twice as many as the last time.
const LEAST_KNOWN: usize = 256;

/// What all bound calls of one mention share.
#[derive(Debug, Default)]
pub(crate) struct Reference {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    bound: usize,
    offered: bool,
    accepted: Vec<Expr>,
}

impl Reference {
    /// Offers filters that hold for every row from now on if they are accepted. Says whether they are.
    pub(crate) fn accept(&self, filters: Vec<Expr>) -> bool {
        let mut state = lock(&self.state);
        if state.offered || state.bound != 1 {
            state.offered = true;
            return false;
        }
        state.offered = true;
        state.accepted = filters;
        true
    }

    /// What was accepted: every row of every call of this mention satisfies it.
    pub(crate) fn accepted(&self) -> Vec<Expr> {
        lock(&self.state).accepted.clone()
    }
}

/// The mentions of a database's statements, by number.
#[derive(Debug, Default)]
pub(crate) struct References {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    last: i64,
    entries: HashMap<i64, Entry>,
    /// When there are more entries than this, those that have ended are dropped.
    most: usize,
}

#[derive(Debug)]
enum Entry {
    /// Given out, not bound yet.
    Unbound,
    Bound(Weak<Reference>),
}

impl References {
    /// A number that no other mention has.
    pub(crate) fn issue(&self) -> i64 {
        let mut known = lock(&self.known);
        known.last = known.last.saturating_add(1);
        let number = known.last;
        if known.entries.len() > known.most.max(LEAST_KNOWN) {
            known.entries.retain(|given, entry| match entry {
                Entry::Unbound => number.saturating_sub(*given) <= UNBOUND,
                Entry::Bound(reference) => reference.strong_count() > 0,
            });
            known.most = known.entries.len().saturating_mul(2);
        }
        known.entries.insert(number, Entry::Unbound);
        number
    }

    /// Binds a call of the mention with this number.
    ///
    /// # Errors
    /// `Conflict` when no such mention is alive.
    pub(crate) fn bind(&self, number: i64) -> Result<Arc<Reference>> {
        let mut known = lock(&self.known);
        let reference = match known.entries.get(&number) {
            Some(Entry::Unbound) => Some(Arc::new(Reference::default())),
            Some(Entry::Bound(reference)) => reference.upgrade(),
            None => None,
        };
        let reference = reference.ok_or_else(|| unknown(number))?;
        let mut state = lock(&reference.state);
        state.bound = state.bound.saturating_add(1);
        drop(state);
        known.entries.insert(number, Entry::Bound(Arc::downgrade(&reference)));
        Ok(reference)
    }
}

fn unknown(number: i64) -> Error {
    Error::conflict(format!(
        "the mention {number} of a table belongs to a statement that has ended; run the statement again"
    ))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "reference_tests.rs"]
mod tests;
