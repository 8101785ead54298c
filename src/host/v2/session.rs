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
            LogLevel::Debug => HostLevel::Debug,
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

    fn threads(&self) -> Option<usize> {
        let (value, _) = self.0.config().ok()?.get_value("threads").ok()?;
        let threads = value.get::<i64>().ok().flatten().or_else(|| value.to_string().parse().ok())?;
        usize::try_from(threads).ok().filter(|threads| *threads > 0)
    }
}
