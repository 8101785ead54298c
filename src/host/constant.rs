//! A constant as an Arrow array of equal rows, for hosts and types without constant vectors.

use arrow::array::ArrayRef;
use tstable_core::{
    Error, Result,
    prune::expr::Constant,
    schema::{ColumnType, Strings},
    segment::constants::repeated,
};

/// `len` rows of `value` in the Arrow form of `ty`.
///
/// # Errors
/// `Internal` when the constant is not of that type or outside its range.
pub(crate) fn array(ty: &ColumnType, value: &Constant, len: usize) -> Result<ArrayRef> {
    let array = repeated(value, ty, len, Strings::Dictionary);
    array.ok_or_else(|| Error::internal(format!("the constant {value:?} is not a value of a column of type {ty}")))
}
