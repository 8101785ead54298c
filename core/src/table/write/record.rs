//! What the record of a segment needs beside the segment: its coverage, small or in a file of its own; and taking back what is staged.

use std::io::Write;

use super::adopt;
use crate::{
    coverage::{Counts, Coverage},
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
    placed(storage, coverage.to_bytes(), &format!("{COVERAGE_DIRECTORY}/{id}.cov"))
}

fn placed(storage: &dyn Storage, bytes: Vec<u8>, path: &str) -> Result<CoverageRecord> {
    if bytes.len() <= INLINE_COVERAGE_BYTES {
        return Ok(CoverageRecord::Inline(bytes));
    }
    let mut staged = storage.stage(path)?;
    staged.write_all(&bytes).map_err(|e| Error::io("write", path, e))?;
    staged.finish()?;
    Ok(CoverageRecord::File(path.to_owned()))
}

/// Puts the counts into the record as coverage is put there: none when there are none.
///
/// # Errors
/// `Io` when the file cannot be written.
pub fn counts(storage: &dyn Storage, counts: Option<&Counts>, id: &str) -> Result<Option<CoverageRecord>> {
    counts.map(|counts| placed(storage, counts.to_bytes(), &format!("{COVERAGE_DIRECTORY}/{id}.cnt"))).transpose()
}

/// Removes what [`super::stage::file()`] staged; leftovers are vacuum's.
pub fn discard(storage: &dyn Storage, record: &SegmentRecord) {
    if adopt::is_own(record) {
        let _ = storage.remove(&record.path);
    }
    if let CoverageRecord::File(path) = &record.coverage {
        let _ = storage.remove(path);
    }
    record.counts_path().map(|path| storage.remove(path));
}
