//! Columns that a segment has without a byte in its file: all of its rows have one value there. They come after the file's own columns,
//! have bounds like any other, and are read at no cost. Where a value comes from is not known here.

mod repeated;
pub mod text;

pub use repeated::repeated;

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, RecordBatch, RecordBatchOptions},
    datatypes::{DataType, Schema as ArrowSchema},
};

use super::{
    SegmentFile,
    convert::converted,
    filter::chosen,
    guard::arrow_error,
    read::{ReadColumn, ReadRequest, beyond},
};
use crate::{
    error::{Error, Result},
    log::constants::ConstantField,
    prune::expr::Constant,
    schema::{ColumnType, Strings},
};

/// A column of one value.
#[derive(Debug, Clone, PartialEq)]
pub struct ConstantColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: ColumnType,
    /// The value of all rows.
    pub value: Constant,
}

impl ConstantColumn {
    /// The column as the log has it.
    #[must_use]
    pub fn field(&self) -> ConstantField {
        ConstantField { name: self.name.clone(), ty: self.ty.clone(), value: text::text(&self.value) }
    }

    /// The column that the log says.
    ///
    /// # Errors
    /// `Corrupt` when its text is not a value of its type.
    pub fn of_field(field: ConstantField) -> Result<Self> {
        let value = match &field.value {
            Some(value) => text::parse(value, &field.ty).ok_or_else(|| {
                Error::corrupt(format!("the log gives column '{}' '{value}', which is not of {}", field.name, field.ty))
            })?,
            None => Constant::Null,
        };
        Ok(Self { name: field.name, ty: field.ty, value })
    }

    /// The column's values for `rows` rows, in its own type.
    ///
    /// # Errors
    /// `InvalidArgument` when the value is not of the type.
    pub(super) fn rows(&self, rows: usize, strings: Strings) -> Result<ArrayRef> {
        repeated(&self.value, &self.ty, rows, strings).ok_or_else(|| {
            Error::invalid_argument(format!("a constant of column '{}' is not a value of {}", self.name, self.ty))
        })
    }
}

/// Where the columns of a batch come from.
#[derive(Debug, Clone, Copy)]
enum Slot {
    /// What is read of the file, in this place.
    Read(usize),
    /// The column at this position, to be delivered as the request says.
    Constant(usize),
}

/// Puts the constants that a request asks for into what is read.
#[derive(Debug)]
pub(super) struct Filling {
    columns: Vec<ReadColumn>,
    slots: Vec<Slot>,
    strings: Strings,
}

impl Filling {
    /// Takes the constants out of a request; none when there are none in it. Conditions on them are decided: what they leave of the
    /// request is all rows or none.
    ///
    /// # Errors
    /// As a condition on any other column.
    pub(super) fn of(file: &SegmentFile, request: &mut ReadRequest) -> Result<Option<Self>> {
        let is_constant = |column: &ReadColumn| file.constant(column.position).is_some();
        if !request.columns.iter().chain(request.conditions()).any(is_constant) {
            return Ok(None);
        }
        let conditions: Vec<ReadColumn> = request.conditions().filter(|column| is_constant(column)).cloned().collect();
        for column in &conditions {
            let Some(constant) = file.constant(column.position) else { continue };
            let mask = chosen(file, request, column, &constant.rows(1, Strings::Plain)?)?;
            if mask.true_count() == 0 {
                request.row_groups.clear();
            }
        }
        request.filter.take_if(|filter| is_constant(filter.column()));
        request.values.retain(|values| !is_constant(&values.column));
        let columns = std::mem::take(&mut request.columns);
        let slots = columns.iter().map(|column| {
            if is_constant(column) {
                return Slot::Constant(column.position);
            }
            request.columns.push(column.clone());
            Slot::Read(request.columns.len().saturating_sub(1))
        });
        let slots = slots.collect();
        Ok(Some(Self { columns, slots, strings: request.strings }))
    }

    /// The batch with the constants in their places.
    ///
    /// # Errors
    /// `SchemaMismatch` when a value does not go into the type that is asked for.
    pub(super) fn apply(&self, file: &SegmentFile, batch: &RecordBatch) -> Result<RecordBatch> {
        let (mut fields, mut arrays) = (Vec::new(), Vec::new());
        for (slot, column) in self.slots.iter().zip(&self.columns) {
            match slot {
                Slot::Read(at) => {
                    fields.extend(batch.schema().fields().get(*at).cloned());
                    arrays.extend(batch.columns().get(*at).cloned());
                }
                Slot::Constant(position) => {
                    let Some(constant) = file.constant(*position) else { continue };
                    let array = constant.rows(batch.num_rows(), self.strings)?;
                    let plain = column.ty.arrow(Strings::Plain);
                    let array = match array.data_type() {
                        DataType::Dictionary(..) if column.ty == ColumnType::Varchar => array,
                        _ => converted(&array, &plain).map_err(|error| beyond(file, column, error))?,
                    };
                    let field = arrow::datatypes::Field::new(&constant.name, array.data_type().clone(), true);
                    fields.push(Arc::new(field));
                    arrays.push(array);
                }
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::new(ArrowSchema::new(fields)), arrays, &options)
            .map_err(|error| arrow_error(file.path(), error))
    }
}
