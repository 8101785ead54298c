//! A live segment: what the log says of it and the version that added it. Its coverage is read when somebody asks, once.

use std::sync::{Arc, OnceLock};

use super::{
    Version,
    commit::{CoverageRecord, SegmentRecord},
};
use crate::{
    coverage::Coverage,
    error::{Error, Result},
    storage::Storage,
    time::IndexRange,
};

/// No coverage of a segment or table is larger.
pub const MAX_COVERAGE_BYTES: u64 = 1 << 30;

/// No table covers more pairs of entity and bucket: what a crafted log can make a reader hold is bounded.
pub const MAX_TABLE_BUCKETS: u64 = 1 << 38;

/// A live segment.
#[derive(Debug)]
pub struct Segment {
    /// What the log says of it.
    pub record: SegmentRecord,
    /// The version that added it.
    pub added: Version,
    coverage: OnceLock<Arc<Coverage>>,
}

impl Segment {
    /// A segment as a commit of version `added` describes it.
    #[must_use]
    pub fn new(record: SegmentRecord, added: Version) -> Self {
        Self { record, added, coverage: OnceLock::new() }
    }

    /// Its coverage, read once.
    ///
    /// # Errors
    /// `Corrupt` or `NotFound` with path and version when it cannot be had or contradicts the record.
    pub fn coverage(&self, storage: &dyn Storage) -> Result<Arc<Coverage>> {
        if let Some(coverage) = self.coverage.get() {
            return Ok(Arc::clone(coverage));
        }
        let mut coverage = Coverage::default();
        self.read_coverage(storage, &mut coverage)?;
        Ok(Arc::clone(self.coverage.get_or_init(|| Arc::new(coverage))))
    }

    /// Adds its buckets to those of others, without keeping what has to be read for that.
    ///
    /// # Errors
    /// As [`Segment::coverage`].
    pub(super) fn add_coverage(&self, storage: &dyn Storage, to: &mut Coverage) -> Result<()> {
        match self.coverage.get() {
            Some(known) => to.union_with(known),
            None => self.read_coverage(storage, to)?,
        }
        Ok(())
    }

    fn read_coverage(&self, storage: &dyn Storage, to: &mut Coverage) -> Result<()> {
        self.read_buckets(storage, to).map_err(|e| e.with("version", self.added))
    }

    fn read_buckets(&self, storage: &dyn Storage, coverage: &mut Coverage) -> Result<()> {
        let limit = self.record.buckets;
        let buckets = match &self.record.coverage {
            CoverageRecord::Inline(bytes) => {
                coverage.extend_from_bytes(bytes, limit).map_err(|e| e.with("path", self.added.commit_path()))?
            }
            CoverageRecord::File(path) => {
                let missing = || {
                    let what = if *path == self.record.path { "a segment" } else { "the coverage of a segment" };
                    Error::corrupt(format!("{what} is missing")).with("path", path)
                };
                let bytes = storage.read(path, MAX_COVERAGE_BYTES)?.ok_or_else(missing)?;
                coverage.extend_from_bytes(&bytes, limit).map_err(|e| e.with("path", path))?
            }
        };
        if buckets != limit {
            return Err(Error::corrupt("a segment's coverage contradicts its record").with("path", &self.record.path));
        }
        Ok(())
    }

    /// Whether its file has the column with this field id.
    #[must_use]
    pub fn has_field(&self, id: u32) -> bool {
        id <= self.record.last_field_id && !self.record.missing_fields.contains(&id)
    }

    /// Whether any of its index values may lie in `range`, by its bounds alone.
    #[must_use]
    pub fn meets(&self, range: &IndexRange) -> bool {
        range.intersects(self.record.index_min, self.record.index_max)
    }
}
