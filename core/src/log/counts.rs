//! Where the rows of each bucket of a segment are told, in tables that keep that. An optional field of the segment's record: who
//! does not know it reads the rows.

use serde::Deserialize;

use super::{
    commit::{CoverageRecord, SegmentRecord},
    segment::Segment,
};
use crate::{
    coverage::Counts,
    error::{Error, Result},
    storage::Storage,
};

/// The field of a segment's record.
const FIELD: &str = "counts";

/// No counts of a segment are larger: more than a writer keeps.
const MAX_COUNTS_BYTES: u64 = 1 << 28;

impl SegmentRecord {
    /// Says where the counts are, or that there are none.
    pub fn set_counts(&mut self, counts: Option<&CoverageRecord>) {
        match counts.and_then(|counts| serde_json::to_value(counts).ok()) {
            Some(value) => _ = self.extra.insert(FIELD.to_owned(), value),
            None => _ = self.extra.remove(FIELD),
        }
    }

    /// Where the counts are; none when there are none, or nothing that is understood.
    #[must_use]
    pub fn counts(&self) -> Option<CoverageRecord> {
        CoverageRecord::deserialize(self.extra.get(FIELD)?).ok()
    }

    /// The file of the counts, when they have one.
    #[must_use]
    pub fn counts_path(&self) -> Option<&str> {
        self.extra.get(FIELD)?.get("file")?.as_str()
    }
}

impl Segment {
    /// How many rows each of its buckets has, as the log tells; none where it does not.
    ///
    /// # Errors
    /// `Corrupt` with the path when that cannot be read or contradicts the record.
    pub fn counts(&self, storage: &dyn Storage) -> Result<Option<Counts>> {
        let Some(place) = self.record.counts() else { return Ok(None) };
        let (bytes, path) = match place {
            CoverageRecord::Inline(bytes) => (bytes, self.added.commit_path()),
            CoverageRecord::File(path) => {
                let missing = || Error::corrupt("the counts of a segment are missing").with("path", &path);
                (storage.read(&path, MAX_COUNTS_BYTES)?.ok_or_else(missing)?, path)
            }
        };
        let counts = Counts::from_bytes(&bytes).map_err(|e| e.with("path", &path))?;
        if counts.totals() != (self.record.buckets, self.record.rows) {
            return Err(Error::corrupt("the counts of a segment contradict its record").with("path", path));
        }
        Ok(Some(counts))
    }
}
