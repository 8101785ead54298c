//! The rows of the earlier version as the later one would have them. A table that went back may have narrower types than it had, and a
//! value that they do not hold is no value of any of its rows: a row with one is like none of them.

use arrow::{
    array::{ArrayRef, BooleanArray, RecordBatch},
    compute::{and, filter_record_batch},
};

use super::{Since, incomparable};
use crate::{
    error::Result,
    log::segment::Segment,
    schema::{ColumnType, Strings},
    segment::{SegmentFile, WriteColumn, narrow::narrowed, rewrite::TableRows, schema::Widening, schema::widening},
    table::target::write_columns,
    time::IndexRange,
};

/// Reads a segment of the earlier version.
#[derive(Debug)]
pub(super) struct GoneRows {
    rows: TableRows,
    /// The types of the columns that are read in their own, which are wider.
    narrow: Vec<Option<ColumnType>>,
}

/// Rows with the columns of the later version.
#[derive(Debug)]
pub(super) struct Gone {
    pub(super) batch: RecordBatch,
    /// Which of them the later version could have; all when there is none.
    pub(super) possible: Option<BooleanArray>,
}

impl Since {
    /// The rows of a segment of the earlier version in a range.
    pub(super) fn gone_rows(&self, segment: &Segment, range: &IndexRange) -> Result<GoneRows> {
        let file = self.open(segment)?;
        let wanted = write_columns(&self.target);
        let own: Vec<_> = wanted.iter().map(|column| own_type(&file, column)).collect();
        let narrow = wanted.iter().zip(&own).map(|(column, own)| own.as_ref().map(|_| column.ty.clone())).collect();
        let columns = wanted.into_iter().zip(own);
        let columns: Vec<_> =
            columns.map(|(column, own)| WriteColumn { ty: own.unwrap_or(column.ty), ..column }).collect();
        Ok(GoneRows { rows: self.read(segment, &file, &columns, range)?, narrow })
    }
}

/// The type of the column in the file where the table's may not hold it.
fn own_type(file: &SegmentFile, column: &WriteColumn) -> Option<ColumnType> {
    let own = &file.columns().get(file.position(&column.name)?)?.ty;
    let holds = *own == column.ty || widening(own, &column.ty) == Some(Widening::Always);
    (!holds).then(|| own.clone())
}

impl Iterator for GoneRows {
    type Item = Result<Gone>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.rows.next()?;
        Some(batch.and_then(|batch| self.as_of_now(batch)))
    }
}

impl GoneRows {
    fn as_of_now(&self, batch: RecordBatch) -> Result<Gone> {
        if self.narrow.iter().all(Option::is_none) {
            return Ok(Gone { batch, possible: None });
        }
        let mut possible = BooleanArray::from(vec![true; batch.num_rows()]);
        let (mut arrays, mut fields) = (Vec::new(), Vec::new());
        for ((array, field), ty) in batch.columns().iter().zip(batch.schema_ref().fields()).zip(&self.narrow) {
            let Some(ty) = ty else {
                arrays.push(ArrayRef::clone(array));
                fields.push(field.as_ref().clone());
                continue;
            };
            let (narrow, same) = narrowed(array, ty);
            possible = and(&possible, &same).map_err(incomparable)?;
            arrays.push(narrow);
            fields.push(ty.arrow_field(field.name(), Strings::Plain));
        }
        let schema = std::sync::Arc::new(arrow::datatypes::Schema::new(fields));
        let batch = RecordBatch::try_new(schema, arrays).map_err(incomparable)?;
        Ok(Gone { batch, possible: (possible.true_count() < possible.len()).then_some(possible) })
    }
}

impl Gone {
    /// Those of the rows that the later version could have.
    pub(super) fn possible(self) -> Result<RecordBatch> {
        match &self.possible {
            Some(possible) => filter_record_batch(&self.batch, possible).map_err(incomparable),
            None => Ok(self.batch),
        }
    }
}
