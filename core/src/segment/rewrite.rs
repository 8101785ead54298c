//! Rewriting rows of existing files: in a table's columns and types, sorted. Holds the rows of all given files in
//! memory, and no second copy of them.

use std::{io::Write, sync::Arc};

use arrow::{
    array::make_comparator,
    array::{ArrayRef, RecordBatch, UInt32Array, new_null_array},
    compute::{SortOptions, concat, filter_record_batch, interleave_record_batch},
    datatypes::{Schema as ArrowSchema, SchemaRef},
    error::ArrowError,
};

use super::{
    SegmentFile,
    admit::fitted,
    filter::IndexFilter,
    guard::{arrow_error, guarded},
    index::rows_inside,
    parquet_type::WriteColumn,
    read::{ReadColumn, ReadRequest, RowGroupRead},
    room::BATCH_BYTES,
    write::{SegmentWriter, WriteOptions, Written},
};
use crate::{
    error::{Error, Result},
    schema::Strings,
};

/// Rows read, sorted and written together.
const BATCH_ROWS: usize = 8 * 1024;

/// Writes all rows of `files` as one file of `columns`, sorted by `options.sorted_by` (NULLs last, otherwise in the
/// order given). Columns are found by name without regard to case; one that a file lacks is NULL there, one that is not in
/// `columns` is left out. `pause` is called between batches, while they are read and while they are written, and ends it all by an
/// error.
///
/// # Errors
/// What `pause`, [`SegmentFile::read`] and [`SegmentWriter`] give, and `LimitExceeded` for more rows than can be sorted at once.
pub fn rewrite<W: Write + Send>(
    files: &[SegmentFile],
    columns: &[WriteColumn],
    path: &str,
    writer: W,
    options: &WriteOptions,
    pause: &dyn Fn() -> Result<()>,
) -> Result<(Written, W)> {
    let mut writer = SegmentWriter::create(path, writer, columns, options)?;
    let mut batches = Vec::new();
    for file in files {
        for batch in TableRows::new(file, columns)? {
            pause()?;
            batches.push(batch?);
        }
    }
    each_sorted(&batches, &options.sorted_by, path, |batch| {
        pause()?;
        writer.write(batch)
    })?;
    writer.finish()
}

/// Hands the rows of `batches`, which all have the same columns, to `sink` sorted by the columns at `sort_by`, a few at a time;
/// in their own order when there are none. `path` is for messages.
///
/// # Errors
/// `LimitExceeded` for more rows than can be sorted at once, and what `sink` gives.
pub fn each_sorted(
    batches: &[RecordBatch],
    sort_by: &[usize],
    path: &str,
    mut sink: impl FnMut(&RecordBatch) -> Result<()>,
) -> Result<()> {
    if sort_by.is_empty() || batches.is_empty() {
        return batches.iter().try_for_each(sink);
    }
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    if u32::try_from(rows).is_err() {
        return Err(Error::limit_exceeded(format!(
            "{rows} rows for '{path}' are too many to sort at once; split them"
        )));
    }
    // The number of rows before each batch.
    let starts: Vec<usize> =
        batches.iter().scan(0, |rows, batch| Some(std::mem::replace(rows, *rows + batch.num_rows()))).collect();
    let order = guarded(path, || sorted(batches, sort_by).map_err(|error| arrow_error(path, error)))?;
    let all: Vec<&RecordBatch> = batches.iter().collect();
    let bytes: usize = batches.iter().map(RecordBatch::get_array_memory_size).sum();
    for part in order.values().chunks(rows_within(BATCH_BYTES, rows, bytes)) {
        let place = |row: &u32| {
            let row = usize::try_from(*row).ok()?;
            let batch = starts.partition_point(|start| *start <= row).checked_sub(1)?;
            Some((batch, row - starts.get(batch)?))
        };
        let part: Vec<_> = part.iter().filter_map(place).collect();
        let batch = guarded(path, || interleave_record_batch(&all, &part).map_err(|error| arrow_error(path, error)))?;
        sink(&batch)?;
    }
    Ok(())
}

/// About how many rows make a batch of at most `limit` bytes, judging by the bytes that some of them take; at least one.
#[must_use]
pub fn rows_within(limit: usize, rows: usize, bytes: usize) -> usize {
    let row_bytes = bytes.checked_div(rows).unwrap_or(0).max(1);
    (limit / row_bytes).clamp(1, BATCH_ROWS)
}

/// The rows of `batch` whose value in `index`, an array of an index column's type, is at least `start` and below `until`.
///
/// # Errors
/// `InvalidArgument` when the array has no type of an index column.
pub fn rows_in(batch: &RecordBatch, index: &ArrayRef, start: Option<i128>, until: Option<i128>) -> Result<RecordBatch> {
    let last = match until {
        Some(until) => until.saturating_sub(1),
        None => i128::MAX,
    };
    let inside = rows_inside(index, &(start.unwrap_or(i128::MIN)..=last));
    let inside = inside.ok_or_else(|| Error::invalid_argument("the index has no integer values"))?;
    filter_record_batch(batch, &inside).map_err(|error| arrow_error("rows of a range", error))
}

/// Rows of other columns as those of a table: for each column of the table its place in `batch`, where it has one, and NULL
/// where not; types are widened. `origin` and the rows `before` these are for messages.
///
/// # Errors
/// `SchemaMismatch` when a value is outside of what its column can hold.
pub fn as_columns(
    batch: &RecordBatch,
    places: &[Option<usize>],
    columns: &[WriteColumn],
    origin: &str,
    before: u64,
) -> Result<RecordBatch> {
    let fields: Vec<_> = columns.iter().map(|column| column.ty.arrow_field(&column.name, Strings::Plain)).collect();
    let arrays = places.iter().zip(&fields).zip(columns).map(|((place, field), column)| {
        let Some(array) = place.and_then(|place| batch.columns().get(place)) else {
            return Ok(new_null_array(field.data_type(), batch.num_rows()));
        };
        fitted(array, &column.name, &column.ty, before).map_err(|e| e.with("source", origin))
    });
    let arrays = arrays.collect::<Result<Vec<_>>>()?;
    RecordBatch::try_new(Arc::new(ArrowSchema::new(fields)), arrays).map_err(|error| arrow_error(origin, error))
}

/// The order of the rows of all batches by the columns at `sort_by`. One comparison for all types: Arrow's `lexsort_to_indices` brings
/// a sort for each type, 1.4 MB of the library.
fn sorted(batches: &[RecordBatch], sort_by: &[usize]) -> Result<UInt32Array, ArrowError> {
    let options = SortOptions { descending: false, nulls_first: false };
    let keys = sort_by.iter().map(|position| {
        let column = |batch: &RecordBatch| batch.columns().get(*position).cloned();
        let parts: Option<Vec<ArrayRef>> = batches.iter().map(column).collect();
        let parts = parts.ok_or_else(|| ArrowError::SchemaError("no such column to sort by".to_owned()))?;
        let values = concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<_>>())?;
        make_comparator(&values, &values, options)
    });
    let keys = keys.collect::<Result<Vec<_>, ArrowError>>()?;
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let last = u32::try_from(rows).map_err(|_| ArrowError::ComputeError("too many rows to sort".to_owned()))?;
    let mut order: Vec<u32> = (0..last).collect();
    let compare = |left: u32, right: u32| {
        let unequal = keys.iter().map(|key| key(left as usize, right as usize)).find(|ordering| ordering.is_ne());
        // The row's own number comes last so that equal rows keep their order.
        unequal.unwrap_or_else(|| left.cmp(&right))
    };
    order.sort_unstable_by(|left, right| compare(*left, *right));
    Ok(UInt32Array::from(order))
}

/// The rows of a file in a table's columns and types.
#[derive(Debug)]
pub struct TableRows {
    reader: super::SegmentReader,
    /// For each column of the table its place in what is read.
    places: Vec<Option<usize>>,
    schema: SchemaRef,
    path: String,
}

impl TableRows {
    /// Starts reading `file` as `columns`, found by name without regard to case.
    ///
    /// # Errors
    /// `SchemaMismatch` when a column cannot be read as the table's type without loss.
    pub fn new(file: &SegmentFile, columns: &[WriteColumn]) -> Result<Self> {
        Self::filtered(file, columns, (0..file.row_group_count()).collect(), None)
    }

    /// Starts reading the given row groups of `file` as [`TableRows::new`] does, and delivers only the rows that pass `filter`.
    ///
    /// # Errors
    /// As [`TableRows::new`].
    pub fn filtered(
        file: &SegmentFile,
        columns: &[WriteColumn],
        row_groups: Vec<usize>,
        filter: Option<IndexFilter>,
    ) -> Result<Self> {
        Self::known(file, columns, row_groups, filter, &|_| true)
    }

    /// As [`TableRows::filtered`], but a column whose field id `has` does not know is NULL whatever the file holds under its name: a
    /// file that was adopted may have columns that the table left out, and that came to be others' names later.
    ///
    /// # Errors
    /// As [`TableRows::new`].
    pub fn known(
        file: &SegmentFile,
        columns: &[WriteColumn],
        row_groups: Vec<usize>,
        filter: Option<IndexFilter>,
        has: &dyn Fn(u32) -> bool,
    ) -> Result<Self> {
        let mut read = Vec::new();
        let places = columns.iter().map(|column| {
            let position = file.position(&column.name).filter(|_| column.field_id.is_none_or(has))?;
            read.push(ReadColumn { position, ty: column.ty.clone() });
            read.len().checked_sub(1)
        });
        let places = places.collect();
        let reader = file.read(ReadRequest {
            columns: read,
            row_groups: row_groups.into_iter().map(RowGroupRead::from).collect(),
            strings: Strings::Plain,
            batch_rows: BATCH_ROWS,
            filter,
            values: Vec::new(),
        })?;
        let fields = columns.iter().map(|column| column.ty.arrow_field(&column.name, Strings::Plain));
        let schema = Arc::new(ArrowSchema::new(fields.collect::<Vec<_>>()));
        Ok(Self { reader, places, schema, path: file.path().to_owned() })
    }

    /// Bounds the text of a batch to about this many bytes.
    #[must_use]
    pub fn within(mut self, batch_bytes: usize) -> Self {
        self.reader = self.reader.within(batch_bytes);
        self
    }

    /// The row group from which the last batch came; batches never span row groups.
    #[must_use]
    pub fn row_group(&self) -> usize {
        self.reader.row_group()
    }

    fn complete(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let columns = self.places.iter().zip(self.schema.fields()).map(|(place, field)| {
            let read = place.and_then(|place| batch.columns().get(place)).cloned();
            read.unwrap_or_else(|| new_null_array(field.data_type(), batch.num_rows()))
        });
        RecordBatch::try_new(Arc::clone(&self.schema), columns.collect())
            .map_err(|error| arrow_error(&self.path, error))
    }
}

impl Iterator for TableRows {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?;
        Some(batch.and_then(|batch| self.complete(&batch)))
    }
}
