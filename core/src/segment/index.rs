//! The values of an index column, whatever its type, as plain integers in the column's own unit.

use std::ops::RangeInclusive;

use arrow::{
    array::{Array, AsArray, BooleanArray},
    buffer::BooleanBuffer,
    datatypes::{
        ArrowNativeType, DataType, Date32Type, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
        TimestampNanosecondType, TimestampSecondType, UInt64Type,
    },
};

/// The values of an index column of any type; slots of NULLs hold arbitrary values.
#[derive(Debug, Clone, Copy)]
pub(super) enum IndexSlice<'a> {
    Days(&'a [i32]),
    Signed(&'a [i64]),
    Unsigned(&'a [u64]),
}

impl<'a> IndexSlice<'a> {
    /// The values of `array`; none when no index column has its type.
    pub(super) fn of(array: &'a dyn Array) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Date32 => Self::Days(array.as_primitive::<Date32Type>().values()),
            DataType::Int64 => Self::Signed(array.as_primitive::<Int64Type>().values()),
            DataType::UInt64 => Self::Unsigned(array.as_primitive::<UInt64Type>().values()),
            DataType::Timestamp(unit, _) => Self::Signed(match unit {
                TimeUnit::Second => array.as_primitive::<TimestampSecondType>().values(),
                TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().values(),
                TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().values(),
                TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().values(),
            }),
            _ => return None,
        })
    }

    /// Which values lie in `range`.
    pub(super) fn inside(self, range: &RangeInclusive<i128>) -> BooleanBuffer {
        match self {
            Self::Days(values) => inside(values, range, i32::MIN.into(), i32::MAX.into()),
            Self::Signed(values) => inside(values, range, i64::MIN.into(), i64::MAX.into()),
            Self::Unsigned(values) => inside(values, range, 0, u64::MAX.into()),
        }
    }
}

fn inside<T>(values: &[T], range: &RangeInclusive<i128>, min: i128, max: i128) -> BooleanBuffer
where
    T: ArrowNativeType + TryFrom<i128> + PartialOrd,
{
    let ends = (T::try_from(*range.start().max(&min)), T::try_from(*range.end().min(&max)));
    let (Ok(low), Ok(high)) = ends else { return BooleanBuffer::new_unset(values.len()) };
    BooleanBuffer::collect_bool(values.len(), |row| {
        values.get(row).is_some_and(|value| *value >= low && *value <= high)
    })
}

/// Which rows of `array` are not NULL and lie in `range`; none when no index column has the array's type.
pub(super) fn rows_inside(array: &dyn Array, range: &RangeInclusive<i128>) -> Option<BooleanArray> {
    Some(BooleanArray::new(IndexSlice::of(array)?.inside(range), array.nulls().cloned()))
}
