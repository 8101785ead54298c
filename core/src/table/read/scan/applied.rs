//! Predicates that a scan applies itself: every row that it delivers satisfies them, so that whoever asked need not look again.
//! Only forms whose meaning is certain, and only of the index and of entity columns, of which the log knows enough that most
//! segments need not be decoded for it.

use std::sync::Arc;

use arrow::array::RecordBatch;

use super::{Kept, Scan, Unit};
use crate::{
    coverage::EntityPart,
    error::{Error, Result},
    log::state::Segment,
    prune::{
        Interval, entity_values, exact_range,
        expr::{Comparison, Constant, Expr},
    },
    schema::ColumnType,
    segment::{IndexFilter, ReadColumn, SegmentFile, ValueFilter, inspect::EntityValue},
    storage::Storage,
    table::{Snapshot, read::select::Selector},
    time::{IndexRange, IndexValue},
};

/// Entities of a segment are looked through up to this many.
const MAX_LISTED_ENTITIES: u64 = 10_000;

/// What a predicate that can be applied asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// The index lies in this range.
    Range(Interval),
    /// An entity column has one of these values.
    Values(Required),
}

/// The values that an entity column must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Required {
    /// The column's position in the schema.
    column: usize,
    /// Its place among the entity columns.
    part: usize,
    /// Sorted.
    values: Vec<EntityPart>,
}

impl Required {
    /// How many values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether no row can have one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Whether every entity of the segment has one of the values, as the log says.
    fn is_all_of(&self, segment: &Segment, storage: &dyn Storage) -> bool {
        // What cannot be read proves nothing: rows are then looked at.
        segment.record.entities <= MAX_LISTED_ENTITIES
            && segment.coverage(storage).is_ok_and(|coverage| {
                let has = |part: &EntityPart| self.values.binary_search(part).is_ok();
                coverage.entities().all(|entity| entity.parts().get(self.part).is_some_and(has))
            })
    }

    fn filter(&self, column: ReadColumn) -> ValueFilter {
        let value = |part: &EntityPart| match part {
            EntityPart::Text(text) => EntityValue::Text(Arc::clone(text)),
            EntityPart::Int(number) => EntityValue::Int(*number),
        };
        ValueFilter { column, values: self.values.iter().map(value).collect() }
    }
}

/// Tells which predicates can be applied to a table.
#[derive(Debug, Clone)]
pub struct Appliable {
    types: Vec<ColumnType>,
    index: usize,
    entities: Vec<usize>,
}

impl Appliable {
    /// # Errors
    /// As [`Snapshot::schema`].
    pub fn to(snapshot: &Snapshot) -> Result<Self> {
        Ok(Self::by(&Selector::new(snapshot)?, snapshot.index_position()?))
    }

    pub(super) fn by(selector: &Selector<'_>, index: usize) -> Self {
        Self { types: selector.types().to_vec(), index, entities: selector.entities().to_vec() }
    }

    /// What the predicate, whose columns are positions in the schema, asks for; none when it cannot be applied.
    #[must_use]
    pub fn read(&self, predicate: &Expr) -> Option<Applied> {
        if let Some(range) = exact_range(predicate, self.index, &self.types) {
            return Some(Applied::Range(range));
        }
        // Of other forms the values are some that rows may have, not those that they must have.
        if !matches!(predicate, Expr::Compare(Comparison::Eq, ..) | Expr::In(..)) {
            return None;
        }
        self.entities.iter().enumerate().find_map(|(part, column)| {
            let values = entity_values(predicate, *column, &self.types)?;
            let can = self.types.get(*column).is_some_and(ValueFilter::can_choose);
            can.then(|| Applied::Values(Required { column: *column, part, values: parts(values) }))
        })
    }
}

/// The values as entities have them, which are never NULL.
fn parts(values: Vec<Constant>) -> Vec<EntityPart> {
    let part = |value| match value {
        Constant::Text(text) => Some(EntityPart::Text(text.into())),
        Constant::Int(number) => Some(EntityPart::Int(number)),
        _ => None,
    };
    let mut parts: Vec<_> = values.into_iter().filter_map(part).collect();
    parts.sort_unstable();
    parts
}

/// Predicates that are applied, taken apart.
#[derive(Debug, Default)]
pub(super) struct AllApplied {
    /// The range of the request, narrowed.
    pub(super) range: IndexRange,
    required: Vec<Required>,
}

impl AllApplied {
    /// # Errors
    /// `Internal` when one of the predicates cannot be applied: to leave it out would deliver rows that nobody looks at again.
    pub(super) fn new(appliable: &Appliable, range: IndexRange, predicates: &[Expr]) -> Result<Self> {
        let mut all = Self { range, required: Vec::new() };
        for predicate in predicates {
            let applied = appliable.read(predicate);
            match applied.ok_or_else(|| Error::internal(format!("the filter {predicate:?} cannot be applied")))? {
                Applied::Range(interval) => all.range = narrowed(all.range, interval)?,
                Applied::Values(required) => all.required.push(required),
            }
        }
        Ok(all)
    }

    /// Whether what the log says of the entities of a segment leaves nothing to be looked at in its rows.
    pub(super) fn holds_for_all_of(&self, segment: &Segment, storage: &dyn Storage) -> bool {
        self.required.iter().all(|required| required.is_all_of(segment, storage))
    }
}

/// The part of a range that lies in `interval`, both ends of which are included.
fn narrowed(range: IndexRange, interval: Interval) -> Result<IndexRange> {
    let after = |high: i128| high.checked_add(1).ok_or_else(|| Error::internal("a range ends behind every number"));
    let until = interval.high.map(after).transpose()?.map(IndexValue);
    Ok(IndexRange {
        start: range.start.max(interval.low.map(IndexValue)),
        until: [range.until, until].into_iter().flatten().min(),
    })
}

impl Scan {
    /// The conditions on values that must be held against the rows of the segment.
    ///
    /// # Errors
    /// `Corrupt` when the file does not have a column that must be looked at.
    pub(super) fn required(&self, kept: &Kept, file: &SegmentFile) -> Result<Vec<ValueFilter>> {
        if kept.settled {
            return Ok(Vec::new());
        }
        let schema = self.snapshot.schema()?;
        let filter = |required: &Required| {
            let column = schema.columns.get(required.column);
            let column = column.ok_or_else(|| Error::internal("an entity column is not in the schema"))?;
            Ok(required.filter(super::read_column(file, &column.name, &column.ty, &kept.segment)?))
        };
        self.applied.required.iter().map(filter).collect()
    }

    /// Whether `column` is looked at for the sake of a predicate that is applied.
    pub(super) fn is_required(&self, column: usize) -> bool {
        self.applied.required.iter().any(|required| required.column == column)
    }

    /// The positions of the columns that predicates are applied to.
    #[must_use]
    pub fn applied_to(&self) -> Vec<usize> {
        let entities = self.applied.required.iter().map(|required| required.column);
        let mut columns: Vec<_> = entities.chain([self.index]).collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// Looks at every row of a batch again, for tests: [`Scan::applied_to`] must be among the columns that were asked for.
    ///
    /// # Errors
    /// `Internal` when a row does not satisfy a predicate that was applied, or cannot be looked at.
    pub fn check(&self, unit: &Unit, batch: &RecordBatch) -> Result<()> {
        let (low, high) = (self.applied.range.start, self.applied.range.until);
        let (low, high) = (low.map_or(i128::MIN, |value| value.0), high.map_or(i128::MAX, |value| value.0));
        let index = self.column_of(unit, batch, self.index)?.ok_or_else(|| unseen("the index"))?;
        if !IndexFilter::half_open(index.0, low, high).holds_for_all(index.1) {
            return Err(Error::internal(format!("a row outside of {:?} was delivered", self.applied.range)));
        }
        for required in &self.applied.required {
            let holds = match self.column_of(unit, batch, required.column)? {
                Some((column, array)) => required.filter(column).holds_for_all(array),
                None => self.constant_of(unit, required.column).is_some_and(|constant| {
                    parts(vec![constant.clone()]).iter().any(|part| required.values.binary_search(part).is_ok())
                }),
            };
            if !holds {
                return Err(Error::internal(format!("a row with none of {:?} was delivered", required.values)));
            }
        }
        Ok(())
    }

    fn place_of(&self, column: usize) -> Option<usize> {
        self.columns.iter().position(|at| *at == column)
    }

    fn constant_of<'a>(&self, unit: &'a Unit, column: usize) -> Option<&'a Constant> {
        unit.constants.get(self.place_of(column)?)?.as_ref()
    }

    /// The column of a batch at this position of the schema; none when it has no bytes of its own.
    fn column_of<'a>(
        &self,
        unit: &Unit,
        batch: &'a RecordBatch,
        column: usize,
    ) -> Result<Option<(ReadColumn, &'a arrow::array::ArrayRef)>> {
        let place = self.place_of(column).ok_or_else(|| unseen("a column"))?;
        let ty = self.types.get(column).ok_or_else(|| unseen("a column"))?.clone();
        let array = unit.places.get(place).copied().flatten().and_then(|at| batch.columns().get(at));
        Ok(array.map(|array| (ReadColumn { position: 0, ty }, array)))
    }
}

fn unseen(what: &str) -> Error {
    Error::internal(format!("{what} that a filter is applied to was not asked for"))
}
