//! Random access to one object by ranges.

use std::{fmt, ops::Range, sync::Arc};

use bytes::Bytes;
use object_store::{GetOptions, GetRange};
use xxhash_rust::xxh3::xxh3_128;

use super::{
    Bucket,
    blocks::{BLOCK_BYTES, blocks},
    web::{Part, WebFile},
};
use crate::{
    error::{Error, Result},
    storage::source::{Source, past_end},
};

/// A range of more bytes is read in pieces of this size, several at once.
const PIECE_BYTES: u64 = 4 * 1024 * 1024;
/// Pieces of one range that are read at once.
const PIECES_AT_ONCE: usize = 8;

/// An object that was there when it was opened. Each range is read only from the same contents.
pub(super) struct RemoteSource {
    place: Place,
    shown: String,
    len: u64,
    tag: Option<String>,
    identity: u128,
}

/// Where its bytes are.
enum Place {
    Store { bucket: Arc<Bucket>, key: String },
    Web(WebFile),
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
        let place = Place::Store { bucket: Arc::clone(bucket), key: key.to_owned() };
        Self { place, shown, len, tag, identity: xxh3_128(name.as_bytes()) }
    }

    /// A file on the web, of which the end is known.
    pub(super) fn on_the_web(file: &WebFile, end: Part) -> Self {
        // Contents that nothing tells from others are those of this one look alone.
        let unlike_others = if end.tag.is_some() { String::new() } else { super::create::random() };
        let (shown, tag) = (file.shown().to_owned(), end.tag);
        let name = format!("web\0{shown}\0{}\0{}\0{unlike_others}", end.total, tag.as_deref().unwrap_or_default());
        let identity = xxh3_128(name.as_bytes());
        let block = end.start.div_ceil(BLOCK_BYTES).saturating_mul(BLOCK_BYTES);
        let skipped = usize::try_from(block.saturating_sub(end.start)).unwrap_or(usize::MAX);
        if skipped < end.bytes.len() {
            blocks().put(identity, block, &end.bytes.slice(skipped..));
        }
        Self { place: Place::Web(file.clone()), shown, len: end.total, tag, identity }
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
        let bytes = match &self.place {
            Place::Web(file) => file.range(range.start, range.end, self.len, self.tag.as_deref())?,
            Place::Store { bucket, key } => self.object(bucket, key, range.clone())?,
        };
        if bytes.len() as u64 != wanted {
            return Err(past_end(&self.shown, self.len, range.start, usize::try_from(wanted).unwrap_or(usize::MAX)));
        }
        Ok(bytes)
    }

    fn object(&self, bucket: &Bucket, key: &str, range: Range<u64>) -> Result<Bytes> {
        let options =
            GetOptions { range: Some(GetRange::Bounded(range)), if_match: self.tag.clone(), ..GetOptions::default() };
        let got = bucket.get(key, options).map_err(|e| match e {
            object_store::Error::Precondition { .. } => {
                Error::conflict("an object was replaced while it was being read; ask again").with("path", &self.shown)
            }
            e => bucket.failure("read", key, &e),
        });
        got.map(|(_, bytes)| bytes)
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
