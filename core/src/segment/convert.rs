//! Arrays as the Parquet reader delivers them, made into the Arrow types that tables promise. Only differences that
//! [`super::schema::readable_as`] allows arrive here, so nothing is lost; a value beyond the target's range is an error.

use std::{ops::Range, sync::Arc};

use super::widen::widened;
use crate::{
    error::{Error, Result},
    schema::{ColumnType, Strings},
};
use arrow::{
    array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray},
    buffer::OffsetBuffer,
    datatypes::{DataType, Field, Fields},
    error::ArrowError,
};

/// An array of a column as one of a type that is wider than its own: see [`super::schema::widest`].
///
/// # Errors
/// `SchemaMismatch` when a value is outside the range of the type.
pub fn widened_as(array: &ArrayRef, to: &ColumnType) -> Result<ArrayRef> {
    converted(array, &to.arrow(Strings::Plain))
        .map_err(|e| Error::schema_mismatch(format!("a value does not fit {to}")).caused_by(e))
}

/// The array as one of type `to`.
///
/// # Errors
/// When a value is outside the range of `to`.
pub(super) fn converted(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == to {
        return Ok(Arc::clone(array));
    }
    match (array.data_type(), to) {
        (DataType::List(_), DataType::List(element)) => list(array.as_list(), element),
        (DataType::Struct(_), DataType::Struct(fields)) => Ok(Arc::new(structure(array.as_struct(), fields)?)),
        (DataType::Map(..), DataType::Map(entries, ordered)) => map(array.as_map(), entries, *ordered),
        _ => widened(array, to),
    }
}

fn list(array: &ListArray, element: &Arc<Field>) -> Result<ArrayRef, ArrowError> {
    let (offsets, used) = used(array.offsets());
    let values = converted(&array.values().slice(used.start, used.len()), element.data_type())?;
    let list = ListArray::try_new(Arc::clone(element), offsets, values, array.nulls().cloned())?;
    Ok(Arc::new(list))
}

fn structure(array: &StructArray, fields: &Fields) -> Result<StructArray, ArrowError> {
    let columns = array.columns().iter().zip(fields).map(|(column, field)| converted(column, field.data_type()));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    StructArray::try_new(fields.clone(), columns, array.nulls().cloned())
}

fn map(array: &MapArray, entries: &Arc<Field>, ordered: bool) -> Result<ArrayRef, ArrowError> {
    let DataType::Struct(fields) = entries.data_type() else {
        return Err(ArrowError::CastError("the entries of a map are a struct".to_owned()));
    };
    let (offsets, used) = used(array.offsets());
    let parts = structure(&array.entries().slice(used.start, used.len()), fields)?;
    let map = MapArray::try_new(Arc::clone(entries), offsets, parts, array.nulls().cloned(), ordered)?;
    Ok(Arc::new(map))
}

/// The offsets counted from the first, and which of the values they use: those of other rows are not looked at.
fn used(offsets: &OffsetBuffer<i32>) -> (OffsetBuffer<i32>, Range<usize>) {
    let end = |offset: i32| usize::try_from(offset).unwrap_or(0);
    let used = end(offsets.first())..end(offsets.last());
    if used.start == 0 {
        return (offsets.clone(), used);
    }
    (OffsetBuffer::from_lengths(offsets.lengths()), used)
}
