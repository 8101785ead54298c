//! Checkpoints: the whole state at a version in one checksummed file, so that opening a table costs the state and the
//! commits since, not its history. A checkpoint that is damaged or missing costs time, never data: the commits stay.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use super::{
    LOG_DIRECTORY, Version, block::Sums, commit::Instant, definition::Definition, expectations::Expectations,
    segments::Segments, state::TableState,
};
use crate::{
    error::{Error, ErrorKind, Result},
    storage::{
        Storage,
        source::{Part, Source},
    },
};

/// A checkpoint is written each time this many commits have been made.
pub const COMMITS_PER_CHECKPOINT: u64 = 100;

/// No checkpoint is larger.
const MAX_CHECKPOINT_BYTES: u64 = 1 << 30;

const MAGIC: &[u8; 8] = b"TSCKPT\x03\n";
/// The same for a table with columns that are not in the files of their segments: who does not know of these takes it for none, and so
/// comes to the commit that says so.
const MAGIC_OF_CONSTANTS: &[u8; 8] = b"TSCKPT\x04\n";
/// The same for a table with columns that had another name or type in older segments, without and with such constants.
const MAGIC_OF_ALTERED: [&[u8; 8]; 2] = [b"TSCKPT\x05\n", b"TSCKPT\x06\n"];
const HEADER_BYTES: usize = 8 + 8 + 8 + 8;
/// So much of a checkpoint is looked through at once.
const PIECE_BYTES: usize = 64 << 10;

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

/// The bytes of the checkpoint of `state`: magic, the lengths of the state and of the blocks of segments, the XXH3-64 of both (little-endian,
/// 8 bytes each), the state, the blocks, then the table's coverage in its own checksummed form.
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
    let state_bytes = postcard::to_stdvec(&stored).map_err(|e| unwritable(&e))?;
    let parts = || std::iter::once(state_bytes.as_slice()).chain(blocks.iter().map(|(_, bytes)| bytes.as_ref()));
    let mut hash = Xxh3::new();
    parts().for_each(|part| hash.update(part));
    let length: usize = blocks.iter().map(|(_, bytes)| bytes.len()).sum();
    let header = [state_bytes.len() as u64, length as u64, hash.digest()].map(u64::to_le_bytes).concat();
    let coverage = state.coverage(storage)?.to_bytes();
    let mut bytes = Vec::with_capacity(HEADER_BYTES + state_bytes.len() + length + coverage.len());
    bytes.extend_from_slice(magic(state.has_constants, state.definition.is_altered()));
    bytes.extend_from_slice(&header);
    parts().for_each(|part| bytes.extend_from_slice(part));
    bytes.extend_from_slice(&coverage);
    Ok(bytes)
}

fn magic(has_constants: bool, is_altered: bool) -> &'static [u8; 8] {
    let [plain, constants] = if is_altered { MAGIC_OF_ALTERED } else { [MAGIC, MAGIC_OF_CONSTANTS] };
    if has_constants { constants } else { plain }
}

/// Reads the checkpoint of `version`, none when there is no such file; its segments and its coverage are decoded when they are asked for.
///
/// # Errors
/// `Corrupt` when it is damaged.
pub fn read(storage: &dyn Storage, version: Version) -> Result<Option<TableState>> {
    let path = checkpoint_path(version);
    let source = match storage.open_held(&path) {
        Ok(source) => source,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    decode(&source, version).map(Some).map_err(|e| e.with("path", &path))
}

fn decode(source: &Arc<dyn Source>, version: Version) -> Result<TableState> {
    let Verified { has_constants, state, begin: mut offset, end } = verified(source.as_ref())?;
    let stored: StoredState =
        postcard::from_bytes(&state).map_err(|e| Error::corrupt("the checkpoint cannot be read").caused_by(e))?;
    if stored.version != version {
        return Err(Error::corrupt("the checkpoint is of another version"));
    }
    let mut state = restore(&stored)?;
    state.has_constants = has_constants;
    let part = |offset, length| Part { source: Arc::clone(source), offset, length };
    let mut blocks = Vec::with_capacity(stored.blocks.len());
    for (sums, length) in stored.blocks {
        if length > end.saturating_sub(offset) {
            return Err(Error::corrupt("the blocks of the checkpoint are longer than it"));
        }
        blocks.push((sums, part(offset, length)));
        offset = offset.saturating_add(length);
    }
    state.segments = Segments::of_blocks(blocks)?;
    Ok(state.with_coverage(part(end, source.len().saturating_sub(end))))
}

/// What the checksum holds for; the coverage has its own.
struct Verified {
    has_constants: bool,
    /// As it is stored.
    state: Bytes,
    /// Where the blocks begin and end.
    begin: u64,
    end: u64,
}

fn verified(source: &dyn Source) -> Result<Verified> {
    let cut_off = || Error::corrupt("the checkpoint is cut off or no checkpoint");
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0_u64, |n, b| (n << 8) | u64::from(*b));
    let mut header = [0; HEADER_BYTES];
    if source.len() < HEADER_BYTES as u64 {
        return Err(cut_off());
    }
    source.read_at(0, &mut header)?;
    let (magic, header) = header.split_at(MAGIC.len());
    let [state, blocks, checksum] = [0, 8, 16].map(|at| number(header.get(at..at + 8).unwrap_or_default()));
    let most = source.len().min(MAX_CHECKPOINT_BYTES) - HEADER_BYTES as u64;
    // What is not a checkpoint is not read, however large it is.
    let [altered, altered_constants] = MAGIC_OF_ALTERED;
    let has_constants = magic == MAGIC_OF_CONSTANTS || magic == altered_constants;
    if !has_constants && magic != MAGIC && magic != altered
        || state.checked_add(blocks).is_none_or(|length| length > most)
    {
        return Err(cut_off());
    }
    let begin = HEADER_BYTES as u64 + state;
    let state = source.bytes_at(HEADER_BYTES as u64, usize::try_from(state).unwrap_or(usize::MAX))?;
    let mut hash = Xxh3::new();
    hash.update(&state);
    // The blocks are only looked through: most readers need few of them.
    let mut piece = vec![0; PIECE_BYTES];
    let mut left = blocks;
    while left > 0 {
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(PIECE_BYTES);
        let piece = piece.get_mut(..length).unwrap_or_default();
        source.read_at(begin + blocks - left, piece)?;
        hash.update(piece);
        left -= length as u64;
    }
    if hash.digest() != checksum {
        return Err(Error::corrupt("the checkpoint's checksum does not match its contents"));
    }
    Ok(Verified { has_constants, state, begin, end: begin + blocks })
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
