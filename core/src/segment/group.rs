//! One row group being read. Conditions come first, each for the rows that the ones before have left, then the other
//! columns for the rows that remain; a column that has a condition and is asked for is decoded once.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions},
    compute::{concat, filter},
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
    delta::{self, narrowed},
    file::{SegmentFile, chunk_range},
    filter::chosen,
    guard::{arrow_error, parquet_error},
    input::Input,
    read::{ReadColumn, ReadRequest, RowGroupRead, beyond},
    room::{self, BATCH_BYTES},
};
use crate::{
    error::{Error, Result},
    schema::{ColumnType, Strings},
};

/// The column of a condition is decoded in parts of this many rows, which stay in the processor's cache.
const PART_ROWS: usize = 16 * 1024;
/// More chosen rows of it than this are not held in memory but decoded again with the other columns.
const HELD_ROWS: usize = 4 << 20;
/// The same for their bytes, which long texts have many of.
const HELD_BYTES: usize = 64 << 20;

/// Where a requested column is.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// In the batches of the reader.
    Read(usize),
    /// Among the columns that a condition has read already.
    Held(usize),
}

/// See the module.
pub(super) struct Group {
    /// Delivers the columns that are not held; none when all of them are.
    reader: Option<ParquetRecordBatchReader>,
    /// The chosen rows of columns that had a condition.
    held: Vec<ArrayRef>,
    /// The rows to be delivered when there is no reader.
    rows: usize,
    done: usize,
    schema: SchemaRef,
    places: Vec<Place>,
}

impl std::fmt::Debug for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Group").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl Group {
    /// Decides which rows are delivered, which reads the columns that have conditions.
    /// Batches have at most `batch_rows` rows.
    pub(super) fn open(
        file: &SegmentFile,
        request: &ReadRequest,
        group: &RowGroupRead,
        batch_rows: usize,
    ) -> Result<Self> {
        let mut opening = Opening::new(file, request, group, batch_rows)?;
        let mut columns: Vec<&ReadColumn> = Vec::new();
        for column in request.conditions() {
            if !columns.iter().any(|known| known.position == column.position) {
                columns.push(column);
            }
        }
        for column in columns {
            opening.choose(column)?;
        }
        opening.finish()
    }

    /// The next rows; none when all have been delivered.
    pub(super) fn advance(&mut self, file: &SegmentFile, request: &ReadRequest) -> Result<Option<RecordBatch>> {
        let Some(reader) = &mut self.reader else {
            let rows = request.batch_rows.min(self.rows.saturating_sub(self.done));
            return if rows == 0 { Ok(None) } else { self.deliver(file, request, &[], rows).map(Some) };
        };
        for batch in reader {
            let batch = batch.map_err(|error| arrow_error(file.path(), error))?;
            if batch.num_rows() > 0 {
                return self.deliver(file, request, batch.columns(), batch.num_rows()).map(Some);
            }
        }
        Ok(None)
    }

    fn deliver(
        &mut self,
        file: &SegmentFile,
        request: &ReadRequest,
        read: &[ArrayRef],
        rows: usize,
    ) -> Result<RecordBatch> {
        let columns =
            request.columns.iter().zip(&self.places).zip(self.schema.fields()).map(|((column, place), field)| {
                let array = match place {
                    Place::Read(place) => read.get(*place).cloned(),
                    Place::Held(place) => self.held.get(*place).and_then(|array| part(array, self.done, rows)),
                };
                let array = array.ok_or_else(|| Error::corrupt("a column has fewer rows than another"))?;
                let array = file
                    .columns()
                    .get(column.position)
                    .map_or_else(|| Arc::clone(&array), |has| narrowed(&array, &has.ty));
                converted(&array, field.data_type()).map_err(|error| beyond(file, column, error))
            });
        let columns = columns.collect::<Result<_>>()?;
        self.done = self.done.saturating_add(rows);
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|error| arrow_error(file.path(), error))
    }
}

fn part(array: &ArrayRef, from: usize, rows: usize) -> Option<ArrayRef> {
    (from.checked_add(rows)? <= array.len()).then(|| array.slice(from, rows))
}

fn together(parts: &[ArrayRef]) -> std::result::Result<ArrayRef, ArrowError> {
    match parts {
        [one] => Ok(Arc::clone(one)),
        many => concat(&many.iter().map(AsRef::as_ref).collect::<Vec<_>>()),
    }
}

/// A row group whose rows are being chosen.
struct Opening<'a> {
    file: &'a SegmentFile,
    request: &'a ReadRequest,
    row_group: usize,
    batch_rows: usize,
    metadata: ArrowReaderMetadata,
    /// The rows that are left; all when none.
    selection: Option<RowSelection>,
    /// Whether pages are left out, so that chunks are not read whole.
    by_pages: bool,
    /// Position and chosen rows of each column that a condition has read and that is asked for.
    held: Vec<(usize, ArrayRef)>,
}

impl<'a> Opening<'a> {
    fn new(file: &'a SegmentFile, request: &'a ReadRequest, group: &RowGroupRead, batch_rows: usize) -> Result<Self> {
        let total = file.row_group_rows(group.row_group);
        let ranges = group.rows.as_ref();
        Ok(Self {
            file,
            request,
            row_group: group.row_group,
            batch_rows,
            metadata: reader_metadata(file, request, group)?,
            selection: ranges.map(|rows| RowSelection::from_consecutive_ranges(rows.iter().cloned(), total)),
            by_pages: group.rows.is_some(),
            held: Vec::new(),
        })
    }

    fn rows(&self) -> usize {
        let all = self.file.row_group_rows(self.row_group);
        self.selection.as_ref().map_or(all, RowSelection::row_count)
    }

    fn is_asked_for(&self, position: usize) -> bool {
        self.request.columns.iter().any(|column| column.position == position)
    }

    /// Leaves the rows for which the conditions on this column hold.
    fn choose(&mut self, column: &ReadColumn) -> Result<()> {
        let rows = self.rows();
        if rows == 0 {
            return Ok(());
        }
        let failed = |error| arrow_error(self.file.path(), error);
        let mut holds = self.is_asked_for(column.position);
        let (mut masks, mut parts) = (Vec::new(), Vec::<ArrayRef>::new());
        let (mut count, mut bytes) = (0_usize, 0_usize);
        let most = if self.batch_rows < self.request.batch_rows { self.batch_rows } else { PART_ROWS };
        let strings = self.request.strings;
        let part = room::rows(self.file, self.row_group, &[column.position], strings, most, BATCH_BYTES)?;
        for batch in self.reader(&[column.position], part)? {
            let batch = batch.map_err(failed)?;
            let array = batch.columns().first().ok_or_else(|| Error::corrupt("a column is missing"))?;
            let mask = chosen(self.file, self.request, column, array)?;
            count = count.saturating_add(mask.true_count());
            holds = holds && count <= HELD_ROWS;
            if !holds {
                parts.clear();
            } else if mask.true_count() > 0 {
                let rows = filter(array, &mask).map_err(failed)?;
                bytes = bytes.saturating_add(rows.get_array_memory_size());
                holds = bytes <= HELD_BYTES;
                parts.push(rows);
            }
            masks.push(mask);
        }
        self.narrow(&masks).map_err(failed)?;
        if holds && count > 0 {
            self.held.push((column.position, together(&parts).map_err(failed)?));
        }
        let left = RowSelection::from_filters(&masks);
        self.selection = Some(self.selection.take().map_or_else(|| left.clone(), |before| before.and_then(&left)));
        Ok(())
    }

    /// Leaves of the columns that are held the rows that a further condition leaves.
    fn narrow(&mut self, masks: &[BooleanArray]) -> std::result::Result<(), ArrowError> {
        for (_, array) in &mut self.held {
            let mut from = 0;
            let mut parts = Vec::new();
            for mask in masks {
                let rows = part(array, from, mask.len())
                    .ok_or_else(|| ArrowError::ComputeError("a column has fewer rows than another".to_owned()))?;
                parts.push(filter(&rows, mask)?);
                from = from.saturating_add(mask.len());
            }
            *array = together(&parts)?;
        }
        Ok(())
    }

    fn finish(self) -> Result<Group> {
        let is_held = |position: &usize| self.held.iter().any(|(held, _)| held == position);
        let mut roots: Vec<usize> = self.request.columns.iter().map(|column| column.position).collect();
        roots.retain(|position| !is_held(position));
        roots.sort_unstable();
        roots.dedup();
        let rows = self.rows();
        let conditions = self.request.conditions().next().is_some();
        let reader = if rows == 0 || (conditions && roots.is_empty()) {
            None
        } else {
            Some(self.reader(&roots, self.batch_rows)?)
        };
        let place = |column: &ReadColumn| {
            let held = self.held.iter().position(|(position, _)| *position == column.position).map(Place::Held);
            held.or_else(|| roots.binary_search(&column.position).ok().map(Place::Read))
                .ok_or_else(|| Error::invalid_argument("a column was asked for that is not read"))
        };
        let places = self.request.columns.iter().map(place).collect::<Result<_>>()?;
        let schema = delivered_schema(self.file, self.request, self.metadata.schema());
        let held = self.held.into_iter().map(|(_, array)| array).collect();
        Ok(Group { reader, held, rows, done: 0, schema, places })
    }

    /// A reader of the columns at `roots` for the rows that are left.
    fn reader(&self, roots: &[usize], batch_rows: usize) -> Result<ParquetRecordBatchReader> {
        let descr = self.file.metadata().file_metadata().schema_descr();
        if self.by_pages {
            // The reader goes by the parts of the page index that somebody has judged.
            for leaf in roots.iter().flat_map(|position| self.file.leaves(*position)) {
                self.file.chunk_pages(self.row_group, leaf)?;
            }
        }
        let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.input(roots)?, self.metadata.clone())
            .with_row_groups(vec![self.row_group])
            .with_projection(ProjectionMask::roots(descr, roots.iter().copied()))
            .with_batch_size(batch_rows);
        if let Some(selection) = &self.selection {
            builder = builder.with_row_selection(selection.clone());
        }
        builder.build().map_err(|error| parquet_error(self.file.path(), error))
    }

    /// Holds the column chunks in memory when they are read whole.
    fn input(&self, roots: &[usize]) -> Result<Input> {
        let source = Arc::clone(self.file.source());
        if self.by_pages {
            return Ok(Input::new(source));
        }
        let leaves = roots.iter().flat_map(|position| self.file.leaves(*position));
        let ranges = leaves.filter_map(|leaf| chunk_range(self.file.chunk(self.row_group, leaf)?)).collect();
        Input::holding(source, ranges)
    }
}

/// The Parquet reader's view of the file: with dictionaries where they pay, with the page index where rows are chosen.
fn reader_metadata(file: &SegmentFile, request: &ReadRequest, group: &RowGroupRead) -> Result<ArrowReaderMetadata> {
    let metadata = if group.rows.is_some() { file.indexed()? } else { file.reader_metadata().metadata() };
    let widened = if file.is_mixed() { delta::in_64_bits(metadata, Some(group.row_group)) } else { Ok(None) };
    let widened = widened.map_err(|error| parquet_error(file.path(), error))?;
    let base = file.reader_metadata().schema();
    let fields = base.fields().iter().enumerate().map(|(position, field)| {
        if widened.as_ref().is_some_and(|widened| widened.positions.contains(&position)) {
            return Arc::new(field.as_ref().clone().with_data_type(ColumnType::BigInt.arrow(Strings::Plain)));
        }
        if wants_dictionary(file, request, group.row_group, position) {
            Arc::new(field.as_ref().clone().with_data_type(ColumnType::Varchar.arrow(Strings::Dictionary)))
        } else {
            Arc::clone(field)
        }
    });
    let schema = ArrowSchema::new(fields.collect::<Vec<_>>());
    let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
    let metadata = widened.map_or_else(|| Arc::clone(metadata), |widened| Arc::new(widened.metadata));
    ArrowReaderMetadata::try_new(metadata, options).map_err(|error| parquet_error(file.path(), error))
}

fn wants_dictionary(file: &SegmentFile, request: &ReadRequest, row_group: usize, position: usize) -> bool {
    request.strings == Strings::Dictionary
        && request.columns.iter().chain(request.conditions()).any(|column| column.position == position)
        && file.columns().get(position).is_some_and(|column| column.ty == ColumnType::Varchar)
        && file.leaves(position).all(|leaf| file.chunk(row_group, leaf).is_some_and(|c| all_dictionary(file, c)))
}

/// The schema of delivered batches.
fn delivered_schema(file: &SegmentFile, request: &ReadRequest, reader: &ArrowSchema) -> SchemaRef {
    let dictionary = ColumnType::Varchar.arrow(Strings::Dictionary);
    let fields = request.columns.iter().map(|column| {
        let name = file.columns().get(column.position).map_or("", |column| column.name.as_str());
        let as_dictionary = reader.fields().get(column.position).is_some_and(|field| *field.data_type() == dictionary);
        let strings = if as_dictionary { Strings::Dictionary } else { Strings::Plain };
        ArrowField::new(name, column.ty.arrow(strings), true)
    });
    Arc::new(ArrowSchema::new(fields.collect::<Vec<_>>()))
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
