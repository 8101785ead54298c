//! Writing segments. What is written reads back with the same types in DuckDB and here. Where the bytes go, how they
//! become durable and under which name is the caller's.

use std::{
    io::{self, Write},
    sync::Arc,
};

use arrow::{
    array::RecordBatch,
    datatypes::{Schema as ArrowSchema, SchemaRef},
};
use parquet::{
    arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves},
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::{
        metadata::{KeyValue, SortingColumn},
        properties::{EnabledStatistics, WriterProperties},
        writer::SerializedFileWriter,
    },
};

use super::{
    convert::converted,
    guard::{arrow_error, guarded, write_error},
    pages::Pages,
    parquet_type::{WriteColumn, file_schema},
};
use crate::{
    error::{Error, Result},
    schema::{ColumnType, Strings},
};

/// DuckDB's own row group size; its scans split work by row groups.
pub const ROW_GROUP_ROWS: usize = 122_880;

/// Row groups of long texts end before they have this many rows.
const ROW_GROUP_BYTES: usize = 64 << 20;

/// Few enough that one entity among hundreds is found without reading the others, many enough that full scans do not notice.
const PAGE_ROWS: usize = 8 * 1024;

/// Values are encoded in portions of this many, and a page can end only between two portions.
const ENCODED_ROWS: usize = 1024;

/// How to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteOptions {
    /// The most rows of a row group.
    pub row_group_rows: usize,
    /// The most encoded bytes of a row group, about; all of them are held in memory until it is full.
    pub row_group_bytes: usize,
    /// The most rows of a page, about: what a reader that looks for few rows reads at least.
    pub page_rows: usize,
    /// The level of Zstandard compression, 1 to 22.
    pub zstd_level: i32,
    /// Whether repeated values are written as dictionaries.
    pub dictionary: bool,
    /// The columns by which the rows of each row group are sorted, ascending, as positions; only said in the file, not checked.
    pub sorted_by: Vec<usize>,
    /// Pairs for the footer.
    pub key_values: Vec<(String, String)>,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self {
            row_group_rows: ROW_GROUP_ROWS,
            row_group_bytes: ROW_GROUP_BYTES,
            page_rows: PAGE_ROWS,
            zstd_level: 3,
            dictionary: true,
            sorted_by: Vec::new(),
            key_values: Vec::new(),
        }
    }
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The number of rows.
    pub rows: u64,
    /// The file's length in bytes.
    pub bytes: u64,
    /// The number of row groups.
    pub row_groups: usize,
}

/// Writes one Parquet file from front to back, with statistics, page index and a checksum on every page. Without
/// [`SegmentWriter::finish`] what was written is not a Parquet file.
pub struct SegmentWriter<W: Write + Send> {
    writer: SerializedFileWriter<Counted<W>>,
    factory: ArrowRowGroupWriterFactory,
    pages: Pages,
    /// Of the row group that is being filled, one writer for each leaf; none between row groups.
    group: Vec<ArrowColumnWriter>,
    group_rows: usize,
    max_group_rows: usize,
    max_group_bytes: usize,
    schema: SchemaRef,
    path: String,
    rows: u64,
}

impl<W: Write + Send> std::fmt::Debug for SegmentWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SegmentWriter").field("path", &self.path).field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl<W: Write + Send> SegmentWriter<W> {
    /// Begins a file of these columns; `path` is for messages.
    ///
    /// # Errors
    /// `SchemaMismatch` naming a column whose type Parquet does not have (HUGEINT, TIMESTAMP_S), `InvalidArgument` for
    /// options out of range, `Io` when `writer` refuses.
    pub fn create(path: impl Into<String>, writer: W, columns: &[WriteColumn], options: &WriteOptions) -> Result<Self> {
        let path = path.into();
        let parquet_schema = file_schema(columns)?;
        let sorted_by = sorting(columns, options)?;
        let properties = properties(options, sorted_by)?;
        let (max_group_rows, max_group_bytes) = (options.row_group_rows, options.row_group_bytes);
        let fields = columns.iter().map(|column| column.ty.arrow_field(&column.name, Strings::Plain));
        let schema = Arc::new(ArrowSchema::new(fields.collect::<Vec<_>>()));
        let writer = Counted { inner: writer, bytes: 0 };
        let writer = SerializedFileWriter::new(writer, parquet_schema.root_schema_ptr(), Arc::new(properties));
        let writer = writer.map_err(|error| write_error(&path, error))?;
        let pages = Pages::default();
        let factory = ArrowRowGroupWriterFactory::new(&writer, Arc::clone(&schema));
        let factory = factory.with_page_store_factory(Arc::new(pages.clone()));
        Ok(Self {
            writer,
            factory,
            pages,
            group: Vec::new(),
            group_rows: 0,
            max_group_rows,
            max_group_bytes,
            schema,
            path,
            rows: 0,
        })
    }

    /// Adds rows. The batch has the writer's columns in order, by position; dictionaries are accepted as strings.
    ///
    /// # Errors
    /// `SchemaMismatch` when the batch has other columns, `Io` when the writer refuses.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_columns() != self.schema.fields().len() {
            return Err(Error::schema_mismatch(format!(
                "a batch of {} columns for '{}', which has {}",
                batch.num_columns(),
                self.path,
                self.schema.fields().len()
            )));
        }
        let path = self.path.clone();
        guarded(&path, || {
            let columns = batch.columns().iter().zip(self.schema.fields());
            let columns = columns.map(|(array, field)| converted(array, field.data_type())).collect::<Result<_, _>>();
            let columns = columns.map_err(|error| arrow_error(&path, error))?;
            let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns);
            let batch = batch.map_err(|error| arrow_error(&path, error))?;
            self.split(&batch)
        })?;
        self.rows = self.rows.saturating_add(batch.num_rows() as u64);
        Ok(())
    }

    /// Adds rows to row groups, none of which grows beyond its bound.
    fn split(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut from = 0;
        while from < batch.num_rows() {
            let room = self.max_group_rows.saturating_sub(self.group_rows).max(1);
            let part = batch.slice(from, room.min(batch.num_rows() - from));
            from += part.num_rows();
            self.add(&part).map_err(|error| write_error(&self.path, error))?;
            self.group_rows = self.group_rows.saturating_add(part.num_rows());
            let bytes: usize = self.group.iter().map(ArrowColumnWriter::get_estimated_total_bytes).sum();
            if self.group_rows >= self.max_group_rows || bytes >= self.max_group_bytes {
                self.finish_group()?;
            }
        }
        Ok(())
    }

    fn add(&mut self, batch: &RecordBatch) -> parquet::errors::Result<()> {
        if self.group.is_empty() {
            self.group = self.factory.create_column_writers(self.writer.flushed_row_groups().len())?;
        }
        let mut writers = self.group.iter_mut();
        for (field, array) in self.schema.fields().iter().zip(batch.columns()) {
            for leaf in compute_leaves(field, array)? {
                let writer =
                    writers.next().ok_or_else(|| ParquetError::General("a column has no writer".to_owned()))?;
                writer.write(&leaf)?;
            }
        }
        Ok(())
    }

    /// Begins a new row group with the next row.
    ///
    /// # Errors
    /// `Io` when the writer refuses.
    pub fn finish_group(&mut self) -> Result<()> {
        let group = std::mem::take(&mut self.group);
        self.group_rows = 0;
        if group.is_empty() {
            return Ok(());
        }
        let flushed = self.flush(group);
        flushed.map_err(|error| write_error(&self.path, error))
    }

    fn flush(&mut self, group: Vec<ArrowColumnWriter>) -> parquet::errors::Result<()> {
        let mut row_group = self.writer.next_row_group()?;
        for (leaf, writer) in group.into_iter().enumerate() {
            let (bytes, close) = self.pages.chunk(leaf, writer.close()?.close())?;
            row_group.append_column(&bytes, close)?;
        }
        row_group.close().map(drop)
    }

    /// Writes the footer and gives the writer back, flushed but not synced.
    ///
    /// # Errors
    /// `Io` when the writer refuses.
    pub fn finish(mut self) -> Result<(Written, W)> {
        self.finish_group()?;
        let row_groups = self.writer.flushed_row_groups().len();
        let Counted { inner: mut writer, bytes } =
            self.writer.into_inner().map_err(|error| write_error(&self.path, error))?;
        let written = Written { rows: self.rows, bytes, row_groups };
        writer.flush().map_err(|error| Error::io("write", &self.path, error))?;
        Ok((written, writer))
    }
}

/// A writer that counts: the Parquet writer forgets its own count when it finishes.
struct Counted<W> {
    inner: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.bytes = self.bytes.saturating_add(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn properties(options: &WriteOptions, sorted_by: Option<Vec<SortingColumn>>) -> Result<WriterProperties> {
    if options.row_group_rows == 0 || options.page_rows == 0 {
        return Err(Error::invalid_argument("row groups and pages must have room for at least one row"));
    }
    let level = ZstdLevel::try_new(options.zstd_level).map_err(|error| {
        Error::invalid_argument(format!("{} is not a compression level of Zstandard", options.zstd_level))
            .caused_by(error)
    })?;
    let pairs = options.key_values.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone())).collect();
    Ok(WriterProperties::builder()
        .set_created_by(concat!("tstable ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(level))
        .set_dictionary_enabled(options.dictionary)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_max_row_group_row_count(Some(options.row_group_rows))
        .set_data_page_row_count_limit(options.page_rows)
        .set_write_batch_size(options.page_rows.min(ENCODED_ROWS))
        .set_sorting_columns(sorted_by)
        .set_key_value_metadata(Some(pairs).filter(|pairs: &Vec<KeyValue>| !pairs.is_empty()))
        .build())
}

/// The leaves by which the rows are sorted. Parquet counts leaves, so columns after nested ones move up.
fn sorting(columns: &[WriteColumn], options: &WriteOptions) -> Result<Option<Vec<SortingColumn>>> {
    let sorting = options.sorted_by.iter().map(|position| {
        let before = columns.get(..*position).zip(columns.get(*position));
        let leaf = before.map(|(before, _)| before.iter().map(|column| leaves(&column.ty)).sum::<usize>());
        let column_idx = leaf.and_then(|leaf| i32::try_from(leaf).ok()).ok_or_else(|| {
            Error::invalid_argument(format!("column {position} of {} cannot be sorted by", columns.len()))
        })?;
        Ok(SortingColumn { column_idx, descending: false, nulls_first: false })
    });
    let sorting = sorting.collect::<Result<Vec<_>>>()?;
    Ok(Some(sorting).filter(|sorting| !sorting.is_empty()))
}

fn leaves(ty: &ColumnType) -> usize {
    match ty {
        ColumnType::List(element) => leaves(&element.ty),
        ColumnType::Map(key, value) => leaves(&key.ty).saturating_add(leaves(&value.ty)),
        ColumnType::Struct(fields) => fields.iter().map(|field| leaves(&field.ty)).sum(),
        _ => 1,
    }
}
