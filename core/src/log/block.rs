//! A run of live segments: the unit in which states share segments with each other, and in which a checkpoint stores them. A block that
//! comes from a checkpoint is decoded when somebody asks for its segments; its sums are known before.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Version,
    commit::{CoverageRecord, Fingerprint, FooterChecksum, SegmentRecord, SortOrder, SourceRecord},
    segment::{MAX_TABLE_BUCKETS, Segment},
};
use crate::{
    error::{Error, Result},
    storage::{check_path, source::Part},
    time::IndexValue,
};

/// Parquet itself numbers row groups in fewer bits.
const MAX_ROW_GROUPS: u64 = 1 << 31;

/// What the order of segments goes by: least and greatest index value, version, id.
pub(super) type Key = (IndexValue, IndexValue, Version, String);

/// What is known of a block without its segments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sums {
    pub(super) segments: u64,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) buckets: u64,
    pub(super) index_max: IndexValue,
    pub(super) first: Key,
}

/// One or more segments in order.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) sums: Sums,
    /// Where a checkpoint stores it.
    stored: Option<Part>,
    segments: OnceLock<Vec<Arc<Segment>>>,
}

impl Block {
    /// The block of these segments, which are in order; none for none.
    pub(super) fn of(segments: Vec<Arc<Segment>>) -> Option<Self> {
        let sums = sums(&segments)?;
        Some(Self { sums, stored: None, segments: OnceLock::from(segments) })
    }

    /// The block that a checkpoint stores there.
    pub(super) fn stored(sums: Sums, part: Part) -> Self {
        Self { sums, stored: Some(part), segments: OnceLock::new() }
    }

    /// Its segments.
    ///
    /// # Errors
    /// `Corrupt` when a checkpoint says what no writer writes.
    pub(super) fn segments(&self) -> Result<&[Arc<Segment>]> {
        if let (None, Some(part)) = (self.segments.get(), &self.stored) {
            let segments = part.bytes().and_then(|bytes| self.check(decode(&bytes)?));
            let segments = segments.map_err(|e| e.with("checkpoint", part.source.path()))?;
            return Ok(self.segments.get_or_init(|| segments));
        }
        Ok(self.segments.get().map_or(&[], Vec::as_slice))
    }

    fn check(&self, segments: Vec<Arc<Segment>>) -> Result<Vec<Arc<Segment>>> {
        segments.iter().try_for_each(|segment| check_record(&segment.record))?;
        if !segments.is_sorted_by_key(|segment| key(segment)) || sums(&segments).as_ref() != Some(&self.sums) {
            return Err(Error::corrupt("the segments of a checkpoint are not what it says of them"));
        }
        Ok(segments)
    }

    /// As a checkpoint stores it.
    pub(super) fn to_bytes(&self) -> Result<Bytes> {
        if let Some(part) = &self.stored {
            return part.bytes();
        }
        let stored: Vec<_> = self.segments()?.iter().map(|segment| StoredSegment::of(segment)).collect();
        let unwritable = |e| Error::invalid_argument("the checkpoint cannot be written").caused_by(e);
        Ok(postcard::to_stdvec(&stored).map_err(unwritable)?.into())
    }
}

/// What a segment is ordered by.
pub(super) fn key(segment: &Segment) -> (IndexValue, IndexValue, Version, &str) {
    (segment.record.index_min, segment.record.index_max, segment.added, &segment.record.id)
}

/// A key as [`key`] gives it.
pub(super) fn borrowed((min, max, added, id): &Key) -> (IndexValue, IndexValue, Version, &str) {
    (*min, *max, *added, id)
}

fn sums(segments: &[Arc<Segment>]) -> Option<Sums> {
    let (min, max, added, id) = key(segments.first()?);
    let sum = |of: fn(&SegmentRecord) -> u64| segments.iter().map(|s| of(&s.record)).fold(0, u64::saturating_add);
    Some(Sums {
        segments: segments.len() as u64,
        rows: sum(|record| record.rows),
        bytes: sum(|record| record.bytes),
        buckets: sum(|record| record.buckets),
        index_max: segments.iter().map(|s| s.record.index_max).max()?,
        first: (min, max, added, id.to_owned()),
    })
}

/// Refuses records that no writer makes: their paths and counts are used before their files are seen.
pub(super) fn check_record(record: &SegmentRecord) -> Result<()> {
    check_path(&record.path)?;
    if let CoverageRecord::File(path) = &record.coverage {
        check_path(path)?;
    }
    record.counts_path().map_or(Ok(()), check_path)?;
    let sound = record.row_groups <= MAX_ROW_GROUPS
        && record.entities <= record.buckets
        && record.buckets <= record.rows
        && record.buckets <= MAX_TABLE_BUCKETS
        && record.index_min <= record.index_max;
    // What cannot be read would be missed by whoever asks for it, and so by nobody.
    record.constants()?;
    if !sound {
        return Err(
            Error::corrupt("the counts or bounds of a segment contradict each other").with("path", &record.path)
        );
    }
    Ok(())
}

fn decode(bytes: &[u8]) -> Result<Vec<Arc<Segment>>> {
    let stored: Vec<StoredSegment> = postcard::from_bytes(bytes)
        .map_err(|e| Error::corrupt("the segments of a checkpoint cannot be read").caused_by(e))?;
    let unreadable = |e| Error::corrupt("the checkpoint holds unreadable JSON").caused_by(e);
    stored.into_iter().map(|segment| segment.into_segment().map(Arc::new).map_err(unreadable)).collect()
}

#[derive(Serialize, Deserialize)]
struct StoredSegment {
    id: String,
    path: String,
    rows: u64,
    row_groups: u64,
    bytes: u64,
    checksum: Fingerprint,
    footer_checksum: Option<FooterChecksum>,
    index_min: IndexValue,
    index_max: IndexValue,
    sorted_by: Option<SortOrder>,
    last_field_id: u32,
    missing_fields: Vec<u32>,
    entities: u64,
    buckets: u64,
    coverage: CoverageRecord,
    sources: Vec<SourceRecord>,
    /// JSON of the fields unknown to this version; empty when there are none.
    extra: String,
    added: Version,
}

impl StoredSegment {
    fn of(segment: &Segment) -> Self {
        let r = segment.record.clone();
        Self {
            id: r.id,
            path: r.path,
            rows: r.rows,
            row_groups: r.row_groups,
            bytes: r.bytes,
            checksum: r.checksum,
            footer_checksum: r.footer_checksum,
            index_min: r.index_min,
            index_max: r.index_max,
            sorted_by: r.sorted_by,
            last_field_id: r.last_field_id,
            missing_fields: r.missing_fields,
            entities: r.entities,
            buckets: r.buckets,
            coverage: r.coverage,
            sources: r.sources,
            extra: if r.extra.is_empty() { String::new() } else { Value::Object(r.extra).to_string() },
            added: segment.added,
        }
    }

    fn into_segment(self) -> std::result::Result<Segment, serde_json::Error> {
        let extra: Map<String, Value> =
            if self.extra.is_empty() { Map::new() } else { serde_json::from_str(&self.extra)? };
        let record = SegmentRecord {
            id: self.id,
            path: self.path,
            rows: self.rows,
            row_groups: self.row_groups,
            bytes: self.bytes,
            checksum: self.checksum,
            footer_checksum: self.footer_checksum,
            index_min: self.index_min,
            index_max: self.index_max,
            sorted_by: self.sorted_by,
            last_field_id: self.last_field_id,
            missing_fields: self.missing_fields,
            entities: self.entities,
            buckets: self.buckets,
            coverage: self.coverage,
            sources: self.sources,
            extra,
        };
        Ok(Segment::new(record, self.added))
    }
}
