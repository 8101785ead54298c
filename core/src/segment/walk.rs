//! The pages of a column chunk as their own headers describe them, one after the other from the chunk's first byte to its
//! last. This is what a reader without any index would follow, so an index is compared with it.

use std::ops::Range;

use bytes::Bytes as Buffer;

use super::thrift::{Bytes, INT32, STRUCT};
use crate::{error::Result, storage::source::Source};

/// Read where pages are long: a header with its statistics, rarely more.
const HEADER_BYTES: u64 = 512;
/// Read where pages are shorter than [`SHORT_PAGE_BYTES`], so that a read serves many headers.
const MANY_HEADERS_BYTES: u64 = 64 * 1024;
/// See [`MANY_HEADERS_BYTES`].
const SHORT_PAGE_BYTES: u64 = 8 * 1024;
/// No header is longer; one that is goes unread.
const MAX_HEADER_BYTES: u64 = 1 << 20;

/// A data page as its header describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DataPage {
    /// Where its header begins in the file.
    pub(super) at: u64,
    /// The bytes of its header and its compressed contents.
    pub(super) bytes: u64,
    /// Values, NULLs among them; in a column without lists these are rows.
    pub(super) values: u64,
    /// Rows, where the header counts them.
    pub(super) rows: Option<u64>,
}

/// The data pages of the chunk; none when its headers do not lead from its beginning to its end, or when there are more
/// than `most`.
///
/// # Errors
/// Those of the source.
pub(super) fn data_pages(source: &dyn Source, chunk: &Range<u64>, most: usize) -> Result<Option<Vec<DataPage>>> {
    let length = chunk.end.saturating_sub(chunk.start);
    let short = length / (most.max(1) as u64) < SHORT_PAGE_BYTES;
    let mut window =
        Window { source, from: 0, bytes: Buffer::new(), least: if short { MANY_HEADERS_BYTES } else { HEADER_BYTES } };
    let mut pages = Vec::new();
    let mut at = chunk.start;
    while at < chunk.end {
        let Some((header, header_bytes)) = window.header(at, chunk.end)? else { return Ok(None) };
        let bytes = header_bytes.saturating_add(header.compressed);
        let Some(next) = at.checked_add(bytes).filter(|next| *next <= chunk.end) else { return Ok(None) };
        if let Some((values, rows)) = header.data {
            if pages.len() == most {
                return Ok(None);
            }
            pages.push(DataPage { at, bytes, values, rows });
        }
        at = next;
    }
    Ok(Some(pages))
}

/// How many values the dictionary with which the chunk begins has, and their bytes in memory; none when it begins with no
/// dictionary.
///
/// # Errors
/// Those of the source.
pub(super) fn dictionary(source: &dyn Source, chunk: &Range<u64>) -> Result<Option<(u64, u64)>> {
    let mut window = Window { source, from: 0, bytes: Buffer::new(), least: HEADER_BYTES };
    let header = window.header(chunk.start, chunk.end)?;
    Ok(header.and_then(|(header, _)| Some((header.dictionary?, header.uncompressed))))
}

/// The bytes read last.
struct Window<'a> {
    source: &'a dyn Source,
    from: u64,
    bytes: Buffer,
    /// Bytes to be read at once.
    least: u64,
}

impl Window<'_> {
    /// The header at `at` and its length; none when there is none before `end`.
    fn header(&mut self, at: u64, end: u64) -> Result<Option<(Header, u64)>> {
        let left = end.saturating_sub(at);
        let mut wanted = self.least.min(left);
        loop {
            let held = at.checked_sub(self.from).and_then(|skip| usize::try_from(skip).ok());
            let found = held.and_then(|skip| self.bytes.get(skip..)).and_then(Header::read);
            if found.is_some() {
                return Ok(found);
            }
            if self.from == at && self.bytes.len() as u64 >= left.min(MAX_HEADER_BYTES) {
                return Ok(None);
            }
            if self.from == at && !self.bytes.is_empty() {
                wanted = wanted.saturating_mul(8).min(left).min(MAX_HEADER_BYTES);
            }
            self.bytes = self.source.bytes_at(at, usize::try_from(wanted).unwrap_or(usize::MAX))?;
            self.from = at;
        }
    }
}

/// The fields of a page's header that are looked at.
#[derive(Debug, Default)]
struct Header {
    compressed: u64,
    uncompressed: u64,
    /// For a dictionary page its values.
    dictionary: Option<u64>,
    /// For a data page its values and, where stated, its rows.
    data: Option<(u64, Option<u64>)>,
}

/// Fields of Parquet's `PageHeader` and of the headers inside it.
const UNCOMPRESSED_SIZE: i64 = 2;
const COMPRESSED_SIZE: i64 = 3;
const DICTIONARY_PAGE: i64 = 7;
const DATA_PAGE: i64 = 5;
const DATA_PAGE_V2: i64 = 8;
const NUM_VALUES: i64 = 1;
const NUM_ROWS_V2: i64 = 3;

impl Header {
    /// The header that the bytes begin with, and its length.
    fn read(from: &[u8]) -> Option<(Self, u64)> {
        let mut bytes = Bytes(from);
        let (mut header, mut field, mut compressed) = (Self::default(), 0, None);
        while let Some(kind) = bytes.field(&mut field)? {
            match (field, kind) {
                (COMPRESSED_SIZE, INT32) => compressed = u64::try_from(bytes.integer()?).ok(),
                (UNCOMPRESSED_SIZE, INT32) => header.uncompressed = u64::try_from(bytes.integer()?).ok()?,
                (DICTIONARY_PAGE, STRUCT) => header.dictionary = Some(counts(&mut bytes)?.0),
                (DATA_PAGE, STRUCT) => header.data = Some((counts(&mut bytes)?.0, None)),
                (DATA_PAGE_V2, STRUCT) => {
                    let (values, rows) = counts(&mut bytes)?;
                    header.data = Some((values, Some(rows?)));
                }
                _ => bytes.skip(kind, 0)?,
            }
        }
        header.compressed = compressed?;
        let length = from.len().checked_sub(bytes.0.len())?;
        Some((header, length as u64))
    }
}

/// The numbers of values and of rows in the header of a data page, to its end.
fn counts(bytes: &mut Bytes<'_>) -> Option<(u64, Option<u64>)> {
    let (mut values, mut rows, mut field) = (None, None, 0);
    while let Some(kind) = bytes.field(&mut field)? {
        match (field, kind) {
            (NUM_VALUES, INT32) => values = u64::try_from(bytes.integer()?).ok(),
            (NUM_ROWS_V2, INT32) => rows = u64::try_from(bytes.integer()?).ok(),
            _ => bytes.skip(kind, 0)?,
        }
    }
    Some((values?, rows))
}
