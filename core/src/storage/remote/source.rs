//! Random access to one object by ranges.

use std::{fmt, ops::Range, sync::Arc};

use bytes::Bytes;
use object_store::{GetOptions, GetRange};
use xxhash_rust::xxh3::xxh3_128;

use super::{
    Bucket,
    blocks::{BLOCK_BYTES, blocks},
};
use crate::{
    error::{Error, Result},
    storage::source::{Source, past_end},
};

/// A range of more bytes is read in pieces of so many, at once.
const PIECE_BYTES: u64 = 4 * 1024 * 1024;
/// Pieces of one range that are read at once.
const PIECES_AT_ONCE: usize = 8;

/// An object that was there when it was opened. Each range is read only from the same contents.
pub(super) struct RemoteSource {
    bucket: Arc<Bucket>,
    key: String,
    shown: String,
    len: u64,
    tag: Option<String>,
    identity: u128,
}

impl fmt::Debug for RemoteSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteSource").field("path", &self.shown).field("len", &self.len).finish_non_exhaustive()
    }
}

impl RemoteSource {
    /// The object `key`, of which `len` and `tag` are known.
    pub(super) fn new(bucket: &Arc<Bucket>, key: &str, len: u64, tag: Option<String>) -> Self {
        let shown = bucket.shown(key);
        let name = format!("{}\0{shown}\0{len}\0{}", bucket.identity(), tag.as_deref().unwrap_or_default());
        Self { bucket: Arc::clone(bucket), key: key.to_owned(), shown, len, tag, identity: xxh3_128(name.as_bytes()) }
    }

    /// Opens the object, which has `len` bytes by what is known of it, and reads its end, which is asked for first, all in one
    /// request. None when it is not there or has another length: whoever looks closer finds out which.
    pub(super) fn with_end(bucket: &Arc<Bucket>, key: &str, len: u64) -> Result<Option<Self>> {
        let start = len.saturating_sub(1) / BLOCK_BYTES * BLOCK_BYTES;
        // A block that is hardly begun says little.
        let start = if len.saturating_sub(start) < BLOCK_BYTES / 2 { start.saturating_sub(BLOCK_BYTES) } else { start };
        let options = GetOptions { range: Some(GetRange::Bounded(start..len)), ..GetOptions::default() };
        let (meta, bytes) = match bucket.get(key, options) {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            // A range that is not there is not told apart from other refusals.
            Err(_) => return Ok(None),
        };
        if meta.size != len || bytes.len() as u64 != len.saturating_sub(start) {
            return Ok(None);
        }
        let source = Self::new(bucket, key, len, meta.e_tag);
        blocks().put(source.identity, start, &bytes);
        Ok(Some(source))
    }

    fn fetch(&self, range: Range<u64>) -> Result<Bytes> {
        let wanted = range.end.saturating_sub(range.start);
        let options =
            GetOptions { range: Some(GetRange::Bounded(range)), if_match: self.tag.clone(), ..GetOptions::default() };
        let (_, bytes) = self.bucket.get(&self.key, options).map_err(|e| match e {
            object_store::Error::Precondition { .. } => {
                Error::conflict("an object was replaced while it was being read; ask again").with("path", &self.shown)
            }
            e => self.bucket.failure("read", &self.key, &e),
        })?;
        if bytes.len() as u64 != wanted {
            return Err(past_end(&self.shown, self.len, wanted, bytes.len()));
        }
        Ok(bytes)
    }

    fn large(&self, range: Range<u64>) -> Result<Bytes> {
        if range.end.saturating_sub(range.start) <= PIECE_BYTES * 2 {
            return self.fetch(range);
        }
        let mut pieces = Vec::new();
        let mut start = range.start;
        while start < range.end {
            let end = range.end.min(start.saturating_add(PIECE_BYTES));
            pieces.push(start..end);
            start = end;
        }
        let read = super::parallel::each(&pieces, PIECES_AT_ONCE, |piece| self.fetch(piece.clone()))?;
        Ok(read.concat().into())
    }

    /// Less than a block, or a little more: the blocks around it are read and held.
    fn small(&self, range: Range<u64>) -> Result<Bytes> {
        let first = range.start / BLOCK_BYTES * BLOCK_BYTES;
        let end = range.end.div_ceil(BLOCK_BYTES).saturating_mul(BLOCK_BYTES).min(self.len);
        if end.saturating_sub(first) <= BLOCK_BYTES
            && let Some(bytes) = blocks().get(self.identity, &range)
        {
            return Ok(bytes);
        }
        if let Some(bytes) = self.across(first, &range) {
            return Ok(bytes);
        }
        let bytes = self.fetch(first..end)?;
        blocks().put(self.identity, first, &bytes);
        let start = usize::try_from(range.start.saturating_sub(first)).unwrap_or(usize::MAX);
        let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
        Ok(bytes.slice(start..start.saturating_add(length)))
    }

    /// The range out of blocks that are all held.
    fn across(&self, first: u64, range: &Range<u64>) -> Option<Bytes> {
        let mut held = blocks();
        let mut whole = Vec::new();
        let mut block = first;
        while block < range.end {
            let piece = range.start.max(block)..range.end.min(block.saturating_add(BLOCK_BYTES));
            whole.extend_from_slice(&held.get(self.identity, &piece)?);
            block = block.saturating_add(BLOCK_BYTES);
        }
        Some(whole.into())
    }
}

impl Source for RemoteSource {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        buffer.copy_from_slice(&self.bytes_at(offset, buffer.len())?);
        Ok(())
    }

    fn bytes_at(&self, offset: u64, length: usize) -> Result<Bytes> {
        let end = u64::try_from(length).ok().and_then(|length| offset.checked_add(length));
        let Some(end) = end.filter(|end| *end <= self.len) else {
            return Err(past_end(&self.shown, self.len, offset, length));
        };
        match end.saturating_sub(offset) {
            0 => Ok(Bytes::new()),
            wanted if wanted <= BLOCK_BYTES => self.small(offset..end),
            _ => self.large(offset..end),
        }
    }

    fn path(&self) -> &str {
        &self.shown
    }
}
