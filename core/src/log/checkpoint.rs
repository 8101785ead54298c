//! Checkpoints: the whole state at a version in one checksummed file, so that opening a table costs the state and the
//! commits since, not its history. A checkpoint that is damaged or missing costs time, never data: the commits stay.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::{
    LOG_DIRECTORY, Version, block::Sums, commit::Instant, definition::Definition, expectations::Expectations,
    segments::Segments, state::TableState,
};
use crate::{
    error::{Error, ErrorKind, Result},
    storage::{Storage, source::Source},
};

/// A checkpoint is written after every so many commits.
pub const COMMITS_PER_CHECKPOINT: u64 = 100;

/// No checkpoint is larger.
const MAX_CHECKPOINT_BYTES: u64 = 1 << 31;

const MAGIC: &[u8; 8] = b"TSCKPT\x03\n";
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
    /// Of each block of segments what is known without decoding it, and how many bytes it takes; the blocks follow the state.
    blocks: Vec<(Sums, u64)>,
    /// JSON, so that fields unknown to this version survive; empty when there are none.
    calendars: String,
    /// Serialised coverage; empty when there is none.
    confirmed_empty: Vec<u8>,
}

/// The bytes of the checkpoint of `state`: magic, the length and XXH3-64 (both little-endian, 8 bytes) of the state with its blocks of
/// segments, these, then the table's coverage in its own checksummed form.
///
/// # Errors
/// As [`TableState::coverage`].
pub fn encode(state: &TableState, storage: &dyn Storage) -> Result<Vec<u8>> {
    let unwritable =
        |e: &dyn std::fmt::Display| Error::invalid_argument(format!("the checkpoint cannot be written: {e}"));
    let (calendars, confirmed_empty) = state.expectations.to_stored()?;
    let blocks = state.segments.to_blocks()?;
    let stored = StoredState {
        version: state.version,
        committed_at: state.committed_at,
        created_at: state.created_at,
        definition: serde_json::to_string(state.definition.as_ref()).map_err(|e| unwritable(&e))?,
        oldest: state.oldest,
        properties: state.properties.clone(),
        tags: state.tags.clone(),
        blocks: blocks.iter().map(|(sums, bytes)| (sums.clone(), bytes.len() as u64)).collect(),
        calendars,
        confirmed_empty,
    };
    let mut body = postcard::to_stdvec(&stored).map_err(|e| unwritable(&e))?;
    blocks.iter().for_each(|(_, bytes)| body.extend_from_slice(bytes));
    let mut bytes = Vec::with_capacity(HEADER_BYTES + body.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&xxh3_64(&body).to_le_bytes());
    bytes.extend_from_slice(&body);
    bytes.extend_from_slice(&state.coverage(storage)?.to_bytes());
    Ok(bytes)
}

/// Reads the checkpoint of `version`, none when there is no such file; its segments and its coverage are decoded when they are asked for.
///
/// # Errors
/// `Corrupt` when it is damaged.
pub fn read(storage: &dyn Storage, version: Version) -> Result<Option<TableState>> {
    let path = checkpoint_path(version);
    let source = match storage.open(&path) {
        Ok(source) => source,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    decode(source.as_ref(), version, &path).map(Some).map_err(|e| e.with("path", &path))
}

fn decode(source: &dyn Source, version: Version, path: &str) -> Result<TableState> {
    let (body, coverage) = parts(source)?;
    let (stored, blocks): (StoredState, _) =
        postcard::take_from_bytes(&body).map_err(|e| Error::corrupt("the checkpoint cannot be read").caused_by(e))?;
    if stored.version != version {
        return Err(Error::corrupt("the checkpoint is of another version"));
    }
    let mut state = restore(&stored)?;
    let mut rest = body.slice(body.len().saturating_sub(blocks.len())..);
    let mut cut = Vec::with_capacity(stored.blocks.len());
    for (sums, length) in stored.blocks {
        let length = usize::try_from(length).ok().filter(|length| *length <= rest.len());
        let length = length.ok_or_else(|| Error::corrupt("the blocks of the checkpoint are longer than it"))?;
        cut.push((sums, rest.split_to(length)));
    }
    state.segments = Segments::of_blocks(cut, path)?;
    Ok(state.with_coverage(coverage))
}

/// What the checksum of the checkpoint guards, and the coverage, which has its own.
fn parts(source: &dyn Source) -> Result<(Bytes, Bytes)> {
    let cut_off = || Error::corrupt("the checkpoint is cut off or no checkpoint");
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0_u64, |n, b| (n << 8) | u64::from(*b));
    let mut header = [0; HEADER_BYTES];
    if source.len() < HEADER_BYTES as u64 {
        return Err(cut_off());
    }
    source.read_at(0, &mut header)?;
    let (magic, header) = header.split_at(MAGIC.len());
    let (length, checksum) = header.split_at(8);
    let length = usize::try_from(number(length)).unwrap_or(usize::MAX);
    // What is no checkpoint is not read, however large it is.
    let rest = usize::try_from(source.len().min(MAX_CHECKPOINT_BYTES)).unwrap_or(usize::MAX) - HEADER_BYTES;
    if magic != MAGIC || length > rest {
        return Err(cut_off());
    }
    let mut body = source.bytes_at(HEADER_BYTES as u64, rest)?;
    let coverage = body.split_off(length);
    if xxh3_64(&body) != number(checksum) {
        return Err(Error::corrupt("the checkpoint's checksum does not match its contents"));
    }
    Ok((body, coverage))
}

/// The state without its segments and its coverage.
fn restore(stored: &StoredState) -> Result<TableState> {
    let definition: Definition = serde_json::from_str(&stored.definition)
        .map_err(|e| Error::corrupt("the checkpoint holds unreadable JSON").caused_by(e))?;
    let mut state = TableState::bare(stored.version, stored.committed_at, stored.created_at, definition);
    state.oldest = stored.oldest;
    state.checkpoint = stored.version;
    state.properties.clone_from(&stored.properties);
    state.tags.clone_from(&stored.tags);
    state.expectations = Arc::new(Expectations::of_stored(&stored.calendars, &stored.confirmed_empty)?);
    Ok(state)
}
