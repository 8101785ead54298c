//! The layout of segments that are put together here: rows come in the order of the index and are cut into slices of a row group
//! each, which are sorted by entity and index. A row group then holds a short time of all entities, so that a range skips the
//! others by their bounds, and one entity is a few neighbouring pages of each, which the page index finds.

use arrow::array::RecordBatch;

use super::{builder::SegmentBuilder, sorter::MEMORY_BYTES};
use crate::{
    error::Result,
    segment::{rewrite::each_sorted, write::ROW_GROUP_ROWS},
    table::target::KeyColumns,
};

/// Writes rows into a segment, slice by slice.
#[derive(Debug)]
pub struct Slices<'a> {
    builder: SegmentBuilder<'a>,
    sort_by: Vec<usize>,
    slice_rows: usize,
    batches: Vec<RecordBatch>,
    rows: usize,
    bytes: usize,
}

impl<'a> Slices<'a> {
    /// Into `builder`; `by_entity` says whether slices are sorted by entity first, or left as they come.
    #[must_use]
    pub fn new(builder: SegmentBuilder<'a>, keys: &KeyColumns, by_entity: bool) -> Self {
        // Rows that come in the order of the index are in their final order already when there are no entities.
        let sort_by = if by_entity && !keys.entities.is_empty() { keys.sort_order() } else { Vec::new() };
        Self { builder, sort_by, slice_rows: ROW_GROUP_ROWS, batches: Vec::new(), rows: 0, bytes: 0 }
    }

    /// Adds rows, which must not come before the last one in the order of the index.
    ///
    /// # Errors
    /// As [`SegmentBuilder::write`].
    pub fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut from = 0;
        while from < batch.num_rows() {
            let part = batch.slice(from, (self.slice_rows - self.rows).min(batch.num_rows() - from));
            from += part.num_rows();
            self.rows += part.num_rows();
            self.bytes = self.bytes.saturating_add(part.get_array_memory_size());
            self.batches.push(part);
            if self.rows >= self.slice_rows || self.bytes >= MEMORY_BYTES {
                self.cut()?;
            }
        }
        Ok(())
    }

    fn cut(&mut self) -> Result<()> {
        let batches = std::mem::take(&mut self.batches);
        (self.rows, self.bytes) = (0, 0);
        let builder = &mut self.builder;
        each_sorted(&batches, &self.sort_by, "a segment", |batch| builder.write(batch))?;
        builder.begin_group()
    }

    /// Writes the last slice and gives the builder back.
    ///
    /// # Errors
    /// As [`Slices::push`].
    pub fn finish(mut self) -> Result<SegmentBuilder<'a>> {
        self.cut()?;
        Ok(self.builder)
    }
}

#[cfg(test)]
#[path = "slices_tests.rs"]
mod tests;
