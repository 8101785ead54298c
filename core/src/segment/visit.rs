//! What whoever looks at every row of a segment is shown, and what is known in the end. Knows neither files nor how rows are read.

use crate::{coverage::Entity, error::Result};

/// The index values of some rows, in the unit of the table's index column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexValues<'a> {
    /// Of every index type but UBIGINT.
    Signed(&'a [i64]),
    /// Of UBIGINT.
    Unsigned(&'a [u64]),
}

/// The entities of some rows.
#[derive(Debug, Clone, Copy)]
pub struct EntityBatch<'a> {
    /// For each row its entity's position in `entities`.
    pub codes: &'a [u32],
    /// The distinct entities seen so far in the file, in order of first appearance. Later batches only add to it. Without entity columns the one entity has no values.
    pub entities: &'a [Entity],
}

/// Sees the rows of a file in order.
pub trait RowVisitor {
    /// Takes the next rows; both arguments are about the same rows.
    ///
    /// # Errors
    /// Any error ends the pass.
    fn batch(&mut self, index: IndexValues<'_>, entities: &EntityBatch<'_>) -> Result<()>;
}

/// What one pass found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// The number of rows.
    pub rows: u64,
    /// The least and greatest index, in the unit of the table's index column; none when there are no rows.
    pub index: Option<(i128, i128)>,
    /// Whether the index never falls from row to row.
    pub sorted_by_index: bool,
    /// Whether the rows are ordered by the entity columns, and those of an entity by index.
    pub sorted_by_entity_and_index: bool,
    /// The distinct entities in order of first appearance.
    pub entities: Vec<Entity>,
    /// Positions of the columns looked at of whose values the file says what is not so.
    pub misstated: Vec<usize>,
}
