//! What the Parquet reader reads from: a [`Source`], with the bytes of some ranges held in memory so that neighbouring
//! pages cost one read of the file together.

use std::{
    io::{self, Read},
    ops::Range,
    sync::Arc,
};

use bytes::{Buf, Bytes};
use parquet::{
    errors::{ParquetError, Result as ParquetResult},
    file::reader::{ChunkReader, Length},
};

use crate::{error::Result, storage::source::Source};

/// Two ranges closer than this are read as one: a gap costs less than another call.
const GAP_BYTES: u64 = 64 * 1024;
/// A range longer than this is not held in memory but read page by page.
const HELD_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes read at once where a page's length is not known yet.
const AHEAD_BYTES: usize = 8 * 1024;

/// A source as the Parquet reader wants it.
#[derive(Debug, Clone)]
pub(super) struct Input {
    source: Arc<dyn Source>,
    held: Vec<(u64, Bytes)>,
}

impl Input {
    /// Reads from `source` alone.
    pub(super) fn new(source: Arc<dyn Source>) -> Self {
        Self { source, held: Vec::new() }
    }

    /// Reads `ranges` now, neighbours together, and answers from memory what lies inside them.
    pub(super) fn holding(source: Arc<dyn Source>, ranges: Vec<Range<u64>>) -> Result<Self> {
        let mut held = Vec::new();
        for range in merged(ranges) {
            let length = range.end.saturating_sub(range.start);
            if let (true, Ok(length)) = (length <= HELD_BYTES, usize::try_from(length)) {
                held.push((range.start, source.bytes_at(range.start, length)?));
            }
        }
        Ok(Self { source, held })
    }

    /// The held bytes from `start` to the end of the held range around it.
    fn held_from(&self, start: u64) -> Option<Bytes> {
        self.held.iter().find_map(|(from, bytes)| {
            let skip = usize::try_from(start.checked_sub(*from)?).ok()?;
            (skip < bytes.len()).then(|| bytes.slice(skip..))
        })
    }
}

/// The ranges in order, those that overlap or nearly touch as one as long as that one may be held.
fn merged(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.sort_by_key(|range| range.start);
    let mut merged: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last)
                if range.start <= last.end.saturating_add(GAP_BYTES)
                    && range.end.saturating_sub(last.start) <= HELD_BYTES =>
            {
                last.end = last.end.max(range.end);
            }
            _ => merged.push(range),
        }
    }
    merged
}

impl Length for Input {
    fn len(&self) -> u64 {
        self.source.len()
    }
}

impl ChunkReader for Input {
    type T = ChunkRead;

    fn get_read(&self, start: u64) -> ParquetResult<ChunkRead> {
        let buffer = self.held_from(start).unwrap_or_default();
        let at = start.saturating_add(buffer.len() as u64);
        Ok(ChunkRead { source: Arc::clone(&self.source), at, buffer })
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        if let Some(mut bytes) = self.held_from(start).filter(|bytes| bytes.len() >= length) {
            bytes.truncate(length);
            return Ok(bytes);
        }
        self.source.bytes_at(start, length).map_err(|error| ParquetError::External(Box::new(error)))
    }
}

/// Reads on from an offset, a few kilobytes at a time.
#[derive(Debug)]
pub(super) struct ChunkRead {
    source: Arc<dyn Source>,
    at: u64,
    buffer: Bytes,
}

impl Read for ChunkRead {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.buffer.is_empty() {
            let left = usize::try_from(self.source.len().saturating_sub(self.at)).unwrap_or(usize::MAX);
            let length = left.min(AHEAD_BYTES);
            self.buffer = self.source.bytes_at(self.at, length).map_err(io::Error::other)?;
            self.at = self.at.saturating_add(length as u64);
        }
        let length = out.len().min(self.buffer.len());
        self.buffer.copy_to_slice(out.get_mut(..length).unwrap_or_default());
        Ok(length)
    }
}
