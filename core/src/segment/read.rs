//! Reading rows: a request names columns, row groups and rows, and the reader delivers record batches in the Arrow types
//! that tables promise. Decides nothing about which rows matter; that is the caller's.

use std::{ops::Range, sync::Arc, vec};

use arrow::{
    array::{ArrayRef, RecordBatch, RecordBatchOptions},
    datatypes::{Field as ArrowField, Schema as ArrowSchema, SchemaRef},
    error::ArrowError,
};
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{
            ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
            RowSelection,
        },
    },
    basic::{Encoding, EncodingMask},
    file::metadata::ColumnChunkMetaData,
};

use super::{
    convert::converted,
    file::{SegmentFile, chunk_range},
    filter::{IndexFilter, ValueFilter, row_filter},
    guard::{arrow_error, guarded, parquet_error},
    input::Input,
    schema::readable_as,
};
use crate::{
    error::{Error, Result},
    schema::{ColumnType, Strings},
};

/// A column to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadColumn {
    /// Its position in [`SegmentFile::columns`].
    pub position: usize,
    /// The type to deliver: the file's own or a lossless widening of it.
    pub ty: ColumnType,
}

/// A row group to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowGroupRead {
    /// Its position in the file.
    pub row_group: usize,
    /// The rows to be read, counted from the row group's first: ascending, disjoint ranges. All rows when none.
    pub rows: Option<Vec<Range<usize>>>,
}

impl From<usize> for RowGroupRead {
    fn from(row_group: usize) -> Self {
        Self { row_group, rows: None }
    }
}

/// What to read of a file.
#[derive(Debug, Clone)]
pub struct ReadRequest {
    /// The columns in the order in which batches have them; a column may occur several times or not at all. Batches
    /// without columns still count rows.
    pub columns: Vec<ReadColumn>,
    /// The row groups in the order in which they are read.
    pub row_groups: Vec<RowGroupRead>,
    /// Whether VARCHAR columns (not those inside nested types) may come as dictionaries. They do for row groups whose
    /// pages are all dictionary-encoded, and as plain strings otherwise.
    pub strings: Strings,
    /// The most rows of a batch.
    pub batch_rows: usize,
    /// Delivers only rows in a range of the index, exactly. The other columns are decoded for those rows only.
    pub filter: Option<IndexFilter>,
    /// Delivers only rows in which each of these columns has one of its values, exactly.
    pub values: Vec<ValueFilter>,
}

impl ReadRequest {
    /// All columns in their own types, all row groups, all rows.
    #[must_use]
    pub fn all(file: &SegmentFile) -> Self {
        let columns = file.columns().iter().enumerate();
        Self {
            columns: columns.map(|(position, column)| ReadColumn { position, ty: column.ty.clone() }).collect(),
            row_groups: (0..file.row_group_count()).map(RowGroupRead::from).collect(),
            strings: Strings::Plain,
            batch_rows: 2048,
            filter: None,
            values: Vec::new(),
        }
    }
}

impl ReadRequest {
    /// The columns on which rows are chosen.
    fn conditions(&self) -> impl Iterator<Item = &ReadColumn> {
        self.filter.iter().map(IndexFilter::column).chain(self.values.iter().map(|values| &values.column))
    }
}

impl SegmentFile {
    /// Starts reading. Nothing is read from the source before the first batch is asked for.
    ///
    /// # Errors
    /// `InvalidArgument` when the request names a column, row group or row that the file does not have,
    /// `SchemaMismatch` when a column cannot be read as the requested type without loss.
    pub fn read(&self, request: ReadRequest) -> Result<SegmentReader> {
        request.columns.iter().chain(request.conditions()).try_for_each(|column| check_column(self, column))?;
        request.row_groups.iter().try_for_each(|group| check_row_group(self, group))?;
        if request.batch_rows == 0 {
            return Err(Error::invalid_argument("a batch must have room for at least one row"));
        }
        let mut roots: Vec<usize> = request.columns.iter().map(|column| column.position).collect();
        roots.sort_unstable();
        roots.dedup();
        let groups = request.row_groups.clone().into_iter();
        Ok(SegmentReader { file: self.clone(), request, roots, groups, current: None, row_group: 0, context: None })
    }
}

fn check_column(file: &SegmentFile, column: &ReadColumn) -> Result<()> {
    let Some(has) = file.columns().get(column.position) else {
        let count = file.columns().len();
        return Err(Error::invalid_argument(format!(
            "column {} of '{}' was asked for, which has {count} columns",
            column.position,
            file.path()
        )));
    };
    if readable_as(&has.ty, &column.ty) {
        return Ok(());
    }
    Err(Error::schema_mismatch(format!(
        "column \"{}\" of '{}' is {}, which cannot be read as {} without loss",
        has.name,
        file.path(),
        has.ty,
        column.ty
    )))
}

fn check_row_group(file: &SegmentFile, group: &RowGroupRead) -> Result<()> {
    let wrong = |what: String| Err(Error::invalid_argument(format!("{what} of '{}' was asked for", file.path())));
    if group.row_group >= file.row_group_count() {
        return wrong(format!("row group {} of {}", group.row_group, file.row_group_count()));
    }
    let rows = file.row_group_rows(group.row_group);
    let mut from = 0;
    for range in group.rows.iter().flatten() {
        if range.start < from || range.end < range.start || range.end > rows {
            return wrong(format!("the range of rows {range:?} of row group {} ({rows} rows)", group.row_group));
        }
        from = range.end;
    }
    Ok(())
}

/// An iterator over the requested rows. After an error it ends.
#[derive(Debug)]
pub struct SegmentReader {
    file: SegmentFile,
    request: ReadRequest,
    roots: Vec<usize>,
    groups: vec::IntoIter<RowGroupRead>,
    current: Option<Current>,
    row_group: usize,
    context: Option<(&'static str, String)>,
}

struct Current {
    reader: ParquetRecordBatchReader,
    schema: SchemaRef,
    /// For each requested column its place in what the reader delivers.
    places: Vec<usize>,
}

impl std::fmt::Debug for Current {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Current").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl Iterator for SegmentReader {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let file = self.file.clone();
        let next = guarded(file.path(), || self.advance()).transpose();
        if matches!(next, Some(Err(_))) {
            self.current = None;
            self.groups = Vec::new().into_iter();
        }
        next.map(|batch| batch.map_err(|e| self.context.iter().fold(e, |e, (key, value)| e.with(key, value))))
    }
}

impl SegmentReader {
    /// Adds a key and a value to every error: what the reader of one file cannot know.
    #[must_use]
    pub fn naming(mut self, key: &'static str, value: impl std::fmt::Display) -> Self {
        self.context = Some((key, value.to_string()));
        self
    }

    /// The row group from which the last batch came; batches never span row groups.
    #[must_use]
    pub fn row_group(&self) -> usize {
        self.row_group
    }

    fn advance(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(current) = &mut self.current {
                match current.reader.next() {
                    Some(Ok(batch)) if batch.num_rows() == 0 => continue,
                    Some(Ok(batch)) => return deliver(&self.file, &self.request, current, &batch).map(Some),
                    Some(Err(error)) => return Err(arrow_error(self.file.path(), error)),
                    None => self.current = None,
                }
            }
            let Some(group) = self.groups.next() else { return Ok(None) };
            self.row_group = group.row_group;
            if self.file.row_group_rows(group.row_group) > 0 && group.rows.as_ref().is_none_or(|rows| !rows.is_empty())
            {
                self.current = Some(self.open(&group)?);
            }
        }
    }

    fn open(&self, group: &RowGroupRead) -> Result<Current> {
        let file = &self.file;
        let metadata = self.reader_metadata(group)?;
        let schema = metadata.schema().clone();
        let descr = file.metadata().file_metadata().schema_descr();
        let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.input(group)?, metadata)
            .with_row_groups(vec![group.row_group])
            .with_projection(ProjectionMask::roots(descr, self.roots.iter().copied()))
            .with_batch_size(self.request.batch_rows);
        if let Some(rows) = &group.rows {
            let total = file.row_group_rows(group.row_group);
            builder = builder.with_row_selection(RowSelection::from_consecutive_ranges(rows.iter().cloned(), total));
        }
        if let Some(filter) = row_filter(file, &self.request) {
            builder = builder.with_row_filter(filter);
        }
        let reader = builder.build().map_err(|error| parquet_error(file.path(), error))?;
        Ok(Current { reader, schema: self.schema(&schema), places: self.places()? })
    }

    /// The Parquet reader's view of the file: with dictionaries where they pay, with the page index where rows are chosen.
    fn reader_metadata(&self, group: &RowGroupRead) -> Result<ArrowReaderMetadata> {
        let file = &self.file;
        let metadata = if group.rows.is_some() { file.indexed()? } else { file.metadata() };
        let base = file.reader_metadata().schema();
        let fields = base.fields().iter().enumerate().map(|(position, field)| {
            if self.wants_dictionary(group.row_group, position) {
                Arc::new(field.as_ref().clone().with_data_type(ColumnType::Varchar.arrow(Strings::Dictionary)))
            } else {
                Arc::clone(field)
            }
        });
        let schema = ArrowSchema::new(fields.collect::<Vec<_>>());
        let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
        ArrowReaderMetadata::try_new(Arc::clone(metadata), options).map_err(|error| parquet_error(file.path(), error))
    }

    fn wants_dictionary(&self, row_group: usize, position: usize) -> bool {
        let file = &self.file;
        self.request.strings == Strings::Dictionary
            && (self.roots.binary_search(&position).is_ok()
                || self.request.conditions().any(|column| column.position == position))
            && file.columns().get(position).is_some_and(|column| column.ty == ColumnType::Varchar)
            && file.leaves(position).all(|leaf| file.chunk(row_group, leaf).is_some_and(|c| all_dictionary(file, c)))
    }

    /// Holds the column chunks in memory when they are read whole.
    fn input(&self, group: &RowGroupRead) -> Result<Input> {
        let source = Arc::clone(self.file.source());
        if group.rows.is_some() {
            return Ok(Input::new(source));
        }
        let filtered = self.request.conditions().map(|column| column.position);
        let leaves = self.roots.iter().copied().chain(filtered).flat_map(|position| self.file.leaves(position));
        let ranges = leaves.filter_map(|leaf| chunk_range(self.file.chunk(group.row_group, leaf)?)).collect();
        Input::holding(source, ranges)
    }

    fn places(&self) -> Result<Vec<usize>> {
        let place = |column: &ReadColumn| self.roots.binary_search(&column.position);
        let places = self.request.columns.iter().map(place).collect::<Result<_, _>>();
        places.map_err(|_| Error::invalid_argument("a column was asked for that is not read"))
    }

    /// The schema of delivered batches.
    fn schema(&self, reader: &ArrowSchema) -> SchemaRef {
        let fields = self.request.columns.iter().map(|column| {
            let name = self.file.columns().get(column.position).map_or("", |column| column.name.as_str());
            let dictionary = ColumnType::Varchar.arrow(Strings::Dictionary);
            let as_dictionary =
                reader.fields().get(column.position).is_some_and(|field| *field.data_type() == dictionary);
            ArrowField::new(
                name,
                column.ty.arrow(if as_dictionary { Strings::Dictionary } else { Strings::Plain }),
                true,
            )
        });
        Arc::new(ArrowSchema::new(fields.collect::<Vec<_>>()))
    }
}

/// Whether all pages of the chunk are dictionary-encoded. Encodings alone cannot tell when PLAIN is among them, since
/// some writers count the dictionary's own page; then the answer is no.
fn all_dictionary(file: &SegmentFile, chunk: &ColumnChunkMetaData) -> bool {
    let dictionary =
        |mask: &EncodingMask| mask.is_set(Encoding::PLAIN_DICTIONARY) || mask.is_set(Encoding::RLE_DICTIONARY);
    let other = [
        Encoding::PLAIN,
        Encoding::DELTA_BYTE_ARRAY,
        Encoding::DELTA_LENGTH_BYTE_ARRAY,
        Encoding::DELTA_BINARY_PACKED,
        Encoding::BYTE_STREAM_SPLIT,
    ];
    let mask = chunk.page_encoding_stats_mask().unwrap_or(chunk.encodings_mask());
    // DuckDB decides for a whole chunk at once.
    let whole = file.created_by().is_some_and(|writer| writer.starts_with("DuckDB"));
    dictionary(mask) && (whole || other.iter().all(|encoding| !mask.is_set(*encoding)))
}

fn deliver(file: &SegmentFile, request: &ReadRequest, current: &Current, batch: &RecordBatch) -> Result<RecordBatch> {
    let columns = request.columns.iter().zip(&current.places).zip(current.schema.fields());
    let columns: Vec<ArrayRef> = columns
        .map(|((column, place), field)| {
            let array = batch.columns().get(*place).ok_or_else(|| Error::corrupt("a column is missing"))?;
            converted(array, field.data_type()).map_err(|error| beyond(file, column, error))
        })
        .collect::<Result<_>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(&current.schema), columns, &options)
        .map_err(|error| arrow_error(file.path(), error))
}

pub(super) fn beyond(file: &SegmentFile, column: &ReadColumn, error: ArrowError) -> Error {
    let has = file.columns().get(column.position);
    let (name, ty) = has.map_or(("", String::new()), |has| (has.name.as_str(), has.ty.to_string()));
    Error::schema_mismatch(format!(
        "column \"{name}\" of '{}' is {ty} and has a value outside the range of {}; cast it before writing",
        file.path(),
        column.ty
    ))
    .caused_by(error)
}
