//! The boundary to the Parquet reader: its errors become ours, and its panics on damaged input become `Corrupt`.
//! Nothing else in the crate handles the reader's error type.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
};

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
        ParquetError::NYI(what) => Error::unsupported_format(format!(
            "'{path}' uses a part of Parquet that tstable cannot read ({what}); write the file again without it"
        )),
        other => own_cause(Box::new(other)).unwrap_or_else(|cause| damaged(path).caused_by(cause)),
    }
}

/// An error of an Arrow kernel or of the Arrow side of the Parquet reader about the file at `path`.
pub(super) fn arrow_error(path: &str, error: ArrowError) -> Error {
    own_cause(Box::new(error)).unwrap_or_else(|cause| damaged(path).caused_by(cause))
}

/// An error while writing the file at `path`.
pub(super) fn write_error(path: &str, error: ParquetError) -> Error {
    match own_cause(Box::new(error)) {
        Ok(own) => own,
        Err(cause) => match cause.downcast::<io::Error>() {
            Ok(refused) => Error::io("write", path, *refused),
            Err(cause) => {
                Error::invalid_argument(format!("cannot write these rows to '{path}' as Parquet")).caused_by(cause)
            }
        },
    }
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Our own error, where other libraries' errors wrap one (the source of the bytes gives such); else the innermost cause.
fn own_cause(error: Cause) -> Result<Error, Cause> {
    let error = match error.downcast::<Error>() {
        Ok(own) => return Ok(*own),
        Err(other) => other,
    };
    let error = match error.downcast::<ParquetError>().map(|error| *error) {
        Ok(ParquetError::External(inner)) => return own_cause(inner),
        Ok(other) => return Err(Box::new(other)),
        Err(other) => other,
    };
    let error = match error.downcast::<ArrowError>().map(|error| *error) {
        Ok(ArrowError::ExternalError(inner)) => return own_cause(inner),
        Ok(other) => return Err(Box::new(other)),
        Err(other) => other,
    };
    match error.downcast::<io::Error>() {
        Ok(io) if io.get_ref().is_some_and(|inner| inner.is::<Error>()) => match io.into_inner() {
            Some(inner) => own_cause(inner),
            None => Err("the source of the bytes gave up".into()),
        },
        Ok(io) => Err(io),
        Err(other) => Err(other),
    }
}

/// A `Corrupt` error about the file at `path`.
pub(super) fn damaged(path: &str) -> Error {
    Error::corrupt(format!("cannot read '{path}' as Parquet; the file is damaged: restore it from its source"))
}
