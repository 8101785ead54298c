//! DuckDB's vectors as Arrow arrays: the arguments of scalar functions.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, ArrowPrimitiveType, BinaryBuilder, BooleanArray, IntervalMonthDayNanoArray, PrimitiveArray,
        StringBuilder,
    },
    datatypes::{
        DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
        IntervalMonthDayNano, Time64MicrosecondType, TimestampMicrosecondType, TimestampNanosecondType,
        TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
    },
};
use tstable_core::{
    Error, Result,
    schema::{ColumnType, Strings, TimeUnit},
};

use super::{fixed::Interval, strings::StringValue};

/// The memory of a vector whose rows are to be read.
pub(crate) struct View {
    pub(crate) data: *const u8,
    /// A bit a slot, lowest first; null when all are valid.
    pub(crate) validity: *const u64,
    /// The slot of each row; null when row and slot are the same.
    pub(crate) selection: *const u32,
    pub(crate) rows: usize,
}

impl View {
    fn slot(&self, row: usize) -> usize {
        if self.selection.is_null() {
            return row;
        }
        // SAFETY: a selection has an entry for each row of its vector (`read`'s contract).
        usize::try_from(unsafe { *self.selection.add(row) }).unwrap_or(0)
    }

    /// The rows' values; none where NULL. `T` has to be as wide as they are.
    pub(crate) fn values<T: Copy>(&self) -> impl Iterator<Item = Option<T>> {
        self.validities().zip(0..).map(|(valid, row)| {
            let slot = self.slot(row);
            // SAFETY: slots are inside the vector's memory, whose values are as wide as `T` (`read`'s contract); no
            // alignment is assumed.
            valid.then(|| unsafe { self.data.cast::<T>().add(slot).read_unaligned() })
        })
    }

    /// Whether each row is not NULL.
    pub(crate) fn validities(&self) -> impl Iterator<Item = bool> {
        (0..self.rows).map(|row| {
            let slot = self.slot(row);
            // SAFETY: slots are inside the vector's mask (`read`'s contract).
            self.validity.is_null() || unsafe { *self.validity.add(slot / 64) >> (slot % 64) } & 1 == 1
        })
    }

    fn primitive<T: ArrowPrimitiveType>(&self) -> PrimitiveArray<T> {
        self.values::<T::Native>().collect()
    }

    fn bytes(&self) -> impl Iterator<Item = Option<&[u8]>> {
        (0..self.rows).zip(self.values::<StringValue>()).map(|(row, value)| {
            let value = value?;
            let slot = self.slot(row);
            // SAFETY: the string lies in its slot, or in memory that it points to, as long as the vector lives.
            Some(unsafe { value.bytes(self.data.cast::<StringValue>().add(slot)) })
        })
    }
}

/// The rows of a vector of type `ty` in that type's Arrow form, INTERVAL as months, days and nanoseconds.
///
/// # Errors
/// `UnsupportedFormat` for types that no scalar function takes; `LimitExceeded` for an INTERVAL beyond nanoseconds.
///
/// # Safety
/// `view` describes a live vector of DuckDB's type for `ty`, with as many rows as it says.
pub(crate) unsafe fn read(ty: &ColumnType, view: &View) -> Result<ArrayRef> {
    Ok(match ty {
        ColumnType::Boolean => {
            shared(view.values::<u8>().map(|value| value.map(|byte| byte != 0)).collect::<BooleanArray>())
        }
        ColumnType::TinyInt => shared(view.primitive::<Int8Type>()),
        ColumnType::SmallInt => shared(view.primitive::<Int16Type>()),
        ColumnType::Integer => shared(view.primitive::<Int32Type>()),
        ColumnType::BigInt => shared(view.primitive::<Int64Type>()),
        ColumnType::UTinyInt => shared(view.primitive::<UInt8Type>()),
        ColumnType::USmallInt => shared(view.primitive::<UInt16Type>()),
        ColumnType::UInteger => shared(view.primitive::<UInt32Type>()),
        ColumnType::UBigInt => shared(view.primitive::<UInt64Type>()),
        ColumnType::HugeInt => shared(view.primitive::<Decimal128Type>().with_data_type(DataType::Decimal128(38, 0))),
        ColumnType::Float => shared(view.primitive::<Float32Type>()),
        ColumnType::Double => shared(view.primitive::<Float64Type>()),
        ColumnType::Date => shared(view.primitive::<Date32Type>()),
        ColumnType::Time(TimeUnit::Us) => shared(view.primitive::<Time64MicrosecondType>()),
        ColumnType::Timestamp(TimeUnit::S) => shared(view.primitive::<TimestampSecondType>()),
        ColumnType::Timestamp(TimeUnit::Us) => shared(view.primitive::<TimestampMicrosecondType>()),
        ColumnType::Timestamp(TimeUnit::Ns) => shared(view.primitive::<TimestampNanosecondType>()),
        ColumnType::TimestampTz(TimeUnit::Us) => {
            let zoned = ty.arrow(Strings::Plain);
            shared(view.primitive::<TimestampMicrosecondType>().with_data_type(zoned))
        }
        ColumnType::Varchar => texts(view)?,
        ColumnType::Blob => blobs(view),
        ColumnType::Interval => intervals(view)?,
        _ => return Err(Error::unsupported_format(format!("scalar functions take no argument of type {ty}"))),
    })
}

fn shared(array: impl arrow::array::Array + 'static) -> ArrayRef {
    Arc::new(array)
}

fn texts(view: &View) -> Result<ArrayRef> {
    let mut builder = StringBuilder::with_capacity(view.rows, 0);
    for bytes in view.bytes() {
        let text = bytes.map(std::str::from_utf8).transpose();
        builder.append_option(
            text.map_err(|error| Error::corrupt("DuckDB passed a string that is not UTF-8").caused_by(error))?,
        );
    }
    Ok(shared(builder.finish()))
}

fn blobs(view: &View) -> ArrayRef {
    let mut builder = BinaryBuilder::with_capacity(view.rows, 0);
    for bytes in view.bytes() {
        builder.append_option(bytes);
    }
    shared(builder.finish())
}

fn intervals(view: &View) -> Result<ArrayRef> {
    let values = view.values::<Interval>().map(|value| {
        let Some(Interval { months, days, micros }) = value else { return Ok(None) };
        let nanos = micros.checked_mul(1_000).ok_or_else(|| {
            Error::limit_exceeded(format!(
                "an INTERVAL of {micros} microseconds is too long to be counted in nanoseconds"
            ))
        })?;
        Ok(Some(IntervalMonthDayNano::new(months, days, nanos)))
    });
    Ok(shared(values.collect::<Result<IntervalMonthDayNanoArray>>()?))
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
