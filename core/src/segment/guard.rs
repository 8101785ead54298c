//! The boundary to the Parquet reader: its errors become ours, and its panics on damaged input become `Corrupt`.
//! Nothing else in the crate handles the reader's error type.

use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::error::ArrowError;
use parquet::errors::ParquetError;

use crate::error::{Error, Result};

/// Runs `decode` on bytes of the file at `path`; a panic becomes a `Corrupt` error.
///
/// The process's panic hook still runs, so a message may appear on standard error. What `decode` was working on must
/// not be used again after an error.
pub(super) fn guarded<T>(path: &str, decode: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|panic| {
        let cause = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("the Parquet reader gave up");
        Err(damaged(path).caused_by(cause.to_owned()))
    })
}

/// An error of the Parquet reader about the file at `path`.
pub(super) fn parquet_error(path: &str, error: ParquetError) -> Error {
    match error {
        ParquetError::External(cause) => match cause.downcast::<Error>() {
            Ok(own) => *own,
            Err(cause) => external(path, cause),
        },
        ParquetError::NYI(what) => Error::unsupported_format(format!(
            "'{path}' uses a part of Parquet that tstable cannot read ({what}); write the file anew without it"
        )),
        other => damaged(path).caused_by(other),
    }
}

/// An error of an Arrow kernel or of the Arrow side of the Parquet reader about the file at `path`.
pub(super) fn arrow_error(path: &str, error: ArrowError) -> Error {
    match error {
        ArrowError::ExternalError(cause) => external(path, cause),
        other => damaged(path).caused_by(other),
    }
}

fn external(path: &str, cause: Box<dyn std::error::Error + Send + Sync>) -> Error {
    match cause.downcast::<Error>() {
        Ok(own) => *own,
        Err(cause) => match cause.downcast::<ParquetError>() {
            Ok(parquet) => match *parquet {
                // One level only: an error that wraps itself again is shown as it is.
                ParquetError::External(inner) => match inner.downcast::<Error>() {
                    Ok(own) => *own,
                    Err(inner) => damaged(path).caused_by(inner),
                },
                other => damaged(path).caused_by(other),
            },
            Err(cause) => damaged(path).caused_by(cause),
        },
    }
}

/// A `Corrupt` error about the file at `path`.
pub(super) fn damaged(path: &str) -> Error {
    Error::corrupt(format!("cannot read '{path}' as Parquet; the file is damaged: restore it from its source"))
}
