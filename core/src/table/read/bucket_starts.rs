//! The start of each row's bucket, as an array of the index column's type.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, PrimitiveArray},
    datatypes::{
        ArrowPrimitiveType, Date32Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
        TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
        UInt64Type,
    },
};

use crate::{
    error::{Error, Result},
    schema::{ColumnType, TimeUnit},
    time::{Grid, IndexValue},
};

/// The bucket starts of index values of type `ty`; NULL where the value is, or where the bucket starts before the first
/// value that the type can hold.
///
/// # Errors
/// `InvalidArgument` when the array is of another type, `LimitExceeded` when a bucket's number is out of bounds.
pub fn bucket_starts(values: &ArrayRef, grid: &Grid, ty: &ColumnType) -> Result<ArrayRef> {
    match ty {
        ColumnType::Date => starts::<Date32Type>(values, grid),
        ColumnType::BigInt => starts::<Int64Type>(values, grid),
        ColumnType::UBigInt => starts::<UInt64Type>(values, grid),
        ColumnType::TinyInt => starts::<Int8Type>(values, grid),
        ColumnType::SmallInt => starts::<Int16Type>(values, grid),
        ColumnType::Integer => starts::<Int32Type>(values, grid),
        ColumnType::UTinyInt => starts::<UInt8Type>(values, grid),
        ColumnType::USmallInt => starts::<UInt16Type>(values, grid),
        ColumnType::UInteger => starts::<UInt32Type>(values, grid),
        ColumnType::Timestamp(unit) | ColumnType::TimestampTz(unit) => match unit {
            TimeUnit::S => starts::<TimestampSecondType>(values, grid),
            TimeUnit::Ms => starts::<TimestampMillisecondType>(values, grid),
            TimeUnit::Us => starts::<TimestampMicrosecondType>(values, grid),
            TimeUnit::Ns => starts::<TimestampNanosecondType>(values, grid),
        },
        other => Err(Error::invalid_argument(format!("{other} has no buckets"))),
    }
}

fn starts<T: ArrowPrimitiveType>(values: &ArrayRef, grid: &Grid) -> Result<ArrayRef>
where
    i128: From<T::Native>,
    T::Native: TryFrom<i128>,
{
    let typed = values.as_primitive_opt::<T>();
    let typed = typed.ok_or_else(|| Error::invalid_argument(format!("{} is not an index", values.data_type())))?;
    let mut cursor = grid.cursor();
    let start = |value: Option<T::Native>| -> Result<Option<T::Native>> {
        let Some(value) = value else { return Ok(None) };
        let bucket = cursor.bucket_of(IndexValue(i128::from(value)))?;
        Ok(T::Native::try_from(grid.start_of(bucket).0).ok())
    };
    let starts = typed.iter().map(start).collect::<Result<PrimitiveArray<T>>>()?;
    Ok(Arc::new(starts.with_data_type(values.data_type().clone())))
}
