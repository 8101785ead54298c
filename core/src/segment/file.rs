//! An open segment: its footer in memory, its pages on disk. Says what the footer says; reading rows is in
//! [`super::read`], statistics in [`super::stats`].

use std::{
    ops::Range,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use parquet::{
    arrow::arrow_reader::ArrowReaderMetadata,
    file::metadata::{ColumnChunkMetaData, ParquetMetaData},
};
use xxhash_rust::xxh3::Xxh3Default;

use super::{
    constants::ConstantColumn,
    footer::{Decoded, decode},
    guard::{damaged, guarded},
    page_index::{PageIndex, with_page_index},
    schema::{self, FileColumn},
};
use crate::{
    error::{Error, Result},
    prune::expr::Constant,
    storage::source::Source,
};

/// What files that were written here say of their writer, up to its version.
const OWN_NAME: &str = "tstable ";
/// The bytes at either end of a Parquet file.
const MAGIC: &[u8; 4] = b"PAR1";
/// The last bytes of a file whose footer is encrypted.
const ENCRYPTED: &[u8; 4] = b"PARE";
/// The footer's length and the magic bytes.
const TAIL_BYTES: u64 = 8;
/// The magic bytes and the tail: no Parquet file is shorter.
const LEAST_BYTES: u64 = 12;
/// Read at once from the end of a file; most footers fit.
const FOOTER_GUESS_BYTES: u64 = 32 * 1024;

/// An open Parquet file: a shared handle to its footer and its source.
///
/// Cheap to clone. The footer is read and checked once, so handles are worth keeping.
#[derive(Debug, Clone)]
pub struct SegmentFile(Arc<Inner>, Option<Arc<Shown>>);

/// What is said of the columns by who knows more than the file.
#[derive(Debug)]
struct Shown {
    /// Columns that are not in the file.
    constants: Vec<ConstantColumn>,
    /// All columns, the file's own first.
    columns: Vec<FileColumn>,
}

#[derive(Debug)]
struct Inner {
    source: Arc<dyn Source>,
    /// What the footer says.
    footer: Arc<ParquetMetaData>,
    /// Whether the Parquet reader is to see row groups differently.
    mixed: bool,
    /// The footer as the Parquet reader is to see it.
    metadata: ArrowReaderMetadata,
    /// Whether it was written here and is, by its footer, as it was written.
    own: bool,
    page_index: OnceLock<Arc<PageIndex>>,
    indexed: OnceLock<Arc<ParquetMetaData>>,
    columns: Vec<FileColumn>,
    /// The first leaf that is encrypted.
    encrypted: Option<usize>,
    rows: u64,
    group_rows: Vec<usize>,
    footer_checksum: u64,
}

impl SegmentFile {
    /// Reads and checks the footer.
    ///
    /// # Errors
    /// `InvalidArgument` when the file is empty or no Parquet file, `Corrupt` when it is cut or damaged,
    /// `UnsupportedFormat` when it is encrypted, `LimitExceeded` when its columns nest
    /// absurdly deep, `SchemaMismatch` naming column and type when a column has a type that
    /// tables cannot hold, and errors of the source.
    pub fn open(source: Arc<dyn Source>) -> Result<Self> {
        Self::open_as(source, false)
    }

    /// As [`SegmentFile::open`], for a file that the caller knows to have been written by [`super::write`]: what it says of
    /// its pages and values is relied on where a stranger's would first be compared with the pages.
    ///
    /// # Errors
    /// As [`SegmentFile::open`].
    pub fn open_own(source: Arc<dyn Source>) -> Result<Self> {
        Self::open_as(source, true)
    }

    fn open_as(source: Arc<dyn Source>, own: bool) -> Result<Self> {
        let path = source.path().to_owned();
        let footer = footer(source.as_ref())?;
        guarded(&path, || {
            let footer_checksum = checksum_of(&footer);
            let Decoded { footer, mixed, metadata, columns, encrypted } = decode(&path, &footer)?;
            let (rows, group_rows) = checked_rows(&path, &footer)?;
            check_chunks(&path, source.len(), &footer)?;
            let own = own && footer.file_metadata().created_by().is_some_and(|by| by.starts_with(OWN_NAME));
            let (page_index, indexed) = (OnceLock::new(), OnceLock::new());
            let inner = Inner {
                source,
                footer,
                mixed,
                metadata,
                own,
                page_index,
                indexed,
                columns,
                encrypted,
                rows,
                group_rows,
                footer_checksum,
            };
            Ok(Self(Arc::new(inner), None))
        })
    }

    /// The same file with columns that are not in it; they come after its own.
    #[must_use]
    pub fn with_constants(self, constants: Vec<ConstantColumn>) -> Self {
        if constants.is_empty() {
            return self;
        }
        let column = |constant: &ConstantColumn| FileColumn {
            name: constant.name.clone(),
            ty: constant.ty.clone(),
            nullable: constant.value == Constant::Null,
            field_id: None,
            constant: true,
        };
        let columns = self.0.columns.iter().cloned().chain(constants.iter().map(column)).collect();
        Self(self.0, Some(Arc::new(Shown { constants, columns })))
    }

    /// The same file with other names for its columns; what has no name cannot be found.
    #[must_use]
    pub fn with_names<'a>(self, name: impl Fn(&str) -> Option<&'a str>) -> Self {
        let named = |column: &FileColumn| FileColumn {
            name: name(&column.name).unwrap_or_default().to_owned(),
            ..column.clone()
        };
        let columns = self.columns().iter().map(named).collect();
        let constants = self.constants().to_vec();
        Self(self.0, Some(Arc::new(Shown { constants, columns })))
    }

    /// The columns that are not in the file.
    #[must_use]
    pub fn constants(&self) -> &[ConstantColumn] {
        self.1.as_ref().map_or(&[], |all| &all.constants)
    }

    /// The column at `position`, where it is not in the file.
    #[must_use]
    pub fn constant(&self, position: usize) -> Option<&ConstantColumn> {
        let at = position.checked_sub(self.0.columns.len())?;
        self.constants().get(at)
    }

    /// The path, for messages.
    #[must_use]
    pub fn path(&self) -> &str {
        self.0.source.path()
    }

    /// The file's length in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.source.len()
    }

    /// XXH3-64 of the footer: from the metadata's first byte to the end of the file.
    #[must_use]
    pub fn footer_checksum(&self) -> u64 {
        self.0.footer_checksum
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.0.rows
    }

    /// The number of row groups.
    #[must_use]
    pub fn row_group_count(&self) -> usize {
        self.0.group_rows.len()
    }

    /// The number of rows in the row group; zero when there is no such row group.
    #[must_use]
    pub fn row_group_rows(&self, row_group: usize) -> usize {
        self.0.group_rows.get(row_group).copied().unwrap_or(0)
    }

    /// The columns in the file's order, then those that are not in it.
    #[must_use]
    pub fn columns(&self) -> &[FileColumn] {
        self.1.as_ref().map_or(&self.0.columns, |all| &all.columns)
    }

    /// The position of the column named `name`, without regard to case.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        schema::position(self.columns(), name)
    }

    /// The first leaf whose pages are encrypted.
    pub(super) fn encrypted(&self) -> Option<usize> {
        self.0.encrypted
    }

    /// The program that wrote the file, in its own words.
    #[must_use]
    pub fn created_by(&self) -> Option<&str> {
        self.metadata().file_metadata().created_by()
    }

    /// The value that the footer's key-value metadata has under `key`.
    #[must_use]
    pub fn key_value(&self, key: &str) -> Option<&str> {
        let pairs = self.metadata().file_metadata().key_value_metadata()?;
        pairs.iter().find(|pair| pair.key == key)?.value.as_deref()
    }

    /// The memory that the handle's shared part takes, about, in bytes.
    #[must_use]
    pub fn metadata_bytes(&self) -> usize {
        let indexed = self.0.page_index.get().map_or(0, |index| index.bytes());
        let columns = self.columns().len().saturating_mul(size_of::<FileColumn>());
        [size_of::<Inner>(), self.metadata().memory_size(), indexed, columns].into_iter().fold(0, usize::saturating_add)
    }

    /// Whether what it says of itself is relied on: it was opened by [`SegmentFile::open_own`] and was written here.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.0.own
    }

    pub(super) fn source(&self) -> &Arc<dyn Source> {
        &self.0.source
    }

    /// Whether [`super::delta`] decides for each row group.
    pub(super) fn is_mixed(&self) -> bool {
        self.0.mixed
    }

    pub(super) fn reader_metadata(&self) -> &ArrowReaderMetadata {
        &self.0.metadata
    }

    pub(super) fn metadata(&self) -> &Arc<ParquetMetaData> {
        &self.0.footer
    }

    /// The page index, of which each column chunk's part is judged when it is asked for.
    pub(super) fn page_index(&self) -> Result<&Arc<PageIndex>> {
        if let Some(index) = self.0.page_index.get() {
            return Ok(index);
        }
        let index = PageIndex::of(self)?;
        Ok(self.0.page_index.get_or_init(|| Arc::new(index)))
    }

    /// The metadata with the parts of the page index that have been asked for and can be used.
    pub(super) fn indexed(&self) -> Result<&Arc<ParquetMetaData>> {
        let index = self.page_index()?;
        Ok(self.0.indexed.get_or_init(|| Arc::new(with_page_index(self.reader_metadata().metadata(), index))))
    }

    /// The metadata of the row group's column chunk for one leaf.
    pub(super) fn chunk(&self, row_group: usize, leaf: usize) -> Option<&ColumnChunkMetaData> {
        self.metadata().row_groups().get(row_group)?.columns().get(leaf)
    }

    /// The leaves that make up the column at `position`.
    pub(super) fn leaves(&self, position: usize) -> impl Iterator<Item = usize> + '_ {
        let schema = self.metadata().file_metadata().schema_descr();
        (0..schema.num_columns()).filter(move |leaf| schema.get_column_root_idx(*leaf) == position)
    }
}

/// XXH3-64 of the metadata and the tail that follows it.
fn checksum_of(metadata: &[u8]) -> u64 {
    let mut hasher = Xxh3Default::new();
    hasher.update(metadata);
    hasher.update(&u32::try_from(metadata.len()).unwrap_or(u32::MAX).to_le_bytes());
    hasher.update(MAGIC);
    hasher.digest()
}

/// The footer's bytes, without the tail.
fn footer(source: &dyn Source) -> Result<Bytes> {
    let (path, len) = (source.path(), source.len());
    if len == 0 {
        return Err(Error::invalid_argument(format!("'{path}' is empty, not a Parquet file")));
    }
    let not_parquet = || Error::invalid_argument(format!("'{path}' is not a Parquet file"));
    if len < LEAST_BYTES {
        return Err(not_parquet());
    }
    let guess = len.min(FOOTER_GUESS_BYTES);
    let end = source.bytes_at(len.saturating_sub(guess), to_usize(guess)?)?;
    let Some((rest, [a, b, c, d, magic @ ..])) = end.split_last_chunk::<8>() else { return Err(not_parquet()) };
    if magic == ENCRYPTED {
        return Err(Error::unsupported_format(format!("'{path}' is encrypted Parquet, which tstable cannot read")));
    }
    if magic != MAGIC {
        let begins = source.bytes_at(0, MAGIC.len())?;
        return Err(if begins.as_ref() == MAGIC { cut(path) } else { not_parquet() });
    }
    let wanted = u64::from(u32::from_le_bytes([*a, *b, *c, *d]));
    let before_footer = len.checked_sub(TAIL_BYTES).and_then(|end| end.checked_sub(wanted));
    let start = before_footer.filter(|start| *start >= MAGIC.len() as u64).ok_or_else(|| cut(path))?;
    let wanted = to_usize(wanted)?;
    match rest.len().checked_sub(wanted) {
        Some(from) => Ok(end.slice(from..rest.len())),
        None => source.bytes_at(start, wanted),
    }
}

fn cut(path: &str) -> Error {
    Error::corrupt(format!(
        "'{path}' begins as a Parquet file but has no whole footer; it is cut: copy it again or write it again"
    ))
}

fn to_usize(bytes: u64) -> Result<usize> {
    usize::try_from(bytes).map_err(|_| Error::limit_exceeded("a footer of more bytes than memory can address"))
}

/// The number of rows in all and of each row group, which must agree.
fn checked_rows(path: &str, metadata: &ParquetMetaData) -> Result<(u64, Vec<usize>)> {
    let wrong = || damaged(path).with("problem", "the footer's row counts contradict each other");
    let rows = u64::try_from(metadata.file_metadata().num_rows()).map_err(|_| wrong())?;
    let mut left = rows;
    let mut groups = Vec::with_capacity(metadata.num_row_groups());
    for group in metadata.row_groups() {
        let group = usize::try_from(group.num_rows()).map_err(|_| wrong())?;
        left = left.checked_sub(group as u64).ok_or_else(wrong)?;
        groups.push(group);
    }
    if left == 0 { Ok((rows, groups)) } else { Err(wrong()) }
}

/// Every column chunk must lie inside the file, and every row group have one for each leaf.
fn check_chunks(path: &str, len: u64, metadata: &ParquetMetaData) -> Result<()> {
    let leaves = metadata.file_metadata().schema_descr().num_columns();
    for (number, group) in metadata.row_groups().iter().enumerate() {
        if group.num_columns() != leaves {
            return Err(damaged(path).with("row group", number).with("problem", "it lacks columns of the schema"));
        }
        for chunk in group.columns() {
            if chunk_range(chunk).is_none_or(|range| range.end > len) {
                let problem = "a column's pages lie outside the file";
                return Err(damaged(path)
                    .with("problem", problem)
                    .with("row group", number)
                    .with("column", chunk.column_path()));
            }
        }
    }
    Ok(())
}

/// Where the chunk's pages lie; none when the footer says something impossible.
pub(super) fn chunk_range(chunk: &ColumnChunkMetaData) -> Option<Range<u64>> {
    let first = chunk.dictionary_page_offset().unwrap_or_else(|| chunk.data_page_offset());
    let start = u64::try_from(first).ok()?;
    let length = u64::try_from(chunk.compressed_size()).ok()?;
    Some(start..start.checked_add(length)?)
}
