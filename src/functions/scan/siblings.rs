//! Calls with equal arguments that one statement may have. DuckDB takes equal subplans for one another: it keeps one of the scans
//! below them and drops the others, and then the filters of all of them stand above the one that is left. So a scan must not leave
//! out what only its own filters leave out, but what those of no dropped sibling want either.
//!
//! A call that was dropped without having run is either such a sibling or of no plan any more; nobody tells which, so it counts.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use tstable_core::prune::expr::Expr;

/// The groups of a database's calls, by their arguments.
#[derive(Debug, Default)]
pub(crate) struct Siblings {
    groups: Mutex<HashMap<String, Weak<Group>>>,
}

/// Calls with equal arguments of which some have not run yet.
#[derive(Debug, Default)]
struct Group {
    calls: Mutex<Vec<Arc<Call>>>,
}

#[derive(Debug, Default)]
struct Call {
    /// The filters that were offered to it; columns are field ids.
    advice: Mutex<Vec<Expr>>,
    has_run: AtomicBool,
    is_dropped: AtomicBool,
}

impl Call {
    fn waits(&self) -> bool {
        !self.has_run.load(Ordering::Acquire) && !self.is_dropped.load(Ordering::Acquire)
    }

    fn counts_when_dropped(&self) -> bool {
        !self.has_run.load(Ordering::Acquire) && self.is_dropped.load(Ordering::Acquire)
    }

    fn advice(&self) -> Expr {
        Expr::And(lock(&self.advice).clone())
    }
}

/// A call among its siblings.
#[derive(Debug)]
pub(super) struct Sibling {
    group: Arc<Group>,
    call: Arc<Call>,
}

impl Siblings {
    /// A call that is bound now. `arguments` are all that makes two calls equal, and what tells the connection.
    pub(super) fn bind(&self, arguments: String) -> Sibling {
        let mut groups = lock(&self.groups);
        groups.retain(|_, group| group.strong_count() > 0);
        let known = groups.get(&arguments).and_then(Weak::upgrade);
        // Of a group in which nobody waits the statement has been planned.
        let group = known.filter(|group| lock(&group.calls).iter().any(|call| call.waits())).unwrap_or_default();
        let call = Arc::new(Call::default());
        let mut calls = lock(&group.calls);
        calls.retain(|call| !call.has_run.load(Ordering::Acquire));
        calls.push(Arc::clone(&call));
        drop(calls);
        groups.insert(arguments, Arc::downgrade(&group));
        Sibling { group, call }
    }
}

impl Sibling {
    /// Remembers a filter, the columns of which are field ids.
    pub(super) fn offer(&self, filter: Expr) {
        let mut advice = lock(&self.call.advice);
        if !advice.contains(&filter) {
            advice.push(filter);
        }
    }

    /// The filters by which the call may leave rows out when it runs.
    pub(super) fn advice(&self) -> Vec<Expr> {
        self.call.has_run.store(true, Ordering::Release);
        let calls = lock(&self.group.calls);
        let dropped: Vec<_> =
            calls.iter().filter(|call| call.counts_when_dropped()).map(|call| call.advice()).collect();
        drop(calls);
        if dropped.is_empty() {
            return lock(&self.call.advice).clone();
        }
        let mut any = vec![self.call.advice()];
        any.extend(dropped);
        // Where one of them wants everything, nothing is left out.
        let everything = |advice: &Expr| matches!(advice, Expr::And(parts) if parts.is_empty());
        if any.iter().any(everything) { Vec::new() } else { vec![Expr::Or(any)] }
    }
}

impl Drop for Sibling {
    fn drop(&mut self) {
        self.call.is_dropped.store(true, Ordering::Release);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "siblings_tests.rs"]
mod tests;
