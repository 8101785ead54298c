//! Sorting more rows than fit into memory: batches are gathered up to a bound, sorted and, when there are more to come, written to a
//! file below the root that no commit mentions. At the end the sorted runs are merged.
//!
//! # Bound
//! While gathering, at most the bound of batches, and their keys and places while they are sorted. While merging, a batch and a row
//! group of each of at most [`MERGED_RUNS`] runs: about half a megabyte each for narrow rows, and a few megabytes for long texts. More runs than that are merged into
//! longer ones first, so that every row is written once more for each factor of [`MERGED_RUNS`].

use std::{collections::BTreeMap, sync::Arc};

use arrow::array::RecordBatch;

use super::merge::{BATCH_BYTES, MERGED_RUNS, Merge, Run};

use crate::{
    error::Result,
    log::DATA_DIRECTORY,
    segment::{
        SegmentFile, SegmentWriter, WriteOptions,
        rewrite::{each_sorted, rows_in},
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

const _: () = assert!(BATCH_BYTES * MERGED_RUNS <= MEMORY_BYTES, "merging takes more than gathering");

/// Rows and bytes of a row group of a run: few, since merging holds one of each run.
const RUN_GROUP_ROWS: usize = 32 * 1024;
/// See [`RUN_GROUP_ROWS`].
const RUN_GROUP_BYTES: usize = BATCH_BYTES;

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
        let mut merge = Merge::new(&self.target, &self.sort_by, runs, &IndexRange::ALL)?;
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
        let mut merge = Merge::new(&self.target, &self.sort_by, &self.runs, range)?;
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
        let merge = Merge::new(&self.target, &self.sort_by, &self.runs, &IndexRange::ALL)?;
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
    rows_in(batch, index, range.start.map(|v| v.0), range.until.map(|v| v.0))
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
