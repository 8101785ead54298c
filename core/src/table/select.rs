//! Which segments a scan must read, and why the others need not be: by the bounds, coverage and entities that the log
//! records, without opening a file. Skipping is advice that was proven; what cannot be proven is kept.

use std::{borrow::Cow, sync::Arc};

use super::Snapshot;
use crate::{
    coverage::EntityPart,
    error::Result,
    log::state::Segment,
    prune::{ColumnStats, Nulls, Statistics, Verdict, expr::Constant, expr::Expr, judge},
    schema::{ColumnType, Schema, same_name},
    storage::Storage,
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

/// Judges the live segments of a snapshot.
#[derive(Debug)]
pub struct Selector<'a> {
    storage: &'a dyn Storage,
    schema: &'a Schema,
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

    /// Whether `segment` may hold rows in `range` for which all of `predicates` are true.
    #[must_use]
    pub fn judge(&self, segment: &Segment, range: &IndexRange, predicates: &[Expr]) -> Reason {
        if !segment.meets(range) {
            return Reason::OutsideRange;
        }
        let last = range.until.map(|until| until.0.saturating_sub(1));
        let stats = SegmentStats { selector: self, segment };
        if !stats.may_contain_index(range.start.map(|start| start.0), last) {
            return Reason::NoBucketInRange;
        }
        let never = |predicate: &Expr| judge(predicate, &self.types, &stats) == Verdict::Never;
        if predicates.iter().any(never) { Reason::PredicateNever } else { Reason::Kept }
    }

    /// Whether the predicate is true for every row of `segment`.
    #[must_use]
    pub fn always(&self, segment: &Segment, predicate: &Expr) -> bool {
        judge(predicate, &self.types, &SegmentStats { selector: self, segment }) == Verdict::Always
    }

    fn is_missing(&self, segment: &Segment, column: usize) -> bool {
        self.schema.columns.get(column).is_some_and(|column| !has_field(segment, column.id))
    }
}

/// Whether the segment's file has the column with this field id.
#[must_use]
pub fn has_field(segment: &Segment, id: u32) -> bool {
    id <= segment.record.last_field_id && !segment.record.missing_fields.contains(&id)
}

/// An index value as a constant of the column's type.
#[must_use]
pub fn index_constant(value: IndexValue, ty: &ColumnType) -> Option<Constant> {
    match ty {
        ColumnType::BigInt | ColumnType::UBigInt => Some(Constant::Int(value.0)),
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

    fn entity(&self, part: usize) -> Option<ColumnStats> {
        if self.segment.record.entities > MAX_LISTED_ENTITIES {
            return Some(ColumnStats { nulls: Nulls::None, ..ColumnStats::default() });
        }
        // What cannot be read proves nothing here; the scan will say so if it needs the segment.
        let coverage = self.segment.coverage(self.selector.storage).ok()?;
        let mut values: Vec<Constant> = Vec::new();
        for entity in coverage.entities() {
            let value = match entity.parts().get(part)? {
                EntityPart::Text(text) => Constant::Text(text.to_string()),
                EntityPart::Int(number) => Constant::Int(*number),
            };
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
        let missing = self.selector.is_missing(self.segment, index);
        missing.then(|| Cow::Owned(ColumnStats { nulls: Nulls::All, ..ColumnStats::default() }))
    }

    fn index_column(&self) -> Option<usize> {
        Some(self.selector.index)
    }

    fn may_contain_index(&self, low: Option<i128>, high: Option<i128>) -> bool {
        let record = &self.segment.record;
        let low = low.map_or(record.index_min, IndexValue).max(record.index_min);
        let high = high.map_or(record.index_max, IndexValue).min(record.index_max);
        if low > high {
            return false;
        }
        // The least and the greatest value are those of rows.
        if low == record.index_min || high == record.index_max {
            return true;
        }
        let buckets = self.selector.grid.bucket_of(low).ok().zip(self.selector.grid.bucket_of(high).ok());
        let coverage = self.segment.coverage(self.selector.storage).ok();
        match (buckets, coverage) {
            (Some((first, last)), Some(coverage)) => coverage.meets(first, last),
            _ => true,
        }
    }
}
