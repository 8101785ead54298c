//! The running query, as a callback of DuckDB 2.0 sees it.

use std::sync::Arc;

use duckdb_neo::{
    Error as HostError,
    connection::Context,
    error::DuckDBError,
    file::FileSystem,
    log::{Log, LogLevel as HostLevel},
};
use tstable_core::{Result, prune::expr::Constant, schema::ColumnType};

use super::{
    super::{Arg, LogLevel, Session, statement::Statement},
    connection, host_error, types, value,
};

/// The type of our log records.
const LOG_TYPE: &str = "tstable";

/// The context of one callback, and the run of a statement that it belongs to, as far as that is known.
pub(super) struct Callback<'a>(pub(super) &'a Context, pub(super) Option<Arc<Statement>>);

impl Session for Callback<'_> {
    fn log(&self, level: LogLevel, message: &str) {
        let level = match level {
            LogLevel::Info => HostLevel::Info,
            LogLevel::Warning => HostLevel::Warn,
        };
        // A log that cannot be written must not fail the query.
        let _ = Log::log_on_context(self.0, level, message, LOG_TYPE);
    }

    fn connection(&self) -> Option<u64> {
        connection::number(self.0)
    }

    fn statement(&self) -> Option<&Statement> {
        self.1.as_deref()
    }

    fn cast(&self, value: &Constant, to: &ColumnType) -> Option<Result<Constant>> {
        cast(self.0, value, to).transpose()
    }

    fn setting(&self, name: &str) -> Option<Arg> {
        let (value, _) = self.0.config().ok()?.try_get_value(name).ok()??;
        value::argument(&value).ok()
    }

    /// The C API has no call for it, but DuckDB looks whenever it expands a pattern of file names, before it touches the
    /// first file. Without a name there is nothing to expand. Under `enable_external_access = false` DuckDB expands names in
    /// directories that it allows alone; where there is none on this machine nothing is heard, and DuckDB itself looks between
    /// two chunks.
    fn interrupted(&self) -> bool {
        let Ok(files) = FileSystem::new(self.0) else { return false };
        let mut looked = files.glob("");
        if looked.as_ref().is_err_and(|error| !is_interrupt(error))
            && let Some(directory) = self.allowed_here()
        {
            looked = files.glob(&directory);
        }
        looked.is_err_and(|error| is_interrupt(&error))
    }
}

fn is_interrupt(error: &HostError) -> bool {
    matches!(error.code, DuckDBError::RuntimeInterrupt)
}

impl Callback<'_> {
    /// A directory of this machine that DuckDB lets everybody look into.
    fn allowed_here(&self) -> Option<String> {
        let Some(Arg::List(directories)) = self.setting("allowed_directories") else { return None };
        directories.into_iter().find_map(|directory| match directory {
            Arg::Scalar(Constant::Text(directory)) if !directory.contains("://") => Some(directory),
            _ => None,
        })
    }
}

/// None for values and types that the C API has no way for.
pub(super) fn cast(context: &Context, constant: &Constant, to: &ColumnType) -> Result<Option<Constant>> {
    let from = match constant {
        Constant::Text(_) => ColumnType::Varchar,
        Constant::Temporal(ty, _) => ty.clone(),
        _ => return Ok(None),
    };
    let Some(given) = value::host_value(context, &from, constant)? else { return Ok(None) };
    let target = types::logical(context, to)?;
    value::constant(&given.cast(context, &target).map_err(host_error)?)
}
