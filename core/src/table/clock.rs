//! Whether this machine's clock can be believed. The times of commits never fall, so that one from a clock that is years ahead drags
//! those of all later ones along: `as_of` then misses what came after it, and vacuum keeps everything.

use crate::{
    error::{Error, Result},
    log::{LOG_DIRECTORY, commit::Instant, state::TableState},
    storage::{Storage, TEMPORARY_PREFIX},
};

use super::names::random_id;

/// How far a clock may be ahead: nobody's time zone or drift is larger.
const AHEAD_US: i64 = 24 * 3600 * 1_000_000;

/// Refuses an instant that is far ahead of the newest commit and of the file system's clock too, which is another machine's where the
/// table is on a network. Whoever commits daily never asks the file system.
///
/// # Errors
/// `InvalidArgument` naming both clocks.
pub fn check(storage: &dyn Storage, now: Instant, newest: Option<Instant>) -> Result<()> {
    let is_near = |other: Instant| now.0.saturating_sub(other.0) <= AHEAD_US;
    if newest.is_some_and(is_near) {
        return Ok(());
    }
    match file_clock(storage) {
        Some(files) if !is_near(files) => Err(Error::invalid_argument(format!(
            "the clock of this machine says {now}, that of the file system {files}: a version of the future would hide later ones from \
             as_of and keep vacuum from removing anything; nothing was changed: set the clock, then try again"
        ))
        .with("root", storage.root())),
        _ => Ok(()),
    }
}

/// Finds the first commits of a future that has not come: those after them were dragged along.
#[derive(Debug)]
pub struct Future {
    now: Instant,
    newest: Instant,
}

impl Future {
    /// Seen from `now`.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self { now, newest: Instant(i64::MIN) }
    }

    /// What is wrong with the time of the newest commit of this state, unless an earlier one had it already.
    pub fn first(&mut self, state: Option<&TableState>) -> Option<String> {
        let at = state?.committed_at;
        let later = at > std::mem::replace(&mut self.newest, at);
        (later && at.0.saturating_sub(self.now.0) > AHEAD_US).then(|| {
            format!(
                "the commit is of {at}, which has not come by the clock of this machine ({}): as_of cannot tell later versions apart, and \
                 vacuum keeps all of them until then; ask by version or tag, or load the rows into a new table",
                self.now
            )
        })
    }
}

/// What the file system gives a new file as its time; none where it does not tell.
fn file_clock(storage: &dyn Storage) -> Option<Instant> {
    let path = format!("{LOG_DIRECTORY}/{TEMPORARY_PREFIX}clock-{}", random_id());
    storage.replace(&path, b"").ok()?;
    let stat = storage.stat(&path);
    // Vacuum takes what cannot be removed now.
    let _ = storage.remove(&path);
    let modified_us = stat.ok()??.modified_ns / 1000;
    i64::try_from(modified_us).ok().filter(|modified| *modified > 0).map(Instant)
}
