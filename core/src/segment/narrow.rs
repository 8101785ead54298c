//! Values of a column as those of a narrower type, where they are of it: a table that went back to an earlier version may have a
//! narrower type than a segment of the version that it left. Nothing that is written goes through here.

use arrow::{
    array::{Array, ArrayRef, BooleanArray},
    compute::cast,
    row::{RowConverter, SortField},
};

use super::convert::converted;
use crate::schema::{ColumnType, Strings};

/// The array as one of type `to`, and for each value whether it is there what it was. Those that are not have any value, or NULL.
///
/// # Errors
/// None: where the types have nothing in common only NULL is what it was.
#[must_use]
pub fn narrowed(array: &ArrayRef, to: &ColumnType) -> (ArrayRef, BooleanArray) {
    let wanted = to.arrow(Strings::Plain);
    if let Ok(all) = converted(array, &wanted) {
        return (all, BooleanArray::from(vec![true; array.len()]));
    }
    let nothing = || {
        let nulls = (0..array.len()).map(|row| Some(array.is_null(row))).collect();
        (arrow::array::new_null_array(&wanted, array.len()), nulls)
    };
    // What is the same there and back again is in both.
    let there = cast(array, &wanted);
    let there_and_back = there.and_then(|there| cast(&there, array.data_type()).map(|back| (there, back)));
    let Ok((there, back)) = there_and_back else { return nothing() };
    let rows = RowConverter::new(vec![SortField::new(array.data_type().clone())]).and_then(|converter| {
        Ok((converter.convert_columns(&[ArrayRef::clone(array)])?, converter.convert_columns(&[back])?))
    });
    let Ok((before, after)) = rows else { return nothing() };
    let same = before.iter().zip(after.iter()).map(|(before, after)| Some(before == after)).collect();
    (there, same)
}

#[cfg(test)]
#[path = "narrow_tests.rs"]
mod tests;
