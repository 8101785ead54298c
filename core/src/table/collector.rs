//! What a look at rows tells of them: whose they are, the buckets that they cover, and their order.

use crate::{
    coverage::{Coverage, CoverageBuilder, Entity, EntityPart, Slot},
    error::{Error, Result},
    log::commit::SortOrder,
    segment::inspect::{EntityBatch, EntityValue, IndexValues, Inspection, RowVisitor},
    time::{Cursor, Grid, IndexValue},
};

/// Turns rows into coverage.
pub(crate) struct Collector<'a> {
    cursor: Cursor<'a>,
    builder: CoverageBuilder,
    /// By the entity's code in the inspection.
    pub(crate) slots: Vec<(Slot, u64)>,
}

impl<'a> Collector<'a> {
    /// Nothing yet.
    pub(crate) fn new(grid: &'a Grid) -> Self {
        Self { cursor: grid.cursor(), builder: CoverageBuilder::new(), slots: Vec::new() }
    }

    /// The coverage of all rows.
    pub(crate) fn finish(self) -> Result<Coverage> {
        self.builder.finish()
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
        }
        Ok(())
    }
}

impl RowVisitor for Collector<'_> {
    fn batch(&mut self, index: IndexValues<'_>, entities: &EntityBatch<'_>) -> Result<()> {
        for values in entities.entities.iter().skip(self.slots.len()) {
            self.slots.push((self.builder.slot(&entity(values)), 0));
        }
        match index {
            IndexValues::Signed(values) => self.rows(values.iter().map(|v| i128::from(*v)), entities.codes),
            IndexValues::Unsigned(values) => self.rows(values.iter().map(|v| i128::from(*v)), entities.codes),
        }
    }
}

/// The entity of a file's values.
#[must_use]
pub fn entity(values: &[EntityValue]) -> Entity {
    values
        .iter()
        .map(|value| match value {
            EntityValue::Text(text) => EntityPart::Text(text.clone()),
            EntityValue::Int(number) => EntityPart::Int(*number),
        })
        .collect()
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
