//! The running query, as a callback of DuckDB 2.0 sees it.

use duckdb_neo::{
    connection::Context,
    log::{Log, LogLevel as HostLevel},
};

use super::super::{LogLevel, Session};

/// The type of our log records.
const LOG_TYPE: &str = "tstable";

/// The context of one callback.
pub(super) struct Callback<'a>(pub(super) &'a Context);

impl Session for Callback<'_> {
    fn log(&self, level: LogLevel, message: &str) {
        let level = match level {
            LogLevel::Info => HostLevel::Info,
            LogLevel::Warning => HostLevel::Warn,
        };
        // A log that cannot be written must not fail the query.
        let _ = Log::log_on_context(self.0, level, message, LOG_TYPE);
    }

    /// The C API has no call for it; DuckDB itself looks between two chunks.
    fn interrupted(&self) -> bool {
        false
    }
}
