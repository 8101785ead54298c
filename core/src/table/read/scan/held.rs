//! Holding the predicates that a scan applies against what it reads.

use arrow::array::RecordBatch;

use super::{Kept, Scan, Unit, applied::Required};
use crate::{
    error::{Error, Result},
    prune::expr::Constant,
    segment::{IndexFilter, ReadColumn, SegmentFile, ValueFilter},
    table::read::select::entity_parts,
};

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
                    entity_parts(std::slice::from_ref(constant))
                        .iter()
                        .any(|part| required.values.binary_search(part).is_ok())
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
