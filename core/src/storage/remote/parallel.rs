//! Requests at once: each blocks a thread, and none of the threads outlives the call.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::error::{Error, Result};

/// What `request` gives for each item, in the order of the items; `at_once` are under way at the same time.
///
/// # Errors
/// The first that a request gives; those that have not begun by then are not made.
pub(super) fn each<T: Sync, R: Send>(
    items: &[T],
    at_once: usize,
    request: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    if let [only] = items {
        return Ok(vec![request(only)?]);
    }
    let next = AtomicUsize::new(0);
    let answers = Mutex::new((0..items.len()).map(|_| None).collect::<Vec<Option<R>>>());
    let failed = Mutex::new(None);
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return };
            match request(item) {
                Ok(answer) => {
                    let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(place) = answers.get_mut(at) {
                        *place = Some(answer);
                    }
                }
                Err(e) => {
                    failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(e);
                    next.store(items.len(), Ordering::Relaxed);
                }
            }
        }
    };
    thread::scope(|scope| {
        // Where the system gives no more threads, those that there are do it all.
        for _ in 1..at_once.min(items.len()) {
            if thread::Builder::new().spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        work();
    });
    if let Some(e) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(e);
    }
    let answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
    answers.into_iter().collect::<Option<_>>().ok_or_else(|| Error::internal("a request was never made"))
}
