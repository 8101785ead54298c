//! The page index of a file: where pages lie, which rows they hold, and the bounds of their values. An aid that may be
//! ignored and is never believed: what contradicts the pages' own headers, the footer or itself is not used, and the rows
//! are read without it. Each column chunk is judged by itself, once while the file is open, and where pages lie apart from
//! what they hold. Bounds that pass are compared with rows elsewhere ([`super::audit`]).

use std::{
    any::Any,
    ops::Range,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use parquet::file::{
    metadata::{ColumnChunkMetaData, ParquetMetaData, page_index::PageIndexProvider},
    page_index::{
        column_index::ColumnIndexMetaData,
        index_reader::{decode_column_index, decode_offset_index},
        offset_index::{OffsetIndexMetaData, PageLocation},
    },
};

use super::{
    SegmentFile,
    file::chunk_range,
    guard::guarded,
    stats::{ColumnBounds, page_bounds},
    walk::{DataPage, data_pages},
};
use crate::{
    error::{Error, Result},
    prune::expr::Constant,
    schema::ColumnType,
};

/// The page indexes of a whole file are read at once when they span no more than this; they lie together.
const READ_AT_ONCE_BYTES: u64 = 8 << 20;

/// What of the page index of one column chunk can be used.
#[derive(Debug, Default)]
pub(super) struct ChunkPages {
    /// Where the pages lie and which rows they hold.
    pub(super) offsets: Option<OffsetIndexMetaData>,
    /// What they hold; only together with `offsets`.
    pub(super) bounds: Option<ColumnIndexMetaData>,
    /// Why something that the file has is not used.
    pub(super) problem: Option<&'static str>,
}

/// The page index of a file as far as somebody has asked for it. To the Parquet reader, where pages lie.
#[derive(Debug)]
pub(super) struct PageIndex {
    /// The bytes of all page indexes and where they begin; none when they were not read at once.
    held: Option<(u64, Bytes)>,
    groups: Vec<OnceLock<Box<[OnceLock<ChunkPages>]>>>,
    leaves: usize,
}

impl PageIndexProvider for PageIndex {
    fn has_offset_indexes(&self) -> bool {
        true
    }

    fn has_column_indexes(&self) -> bool {
        false
    }

    fn column_index(&self, _row_group: usize, _leaf: usize) -> Option<&ColumnIndexMetaData> {
        None
    }

    fn offset_index(&self, row_group: usize, leaf: usize) -> Option<&OffsetIndexMetaData> {
        self.groups.get(row_group)?.get()?.get(leaf)?.get()?.offsets.as_ref()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl PageIndex {
    /// Of the file that the footer describes, of which nothing is known yet.
    ///
    /// # Errors
    /// Those of the source.
    pub(super) fn of(file: &SegmentFile) -> Result<Self> {
        let metadata = file.metadata();
        let held = match span(metadata, file.bytes()) {
            Some(span) => {
                let length = usize::try_from(span.end.saturating_sub(span.start)).unwrap_or(usize::MAX);
                Some((span.start, file.source().bytes_at(span.start, length)?))
            }
            None => None,
        };
        let groups = (0..metadata.num_row_groups()).map(|_| OnceLock::new()).collect();
        Ok(Self { held, groups, leaves: metadata.file_metadata().schema_descr().num_columns() })
    }

    /// The bytes that it takes, about.
    pub(super) fn bytes(&self) -> usize {
        self.held.as_ref().map_or(0, |(_, bytes)| bytes.len().saturating_mul(3))
    }

    fn slot(&self, row_group: usize, leaf: usize) -> Option<&OnceLock<ChunkPages>> {
        let leaves = || (0..self.leaves).map(|_| OnceLock::new()).collect();
        self.groups.get(row_group)?.get_or_init(leaves).get(leaf)
    }

    /// The bytes of an index at `range`; none when they lie outside the file.
    fn index_bytes(&self, file: &SegmentFile, range: &Range<u64>) -> Result<Option<Bytes>> {
        let Ok(length) = usize::try_from(range.end.saturating_sub(range.start)) else { return Ok(None) };
        if range.end > file.bytes() || length == 0 {
            return Ok(None);
        }
        if let Some((from, bytes)) = &self.held {
            let skip = range.start.checked_sub(*from).and_then(|skip| usize::try_from(skip).ok());
            let part = skip.and_then(|skip| Some(skip..skip.checked_add(length)?));
            return Ok(part.filter(|part| part.end <= bytes.len()).map(|part| bytes.slice(part)));
        }
        file.source().bytes_at(range.start, length).map(Some)
    }
}

/// From the first byte of a page index to the last; none where that is too much, or nothing.
fn span(metadata: &ParquetMetaData, file_bytes: u64) -> Option<Range<u64>> {
    let chunks = metadata.row_groups().iter().flat_map(|group| group.columns());
    let ranges = chunks.flat_map(|chunk| [offset_index_range(chunk), column_index_range(chunk)]).flatten();
    let inside = ranges.filter(|range| range.end <= file_bytes);
    let span = inside.reduce(|a, b| a.start.min(b.start)..a.end.max(b.end))?;
    (span.end.saturating_sub(span.start) <= READ_AT_ONCE_BYTES).then_some(span)
}

fn offset_index_range(chunk: &ColumnChunkMetaData) -> Option<Range<u64>> {
    range(chunk.offset_index_offset()?, chunk.offset_index_length()?)
}

fn column_index_range(chunk: &ColumnChunkMetaData) -> Option<Range<u64>> {
    range(chunk.column_index_offset()?, chunk.column_index_length()?)
}

fn range(offset: i64, length: i32) -> Option<Range<u64>> {
    let start = u64::try_from(offset).ok()?;
    Some(start..start.checked_add(u64::try_from(length).ok()?)?)
}

impl SegmentFile {
    /// What of the page index of the row group's column chunk can be used; none when the file has no such chunk.
    ///
    /// # Errors
    /// Those of the source. A page index that is wrong is none.
    pub(super) fn chunk_pages(&self, row_group: usize, leaf: usize) -> Result<Option<&ChunkPages>> {
        let (Some(chunk), Some(slot)) = (self.chunk(row_group, leaf), self.page_index()?.slot(row_group, leaf)) else {
            return Ok(None);
        };
        if slot.get().is_none() {
            let judged = if chunk.offset_index_offset().is_none() && chunk.column_index_offset().is_none() {
                ChunkPages::default()
            } else {
                self.judge_pages(row_group, leaf, chunk)?
            };
            let _ = slot.set(judged);
        }
        Ok(slot.get())
    }

    fn judge_pages(&self, row_group: usize, leaf: usize, chunk: &ColumnChunkMetaData) -> Result<ChunkPages> {
        let useless = |problem| ChunkPages { problem: Some(problem), ..ChunkPages::default() };
        if chunk.offset_index_offset().is_none() {
            return Ok(ChunkPages::default());
        }
        let Some(offsets) = self.offsets(chunk)? else { return Ok(useless("where its pages lie cannot be read")) };
        let locations = offsets.page_locations();
        let total = self.row_group_rows(row_group);
        let Some(rows) = page_rows(locations, total) else {
            return Ok(useless("the rows of its pages do not follow each other"));
        };
        if !self.is_own() {
            let pages = match chunk_range(chunk) {
                Some(range) => data_pages(self.source().as_ref(), &range, locations.len())?,
                None => None,
            };
            let flat = chunk.column_descr().max_rep_level() == 0;
            match pages.map_or(Some(false), |pages| agree(locations, &rows, &pages, flat)) {
                Some(true) => {}
                Some(false) => return Ok(useless("it places pages or rows where the pages' own headers do not")),
                // Nothing is wrong with it, but nothing proves it either.
                None => return Ok(ChunkPages::default()),
            }
        }
        let (bounds, problem) = match self.bounds(row_group, leaf, chunk, &rows)? {
            Ok(bounds) => (bounds, None),
            Err(problem) => (None, Some(problem)),
        };
        Ok(ChunkPages { offsets: Some(offsets), bounds, problem })
    }

    fn offsets(&self, chunk: &ColumnChunkMetaData) -> Result<Option<OffsetIndexMetaData>> {
        let Some(range) = offset_index_range(chunk) else { return Ok(None) };
        let Some(bytes) = self.page_index()?.index_bytes(self, &range)? else { return Ok(None) };
        Ok(decoded(self.path(), &bytes, || decode_offset_index(&bytes)))
    }

    /// The bounds of the pages; none where the file has none or where they are of no use; what is wrong with them.
    fn bounds(
        &self,
        row_group: usize,
        leaf: usize,
        chunk: &ColumnChunkMetaData,
        rows: &[Range<usize>],
    ) -> Result<std::result::Result<Option<ColumnIndexMetaData>, &'static str>> {
        let position = self.metadata().file_metadata().schema_descr().get_column_root_idx(leaf);
        let flat = self.flat_leaf(position).filter(|(flat, _)| *flat == leaf);
        let (Some((_, ty)), Some(range)) = (flat, column_index_range(chunk)) else { return Ok(Ok(None)) };
        let bytes = self.page_index()?.index_bytes(self, &range)?;
        let index =
            bytes.and_then(|bytes| decoded(self.path(), &bytes, || decode_column_index(&bytes, chunk.column_type())));
        let Some(index) = index else { return Ok(Err("the bounds of its pages cannot be read")) };
        let whole = self.column_bounds(row_group, position);
        let reliable = self.is_reliable(leaf, ty);
        let judged = guarded(self.path(), || Ok(contradiction(&index, rows, ty, reliable, &whole)));
        Ok(match judged {
            Ok(None) => Ok(Some(index)),
            Ok(Some(problem)) => Err(problem),
            Err(_) => Err("the bounds of its pages cannot be read"),
        })
    }
}

/// What `decode` makes of `bytes`; none when that fails. Lists that say to be longer than the bytes are not decoded, since
/// the decoder makes room for them first.
fn decoded<T>(path: &str, bytes: &[u8], decode: impl FnOnce() -> parquet::errors::Result<T>) -> Option<T> {
    super::thrift::is_struct(bytes).then_some(())?;
    guarded(path, || decode().map_err(|_| Error::corrupt("unreadable"))).ok()
}

/// The rows of each page; none when the pages do not follow each other through the whole row group, none of them empty.
pub(super) fn page_rows(locations: &[PageLocation], total: usize) -> Option<Vec<Range<usize>>> {
    let first = |location: &PageLocation| usize::try_from(location.first_row_index).ok();
    let ends = locations.iter().skip(1).map(first).chain([Some(total)]);
    let rows: Vec<_> = locations.iter().map(first).zip(ends).map(|(a, b)| Some(a?..b?)).collect::<Option<_>>()?;
    let starts_at_zero = rows.first().map_or(total == 0, |range| range.start == 0);
    (starts_at_zero && rows.iter().all(|range| range.start < range.end && range.end <= total)).then_some(rows)
}

/// Whether the pages are where the index says, with the rows that it says. None where only the rows are in question and the
/// headers do not count them: in lists, where values are not rows, those of the older kind count values alone.
fn agree(locations: &[PageLocation], rows: &[Range<usize>], pages: &[DataPage], flat: bool) -> Option<bool> {
    let lies_there = |(location, page): (&PageLocation, &DataPage)| {
        u64::try_from(location.offset) == Ok(page.at) && u64::try_from(location.compressed_page_size) == Ok(page.bytes)
    };
    if locations.len() != pages.len() || !locations.iter().zip(pages).all(lies_there) {
        return Some(false);
    }
    let mut proven = true;
    for (rows, page) in rows.iter().zip(pages) {
        let held = if flat { Some(page.values) } else { page.rows };
        match held {
            Some(held) if held != rows.len() as u64 || page.rows.is_some_and(|rows| rows != held) => {
                return Some(false);
            }
            Some(_) => {}
            // The only page of a row group has all of its rows.
            None => proven &= pages.len() == 1,
        }
    }
    proven.then_some(true)
}

/// What the bounds of pages say against the pages' rows, against the chunk's own statistics, or against each other.
fn contradiction(
    index: &ColumnIndexMetaData,
    rows: &[Range<usize>],
    ty: &ColumnType,
    reliable: bool,
    whole: &ColumnBounds,
) -> Option<&'static str> {
    if usize::try_from(index.num_pages()).ok() != Some(rows.len())
        || index.null_counts().is_some_and(|counts| counts.len() != rows.len())
        || index.nan_counts().is_some_and(|counts| counts.len() != rows.len())
    {
        return Some("it has bounds for another number of pages");
    }
    let mut nulls = Some(0_u64);
    let (mut least, mut greatest): (Option<Constant>, Option<Constant>) = (None, None);
    for (page, rows) in rows.iter().enumerate() {
        let stated = index.null_count(page).map(|count| u64::try_from(count).ok());
        let all = stated == Some(Some(rows.len() as u64));
        if stated.is_some_and(|count| count.is_none_or(|count| count > rows.len() as u64)) {
            return Some("it counts more NULLs than rows, or less than none");
        }
        if index.is_null_page(page) && !all {
            return Some("it calls pages NULL whose NULLs it does not count");
        }
        if all && !index.is_null_page(page) {
            return Some("it has bounds for pages without values");
        }
        nulls = nulls.zip(stated.flatten()).map(|(sum, count)| sum.saturating_add(count));
        let bounds = page_bounds(index, page, rows.len(), ty, reliable);
        if reliable && !index.is_null_page(page) && (bounds.min.is_none() && !is_nan(index, page)) {
            return Some("bounds of its pages cannot be read");
        }
        if precedes(bounds.max.as_ref(), bounds.min.as_ref()) {
            return Some("bounds of its pages are in the wrong order");
        }
        let outside = precedes(bounds.min.as_ref(), whole.min.as_ref())
            || precedes(bounds.max.as_ref(), whole.min.as_ref())
            || precedes(whole.max.as_ref(), bounds.max.as_ref())
            || precedes(whole.max.as_ref(), bounds.min.as_ref());
        if outside {
            return Some("bounds of its pages lie outside those of the column chunk");
        }
        extend(&mut least, bounds.min, |new, old| precedes(Some(new), Some(old)));
        extend(&mut greatest, bounds.max, |new, old| precedes(Some(old), Some(new)));
    }
    if nulls.zip(whole.nulls).is_some_and(|(pages, chunk)| pages != chunk) {
        return Some("it counts other NULLs than the column chunk");
    }
    let reached = |found: Option<&Constant>, end: Option<&Constant>| found.is_none() || end.is_none() || found == end;
    if whole.exact && !(reached(least.as_ref(), whole.min.as_ref()) && reached(greatest.as_ref(), whole.max.as_ref())) {
        return Some("no page reaches the bounds of the column chunk");
    }
    None
}

/// Whether the page's bounds are not numbers, as some writers say of pages with nothing else.
fn is_nan(index: &ColumnIndexMetaData, page: usize) -> bool {
    match index {
        ColumnIndexMetaData::FLOAT(values) => values.min_value(page).is_some_and(|value| value.is_nan()),
        ColumnIndexMetaData::DOUBLE(values) => values.min_value(page).is_some_and(|value| value.is_nan()),
        _ => false,
    }
}

fn extend(end: &mut Option<Constant>, value: Option<Constant>, beyond: impl Fn(&Constant, &Constant) -> bool) {
    if let Some(value) = value
        && end.as_ref().is_none_or(|end| beyond(&value, end))
    {
        *end = Some(value);
    }
}

/// Whether both are known and the first is less than the second.
fn precedes(a: Option<&Constant>, b: Option<&Constant>) -> bool {
    a.zip(b).and_then(|(a, b)| super::stats::compare(a, b)).is_some_and(std::cmp::Ordering::is_lt)
}

/// The footer's metadata with the page index, for the Parquet reader.
pub(super) fn with_page_index(metadata: &ParquetMetaData, index: &Arc<PageIndex>) -> ParquetMetaData {
    let index: Arc<dyn PageIndexProvider> = Arc::clone(index) as Arc<dyn PageIndexProvider>;
    metadata.clone().into_builder().set_page_index(Some(index)).build()
}

#[cfg(test)]
mod tests {
    use super::{PageLocation, page_rows};

    fn page(first_row_index: i64) -> PageLocation {
        PageLocation { offset: 0, compressed_page_size: 0, first_row_index }
    }

    #[test]
    fn pages_hold_all_rows_of_their_row_group_or_are_not_believed() {
        assert_eq!(page_rows(&[page(0), page(4)], 10), Some(vec![0..4, 4..10]));
        assert_eq!(page_rows(&[], 0), Some(Vec::new()));
        assert_eq!(page_rows(&[], 10), None);
        assert_eq!(page_rows(&[page(1)], 10), None);
        assert_eq!(page_rows(&[page(0), page(11)], 10), None);
        assert_eq!(page_rows(&[page(0), page(-1)], 10), None);
        assert_eq!(page_rows(&[page(0), page(0)], 10), None);
        assert_eq!(page_rows(&[page(0), page(6), page(4)], 10), None);
    }
}
