//! What every row tells of a segment: the bounds of its index, its entities, the order of rows. Takes batches in the table's
//! types, from a file that is read or on their way into one; knows no files.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef};

use super::{
    codes::{ColumnCodes, PairCodes},
    index::IndexSlice,
    visit::{EntityBatch, IndexValues, Inspection, RowVisitor},
};
use crate::{
    coverage::{Entity, EntityPart},
    error::{Error, Result},
};

/// Looks at batches in order.
#[derive(Debug)]
pub struct RowLook {
    rows: u64,
    columns: Vec<ColumnCodes>,
    pairs: Vec<PairCodes>,
    codes: Vec<u32>,
    entities: Vec<Entity>,
    widened: Vec<i64>,
    order: Order,
}

impl RowLook {
    /// For rows with this number of entity columns.
    #[must_use]
    pub fn new(entity_columns: usize) -> Self {
        Self {
            rows: 0,
            columns: (0..entity_columns).map(|_| ColumnCodes::default()).collect(),
            pairs: (1..entity_columns).map(|_| PairCodes::default()).collect(),
            codes: Vec::new(),
            entities: Vec::new(),
            widened: Vec::new(),
            order: Order::default(),
        }
    }

    /// The next rows: their index and their entity columns, without NULLs, in the table's types.
    ///
    /// # Errors
    /// `InvalidArgument` when a column has NULLs or the index a type that cannot be one, and what the visitor gives.
    pub fn batch(&mut self, index: &ArrayRef, entities: &[ArrayRef], visitor: &mut dyn RowVisitor) -> Result<()> {
        if entities.iter().chain([index]).any(|column| column.logical_null_count() > 0) {
            return Err(Error::invalid_argument(
                "there are rows without index or entity; give them values or leave them out",
            ));
        }
        self.encode(entities, index.len())?;
        self.rows = self.rows.saturating_add(index.len() as u64);
        let slice = IndexSlice::of(index).ok_or_else(|| Error::invalid_argument("the index has no integer values"))?;
        let values = match slice {
            IndexSlice::Signed(values) => IndexValues::Signed(values),
            IndexSlice::Unsigned(values) => IndexValues::Unsigned(values),
            narrow => {
                self.widened.clear();
                narrow.widen_into(&mut self.widened);
                IndexValues::Signed(&self.widened)
            }
        };
        match values {
            IndexValues::Signed(values) => self.order.rows(values, &self.codes, &self.entities),
            IndexValues::Unsigned(values) => self.order.rows(values, &self.codes, &self.entities),
        }
        visitor.batch(values, &EntityBatch { codes: &self.codes, entities: &self.entities })
    }

    /// Says that the next row begins a row group: the order of rows is that within each of them.
    pub fn begin_group(&mut self) {
        self.order.last = None;
    }

    /// What all rows told.
    #[must_use]
    pub fn finish(self) -> Inspection {
        Inspection {
            rows: self.rows,
            index: self.order.bounds,
            sorted_by_index: self.order.by_index,
            sorted_by_entity_and_index: self.order.by_entity,
            entities: self.entities,
            misstated: Vec::new(),
        }
    }

    /// Fills `codes` for the batch and adds the entities that are new in it.
    fn encode(&mut self, arrays: &[ArrayRef], rows: usize) -> Result<()> {
        self.codes.clear();
        let Some((first, rest)) = arrays.split_first() else {
            self.codes.resize(rows, 0);
            if self.entities.is_empty() {
                self.entities.push(Entity::none());
            }
            return Ok(());
        };
        let mut right = Vec::new();
        let Some((first_codes, rest_codes)) = self.columns.split_first_mut() else { return Ok(()) };
        first_codes.encode(first, &mut self.codes)?;
        for ((array, column), pairs) in rest.iter().zip(rest_codes).zip(&mut self.pairs) {
            right.clear();
            column.encode(array, &mut right)?;
            pairs.encode(&mut self.codes, &right)?;
        }
        self.add_entities()
    }

    fn add_entities(&mut self) -> Result<()> {
        let singles = self.columns.first().map_or(0, |column| column.values().len());
        let count = self.pairs.last().map_or(singles, |pairs| pairs.pairs().len());
        for code in self.entities.len()..count {
            let entity = self.entity(code).ok_or_else(|| Error::corrupt("an entity has no value"))?;
            self.entities.push(entity.into());
        }
        Ok(())
    }

    /// Takes a code apart, last column first.
    fn entity(&self, code: usize) -> Option<Vec<EntityPart>> {
        let mut left = u32::try_from(code).ok()?;
        let mut values = Vec::with_capacity(self.columns.len());
        for (pairs, column) in self.pairs.iter().zip(self.columns.get(1..)?).rev() {
            let (before, right) = *pairs.pairs().get(usize::try_from(left).ok()?)?;
            values.push(column.values().get(usize::try_from(right).ok()?)?.clone());
            left = before;
        }
        values.push(self.columns.first()?.values().get(usize::try_from(left).ok()?)?.clone());
        values.reverse();
        Some(values)
    }
}

/// What is known of bounds and order after some rows.
#[derive(Debug)]
struct Order {
    bounds: Option<(i128, i128)>,
    last: Option<(i128, u32)>,
    by_index: bool,
    by_entity: bool,
}

impl Default for Order {
    fn default() -> Self {
        Self { bounds: None, last: None, by_index: true, by_entity: true }
    }
}

impl Order {
    fn rows<T: Copy + Ord + Into<i128>>(&mut self, index: &[T], codes: &[u32], entities: &[Entity]) {
        let (Some(min), Some(max)) = (index.iter().min(), index.iter().max()) else { return };
        let (min, max) = ((*min).into(), (*max).into());
        self.bounds = Some(self.bounds.map_or((min, max), |(low, high)| (low.min(min), high.max(max))));
        let (Some(first), Some(first_code)) = (index.first(), codes.first()) else { return };
        if let Some((last, code)) = self.last {
            let first: i128 = (*first).into();
            self.by_index &= last <= first;
            self.by_entity &= compare(code, *first_code, entities).then(last.cmp(&first)) != Ordering::Greater;
        }
        self.by_index = self.by_index && index.is_sorted();
        self.by_entity = self.by_entity && sorted_within(index, codes, entities);
        self.last = index.last().zip(codes.last()).map(|(index, code)| ((*index).into(), *code));
    }
}

fn sorted_within<T: Copy + Ord>(index: &[T], codes: &[u32], entities: &[Entity]) -> bool {
    let next = index.iter().skip(1).zip(codes.iter().skip(1));
    index.iter().zip(codes).zip(next).all(|((index, code), (next_index, next_code))| {
        if code == next_code { index <= next_index } else { compare(*code, *next_code, entities) == Ordering::Less }
    })
}

fn compare(a: u32, b: u32, entities: &[Entity]) -> Ordering {
    let entity = |code: u32| usize::try_from(code).ok().and_then(|code| entities.get(code));
    if a == b { Ordering::Equal } else { entity(a).cmp(&entity(b)) }
}
