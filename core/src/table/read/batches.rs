//! Rows as a program reads them: by the names of columns, batch by batch, each batch with all of them. What scans of several
//! threads need to know (units, places, caches) is behind it.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array},
    datatypes::{Schema as ArrowSchema, SchemaRef},
};

use super::scan::{Scan, ScanRequest, Unit, UnitRows};
use crate::{
    coverage::Entity,
    error::{Error, Result},
    schema::{Column, Strings},
    segment::SegmentReader,
    table::{cache::Cache, handle::Snapshot},
    time::IndexRange,
};

/// Rows in a batch at most.
const BATCH_ROWS: usize = 8 * 1024;

/// Footers of open segments are kept up to this many bytes.
const FOOTER_BYTES: usize = 32 << 20;

/// Which rows and columns to read; all of them unless it is told otherwise.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    columns: Option<Vec<String>>,
    range: IndexRange,
    entities: Vec<Entity>,
}

impl Rows {
    /// Every column of every row.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// These columns alone, in this order.
    #[must_use]
    pub fn columns<T: Into<String>>(self, names: impl IntoIterator<Item = T>) -> Self {
        Self { columns: Some(names.into_iter().map(Into::into).collect()), ..self }
    }

    /// Rows whose index lies in `range` alone.
    #[must_use]
    pub fn within(self, range: IndexRange) -> Self {
        Self { range, ..self }
    }

    /// Rows of these entities alone; those of all when there are none.
    #[must_use]
    pub fn of(self, entities: impl IntoIterator<Item = Entity>) -> Self {
        Self { entities: entities.into_iter().collect(), ..self }
    }
}

/// Rows of a snapshot that are about to be read, see [`Snapshot::scan`].
#[derive(Debug, Clone)]
pub struct Reading<'a> {
    snapshot: &'a Snapshot,
    rows: Rows,
}

impl Snapshot {
    /// Rows of this version. Nothing is read before [`Reading::batches`].
    #[must_use]
    pub fn scan(&self, rows: Rows) -> Reading<'_> {
        Reading { snapshot: self, rows }
    }
}

impl Reading<'_> {
    /// The rows in batches, segment by segment in the order of the index. The log decides which segments are opened, and each is opened when
    /// its rows are asked for.
    ///
    /// # Errors
    /// `InvalidArgument` for a column that the table does not have, and before the first append, when it has none; as
    /// [`Scan::new`]. The iterator ends with the first error: `NotFound` or `Corrupt` with path and version when a segment is not as the
    /// log says.
    pub fn batches(self) -> Result<Batches> {
        let schema = self.snapshot.schema()?;
        let columns = match &self.rows.columns {
            None => (0..schema.columns.len()).collect(),
            Some(names) => names.iter().map(|name| position(self.snapshot, name)).collect::<Result<Vec<_>>>()?,
        };
        let chosen: Vec<&Column> = columns.iter().filter_map(|at| schema.columns.get(*at)).collect();
        let fields: Vec<_> = chosen.iter().map(|column| column.ty.arrow_field(&column.name, Strings::Plain)).collect();
        let request =
            ScanRequest { columns, range: self.rows.range, entities: self.rows.entities, ..ScanRequest::default() };
        let scan = Scan::new(self.snapshot, &Arc::new(Cache::new(FOOTER_BYTES)), request)?;
        Ok(Batches { scan, schema: Arc::new(ArrowSchema::new(fields)), next: 0, current: None })
    }
}

fn position(snapshot: &Snapshot, name: &str) -> Result<usize> {
    let schema = snapshot.schema()?;
    schema.position(name).ok_or_else(|| {
        let known: Vec<_> = schema.columns.iter().map(|column| column.name.as_str()).collect();
        Error::invalid_argument(format!("the table has no column '{name}'; its columns are {}", known.join(", ")))
            .with("root", snapshot.storage().root())
    })
}

/// Batches of rows, see [`Reading::batches`].
#[derive(Debug)]
pub struct Batches {
    scan: Scan,
    schema: SchemaRef,
    next: usize,
    current: Option<Current>,
}

/// A unit that is being read, and where each column is in what it delivers.
#[derive(Debug)]
struct Current {
    places: Vec<Option<usize>>,
    rows: Source,
}

#[derive(Debug)]
enum Source {
    /// This many rows of which nothing else is wanted.
    Counted(u64),
    Read(Box<SegmentReader>),
}

impl Batches {
    /// The columns of each batch.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn advance(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(current) = &mut self.current
                && let Some(batch) = current.next(&self.schema)?
            {
                return Ok(Some(batch));
            }
            if self.next >= self.scan.units() {
                self.current = None;
                return Ok(None);
            }
            let unit = self.scan.unit(self.next, Strings::Plain, BATCH_ROWS)?;
            self.next = self.next.saturating_add(1);
            self.current = unit.map(Current::of);
        }
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance();
        if next.is_err() {
            (self.next, self.current) = (self.scan.units(), None);
        }
        next.transpose()
    }
}

impl Drop for Batches {
    fn drop(&mut self) {
        self.current = None;
        self.scan.release();
    }
}

impl Current {
    fn of(unit: Unit) -> Self {
        let rows = match unit.rows {
            UnitRows::Counted(rows) => Source::Counted(rows),
            UnitRows::Read(reader) => Source::Read(reader),
        };
        Self { places: unit.places, rows }
    }

    /// The next batch that has rows.
    fn next(&mut self, schema: &SchemaRef) -> Result<Option<RecordBatch>> {
        match &mut self.rows {
            Source::Counted(0) => Ok(None),
            Source::Counted(left) => {
                let rows = usize::try_from(*left).unwrap_or(BATCH_ROWS).min(BATCH_ROWS);
                *left = left.saturating_sub(rows as u64);
                whole(schema, &self.places, &[], rows).map(Some)
            }
            Source::Read(reader) => {
                let batch = reader.find(|batch| batch.as_ref().map_or(true, |batch| batch.num_rows() > 0));
                let Some(batch) = batch.transpose()? else { return Ok(None) };
                whole(schema, &self.places, batch.columns(), batch.num_rows()).map(Some)
            }
        }
    }
}

/// A batch with all columns: NULL where a segment has none.
fn whole(schema: &SchemaRef, places: &[Option<usize>], found: &[ArrayRef], rows: usize) -> Result<RecordBatch> {
    let column = |(field, place): (&Arc<arrow::datatypes::Field>, &Option<usize>)| {
        let there = place.and_then(|place| found.get(place)).cloned();
        there.unwrap_or_else(|| new_null_array(field.data_type(), rows))
    };
    let columns = schema.fields().iter().zip(places).map(column).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
        .map_err(|e| Error::corrupt("rows of a segment do not have the table's columns").caused_by(e))
}
