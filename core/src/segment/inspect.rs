//! One pass over the index and entity columns of a file that is to be appended: no NULLs, the bounds of the index, the
//! sort order, the entities, and every row for whoever builds coverage. Knows no buckets and reads no other column.

use std::{cmp::Ordering, sync::Arc};

use arrow::array::{Array, ArrayRef, RecordBatch};

use super::{
    SegmentFile,
    codes::{ColumnCodes, PairCodes},
    index::IndexSlice,
    read::{ReadColumn, ReadRequest, RowGroupRead},
};
use crate::{
    error::{Error, Result},
    schema::{ColumnType, Strings},
};

/// Rows looked at together.
const BATCH_ROWS: usize = 32 * 1024;

/// A value of an entity column. Texts are ordered by their bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntityValue {
    /// VARCHAR.
    Text(Arc<str>),
    /// Any integer type.
    Int(i128),
}

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
    /// The distinct entities seen so far in the file, in order of first appearance, each with one value for each entity
    /// column. Later batches only add to it. Without entity columns the one entity has no values.
    pub entities: &'a [Vec<EntityValue>],
}

/// Sees the rows of a file in order.
pub trait RowVisitor {
    /// Takes the next rows; both arguments are about the same rows.
    ///
    /// # Errors
    /// Any error ends the pass.
    fn batch(&mut self, index: IndexValues<'_>, entities: &EntityBatch<'_>) -> Result<()>;
}

/// Which columns to look at, by position in the file, with the types that the table gives them.
#[derive(Debug, Clone)]
pub struct InspectRequest {
    /// The index column.
    pub index: ReadColumn,
    /// The entity columns in the table's order.
    pub entities: Vec<ReadColumn>,
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
    pub entities: Vec<Vec<EntityValue>>,
}

/// Looks at every row of `file` once, in order, reading only the requested columns.
///
/// # Errors
/// `InvalidArgument` when an index or entity column has NULLs (naming each such column, its first NULL row counted from
/// 1 and how many there are) or the index has a type that cannot be one, what [`SegmentFile::read`] and the
/// visitor give, and `Corrupt` when pages are damaged.
pub fn inspect(file: &SegmentFile, request: &InspectRequest, visitor: &mut dyn RowVisitor) -> Result<Inspection> {
    if !request.index.ty.can_index() {
        return Err(Error::invalid_argument(format!("a column of type {} cannot be the index", request.index.ty)));
    }
    let mut pass = Pass::new(request);
    for batch in file.read(pass.read_request(file))? {
        let batch = batch?;
        pass.nulls(&batch);
        if pass.nulls.iter().all(Option::is_none) {
            pass.rows(&batch, visitor)?;
        }
        pass.seen = pass.seen.saturating_add(batch.num_rows() as u64);
    }
    pass.refuse_nulls(file)?;
    Ok(pass.finish())
}

struct Pass<'a> {
    request: &'a InspectRequest,
    /// Rows of earlier batches.
    seen: u64,
    /// For each column its first NULL row, from 1, and their number.
    nulls: Vec<Option<(u64, u64)>>,
    columns: Vec<ColumnCodes>,
    pairs: Vec<PairCodes>,
    codes: Vec<u32>,
    entities: Vec<Vec<EntityValue>>,
    days: Vec<i64>,
    order: Order,
}

impl<'a> Pass<'a> {
    fn new(request: &'a InspectRequest) -> Self {
        let count = request.entities.len();
        Self {
            request,
            seen: 0,
            nulls: vec![None; count.saturating_add(1)],
            columns: (0..count).map(|_| ColumnCodes::default()).collect(),
            pairs: (1..count).map(|_| PairCodes::default()).collect(),
            codes: Vec::new(),
            entities: Vec::new(),
            days: Vec::new(),
            order: Order::default(),
        }
    }

    fn read_request(&self, file: &SegmentFile) -> ReadRequest {
        let index = std::iter::once(&self.request.index);
        ReadRequest {
            columns: index.chain(&self.request.entities).cloned().collect(),
            row_groups: (0..file.row_group_count()).map(RowGroupRead::from).collect(),
            strings: Strings::Dictionary,
            batch_rows: BATCH_ROWS,
            filter: None,
        }
    }

    fn nulls(&mut self, batch: &RecordBatch) {
        for (column, found) in batch.columns().iter().zip(&mut self.nulls) {
            let Some(nulls) = column.logical_nulls().filter(|nulls| nulls.null_count() > 0) else { continue };
            let first = nulls.iter().position(|valid| !valid).unwrap_or(0) as u64;
            let (first, before) = found.unwrap_or((self.seen.saturating_add(first).saturating_add(1), 0));
            *found = Some((first, before.saturating_add(nulls.null_count() as u64)));
        }
    }

    fn refuse_nulls(&self, file: &SegmentFile) -> Result<()> {
        let columns = std::iter::once(&self.request.index).chain(&self.request.entities);
        let described: Vec<String> = columns
            .zip(&self.nulls)
            .filter_map(|(column, found)| {
                let (first, count) = (*found)?;
                let name = file.columns().get(column.position).map_or("", |column| column.name.as_str());
                Some(format!("column \"{name}\" is NULL in {count} of {} rows, first in row {first}", file.rows()))
            })
            .collect();
        if described.is_empty() {
            return Ok(());
        }
        Err(Error::invalid_argument(format!(
            "'{}' has rows without index or entity: {}; remove those rows or give them values",
            file.path(),
            described.join("; ")
        )))
    }

    fn rows(&mut self, batch: &RecordBatch, visitor: &mut dyn RowVisitor) -> Result<()> {
        let Some((index, entities)) = batch.columns().split_first() else { return Ok(()) };
        self.encode(entities, batch.num_rows())?;
        let slice = IndexSlice::of(index).ok_or_else(|| Error::invalid_argument("the index has no integer values"))?;
        let values = match slice {
            IndexSlice::Days(days) => {
                self.days.clear();
                self.days.extend(days.iter().map(|day| i64::from(*day)));
                IndexValues::Signed(&self.days)
            }
            IndexSlice::Signed(values) => IndexValues::Signed(values),
            IndexSlice::Unsigned(values) => IndexValues::Unsigned(values),
        };
        match values {
            IndexValues::Signed(values) => self.order.rows(values, &self.codes, &self.entities),
            IndexValues::Unsigned(values) => self.order.rows(values, &self.codes, &self.entities),
        }
        visitor.batch(values, &EntityBatch { codes: &self.codes, entities: &self.entities })
    }

    /// Fills `codes` for the batch and adds the entities that are new in it.
    fn encode(&mut self, arrays: &[ArrayRef], rows: usize) -> Result<()> {
        self.codes.clear();
        let Some((first, rest)) = arrays.split_first() else {
            self.codes.resize(rows, 0);
            if self.entities.is_empty() {
                self.entities.push(Vec::new());
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
            self.entities.push(entity);
        }
        Ok(())
    }

    /// Takes a code apart, last column first.
    fn entity(&self, code: usize) -> Option<Vec<EntityValue>> {
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

    fn finish(self) -> Inspection {
        Inspection {
            rows: self.seen,
            index: self.order.bounds,
            sorted_by_index: self.order.by_index,
            sorted_by_entity_and_index: self.order.by_entity,
            entities: self.entities,
        }
    }
}

/// What is known of bounds and order after some rows.
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
    fn rows<T: Copy + Ord + Into<i128>>(&mut self, index: &[T], codes: &[u32], entities: &[Vec<EntityValue>]) {
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

fn sorted_within<T: Copy + Ord>(index: &[T], codes: &[u32], entities: &[Vec<EntityValue>]) -> bool {
    let next = index.iter().skip(1).zip(codes.iter().skip(1));
    index.iter().zip(codes).zip(next).all(|((index, code), (next_index, next_code))| {
        if code == next_code { index <= next_index } else { compare(*code, *next_code, entities) == Ordering::Less }
    })
}

fn compare(a: u32, b: u32, entities: &[Vec<EntityValue>]) -> Ordering {
    let entity = |code: u32| usize::try_from(code).ok().and_then(|code| entities.get(code));
    if a == b { Ordering::Equal } else { entity(a).cmp(&entity(b)) }
}

/// The column of a file for a table's column of type `ty`.
///
/// # Errors
/// `SchemaMismatch` when the file has no column of that name.
pub fn column(file: &SegmentFile, name: &str, ty: &ColumnType) -> Result<ReadColumn> {
    let position = file.position(name).ok_or_else(|| {
        let names: Vec<&str> = file.columns().iter().map(|column| column.name.as_str()).collect();
        Error::schema_mismatch(format!(
            "'{}' has no column \"{name}\"; its columns are {}",
            file.path(),
            names.join(", ")
        ))
    })?;
    Ok(ReadColumn { position, ty: ty.clone() })
}
