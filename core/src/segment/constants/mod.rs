//! Columns that a segment has without a byte in its file: all of its rows have one value there. They come after the file's own columns,
//! have bounds like any other, and are read at no cost. Where a value comes from is not known here.

pub mod text;

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float32Array, Float64Array, Int8Array,
        Int16Array, Int32Array, Int64Array, RecordBatch, RecordBatchOptions, StringArray, TimestampMicrosecondArray,
        TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray, UInt8Array, UInt16Array,
        UInt32Array, UInt64Array, new_null_array,
    },
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
    schema::{ColumnType, Strings, TimeUnit},
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

    /// The values of so many rows, in the column's own type.
    ///
    /// # Errors
    /// `InvalidArgument` when the value is not of the type.
    pub(super) fn rows(&self, rows: usize, strings: Strings) -> Result<ArrayRef> {
        if self.value == Constant::Null {
            return Ok(new_null_array(&self.ty.arrow(Strings::Plain), rows));
        }
        if let (Constant::Text(text), Strings::Dictionary) = (&self.value, strings) {
            let values = Arc::new(StringArray::from_iter_values([text]));
            return Ok(Arc::new(DictionaryArray::new(Int32Array::from_value(0, rows), values)));
        }
        repeated(&self.value, &self.ty, rows).ok_or_else(|| {
            Error::invalid_argument(format!("a constant of column '{}' is not a value of {}", self.name, self.ty))
        })
    }
}

fn repeated(value: &Constant, ty: &ColumnType, rows: usize) -> Option<ArrayRef> {
    Some(match (value, ty) {
        (Constant::Bool(value), ColumnType::Boolean) => Arc::new(BooleanArray::from(vec![*value; rows])),
        (Constant::Text(text), ColumnType::Varchar) => {
            Arc::new(StringArray::from_iter_values(std::iter::repeat_n(text, rows)))
        }
        #[expect(clippy::cast_possible_truncation, reason = "what was read from a FLOAT's text")]
        (Constant::Float(value), ColumnType::Float) => Arc::new(Float32Array::from_value(*value as f32, rows)),
        (Constant::Float(value), ColumnType::Double) => Arc::new(Float64Array::from_value(*value, rows)),
        (Constant::Int(value), ty) => return integers(*value, ty, rows),
        (Constant::Decimal(value, of), ColumnType::Decimal { precision, scale }) if of == scale => {
            let array = Decimal128Array::from_value(*value, rows);
            Arc::new(array.with_precision_and_scale(*precision, i8::try_from(*scale).ok()?).ok()?)
        }
        (Constant::Temporal(of, count), ty) if of == ty => return instants(*count, ty, rows),
        _ => return None,
    })
}

fn integers(value: i128, ty: &ColumnType, rows: usize) -> Option<ArrayRef> {
    Some(match ty {
        ColumnType::TinyInt => Arc::new(Int8Array::from_value(value.try_into().ok()?, rows)),
        ColumnType::SmallInt => Arc::new(Int16Array::from_value(value.try_into().ok()?, rows)),
        ColumnType::Integer => Arc::new(Int32Array::from_value(value.try_into().ok()?, rows)),
        ColumnType::BigInt => Arc::new(Int64Array::from_value(value.try_into().ok()?, rows)),
        ColumnType::UTinyInt => Arc::new(UInt8Array::from_value(value.try_into().ok()?, rows)),
        ColumnType::USmallInt => Arc::new(UInt16Array::from_value(value.try_into().ok()?, rows)),
        ColumnType::UInteger => Arc::new(UInt32Array::from_value(value.try_into().ok()?, rows)),
        ColumnType::UBigInt => Arc::new(UInt64Array::from_value(value.try_into().ok()?, rows)),
        _ => return None,
    })
}

fn instants(count: i64, ty: &ColumnType, rows: usize) -> Option<ArrayRef> {
    let zone: Option<Arc<str>> = matches!(ty, ColumnType::TimestampTz(_)).then(|| "UTC".into());
    Some(match ty {
        ColumnType::Date => Arc::new(Date32Array::from_value(count.try_into().ok()?, rows)),
        ColumnType::Timestamp(unit) | ColumnType::TimestampTz(unit) => match unit {
            TimeUnit::S => Arc::new(TimestampSecondArray::from_value(count, rows).with_timezone_opt(zone)),
            TimeUnit::Ms => Arc::new(TimestampMillisecondArray::from_value(count, rows).with_timezone_opt(zone)),
            TimeUnit::Us => Arc::new(TimestampMicrosecondArray::from_value(count, rows).with_timezone_opt(zone)),
            TimeUnit::Ns => Arc::new(TimestampNanosecondArray::from_value(count, rows).with_timezone_opt(zone)),
        },
        _ => return None,
    })
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
