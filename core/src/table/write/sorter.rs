//! Sorting more rows than fit into memory: batches are gathered up to a bound, sorted and, when there are more to come, written to a
//! file below the root that no commit mentions. At the end the sorted runs are merged.
//!
//! # Bound
//! While gathering, at most the bound of batches, and their keys and places while they are sorted. While merging, a batch and a row
//! group of each of at most [`MERGED_RUNS`] runs: about half a megabyte each for narrow rows, and a few megabytes for long texts. More runs than that are merged into
//! longer ones first, so that every row is written once more for each factor of [`MERGED_RUNS`].

use std::{
    cmp::{Ordering, Reverse},
    collections::{BTreeMap, BinaryHeap},
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, RecordBatch},
    compute::interleave_record_batch,
    row::{OwnedRow, RowConverter, Rows, SortField},
};

use crate::{
    error::{Error, Result},
    log::DATA_DIRECTORY,
    segment::{
        IndexFilter, ReadColumn, SegmentFile, SegmentWriter, WriteOptions,
        rewrite::{TableRows, each_sorted, rows_within},
    },
    storage::{Scratch, Staged, Storage, TEMPORARY_PREFIX},
    table::{
        monitor::{Monitor, check_cancelled},
        names::random_id,
        target::{KeyColumns, Target, write_columns},
    },
    time::{BucketId, IndexRange},
};

/// Batches of up to this many bytes are gathered before a run is written.
pub const MEMORY_BYTES: usize = 64 << 20;

/// Bytes of rows that are held of each run, and handed on together.
const BATCH_BYTES: usize = MEMORY_BYTES / MERGED_RUNS;

/// Rows and bytes of a row group of a run: few, since merging holds one of each run.
const RUN_GROUP_ROWS: usize = 32 * 1024;
/// See [`RUN_GROUP_ROWS`].
const RUN_GROUP_BYTES: usize = MEMORY_BYTES / MERGED_RUNS;

/// The most runs that are merged at once.
pub const MERGED_RUNS: usize = 16;

/// Rows in the table's columns on their way to being sorted.
pub struct Sorter {
    storage: Arc<dyn Storage>,
    target: Arc<Target>,
    sort_by: Vec<usize>,
    memory_bytes: usize,
    batches: Vec<RecordBatch>,
    bytes: usize,
    runs: Vec<Run>,
    /// Where the runs are when they are not beside the table's files. Goes after them.
    scratch: Option<Scratch>,
}

/// A sorted run on disk. Dropping it removes it.
#[derive(Debug)]
struct Run {
    storage: Arc<dyn Storage>,
    path: String,
    file: SegmentFile,
    /// How often its rows were merged.
    level: u32,
}

impl Drop for Run {
    fn drop(&mut self) {
        // Leftovers are vacuum's.
        let _ = self.storage.remove(&self.path);
    }
}

impl std::fmt::Debug for Sorter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sorter").field("runs", &self.runs).field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl Sorter {
    /// Sorts by the columns at `sort_by`; rows that are equal there keep their order.
    #[must_use]
    pub fn new(storage: &Arc<dyn Storage>, target: &Arc<Target>, sort_by: Vec<usize>, memory_bytes: usize) -> Self {
        let scratch = Scratch::beside(storage.as_ref());
        Self {
            storage: scratch.as_ref().map_or_else(|| Arc::clone(storage), |scratch| Arc::clone(scratch.storage())),
            target: Arc::clone(target),
            sort_by,
            memory_bytes,
            batches: Vec::new(),
            bytes: 0,
            runs: Vec::new(),
            scratch,
        }
    }

    /// Adds rows, which have the target's columns in order.
    ///
    /// # Errors
    /// `Io` when a run cannot be written.
    pub fn push(&mut self, batch: RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.bytes = self.bytes.saturating_add(batch.get_array_memory_size());
        self.batches.push(batch);
        if self.bytes >= self.memory_bytes { self.spill() } else { Ok(()) }
    }

    /// Writes what is gathered as a run, and the last runs as one when there are many alike.
    fn spill(&mut self) -> Result<()> {
        let batches = std::mem::take(&mut self.batches);
        self.bytes = 0;
        let run =
            self.run(0, |path, writer| each_sorted(&batches, &self.sort_by, path, |batch| writer.write(batch)))?;
        drop(batches);
        self.runs.push(run);
        while let Some(last) = self.runs.last() {
            let level = last.level;
            let alike = self.runs.iter().rev().take_while(|run| run.level == level).count();
            if alike < MERGED_RUNS {
                break;
            }
            self.merge_last(alike)?;
        }
        Ok(())
    }

    /// Makes one run of the last ones. They follow each other, so that equal rows keep their order.
    fn merge_last(&mut self, count: usize) -> Result<()> {
        let from = self.runs.len().saturating_sub(count);
        let Some(runs) = self.runs.get(from..) else { return Ok(()) };
        let level = runs.iter().map(|run| run.level).max().unwrap_or(0).saturating_add(1);
        let mut merge = Merge::new(self, runs, &IndexRange::ALL)?;
        let run = self.run(level, |_, writer| {
            while let Some(batch) = merge.next_batch()? {
                writer.write(&batch)?;
            }
            Ok(())
        })?;
        drop(merge);
        self.runs.truncate(from);
        self.runs.push(run);
        Ok(())
    }

    /// Writes a run of what `fill` gives.
    fn run(&self, level: u32, fill: impl FnOnce(&str, &mut SegmentWriter<Wrote>) -> Result<()>) -> Result<Run> {
        let path = format!("{DATA_DIRECTORY}/{TEMPORARY_PREFIX}{}.run", random_id());
        if self.scratch.is_some() {
            self.storage.prepare(&[DATA_DIRECTORY])?;
        }
        let staged = Wrote(self.storage.stage(&path)?);
        let options = WriteOptions {
            row_group_rows: RUN_GROUP_ROWS,
            row_group_bytes: RUN_GROUP_BYTES,
            zstd_level: 1,
            ..WriteOptions::default()
        };
        let columns = write_columns(&self.target);
        let mut writer = SegmentWriter::create(path.clone(), staged, &columns, &options)?;
        fill(&path, &mut writer)?;
        let (_, Wrote(staged)) = writer.finish()?;
        staged.finish()?;
        let file = self.storage.open(&path).and_then(SegmentFile::open).inspect_err(|_| {
            // The leftover is vacuum's when it cannot be removed.
            let _ = self.storage.remove(&path);
        })?;
        Ok(Run { storage: Arc::clone(&self.storage), path, file, level })
    }

    /// Hands all rows whose index lies in `range` to `sink`, sorted. May be called for several ranges.
    ///
    /// # Errors
    /// As reading runs and as `sink`; `Cancelled`.
    pub fn each(
        &mut self,
        range: &IndexRange,
        monitor: &dyn Monitor,
        mut sink: impl FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        if self.runs.is_empty() {
            let keys = KeyColumns::of(&self.target)?;
            let inside: Vec<_> =
                self.batches.iter().map(|batch| in_range(batch, &keys, range)).collect::<Result<_>>()?;
            return each_sorted(&inside, &self.sort_by, self.storage.root(), |batch| {
                check_cancelled(monitor)?;
                sink(batch)
            });
        }
        self.settle()?;
        let mut merge = Merge::new(self, &self.runs, range)?;
        while let Some(batch) = merge.next_batch()? {
            check_cancelled(monitor)?;
            sink(&batch)?;
        }
        Ok(())
    }

    /// Leaves no more runs than are merged at once, with every row in one of them.
    fn settle(&mut self) -> Result<()> {
        if !self.batches.is_empty() {
            self.spill()?;
        }
        while self.runs.len() > MERGED_RUNS {
            // The last runs are the shortest.
            self.merge_last((self.runs.len() - MERGED_RUNS).saturating_add(1).min(MERGED_RUNS))?;
        }
        Ok(())
    }

    /// All rows, sorted, a batch whenever one is asked for.
    ///
    /// # Errors
    /// As reading runs; `Cancelled`.
    pub fn sorted(mut self, monitor: &dyn Monitor) -> Result<Sorted> {
        if self.runs.is_empty() {
            let (batches, mut held) = (std::mem::take(&mut self.batches), Vec::new());
            each_sorted(&batches, &self.sort_by, self.storage.root(), |batch| {
                check_cancelled(monitor)?;
                held.push(batch.clone());
                Ok(())
            })?;
            return Ok(Sorted { merge: None, held: held.into_iter(), _sorter: self });
        }
        self.settle()?;
        let merge = Merge::new(&self, &self.runs, &IndexRange::ALL)?;
        Ok(Sorted { merge: Some(merge), held: Vec::new().into_iter(), _sorter: self })
    }
}

/// See [`Sorter::sorted`].
pub struct Sorted {
    merge: Option<Merge>,
    held: std::vec::IntoIter<RecordBatch>,
    /// Its runs are removed when it is dropped.
    _sorter: Sorter,
}

impl Iterator for Sorted {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.merge {
            Some(merge) => merge.next_batch().transpose(),
            None => self.held.next().map(Ok),
        }
    }
}

/// A staged file as a writer.
struct Wrote(Box<dyn Staged>);

impl std::io::Write for Wrote {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// The rows of the batch whose index lies in the range.
fn in_range(batch: &RecordBatch, keys: &KeyColumns, range: &IndexRange) -> Result<RecordBatch> {
    if *range == IndexRange::ALL {
        return Ok(batch.clone());
    }
    let (index, _) = keys.arrays(batch)?;
    crate::segment::rewrite::rows_in(batch, index, range.start.map(|v| v.0), range.until.map(|v| v.0))
}

/// What reads only the rows of a range from a file; none when that is all rows.
///
/// # Errors
/// `Corrupt` when the file has no index column.
pub(crate) fn range_filter(file: &SegmentFile, target: &Target, range: &IndexRange) -> Result<Option<IndexFilter>> {
    if *range == IndexRange::ALL {
        return Ok(None);
    }
    let name = &target.definition.index_column;
    let position = file.position(name).ok_or_else(|| Error::corrupt(format!("a file has no column '{name}'")))?;
    let column = ReadColumn { position, ty: target.index_type.clone() };
    let start = range.start.map_or(i128::MIN, |start| start.0);
    Ok(Some(match range.until {
        Some(until) => IndexFilter::half_open(column, start, until.0),
        None => IndexFilter::closed(column, start, i128::MAX),
    }))
}

/// The row groups of a file that may hold rows of the range, by their statistics.
pub(crate) fn row_groups(file: &SegmentFile, target: &Target, range: &IndexRange) -> Vec<usize> {
    use crate::prune::expr::Constant;
    let position = file.position(&target.definition.index_column);
    let own = position.and_then(|at| file.columns().get(at)).is_some_and(|column| column.ty == target.index_type);
    let value = |constant: &Option<Constant>| match constant {
        Some(Constant::Int(value)) => Some(*value),
        Some(Constant::Temporal(_, value)) => Some(i128::from(*value)),
        _ => None,
    };
    let may_hold = |group: &usize| {
        let Some(position) = position.filter(|_| own) else { return true };
        let bounds = file.column_bounds(*group, position);
        let below = value(&bounds.max).zip(range.start).is_some_and(|(max, start)| max < start.0);
        let above = value(&bounds.min).zip(range.until).is_some_and(|(min, until)| min >= until.0);
        !below && !above
    };
    (0..file.row_group_count()).filter(may_hold).collect()
}

/// The merging of sorted runs.
struct Merge {
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
    fn new(sorter: &Sorter, runs: &[Run], range: &IndexRange) -> Result<Self> {
        let columns = write_columns(&sorter.target);
        let fields = sorter.sort_by.iter().filter_map(|at| columns.get(*at));
        let fields = fields.map(|column| SortField::new(column.ty.arrow(crate::schema::Strings::Plain)));
        let converter = RowConverter::new(fields.collect()).map_err(merging)?;
        let cursors = runs.iter().map(|run| {
            let groups = row_groups(&run.file, &sorter.target, range);
            let filter = range_filter(&run.file, &sorter.target, range)?;
            let rows = TableRows::filtered(&run.file, &columns, groups, filter)?.within(BATCH_BYTES);
            Ok(RunCursor { rows, keys: None, batch: 0, at: 0 })
        });
        let cursors: Vec<_> = cursors.collect::<Result<_>>()?;
        let count = cursors.len();
        let mut merge = Self {
            cursors,
            converter,
            sort_by: sorter.sort_by.clone(),
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

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
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

/// Periods of about `target_rows` each, on the bounds of buckets: as many buckets together as fit, at least one. They follow each
/// other and leave no row out.
#[must_use]
pub fn periods(rows_by_bucket: &BTreeMap<BucketId, u64>, target: &Target, target_rows: u64) -> Vec<IndexRange> {
    let mut periods: Vec<IndexRange> = Vec::new();
    let mut sum = 0_u64;
    for (bucket, rows) in rows_by_bucket {
        if periods.is_empty() || sum.saturating_add(*rows) > target_rows {
            let start = target.grid.start_of(*bucket);
            if let Some(last) = periods.last_mut() {
                last.until = Some(start);
            }
            periods.push(IndexRange { start: Some(start), until: None });
            sum = 0;
        }
        sum = sum.saturating_add(*rows);
    }
    if let Some(first) = periods.first_mut() {
        first.start = None;
    }
    periods
}

#[cfg(test)]
#[path = "sorter_tests.rs"]
mod tests;
