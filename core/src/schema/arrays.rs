//! Integers as arrays of a column's type, and back: whole numbers, days, times and instants in the column's own unit, unscaled decimals.

use arrow::{
    array::{Array, ArrayData, ArrayRef, AsArray, make_array},
    buffer::{Buffer, NullBuffer},
    datatypes::{
        ArrowNativeType, Date32Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
        TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
        UInt64Type,
    },
};

use super::{ColumnType, Strings, TimeUnit};
use crate::error::{Error, Result};

impl ColumnType {
    /// The integers as an array of this type; NULL where there is none. An integer that the type cannot store becomes the nearest that
    /// it can: the first and the last bucket may reach beyond what the index column holds. `None` for types that store no integers.
    #[must_use]
    pub fn array_of(&self, values: impl IntoIterator<Item = Option<i128>>) -> Option<ArrayRef> {
        let (least, greatest) = self.stored_bounds()?;
        let values: Vec<_> = values.into_iter().map(|value| value.map(|value| value.clamp(least, greatest))).collect();
        match self.stored_as()? {
            (8, true) => self.stored::<i8>(&values),
            (16, true) => self.stored::<i16>(&values),
            (32, true) => self.stored::<i32>(&values),
            (64, true) => self.stored::<i64>(&values),
            (8, false) => self.stored::<u8>(&values),
            (16, false) => self.stored::<u16>(&values),
            (32, false) => self.stored::<u32>(&values),
            (64, false) => self.stored::<u64>(&values),
            _ => self.stored::<i128>(&values),
        }
    }

    /// Whether arrays of this type can store an integer.
    #[must_use]
    pub fn holds(&self, value: i128) -> bool {
        self.stored_bounds().is_some_and(|(least, greatest)| value >= least && value <= greatest)
    }

    /// `rows` rows of one integer, as an array of this type; `None` when the type cannot store it.
    #[must_use]
    pub fn repeated(&self, value: i128, rows: usize) -> Option<ArrayRef> {
        if !self.holds(value) {
            return None;
        }
        self.array_of(std::iter::repeat_n(Some(value), rows))
    }

    /// Width and signedness of the integers that arrays of this type store.
    fn stored_as(&self) -> Option<(u32, bool)> {
        Some(match self {
            Self::Date | Self::Time(TimeUnit::S | TimeUnit::Ms) | Self::TimeTz(TimeUnit::S | TimeUnit::Ms) => {
                (32, true)
            }
            Self::Time(_) | Self::TimeTz(_) | Self::Timestamp(_) | Self::TimestampTz(_) => (64, true),
            Self::HugeInt | Self::Decimal { .. } => (128, true),
            other => return other.integer_bits(),
        })
    }

    fn stored_bounds(&self) -> Option<(i128, i128)> {
        let (bits, signed) = self.stored_as()?;
        let greatest = i128::MAX >> (if signed { 128_u32 } else { 127 }).checked_sub(bits)?;
        Some((if signed { !greatest } else { 0 }, greatest))
    }

    fn stored<N: ArrowNativeType + TryFrom<i128>>(&self, values: &[Option<i128>]) -> Option<ArrayRef> {
        let numbers: Option<Vec<N>> = values.iter().map(|value| N::try_from(value.unwrap_or(0)).ok()).collect();
        let nulls: NullBuffer = values.iter().map(Option::is_some).collect();
        let data = ArrayData::builder(self.arrow(Strings::Plain))
            .len(values.len())
            .add_buffer(Buffer::from_vec(numbers?))
            .nulls((nulls.null_count() > 0).then_some(nulls));
        data.build().ok().map(make_array)
    }
}

/// The values of an integer, DATE or TIMESTAMP column in the column's own unit; anything where NULL.
///
/// # Errors
/// `InvalidArgument` for any other type.
pub fn integers(array: &dyn Array) -> Result<Vec<i128>> {
    macro_rules! each {
        ($($ty:ty),*) => { $(if let Some(own) = array.as_primitive_opt::<$ty>() {
            return Ok(own.values().iter().map(|value| i128::from(*value)).collect());
        })* };
    }
    each!(Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType);
    each!(Date32Type, UInt64Type, Int32Type, Int16Type, Int8Type, UInt32Type, UInt16Type, UInt8Type);
    Err(Error::invalid_argument(format!("a column that came as {} holds no integers", array.data_type())))
}

#[cfg(test)]
#[path = "arrays_tests.rs"]
mod tests;
