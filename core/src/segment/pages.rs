//! Pages on their way into a file: kept until their column chunk is complete, then given the checksums that the Parquet
//! writer leaves out. Knows the bytes of a page's header as far as its checksum's place, and nothing of values.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use parquet::{
    arrow::arrow_writer::{PageKey, PageStore, PageStoreArgs, PageStoreFactory},
    column::writer::ColumnCloseResult,
    errors::{ParquetError, Result},
};

/// The Thrift type of a 32-bit integer whose field number is one higher than that of the field before it.
const NEXT_IS_I32: u8 = 0x15;
/// What the number of the field after the checksum falls by, in its upper half.
const ONE_FIELD: u8 = 0x10;
/// A dictionary's page type, as the header's second byte holds it.
const DICTIONARY_PAGE: u8 = 4;

/// Headers and pages in turn, as the writer delivered them, by leaf.
type Delivered = Arc<Mutex<Vec<Vec<Bytes>>>>;

/// Takes the pages that a Parquet writer makes, and gives them out as whole chunks.
#[derive(Debug, Clone, Default)]
pub(super) struct Pages(Delivered);

impl Pages {
    fn lock(&self) -> MutexGuard<'_, Vec<Vec<Bytes>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bytes of the leaf's chunk, every page with its checksum, and the chunk's metadata to match.
    pub(super) fn chunk(&self, leaf: usize, close: &ColumnCloseResult) -> Result<(Bytes, ColumnCloseResult)> {
        let delivered = self.lock().get_mut(leaf).map(std::mem::take).unwrap_or_default();
        let (mut dictionary, mut data, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
        for page in delivered.chunks(2) {
            let [header, body] = page else { return Err(unexpected()) };
            let is_dictionary = header.get(1) == Some(&DICTIONARY_PAGE);
            let target = if is_dictionary { &mut dictionary } else { &mut data };
            let before = target.len();
            with_checksum(header, body, target)?;
            target.extend_from_slice(body);
            if !is_dictionary {
                lengths.push(target.len() - before);
            }
        }
        let close = moved(close.clone(), dictionary.len(), data.len(), &lengths)?;
        dictionary.append(&mut data);
        Ok((dictionary.into(), close))
    }
}

fn unexpected() -> ParquetError {
    ParquetError::General("the Parquet writer makes pages of another form than expected".to_owned())
}

/// Appends the header with the page's CRC-32 in it. The checksum is field 4, between the sizes and the header of the page's own kind.
fn with_checksum(header: &[u8], body: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let mut at = 0;
    for _ in 0..3 {
        if header.get(at) != Some(&NEXT_IS_I32) {
            return Err(unexpected());
        }
        let varint = header.get(at + 1..).unwrap_or_default();
        at += 2 + varint.iter().position(|byte| byte & 0x80 == 0).ok_or_else(unexpected)?;
    }
    let (sizes, rest) = header.split_at_checked(at).ok_or_else(unexpected)?;
    let (next, rest) = rest.split_first().ok_or_else(unexpected)?;
    let next = next.checked_sub(ONE_FIELD).filter(|next| *next >= ONE_FIELD).ok_or_else(unexpected)?;
    out.extend_from_slice(sizes);
    out.push(NEXT_IS_I32);
    let checksum = crc32fast::hash(body).cast_signed();
    let mut zigzag = ((checksum << 1) ^ (checksum >> 31)).cast_unsigned();
    while zigzag >= 0x80 {
        out.push(u8::try_from(zigzag & 0x7F).unwrap_or_default() | 0x80);
        zigzag >>= 7;
    }
    out.push(u8::try_from(zigzag).unwrap_or_default());
    out.push(next);
    out.extend_from_slice(rest);
    Ok(())
}

/// The chunk's metadata, for pages that have grown by their checksums and begin at 0.
fn moved(mut close: ColumnCloseResult, dictionary: usize, data: usize, lengths: &[usize]) -> Result<ColumnCloseResult> {
    let number = |length: usize| i64::try_from(length).map_err(|_| unexpected());
    let total = number(dictionary)?.saturating_add(number(data)?);
    let growth = total.saturating_sub(close.metadata.compressed_size());
    let uncompressed = close.metadata.uncompressed_size().saturating_add(growth);
    close.bytes_written = total.unsigned_abs();
    let builder = close.metadata.into_builder();
    close.metadata = builder
        .set_total_compressed_size(total)
        .set_total_uncompressed_size(uncompressed)
        .set_dictionary_page_offset((dictionary > 0).then_some(0))
        .set_data_page_offset(number(dictionary)?)
        .build()?;
    if let Some(index) = &mut close.offset_index {
        if index.page_locations.len() != lengths.len() {
            return Err(unexpected());
        }
        let mut offset = number(dictionary)?;
        for (location, length) in index.page_locations.iter_mut().zip(lengths) {
            location.offset = offset;
            location.compressed_page_size = i32::try_from(*length).map_err(|_| unexpected())?;
            offset = offset.saturating_add(number(*length)?);
        }
    }
    Ok(close)
}

impl PageStoreFactory for Pages {
    fn create(&self, args: &PageStoreArgs<'_>) -> Result<Box<dyn PageStore>> {
        let leaf = args.column_index();
        let mut leaves = self.lock();
        if leaves.len() <= leaf {
            leaves.resize_with(leaf.saturating_add(1), Vec::new);
        }
        Ok(Box::new(LeafPages { pages: self.clone(), leaf }))
    }
}

#[derive(Debug)]
struct LeafPages {
    pages: Pages,
    leaf: usize,
}

impl PageStore for LeafPages {
    fn put(&mut self, value: Bytes) -> Result<PageKey> {
        let mut leaves = self.pages.lock();
        let pages = leaves.get_mut(self.leaf).ok_or_else(unexpected)?;
        pages.push(value);
        Ok(PageKey::new(pages.len() as u64))
    }

    /// Chunks are taken whole, by [`Pages::chunk`].
    fn take(&mut self, _key: PageKey) -> Result<Bytes> {
        Err(unexpected())
    }
}
