//! Which rows of a row group are delivered: those whose index lies in a range, those in which a column has one of some
//! values. Exact, and cheap where few rows remain, for the other columns are then decoded for those only.

use std::{ops::RangeInclusive, sync::Arc};

use super::{
    convert::converted,
    delta::narrowed,
    file::SegmentFile,
    guard::arrow_error,
    index::rows_inside,
    read::{ReadColumn, ReadRequest, beyond},
    values::numbers,
};
use crate::{
    coverage::EntityPart,
    error::Result,
    schema::{ColumnType, Strings},
};
use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray},
    buffer::BooleanBuffer,
    datatypes::{DataType, Int32Type},
    error::ArrowError,
};

/// A range of the index column; rows outside it, and rows whose index is NULL, are not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexFilter {
    pub(super) column: ReadColumn,
    range: RangeInclusive<i128>,
}

impl IndexFilter {
    /// Rows whose index is at least `min` and at most `max`, both in the unit of the column's type in the request.
    #[must_use]
    pub fn closed(column: ReadColumn, min: i128, max: i128) -> Self {
        Self { column, range: min..=max }
    }

    /// Rows whose index is at least `start` and below `until`, both in the unit of the column's type in the request.
    #[must_use]
    pub fn half_open(column: ReadColumn, start: i128, until: i128) -> Self {
        // Nothing lies below the least number; the empty range says so.
        let range = until.checked_sub(1).map_or(RangeInclusive::new(1, 0), |max| start..=max);
        Self { column, range }
    }

    pub(super) fn column(&self) -> &ReadColumn {
        &self.column
    }

    /// Whether every row of an array of the index is in the range, and none of them NULL.
    #[must_use]
    pub fn holds_for_all(&self, array: &ArrayRef) -> bool {
        rows_inside(array, &self.range).is_some_and(|inside| certain(inside).count_set_bits() == array.len())
    }
}

/// The values of an entity column with which rows are delivered. NULL is none of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueFilter {
    /// The column.
    pub column: ReadColumn,
    /// The values.
    pub values: Vec<EntityPart>,
}

/// The rows of `array`, which are of `column`, for which all of the request's conditions on it hold; none of them NULL.
pub(super) fn chosen(
    file: &SegmentFile,
    request: &ReadRequest,
    column: &ReadColumn,
    array: &ArrayRef,
) -> Result<BooleanArray> {
    let failed = |error| arrow_error(file.path(), error);
    let is_dictionary = matches!(array.data_type(), DataType::Dictionary(..));
    let values = if is_dictionary {
        Arc::clone(array)
    } else {
        let has = file.columns().get(column.position);
        let array = &has.map_or_else(|| Arc::clone(array), |has| narrowed(array, &has.ty));
        converted(array, &column.ty.arrow(Strings::Plain)).map_err(|error| beyond(file, column, error))?
    };
    let mut rows = BooleanBuffer::new_set(array.len());
    for filter in request.filter.iter().filter(|filter| filter.column.position == column.position) {
        let unfit = || ArrowError::ComputeError(format!("{} is not a type of an index", array.data_type()));
        let inside = rows_inside(&values, &filter.range).ok_or_else(unfit).map_err(failed)?;
        rows = &rows & &certain(inside);
    }
    for filter in request.values.iter().filter(|filter| filter.column.position == column.position) {
        rows = &rows & &certain(rows_with(&values, &filter.values).map_err(failed)?);
    }
    Ok(BooleanArray::new(rows, None))
}

/// Where a condition is true, and not NULL.
fn certain(rows: BooleanArray) -> BooleanBuffer {
    match rows.into_parts() {
        (rows, Some(nulls)) => &rows & nulls.inner(),
        (rows, None) => rows,
    }
}

/// Which rows have one of the values. Of a dictionary its strings are compared, not its rows.
fn rows_with(array: &ArrayRef, values: &[EntityPart]) -> std::result::Result<BooleanArray, ArrowError> {
    if let Some(array) = array.as_dictionary_opt::<Int32Type>() {
        let wanted = rows_with(array.values(), values)?;
        let keys = array.keys().values();
        let is_wanted = |row: usize| {
            let key = keys.get(row).and_then(|key| usize::try_from(*key).ok());
            key.is_some_and(|key| key < wanted.len() && wanted.value(key) && wanted.is_valid(key))
        };
        return Ok(BooleanArray::new(
            BooleanBuffer::collect_bool(keys.len(), is_wanted),
            array.keys().nulls().cloned(),
        ));
    }
    let rows = if let Some(array) = array.as_string_opt::<i32>() {
        let text = |part: &'_ EntityPart| if let EntityPart::Text(text) = part { Some(Arc::clone(text)) } else { None };
        let mut texts: Vec<Arc<str>> = values.iter().filter_map(text).collect();
        texts.sort_unstable();
        BooleanBuffer::collect_bool(array.len(), |row| {
            texts.binary_search_by(|text| (**text).cmp(array.value(row))).is_ok()
        })
    } else if let Some((kind, numbers)) = numbers(array) {
        let mut wanted: Vec<i128> = values.iter().filter_map(|part| kind.number(part)).collect();
        wanted.sort_unstable();
        let is_wanted = |row: usize| numbers.get(row).is_some_and(|number| wanted.binary_search(number).is_ok());
        BooleanBuffer::collect_bool(array.len(), is_wanted)
    } else {
        return Err(ArrowError::ComputeError(format!("{} is not a type of an entity", array.data_type())));
    };
    Ok(BooleanArray::new(rows, array.nulls().cloned()))
}

impl ValueFilter {
    /// Whether every row of an array of the column has one of the values.
    #[must_use]
    pub fn holds_for_all(&self, array: &ArrayRef) -> bool {
        rows_with(array, &self.values).is_ok_and(|rows| certain(rows).count_set_bits() == array.len())
    }

    /// Whether columns of this type can be chosen by value.
    #[must_use]
    pub fn can_choose(ty: &ColumnType) -> bool {
        ty.can_identify()
    }
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
