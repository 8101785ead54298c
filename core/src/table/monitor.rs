//! Observing long-running work: receiving its progress, and cancelling it.

use crate::error::{Error, Result};

/// Observes long-running work: receives progress and can cancel it.
pub trait Monitor {
    /// Whether to stop, leaving nothing visible.
    fn cancelled(&self) -> bool;
    /// This fraction of the work is done, 0 to 1.
    fn progress(&self, done: f64);
}

/// Observes nothing and never cancels.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Monitor for Unwatched {
    fn cancelled(&self) -> bool {
        false
    }
    fn progress(&self, _done: f64) {}
}

/// Fails when the work is to stop.
///
/// # Errors
/// `Cancelled`.
pub fn check_cancelled(monitor: &dyn Monitor) -> Result<()> {
    if monitor.cancelled() {
        return Err(Error::cancelled("the work was interrupted; nothing was changed"));
    }
    Ok(())
}
