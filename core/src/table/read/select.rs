//! Which segments a scan must read, and why the others need not be: by the bounds, coverage and entities that the log
//! records, without opening a file. Skipping is advice that was proven; what cannot be proven is kept.

use std::{borrow::Cow, sync::Arc};

use crate::{
    coverage::{Entity, EntityPart},
    error::Result,
    log::{definition::Definition, segment::Segment},
    prune::{
        Bounds, ColumnStats, Interval, Nulls, Statistics, Verdict, entity_values,
        expr::{Constant, Expr},
        index_bounds, is_exact, judge,
    },
    schema::{Column, ColumnType, Schema, same_name},
    storage::Storage,
    table::{handle::Snapshot, opened},
    time::{Grid, IndexRange, IndexValue},
};

/// Entities of a segment are listed for pruning up to this many.
const MAX_LISTED_ENTITIES: u64 = 10_000;

/// Why a segment is read or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It may hold rows that are asked for.
    Kept,
    /// Its index values all lie outside the range.
    OutsideRange,
    /// None of its buckets lies in the range, though its bounds enclose it.
    NoBucketInRange,
    /// A predicate holds for none of its rows.
    PredicateNever,
}

impl Reason {
    /// The words in SQL.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Kept => "may hold rows",
            Self::OutsideRange => "outside the range",
            Self::NoBucketInRange => "no bucket in the range",
            Self::PredicateNever => "no row satisfies the filter",
        }
    }
}

/// What is asked of the rows: a range that is exact, and predicates that a row must satisfy to be of use. Prepared once
/// and held against every segment.
#[derive(Debug, Clone)]
pub struct Question {
    range: IndexRange,
    predicates: Vec<Expr>,
    /// Where the index of a row that is of use can lie.
    bounds: Bounds,
    /// For entity columns the values that a row that is of use can have.
    entities: Vec<Wanted>,
    /// For each predicate, whether `entities` captures it fully, so that it need not be judged again.
    settled: Vec<bool>,
}

/// The values of an entity column that are asked for.
#[derive(Debug, Clone)]
struct Wanted {
    /// The column's position in the schema.
    column: usize,
    /// Its place among the entity columns.
    part: usize,
    values: Vec<EntityPart>,
}

impl Question {
    /// The predicates.
    #[must_use]
    pub fn predicates(&self) -> &[Expr] {
        &self.predicates
    }

    /// For columns, by position in the schema, the values with which alone a row is of use.
    pub fn entities(&self) -> impl Iterator<Item = (usize, &[EntityPart])> {
        self.entities.iter().map(|wanted| (wanted.column, wanted.values.as_slice()))
    }

    /// Where among index values from `min` to `max`, both included, rows that are of use can lie.
    #[must_use]
    pub fn within(&self, min: IndexValue, max: IndexValue) -> Interval {
        self.bounds.within(min.0, max.0)
    }
}

/// Judges the live segments of a snapshot.
#[derive(Debug)]
pub struct Selector<'a> {
    storage: &'a dyn Storage,
    schema: &'a Schema,
    definition: &'a Definition,
    types: Vec<ColumnType>,
    index: usize,
    grid: Grid,
    /// Positions of the entity columns.
    entities: Vec<usize>,
}

impl<'a> Selector<'a> {
    /// # Errors
    /// As [`Snapshot::schema`].
    pub fn new(snapshot: &'a Snapshot) -> Result<Self> {
        let schema = snapshot.schema()?;
        let names = &snapshot.definition().entity_columns;
        let position = |name: &String| schema.columns.iter().position(|c| same_name(&c.name, name));
        Ok(Self {
            storage: snapshot.storage().as_ref(),
            schema,
            definition: snapshot.definition(),
            types: schema.columns.iter().map(|c| c.ty.clone()).collect(),
            index: snapshot.index_position()?,
            grid: snapshot.grid()?,
            entities: names.iter().filter_map(position).collect(),
        })
    }

    /// The types of the table's columns.
    #[must_use]
    pub fn types(&self) -> &[ColumnType] {
        &self.types
    }

    /// The positions of the entity columns.
    #[must_use]
    pub fn entities(&self) -> &[usize] {
        &self.entities
    }

    /// Prepares a question: rows in `range` for which all of `predicates` are true.
    #[must_use]
    pub fn prepare(&self, range: IndexRange, predicates: Vec<Expr>) -> Question {
        let low = range.start.map(|start| start.0);
        let exact = match range.until.map(|until| until.0.checked_sub(1)) {
            Some(None) => Bounds::empty(),
            high => Bounds::from(Interval { low, high: high.flatten() }),
        };
        let bounds = predicates
            .iter()
            .map(|predicate| index_bounds(predicate, self.index, &self.types))
            .fold(exact, |bounds, more| bounds.intersect(&more));
        let settled = predicates.iter().map(|predicate| self.is_settled(predicate)).collect();
        let all = Expr::And(predicates.clone());
        let wanted = |(part, column): (usize, &usize)| {
            Some(Wanted { column: *column, part, values: self.wanted(&all, *column)? })
        };
        let entities = self.entities.iter().enumerate().filter_map(wanted).collect();
        Question { range, predicates, bounds, entities, settled }
    }

    /// The values with which the entity column can satisfy the predicate; none when they are not known.
    fn wanted(&self, predicate: &Expr, column: usize) -> Option<Vec<EntityPart>> {
        entity_values(predicate, column, &self.types).map(|values| entity_parts(&values))
    }

    /// Whether a predicate says which values an entity column has, and nothing else.
    fn is_settled(&self, predicate: &Expr) -> bool {
        is_exact(predicate)
            && self.entities.iter().any(|column| entity_values(predicate, *column, &self.types).is_some())
    }

    /// Whether `segment` may hold rows that `query` asks for.
    #[must_use]
    pub fn judge(&self, segment: &Segment, query: &Question) -> Reason {
        let record = &segment.record;
        if !segment.meets(&query.range) {
            return Reason::OutsideRange;
        }
        let part = query.within(record.index_min, record.index_max);
        if part.is_empty() {
            return Reason::PredicateNever;
        }
        if !self.has_bucket_in(segment, part) {
            return Reason::NoBucketInRange;
        }
        if !self.has_entities_of(segment, query) {
            return Reason::PredicateNever;
        }
        let stats = SegmentStats { selector: self, segment };
        let open = query.predicates.iter().zip(&query.settled).filter(|(_, settled)| !**settled);
        let never = |(predicate, _): (&Expr, &bool)| judge(predicate, &self.types, &stats) == Verdict::Never;
        if open.into_iter().any(never) { Reason::PredicateNever } else { Reason::Kept }
    }

    /// Whether `segment` may have an entity of every kind that `query` wants.
    fn has_entities_of(&self, segment: &Segment, query: &Question) -> bool {
        if query.entities.is_empty() || segment.record.entities > MAX_LISTED_ENTITIES {
            return true;
        }
        // What cannot be read proves nothing here; the scan will say so if it needs the segment.
        let Ok(coverage) = segment.coverage(self.storage) else { return true };
        query.entities.iter().all(|Wanted { part, values, .. }| match self.entities.len() {
            1 => values.iter().any(|value| coverage.get(&Entity::from(vec![value.clone()])).is_some()),
            _ => coverage
                .entities()
                .any(|entity| entity.parts().get(*part).is_none_or(|has| values.binary_search(has).is_ok())),
        })
    }

    /// Whether a row of `segment` can have an index value in `part`, which lies between its least and greatest.
    fn has_bucket_in(&self, segment: &Segment, part: Interval) -> bool {
        let (Some(low), Some(high)) = (part.low.map(IndexValue), part.high.map(IndexValue)) else { return true };
        // The least and the greatest value are those of rows.
        if low <= segment.record.index_min || high >= segment.record.index_max {
            return true;
        }
        let buckets = self.grid.bucket_of(low).ok().zip(self.grid.bucket_of(high).ok());
        match (buckets, segment.coverage(self.storage).ok()) {
            (Some((first, last)), Some(coverage)) => coverage.meets(first, last),
            _ => true,
        }
    }

    fn is_missing(&self, segment: &Segment, column: usize) -> bool {
        self.schema.columns.get(column).is_some_and(|column| !segment.has_field(column.id))
    }
}

/// The values as parts of entities, sorted; those that no entity has, such as NULL, are left out.
pub(super) fn entity_parts(values: &[Constant]) -> Vec<EntityPart> {
    let mut parts: Vec<_> = values.iter().filter_map(Constant::entity_part).collect();
    parts.sort_unstable();
    parts
}

/// The value of all rows in a column that is not in the segment's file; none for other columns, and where the column has another type
/// by now, so that only reading tells.
#[must_use]
pub fn constant_of(segment: &Segment, column: &Column, definition: &Definition) -> Option<Constant> {
    if !segment.record.has_constants() {
        return None;
    }
    let name = definition.name_in(column, &segment.record)?;
    let constants = opened::constants(segment).ok()?;
    constants.into_iter().find(|has| same_name(&has.name, name) && has.ty == column.ty).map(|has| has.value)
}

/// An index value as a constant of the column's type.
#[must_use]
fn index_constant(value: IndexValue, ty: &ColumnType) -> Option<Constant> {
    match ty {
        ty if ty.is_integer() => Some(Constant::Int(value.0)),
        _ => i64::try_from(value.0).ok().map(|value| Constant::Temporal(ty.clone(), value)),
    }
}

struct SegmentStats<'a> {
    selector: &'a Selector<'a>,
    segment: &'a Segment,
}

impl SegmentStats<'_> {
    fn index(&self) -> Option<ColumnStats> {
        let ty = self.selector.types.get(self.selector.index)?;
        Some(ColumnStats {
            min: index_constant(self.segment.record.index_min, ty),
            max: index_constant(self.segment.record.index_max, ty),
            exact: true,
            nulls: Nulls::None,
            values: None,
        })
    }

    /// The column where the segment has it without its being in the file.
    fn constant(&self, index: usize) -> Option<ColumnStats> {
        let column = self.selector.schema.columns.get(index)?;
        let value = constant_of(self.segment, column, self.selector.definition)?;
        let null = value == Constant::Null;
        let bound = (!null).then_some(value);
        let nulls = if null { Nulls::All } else { Nulls::None };
        Some(ColumnStats { min: bound.clone(), max: bound, exact: true, nulls, values: None })
    }

    fn entity(&self, part: usize) -> Option<ColumnStats> {
        if self.segment.record.entities > MAX_LISTED_ENTITIES {
            return Some(ColumnStats { nulls: Nulls::None, ..ColumnStats::default() });
        }
        // What cannot be read proves nothing here; the scan will say so if it needs the segment.
        let coverage = self.segment.coverage(self.selector.storage).ok()?;
        let mut values: Vec<Constant> = Vec::new();
        for entity in coverage.entities() {
            let value = Constant::from(entity.parts().get(part)?);
            if values.last() != Some(&value) {
                values.push(value);
            }
        }
        Some(ColumnStats { nulls: Nulls::None, values: Some(Arc::from(values)), ..ColumnStats::default() })
    }
}

impl Statistics for SegmentStats<'_> {
    fn rows(&self) -> u64 {
        self.segment.record.rows
    }

    fn column(&self, index: usize) -> Option<Cow<'_, ColumnStats>> {
        if index == self.selector.index {
            return self.index().map(Cow::Owned);
        }
        if let Some(part) = self.selector.entities.iter().position(|at| *at == index) {
            return self.entity(part).map(Cow::Owned);
        }
        if let Some(constant) = self.constant(index) {
            return Some(Cow::Owned(constant));
        }
        let missing = self.selector.is_missing(self.segment, index);
        missing.then(|| Cow::Owned(ColumnStats { nulls: Nulls::All, ..ColumnStats::default() }))
    }
}
