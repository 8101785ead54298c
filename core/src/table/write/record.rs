//! What the record of a segment needs beside the segment: its coverage, small or in a file of its own; and taking back what is staged.

use std::io::Write;

use super::adopt;
use crate::{
    coverage::Coverage,
    error::{Error, Result},
    log::{
        COVERAGE_DIRECTORY,
        commit::{CoverageRecord, SegmentRecord},
    },
    storage::Storage,
};

/// Coverage of up to this many bytes is kept in the commit itself.
const INLINE_COVERAGE_BYTES: usize = 4096;

/// Puts coverage into the record when it is small, and into a file when it is not.
///
/// # Errors
/// `Io` when the file cannot be written.
pub fn coverage(storage: &dyn Storage, coverage: &Coverage, id: &str) -> Result<CoverageRecord> {
    let bytes = coverage.to_bytes();
    if bytes.len() <= INLINE_COVERAGE_BYTES {
        return Ok(CoverageRecord::Inline(bytes));
    }
    let path = format!("{COVERAGE_DIRECTORY}/{id}.cov");
    let mut staged = storage.stage(&path)?;
    staged.write_all(&bytes).map_err(|e| Error::io("write", &path, e))?;
    staged.finish()?;
    Ok(CoverageRecord::File(path))
}

/// Removes what [`super::stage::file()`] staged; leftovers are vacuum's.
pub fn discard(storage: &dyn Storage, record: &SegmentRecord) {
    if adopt::is_own(record) {
        let _ = storage.remove(&record.path);
    }
    if let CoverageRecord::File(path) = &record.coverage {
        let _ = storage.remove(path);
    }
}
