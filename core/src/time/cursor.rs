//! The bucket of many values in a row, remembered from one to the next. Holds no more than the bucket it is in.

use crate::error::Result;

use super::{BucketId, Grid, IndexValue};

/// Finds the buckets of values that mostly come in order: a value of the same bucket as the one before costs two
/// comparisons.
#[derive(Debug, Clone)]
pub struct Cursor<'grid> {
    grid: &'grid Grid,
    start: i128,
    end: i128,
    id: BucketId,
}

impl<'grid> Cursor<'grid> {
    pub(super) fn new(grid: &'grid Grid) -> Self {
        Self { grid, start: 0, end: 0, id: BucketId(0) }
    }

    /// The bucket that holds `value`.
    ///
    /// # Errors
    /// `LimitExceeded` when the number of the bucket does not fit 64 bits.
    #[inline]
    pub fn bucket_of(&mut self, value: impl Into<IndexValue>) -> Result<BucketId> {
        let value = value.into();
        if value.0 >= self.start && value.0 < self.end {
            return Ok(self.id);
        }
        self.enter(value)
    }

    fn enter(&mut self, value: IndexValue) -> Result<BucketId> {
        let id = self.grid.bucket_of(value)?;
        self.start = self.grid.start_of(id).0;
        self.end = self.grid.end_of(id).0;
        self.id = id;
        Ok(id)
    }
}
