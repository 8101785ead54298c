//! Checkpoints: the whole state at a version in one checksummed file, so that opening a table costs the state and the
//! commits since, not its history. A checkpoint that is damaged or missing costs time, never data: the commits stay.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

use super::{
    LOG_DIRECTORY, Version,
    commit::{CoverageRecord, Fingerprint, FooterChecksum, Instant, SegmentRecord, SortOrder, SourceRecord},
    definition::Definition,
    expectations::Expectations,
    state::{CoverageBase, Segment, TableState},
};
use crate::{
    error::{Error, Result},
    storage::Storage,
    time::IndexValue,
};

/// A checkpoint is written after every so many commits.
pub const COMMITS_PER_CHECKPOINT: u64 = 100;

/// No checkpoint is larger.
const MAX_CHECKPOINT_BYTES: u64 = 1 << 30;

const MAGIC: &[u8; 8] = b"TSCKPT\x02\n";
const HEADER_BYTES: usize = 8 + 8 + 8;

/// Where the checkpoint of a version stands, relative to the root.
#[must_use]
pub fn checkpoint_path(version: Version) -> String {
    format!("{LOG_DIRECTORY}/{:010}.checkpoint", version.0)
}

/// The version whose checkpoint has this file name; none for every other file.
#[must_use]
pub fn of_checkpoint_name(name: &str) -> Option<Version> {
    let version = Version(name.strip_suffix(".checkpoint")?.parse().ok()?);
    (version.0 > 0 && checkpoint_path(version).ends_with(name)).then_some(version)
}

#[derive(Serialize, Deserialize)]
struct StoredState {
    version: Version,
    committed_at: Instant,
    created_at: Instant,
    /// JSON, so that fields unknown to this version survive.
    definition: String,
    oldest: Version,
    properties: BTreeMap<String, String>,
    tags: BTreeMap<String, Version>,
    segments: Vec<StoredSegment>,
    /// JSON, so that fields unknown to this version survive; empty when there are none.
    calendars: String,
    /// Serialised coverage; empty when there is none.
    confirmed_empty: Vec<u8>,
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

    fn into_segment(self) -> Result<Segment, serde_json::Error> {
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

/// The bytes of the checkpoint of `state`: magic, the state's length and XXH3-64 (both little-endian, 8 bytes), the state,
/// then the table's coverage in its own checksummed form.
///
/// # Errors
/// As [`TableState::coverage`].
pub fn encode(state: &TableState, storage: &dyn Storage) -> Result<Vec<u8>> {
    let unwritable =
        |e: &dyn std::fmt::Display| Error::invalid_argument(format!("the checkpoint cannot be written: {e}"));
    let (calendars, confirmed_empty) = state.expectations.to_stored()?;
    let stored = StoredState {
        version: state.version,
        committed_at: state.committed_at,
        created_at: state.created_at,
        definition: serde_json::to_string(state.definition.as_ref()).map_err(|e| unwritable(&e))?,
        oldest: state.oldest,
        properties: state.properties.clone(),
        tags: state.tags.clone(),
        segments: state.segments.iter().map(|s| StoredSegment::of(s)).collect(),
        calendars,
        confirmed_empty,
    };
    let body = postcard::to_stdvec(&stored).map_err(|e| unwritable(&e))?;
    let mut bytes = Vec::with_capacity(HEADER_BYTES + body.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&xxh3_64(&body).to_le_bytes());
    bytes.extend_from_slice(&body);
    bytes.extend_from_slice(&state.coverage(storage)?.to_bytes());
    Ok(bytes)
}

/// Reads the checkpoint of `version`, without its coverage; none when there is no such file.
///
/// # Errors
/// `Corrupt` when it is damaged.
pub fn read(storage: &dyn Storage, version: Version) -> Result<Option<TableState>> {
    let path = checkpoint_path(version);
    let corrupt = |why: &str| Error::corrupt(why).with("path", &path);
    if storage.stat(&path)?.is_none() {
        return Ok(None);
    }
    let source = storage.open(&path)?;
    let mut header = [0; HEADER_BYTES];
    if source.len() < HEADER_BYTES as u64 {
        return Err(corrupt("the checkpoint is cut off"));
    }
    source.read_at(0, &mut header)?;
    let (magic, rest) = header.split_at(MAGIC.len());
    let (length, checksum) = rest.split_at(8);
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0_u64, |n, b| (n << 8) | u64::from(*b));
    let (length, checksum) = (number(length), number(checksum));
    let offset = HEADER_BYTES as u64;
    let coverage_at = offset.checked_add(length).filter(|at| *at <= source.len() && length <= MAX_CHECKPOINT_BYTES);
    let Some(coverage_at) = coverage_at.filter(|_| magic == MAGIC) else {
        return Err(corrupt("the checkpoint is cut off or no checkpoint"));
    };
    let mut body = vec![0; usize::try_from(length).unwrap_or(0)];
    source.read_at(offset, &mut body)?;
    if xxh3_64(&body) != checksum {
        return Err(corrupt("the checkpoint's checksum does not match its contents"));
    }
    let stored: StoredState =
        postcard::from_bytes(&body).map_err(|e| corrupt("the checkpoint cannot be read").caused_by(e))?;
    if stored.version != version {
        return Err(corrupt("the checkpoint is of another version"));
    }
    let base = CoverageBase { path: path.clone(), offset: coverage_at, bytes: source.len() - coverage_at };
    let expectations =
        Expectations::of_stored(&stored.calendars, &stored.confirmed_empty).map_err(|e| e.with("path", &path))?;
    let mut state = restore(stored).map_err(|e| corrupt("the checkpoint holds unreadable JSON").caused_by(e))?;
    state.expectations = Arc::new(expectations);
    Ok(Some(state.with_coverage_at(base)))
}

fn restore(stored: StoredState) -> Result<TableState, serde_json::Error> {
    let definition: Definition = serde_json::from_str(&stored.definition)?;
    let mut state = TableState::bare(stored.version, stored.committed_at, stored.created_at, definition);
    state.oldest = stored.oldest;
    state.checkpoint = stored.version;
    state.properties = stored.properties;
    state.tags = stored.tags;
    state.segments = stored
        .segments
        .into_iter()
        .map(|s| s.into_segment().map(Arc::new))
        .collect::<Result<_, serde_json::Error>>()?;
    Ok(state)
}
