//! Merging sorted runs. Holds a batch and a row group of each run, and no more runs than [`MERGED_RUNS`] are given to it.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, RecordBatch},
    compute::interleave_record_batch,
    row::{OwnedRow, RowConverter, Rows, SortField},
};

use super::within::{range_filter, row_groups};
use crate::{
    error::{Error, Result},
    schema::Strings,
    segment::{
        SegmentFile,
        rewrite::{TableRows, rows_within},
    },
    storage::Storage,
    table::target::{Target, write_columns},
    time::IndexRange,
};

/// The most runs that are merged at once.
pub(super) const MERGED_RUNS: usize = 16;

/// Bytes of rows that are held of each run, and handed on together.
pub(super) const BATCH_BYTES: usize = 4 << 20;

/// A sorted run on disk. Dropping it removes it.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) path: String,
    pub(super) file: SegmentFile,
    /// How often its rows were merged.
    pub(super) level: u32,
}

impl Drop for Run {
    fn drop(&mut self) {
        // Leftovers are vacuum's.
        let _ = self.storage.remove(&self.path);
    }
}

/// The merging of sorted runs.
pub(super) struct Merge {
    cursors: Vec<RunCursor>,
    converter: RowConverter,
    sort_by: Vec<usize>,
    heap: BinaryHeap<Reverse<Head>>,
    /// Batches that picked rows are in.
    held: Vec<RecordBatch>,
    picked: Vec<(usize, usize)>,
}

struct RunCursor {
    rows: TableRows,
    keys: Option<Rows>,
    /// The place of the batch in `held`.
    batch: usize,
    at: usize,
}

/// The next row of a run. Ordered by its key, then by its run, so that equal rows keep their order.
struct Head {
    key: OwnedRow,
    run: usize,
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Head {}
impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key).then(self.run.cmp(&other.run))
    }
}

fn merging(error: arrow::error::ArrowError) -> Error {
    Error::corrupt("sorted rows cannot be merged").caused_by(error)
}

impl Merge {
    /// The rows of the runs whose index lies in `range`, in the order of the columns at `sort_by`.
    pub(super) fn new(target: &Target, sort_by: &[usize], runs: &[Run], range: &IndexRange) -> Result<Self> {
        let columns = write_columns(target);
        let fields = sort_by.iter().filter_map(|at| columns.get(*at));
        let fields = fields.map(|column| SortField::new(column.ty.arrow(Strings::Plain)));
        let converter = RowConverter::new(fields.collect()).map_err(merging)?;
        let cursors = runs.iter().map(|run| {
            let groups = row_groups(&run.file, target, range);
            let filter = range_filter(&run.file, target, range)?;
            let rows = TableRows::filtered(&run.file, &columns, groups, filter)?.within(BATCH_BYTES);
            Ok(RunCursor { rows, keys: None, batch: 0, at: 0 })
        });
        let cursors: Vec<_> = cursors.collect::<Result<_>>()?;
        let count = cursors.len();
        let mut merge = Self {
            cursors,
            converter,
            sort_by: sort_by.to_vec(),
            heap: BinaryHeap::new(),
            held: Vec::new(),
            picked: Vec::new(),
        };
        (0..count).try_for_each(|run| merge.load(run))?;
        Ok(merge)
    }

    /// Reads the next batch of a run and puts its first row on the heap.
    fn load(&mut self, run: usize) -> Result<()> {
        let Some(cursor) = self.cursors.get_mut(run) else { return Ok(()) };
        cursor.keys = None;
        let Some(batch) = cursor.rows.next().transpose()? else { return Ok(()) };
        let keys: Vec<ArrayRef> = self.sort_by.iter().filter_map(|at| batch.columns().get(*at)).cloned().collect();
        cursor.keys = Some(self.converter.convert_columns(&keys).map_err(merging)?);
        cursor.batch = self.held.len();
        cursor.at = 0;
        self.held.push(batch);
        self.offer(run);
        Ok(())
    }

    fn offer(&mut self, run: usize) {
        let Some(cursor) = self.cursors.get(run) else { return };
        if let Some(keys) = cursor.keys.as_ref().filter(|keys| cursor.at < keys.num_rows()) {
            self.heap.push(Reverse(Head { key: keys.row(cursor.at).owned(), run }));
        }
    }

    /// The next rows; none at the end.
    pub(super) fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let rows: usize = self.held.iter().map(RecordBatch::num_rows).sum();
        let bytes = self.held.iter().map(RecordBatch::get_array_memory_size).sum();
        let most = rows_within(BATCH_BYTES, rows, bytes);
        while self.picked.len() < most {
            let Some(Reverse(Head { run, .. })) = self.heap.pop() else { break };
            let Some(cursor) = self.cursors.get_mut(run) else { break };
            self.picked.push((cursor.batch, cursor.at));
            cursor.at += 1;
            if cursor.keys.as_ref().is_some_and(|keys| cursor.at < keys.num_rows()) {
                self.offer(run);
            } else {
                self.load(run)?;
            }
        }
        if self.picked.is_empty() {
            return Ok(None);
        }
        let held: Vec<&RecordBatch> = self.held.iter().collect();
        let batch = interleave_record_batch(&held, &self.picked).map_err(merging)?;
        self.picked.clear();
        self.forget();
        Ok(Some(batch))
    }

    /// Lets go of the batches that no run is in any more.
    fn forget(&mut self) {
        let mut held = Vec::with_capacity(self.cursors.len());
        for cursor in self.cursors.iter_mut().filter(|cursor| cursor.keys.is_some()) {
            if let Some(batch) = self.held.get(cursor.batch) {
                held.push(batch.clone());
                cursor.batch = held.len() - 1;
            }
        }
        self.held = held;
    }
}
