//! The rows that a version has and an earlier one had not. Memory is bounded: where segments went, time is cut into windows with that many
//! of their rows, whose hashes are held; a bucket with more of them is read several times, each time for a part of all hashes.

use std::collections::HashMap;

use arrow::{
    array::{BooleanArray, RecordBatch},
    compute::filter_record_batch,
};

use super::{Hasher, Since, gone::Gone};
use crate::{
    error::{Error, Result},
    segment::rewrite::TableRows,
    table::monitor::{Monitor, check_cancelled},
    time::IndexRange,
};

/// See the module. Gives batches with the columns of the later version, in the order of the index from segment to segment.
#[derive(Debug)]
pub struct NewRows {
    since: Since,
    /// Where rows are wanted.
    range: IndexRange,
    /// What is left to read, the next last.
    windows: Vec<Window>,
    present: Option<Present>,
    hasher: Option<Hasher>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    range: IndexRange,
    /// Of all hashes those that leave this rest when they are divided by the number.
    part: (u128, u128),
}

/// The window being read.
#[derive(Debug)]
struct Present {
    window: Window,
    /// The rows of the earlier version that have not been met again, by hash.
    known: HashMap<u128, u64>,
    /// The place of the next segment.
    next: usize,
    rows: Option<TableRows>,
}

impl NewRows {
    /// The new rows of a range.
    ///
    /// # Errors
    /// As [`crate::table::Snapshot::windows`]; `InvalidArgument` when rows must be compared and cannot be.
    pub fn new(since: Since, range: IndexRange) -> Result<Self> {
        let mut windows = Vec::new();
        for (window, rows) in since.now.windows(&since.gone, since.rows_at_once)? {
            let parts = u128::from(rows.div_ceil(since.rows_at_once).max(1));
            let window = window.intersect(&range);
            if !window.is_empty() {
                windows.extend((0..parts).map(|part| Window { range: window, part: (part, parts) }));
            }
        }
        windows.reverse();
        let hasher = if since.gone.is_empty() { None } else { Some(since.hasher()?) };
        Ok(Self { since, range, windows, present: None, hasher })
    }

    /// The next rows; none at the end.
    ///
    /// # Errors
    /// As reading segments, and `Cancelled`.
    pub fn next(&mut self, monitor: &dyn Monitor) -> Result<Option<RecordBatch>> {
        loop {
            check_cancelled(monitor)?;
            let Some(present) = &mut self.present else {
                let Some(window) = self.windows.pop() else { return Ok(None) };
                self.present = Some(self.enter(window, monitor)?);
                continue;
            };
            if let Some(batch) = present.rows.as_mut().and_then(Iterator::next) {
                let left = present.left(batch?, self.hasher.as_ref())?;
                if left.num_rows() > 0 {
                    return Ok(Some(left));
                }
                continue;
            }
            let place = present.next;
            present.next = place.saturating_add(1);
            match self.since.come.get(place) {
                Some(segment) if segment.meets(&present.window.range) => {
                    present.rows = Some(self.since.rows(segment, &present.window.range)?);
                }
                Some(_) => present.rows = None,
                None => self.present = None,
            }
        }
    }

    /// About how many rows there are, at most.
    #[must_use]
    pub fn at_most(&self) -> u64 {
        let come = self.since.come.iter().filter(|segment| segment.meets(&self.range));
        come.fold(0, |sum, segment| sum.saturating_add(segment.record.rows))
    }

    /// Reads what the earlier version had in a window.
    fn enter(&self, window: Window, monitor: &dyn Monitor) -> Result<Present> {
        let mut known = HashMap::new();
        for segment in self.since.gone.iter().filter(|segment| segment.meets(&window.range)) {
            let Some(hasher) = &self.hasher else { continue };
            for gone in self.since.gone_rows(segment, &window.range)? {
                check_cancelled(monitor)?;
                let batch = gone.and_then(Gone::possible).map_err(|e| e.with("version", segment.added))?;
                for hash in hasher.hashes(&batch)?.into_iter().filter(|hash| window.has(*hash)) {
                    *known.entry(hash).or_insert(0) += 1;
                }
            }
        }
        Ok(Present { window, known, next: 0, rows: None })
    }
}

impl Window {
    fn has(&self, hash: u128) -> bool {
        let (part, parts) = self.part;
        parts == 1 || hash.checked_rem(parts) == Some(part)
    }
}

impl Present {
    /// The rows of a batch that the earlier version had not.
    fn left(&mut self, batch: RecordBatch, hasher: Option<&Hasher>) -> Result<RecordBatch> {
        let (Some(hasher), false) = (hasher, self.known.is_empty() && self.window.part.1 == 1) else {
            return Ok(batch);
        };
        let hashes = hasher.hashes(&batch)?;
        let keep: BooleanArray =
            hashes.into_iter().map(|hash| Some(self.window.has(hash) && self.is_new(hash))).collect();
        filter_record_batch(&batch, &keep).map_err(|e| Error::corrupt("rows cannot be told apart").caused_by(e))
    }

    fn is_new(&mut self, hash: u128) -> bool {
        match self.known.get_mut(&hash) {
            Some(left) if *left > 0 => {
                *left -= 1;
                false
            }
            _ => true,
        }
    }
}
