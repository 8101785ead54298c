//! A set of a file's rows, by number: one bit a row.

use arrow::{
    array::{BooleanArray, RecordBatch},
    compute::filter_record_batch,
};

use crate::error::{Error, Result};

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowSet {
    words: Vec<u64>,
    count: u64,
}

impl RowSet {
    /// No row of a file with this number of them.
    #[must_use]
    pub fn none(rows: u64) -> Self {
        let words = usize::try_from(rows.div_ceil(64)).unwrap_or(usize::MAX);
        Self { words: vec![0; words], count: 0 }
    }

    /// Adds the row with this number, from 0.
    pub fn insert(&mut self, row: u64) {
        let word = usize::try_from(row / 64).ok().and_then(|at| self.words.get_mut(at));
        if let Some(word) = word {
            let bit = 1 << (row % 64);
            self.count += u64::from(*word & bit == 0);
            *word |= bit;
        }
    }

    /// Whether the row with this number is one of them.
    #[must_use]
    pub fn contains(&self, row: u64) -> bool {
        let word = usize::try_from(row / 64).ok().and_then(|at| self.words.get(at));
        word.is_some_and(|word| word & (1 << (row % 64)) != 0)
    }

    /// How many they are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The rows of `batch`, the first of which has the number `first`, that are in the set, or those that are not.
    ///
    /// # Errors
    /// `Corrupt` when rows cannot be told apart.
    pub fn filter(&self, batch: &RecordBatch, first: u64, inside: bool) -> Result<RecordBatch> {
        let rows = first..first.saturating_add(batch.num_rows() as u64);
        let keep: BooleanArray = rows.map(|row| Some(self.contains(row) == inside)).collect();
        filter_record_batch(batch, &keep).map_err(|e| Error::corrupt("rows cannot be told apart").caused_by(e))
    }
}
