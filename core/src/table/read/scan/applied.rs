//! Predicates that a scan applies itself: every row that it delivers satisfies them, so that whoever asked need not look again.
//! Only forms whose meaning is certain, and only of the index and of entity columns, of which the log knows enough that most
//! segments need not be decoded for it.

use crate::{
    coverage::EntityPart,
    error::{Error, Result},
    log::segment::Segment,
    prune::{Interval, entity_values, exact_range, expr::Expr, is_exact},
    schema::ColumnType,
    segment::{ReadColumn, ValueFilter},
    storage::Storage,
    table::{
        Snapshot,
        read::select::{Selector, entity_parts},
    },
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
    pub(super) column: usize,
    /// Its place among the entity columns.
    part: usize,
    /// Sorted.
    pub(super) values: Vec<EntityPart>,
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

    pub(super) fn filter(&self, column: ReadColumn) -> ValueFilter {
        ValueFilter { column, values: self.values.clone() }
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
        if !is_exact(predicate) {
            return None;
        }
        self.entities.iter().enumerate().find_map(|(part, column)| {
            let values = entity_values(predicate, *column, &self.types)?;
            let can = self.types.get(*column).is_some_and(ValueFilter::can_choose);
            can.then(|| Applied::Values(Required { column: *column, part, values: entity_parts(&values) }))
        })
    }
}

/// Predicates that are applied, taken apart.
#[derive(Debug, Default)]
pub(super) struct AllApplied {
    /// The range of the request, narrowed.
    pub(super) range: IndexRange,
    pub(super) required: Vec<Required>,
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
