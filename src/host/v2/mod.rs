//! DuckDB 2.0's C API: filters, positions of batches, progress, the log. The crate `duckdb-neo` wraps most of it; its
//! callbacks report a panic as an internal error, which invalidates the database, so none may leave ours
//! ([`contained`]). State belongs to registrations, so two databases in one process do not meet.

mod absent;
mod api;
mod arrow;
mod builtin;
mod clock;
mod connection;
mod copy;
mod dictionary;
mod entry;
mod filter;
mod layout;
mod output;
mod pragma;
mod replacement;
mod scalar;
mod session;
mod table;
mod types;
mod value;

use std::sync::Arc;

use duckdb_neo::{Error as HostError, error::DuckDBError, extension::Extension};
use tstable_core::{Error, Result, error::ErrorKind};

use self::clock::Clocks;
use super::{Registry, failure, reference::References, statement::Statements};

/// Runs a callback's body; a failure or panic becomes an error of the statement, never of the database.
fn contained<T>(body: impl FnOnce() -> Result<T>) -> duckdb_neo::Result<T> {
    failure::contain(body).map_err(|failure| HostError { code: code(failure.kind()), message: failure.to_string() })
}

/// DuckDB's class of an error: what is missing or damaged on disk is an IO error, as with `read_parquet`. None of the classes
/// ends a transaction that others would not end, and none the database: a defect of ours is an ordinary error too.
fn code(kind: ErrorKind) -> DuckDBError {
    match kind {
        ErrorKind::NotFound | ErrorKind::Io | ErrorKind::Corrupt | ErrorKind::CommitUnknown => DuckDBError::IoGeneral,
        ErrorKind::Overlap => DuckDBError::DatabaseConstraint,
        ErrorKind::Conflict => DuckDBError::DatabaseTransaction,
        ErrorKind::UnsupportedFormat => DuckDBError::QueryNotImplemented,
        ErrorKind::LimitExceeded => DuckDBError::InputOutOfRange,
        ErrorKind::Cancelled => DuckDBError::RuntimeInterrupt,
        ErrorKind::AlreadyExists | ErrorKind::InvalidArgument | ErrorKind::SchemaMismatch | ErrorKind::Internal => {
            DuckDBError::InputInvalid
        }
        // The kinds of the core may grow; a new one is an ordinary error until it is placed here.
        _ => DuckDBError::InputInvalid,
    }
}

/// An error of DuckDB's own, met while we work for it.
fn host_error(error: HostError) -> Error {
    let message = if error.message.is_empty() { error.to_string() } else { error.message };
    Error::invalid_argument(message)
}

/// Registers everything with the database that loads the extension.
fn load(extension: &Extension, registry: Registry) -> Result<()> {
    connection::register(extension)?;
    let statements = Arc::new(Statements::default());
    let references = Arc::new(References::default());
    let clocks = Arc::new(Clocks::default());
    for function in registry.tables {
        let replaces = registry.replacement.is_some_and(|scan| scan.function == function.signature().name);
        if replaces {
            table::register_numbered(
                extension,
                Arc::clone(&function),
                Arc::clone(&statements),
                Arc::clone(&clocks),
                Arc::clone(&references),
            )?;
        }
        table::register(extension, function, Arc::clone(&statements), Arc::clone(&clocks))?;
    }
    for function in registry.forms {
        table::register(extension, function, Arc::clone(&statements), Arc::clone(&clocks))?;
    }
    for function in registry.scalars {
        scalar::register(extension, &function)?;
    }
    for format in registry.copies {
        copy::register(extension, format)?;
    }
    for pragma in registry.pragmas {
        pragma::register(extension, pragma)?;
    }
    if let Some(scan) = registry.replacement {
        replacement::register(extension, scan, references)?;
    }
    Ok(())
}
