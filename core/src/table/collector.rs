//! What a look at rows tells of them: whose they are, the buckets that they cover, and their order.

use crate::{
    coverage::{Counts, CountsBuilder, Coverage, CoverageBuilder, Slot},
    error::{Error, Result},
    log::commit::SortOrder,
    segment::visit::{EntityBatch, IndexValues, Inspection, RowVisitor},
    table::target::Target,
    time::{Cursor, Grid, IndexValue, Run},
};

/// While the rows of a segment's buckets are counted, runs of buckets with equally many are held up to this number, in up to 100 MB; a
/// segment in which they are more than half as many is told without counts.
const COUNTED_PIECES: usize = 1 << 22;

/// Turns rows into coverage.
pub(crate) struct Collector<'a> {
    cursor: Cursor<'a>,
    builder: CoverageBuilder,
    counts: Option<CountsBuilder>,
    /// By the entity's code in the inspection.
    pub(crate) slots: Vec<(Slot, u64)>,
}

impl<'a> Collector<'a> {
    /// Nothing yet.
    pub(crate) fn new(grid: &'a Grid) -> Self {
        Self { cursor: grid.cursor(), builder: CoverageBuilder::new(), counts: None, slots: Vec::new() }
    }

    /// The same, which counts the rows of each bucket too where the table keeps that.
    pub(crate) fn of(target: &'a Target) -> Self {
        let counts = target.definition.counts.then(|| CountsBuilder::holding(COUNTED_PIECES));
        Self { counts, ..Self::new(&target.grid) }
    }

    /// The coverage of all rows.
    pub(crate) fn finish(self) -> Result<Coverage> {
        self.builder.finish()
    }

    /// The coverage of all rows, and how many each bucket has: none where that is not kept, or would be too much to keep.
    pub(crate) fn finish_counted(self) -> Result<(Coverage, Option<Counts>)> {
        Ok((self.builder.finish()?, self.counts.and_then(CountsBuilder::finish)))
    }

    fn rows(&mut self, values: impl Iterator<Item = i128>, codes: &[u32]) -> Result<()> {
        for (value, code) in values.zip(codes) {
            let bucket = self.cursor.bucket_of(IndexValue(value))?;
            let at = usize::try_from(*code).unwrap_or(usize::MAX);
            let Some((slot, rows)) = self.slots.get_mut(at) else {
                return Err(Error::corrupt("a row's entity is not among those seen"));
            };
            *rows += 1;
            self.builder.cover(*slot, bucket)?;
            if let Some(counts) = &mut self.counts {
                // Both builders give their places in the order in which entities come.
                counts.add(at, Run { first: bucket, last: bucket }, 1);
            }
        }
        Ok(())
    }
}

impl RowVisitor for Collector<'_> {
    fn batch(&mut self, index: IndexValues<'_>, entities: &EntityBatch<'_>) -> Result<()> {
        for values in entities.entities.iter().skip(self.slots.len()) {
            self.counts.as_mut().map(|counts| counts.slot(values));
            self.slots.push((self.builder.slot(values), 0));
        }
        match index {
            IndexValues::Signed(values) => self.rows(values.iter().map(|v| i128::from(*v)), entities.codes),
            IndexValues::Unsigned(values) => self.rows(values.iter().map(|v| i128::from(*v)), entities.codes),
        }
    }
}

/// The order that rows were found in.
#[must_use]
pub fn sort_order(inspection: &Inspection, has_entities: bool) -> Option<SortOrder> {
    match (inspection.sorted_by_entity_and_index, inspection.sorted_by_index) {
        (true, _) if has_entities => Some(SortOrder::EntityIndex),
        (_, true) => Some(SortOrder::Index),
        _ => None,
    }
}
