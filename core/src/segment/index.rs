//! The values of an index column, whatever its type, as plain integers in the column's own unit.

use std::ops::RangeInclusive;

use arrow::{
    array::{Array, AsArray, BooleanArray},
    buffer::BooleanBuffer,
    datatypes::{
        ArrowNativeType, DataType, Date32Type, Int8Type, Int16Type, Int32Type, Int64Type, TimeUnit,
        TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
        UInt16Type, UInt32Type, UInt64Type,
    },
};

/// The values of an index column of any type; slots of NULLs hold arbitrary values.
#[derive(Debug, Clone, Copy)]
pub(super) enum IndexSlice<'a> {
    I8(&'a [i8]),
    I16(&'a [i16]),
    /// Also days.
    I32(&'a [i32]),
    U8(&'a [u8]),
    U16(&'a [u16]),
    U32(&'a [u32]),
    Signed(&'a [i64]),
    Unsigned(&'a [u64]),
}

impl<'a> IndexSlice<'a> {
    /// The values of `array`; none when no index column has its type.
    pub(super) fn of(array: &'a dyn Array) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Date32 => Self::I32(array.as_primitive::<Date32Type>().values()),
            DataType::Int8 => Self::I8(array.as_primitive::<Int8Type>().values()),
            DataType::Int16 => Self::I16(array.as_primitive::<Int16Type>().values()),
            DataType::Int32 => Self::I32(array.as_primitive::<Int32Type>().values()),
            DataType::UInt8 => Self::U8(array.as_primitive::<UInt8Type>().values()),
            DataType::UInt16 => Self::U16(array.as_primitive::<UInt16Type>().values()),
            DataType::UInt32 => Self::U32(array.as_primitive::<UInt32Type>().values()),
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

    /// Appends the values to `room` where they are narrower than 64 bits; none of the others.
    pub(super) fn widen_into(self, room: &mut Vec<i64>) {
        match self {
            Self::I8(values) => room.extend(values.iter().map(|value| i64::from(*value))),
            Self::I16(values) => room.extend(values.iter().map(|value| i64::from(*value))),
            Self::I32(values) => room.extend(values.iter().map(|value| i64::from(*value))),
            Self::U8(values) => room.extend(values.iter().map(|value| i64::from(*value))),
            Self::U16(values) => room.extend(values.iter().map(|value| i64::from(*value))),
            Self::U32(values) => room.extend(values.iter().map(|value| i64::from(*value))),
            Self::Signed(_) | Self::Unsigned(_) => {}
        }
    }

    /// Which values lie in `range`.
    pub(super) fn inside(self, range: &RangeInclusive<i128>) -> BooleanBuffer {
        match self {
            Self::I8(values) => inside(values, range, i8::MIN.into(), i8::MAX.into()),
            Self::I16(values) => inside(values, range, i16::MIN.into(), i16::MAX.into()),
            Self::I32(values) => inside(values, range, i32::MIN.into(), i32::MAX.into()),
            Self::U8(values) => inside(values, range, 0, u8::MAX.into()),
            Self::U16(values) => inside(values, range, 0, u16::MAX.into()),
            Self::U32(values) => inside(values, range, 0, u32::MAX.into()),
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
