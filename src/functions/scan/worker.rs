//! The threads of a scan: each claims units by number and writes their batches out in chunks. The unit's number is the
//! batch index, so that DuckDB can put the chunks of all threads back into order.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use arrow::array::{ArrayRef, RecordBatch};
use tstable_core::{
    Error, Result,
    prune::expr::Constant,
    schema::{ColumnType, Strings},
    table::{
        bucket_starts::bucket_starts,
        scan::{Scan, Unit, UnitRows},
    },
    time::Grid,
};

use super::{
    check,
    record::{self, Subject},
};
use crate::host::{CHUNK_ROWS, Output, Rows, Session, Worker};

/// Rows decoded at once: several chunks, and few enough to stay in the processor's cache.
const BATCH_ROWS: usize = 8 * CHUNK_ROWS;

/// Where an output column comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// The table's column with this field id.
    Table { id: u32 },
    /// The segment's id.
    Segment,
    /// The version that added the segment.
    Version,
    /// The start of the row's bucket.
    Bucket,
}

/// One execution of a scan.
pub(super) struct ScanRows {
    subject: Subject,
    scan: Scan,
    /// For each output column what it is and its place among the columns read.
    outputs: Vec<(Column, Option<usize>)>,
    types: Vec<ColumnType>,
    grid: Grid,
    next: AtomicUsize,
    done: AtomicUsize,
    /// Units of which rows were read.
    read: AtomicUsize,
}

impl ScanRows {
    pub(super) fn new(
        subject: Subject,
        scan: Scan,
        outputs: Vec<(Column, Option<usize>)>,
        types: Vec<ColumnType>,
    ) -> Result<Self> {
        let grid = scan.snapshot().grid()?;
        let [next, done, read] = [(); 3].map(|()| AtomicUsize::new(0));
        Ok(Self { subject, scan, outputs, types, grid, next, done, read })
    }

    /// One more unit has ended; whoever ends the last one records that everything was read.
    fn ended(&self, session: &dyn Session) {
        if self.done.fetch_add(1, Ordering::AcqRel) + 1 == self.scan.units() {
            record::finished(session, &self.subject, &self.scan, self.read.load(Ordering::Acquire));
            // The host may keep the scan for as long as nobody has taken all of the result.
            self.scan.release();
        }
    }
}

impl Rows for ScanRows {
    fn max_threads(&self) -> usize {
        self.scan.units().max(1)
    }

    fn batches(&self) -> u64 {
        self.scan.units() as u64
    }

    fn progress(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "progress is approximate")]
        Some(self.done.load(Ordering::Relaxed) as f64 / self.scan.units().max(1) as f64)
    }

    fn worker(self: Arc<Self>) -> Result<Box<dyn Worker>> {
        Ok(Box::new(ScanWorker { rows: self, unit: None, number: 0, batch: None }))
    }
}

struct ScanWorker {
    rows: Arc<ScanRows>,
    unit: Option<Unit>,
    number: usize,
    /// The batch being written out, and how much of it has been.
    batch: Option<(RecordBatch, usize)>,
}

impl Worker for ScanWorker {
    fn fill(&mut self, session: &dyn Session, out: &mut dyn Output) -> Result<usize> {
        loop {
            if let Some((batch, offset)) = self.batch.take_if(|(batch, offset)| *offset < batch.num_rows()) {
                let len = (batch.num_rows() - offset).min(CHUNK_ROWS);
                self.write(&batch, offset, len, out)?;
                self.batch = Some((batch, offset + len));
                return Ok(len);
            }
            if let Some(len) = self.advance(session)? {
                if len > 0 {
                    self.write_counted(len, out)?;
                    return Ok(len);
                }
                continue;
            }
            if !self.claim(session)? {
                return Ok(0);
            }
        }
    }

    fn batch_index(&self) -> u64 {
        self.number as u64
    }
}

fn interrupted() -> Error {
    Error::cancelled("the query was interrupted")
}

impl ScanWorker {
    /// Takes the next unit that holds rows; false when there is none.
    fn claim(&mut self, session: &dyn Session) -> Result<bool> {
        loop {
            let number = self.rows.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.rows.scan.units() {
                return Ok(false);
            }
            if session.interrupted() {
                return Err(interrupted());
            }
            self.number = number;
            self.unit = self.rows.scan.unit(number, Strings::Dictionary, BATCH_ROWS)?;
            if self.unit.is_some() {
                self.rows.read.fetch_add(1, Ordering::AcqRel);
                return Ok(true);
            }
            self.rows.ended(session);
        }
    }

    /// Goes on in the unit: none when it has ended, a number of rows that need no data, or zero after a batch was read.
    fn advance(&mut self, session: &dyn Session) -> Result<Option<usize>> {
        let Some(unit) = &mut self.unit else { return Ok(None) };
        match &mut unit.rows {
            UnitRows::Counted(left) if *left > 0 => {
                let len = usize::try_from(*left).unwrap_or(CHUNK_ROWS).min(CHUNK_ROWS);
                *left -= len as u64;
                return Ok(Some(len));
            }
            UnitRows::Counted(_) => {}
            UnitRows::Read(reader) => {
                // Batches of which no row is left come one after another without a chunk between them.
                if session.interrupted() {
                    return Err(interrupted());
                }
                if let Some(batch) = reader.next() {
                    let segment = &unit.segment;
                    let named = |e: Error| e.with("path", &segment.record.path).with("version", segment.added);
                    let batch = batch.map_err(named)?;
                    check::rows(&self.rows.scan, unit, &batch).map_err(named)?;
                    self.batch = Some((batch, 0));
                    return Ok(Some(0));
                }
            }
        }
        self.unit = None;
        self.rows.ended(session);
        Ok(None)
    }

    fn write(&self, batch: &RecordBatch, offset: usize, len: usize, out: &mut dyn Output) -> Result<()> {
        let Some(unit) = &self.unit else { return Err(Error::invalid_argument("rows without a unit")) };
        for (i, ((source, place), ty)) in self.rows.outputs.iter().zip(&self.rows.types).enumerate() {
            let read = place.and_then(|place| unit.places.get(place).copied().flatten());
            let array: Option<&ArrayRef> = read.and_then(|at| batch.columns().get(at));
            match (source, array) {
                (Column::Table { id }, Some(array)) => {
                    out.write(i, ty, array, offset, len).map_err(|e| self.named(e, *id, unit))?;
                }
                (Column::Bucket, Some(array)) => {
                    let starts = bucket_starts(array, &self.rows.grid, ty)?;
                    out.write(i, ty, &starts, offset, len)?;
                }
                _ => write_unread(i, (*source, *place), ty, unit, len, out)?,
            }
        }
        Ok(())
    }

    /// The error with the column that was read and where.
    fn named(&self, e: Error, id: u32, unit: &Unit) -> Error {
        let columns = self.rows.scan.snapshot().schema().map_or(&[][..], |schema| &schema.columns);
        let column = columns.iter().find(|column| column.id == id).map_or("?", |column| &column.name);
        e.with("column", column).with("path", &unit.segment.record.path).with("version", unit.segment.added)
    }

    fn write_counted(&self, len: usize, out: &mut dyn Output) -> Result<()> {
        let Some(unit) = &self.unit else { return Err(Error::invalid_argument("rows without a unit")) };
        for (i, (output, ty)) in self.rows.outputs.iter().zip(&self.rows.types).enumerate() {
            write_unread(i, *output, ty, unit, len, out)?;
        }
        Ok(())
    }
}

/// A column that is the same for all rows of the unit.
fn write_unread(
    at: usize,
    (source, place): (Column, Option<usize>),
    ty: &ColumnType,
    unit: &Unit,
    len: usize,
    out: &mut dyn Output,
) -> Result<()> {
    match source {
        Column::Segment => out.write_constant(at, ty, &Constant::Text(unit.segment.record.id.clone()), len),
        Column::Version => out.write_constant(at, ty, &Constant::Int(i128::from(unit.segment.added.0)), len),
        Column::Table { .. } => match place.and_then(|place| unit.constants.get(place)?.as_ref()) {
            Some(constant) => out.write_constant(at, ty, constant, len),
            None => out.write_nulls(at, ty, len),
        },
        Column::Bucket => out.write_nulls(at, ty, len),
    }
}
