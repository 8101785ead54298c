//! Arrow's numbers as plain ones, type by type: the general conversion of Arrow handles hundreds of pairs of types, and all
//! of its code would become part of the extension.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, Float64Array, MutableArrayData, make_array},
    buffer::Buffer,
    datatypes::{DataType, Decimal128Type, Float16Type, Float32Type, Float64Type},
};

use crate::{
    error::{Error, Result},
    schema::integers,
};

/// A column of numbers as DOUBLE.
///
/// # Errors
/// `InvalidArgument` for any other type.
#[expect(clippy::cast_precision_loss, reason = "what a DOUBLE cannot hold is rounded")]
pub fn doubles(array: &dyn Array) -> Result<ArrayRef> {
    if let Some(own) = array.as_primitive_opt::<Float64Type>() {
        return Ok(Arc::new(own.clone()));
    }
    let values: Vec<f64> = if let Some(own) = array.as_primitive_opt::<Float32Type>() {
        own.values().iter().map(|value| f64::from(*value)).collect()
    } else if let Some(own) = array.as_primitive_opt::<Float16Type>() {
        own.values().iter().map(|value| f64::from(*value)).collect()
    } else if let Some(own) = array.as_primitive_opt::<Decimal128Type>() {
        let unit = 10_f64.powi(i32::from(own.scale()));
        own.values().iter().map(|value| *value as f64 / unit).collect()
    } else {
        integers(array)?.into_iter().map(|value| value as f64).collect()
    };
    Ok(Arc::new(Float64Array::new(values.into(), array.nulls().cloned())))
}

/// One zero of a type of numbers.
///
/// # Errors
/// `InvalidArgument` for any other type.
pub fn zero(ty: &DataType) -> Result<ArrayRef> {
    // Every number is all bits zero, and none is wider.
    let built = arrow::array::ArrayData::builder(ty.clone()).len(1).add_buffer(Buffer::from(vec![0_i128])).build();
    let data = built.map_err(|e| Error::invalid_argument(format!("there is no zero of type {ty}")).caused_by(e))?;
    Ok(make_array(data))
}

/// The picked values, each by its array and its row there; all arrays are of one type.
///
/// # Errors
/// `LimitExceeded` when they are too large for one array.
pub fn gather(arrays: &[&dyn Array], picks: impl ExactSizeIterator<Item = (usize, usize)>) -> Result<ArrayRef> {
    let data: Vec<_> = arrays.iter().map(|array| array.to_data()).collect();
    let mut gathered = MutableArrayData::new(data.iter().collect(), true, picks.len());
    for (array, row) in picks {
        gathered
            .try_extend(array, row, row.saturating_add(1))
            .map_err(|e| Error::limit_exceeded("the values are too large to be put together").caused_by(e))?;
    }
    Ok(make_array(gathered.freeze()))
}
