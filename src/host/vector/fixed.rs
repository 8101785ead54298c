//! Types of fixed width: copied whole where Arrow and DuckDB agree on the bytes, converted value by value elsewhere.

use std::{fmt::Display, ptr};

use arrow::{
    array::{ArrowPrimitiveType, AsArray},
    buffer::NullBuffer,
    datatypes::{
        Decimal128Type, IntervalMonthDayNanoType, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
        Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
        TimestampSecondType,
    },
};
use tstable_core::{Error, Result, schema::TimeUnit};

use super::{RawVector, Source, validity};

/// DuckDB's largest zone offset in seconds, 15:59:59: TIMETZ stores the distance from it.
const TIME_TZ_MAX_OFFSET: u64 = 16 * 60 * 60 - 1;
const MICROS_PER_SECOND: i64 = 1_000_000;

/// Copies the values' bytes.
pub(super) fn copy<V: RawVector, T: ArrowPrimitiveType>(vector: V, source: Source<'_>) -> Result<Option<()>> {
    let Some(values) = values::<T>(&source) else { return Ok(None) };
    let data = vector.data()?;
    // SAFETY: the vector has room for the chunk's rows at this width, which is the native type's, and DuckDB's memory
    // does not overlap Arrow's. Bytes are copied, so no alignment is needed.
    unsafe { ptr::copy_nonoverlapping(values.as_ptr().cast::<u8>(), data, size_of_val(values)) };
    validity::write(vector, source.nulls().as_ref(), source.len)?;
    Ok(Some(()))
}

/// Writes each value as `convert` makes it.
pub(super) fn map<V: RawVector, T: ArrowPrimitiveType, U: Copy + Default>(
    vector: V,
    source: Source<'_>,
    convert: impl Fn(T::Native) -> U,
) -> Result<Option<()>> {
    let Some(values) = values::<T>(&source) else { return Ok(None) };
    store(vector, values.iter().map(|value| convert(*value)))?;
    validity::write(vector, source.nulls().as_ref(), source.len)?;
    Ok(Some(()))
}

/// Writes each value as `convert` makes it; a value that is not NULL and that `convert` refuses is an error naming it.
fn try_map<V: RawVector, T: ArrowPrimitiveType, U: Copy + Default>(
    vector: V,
    source: Source<'_>,
    name: &str,
    convert: impl Fn(T::Native) -> Option<U>,
) -> Result<Option<()>>
where
    T::Native: Display,
{
    let Some(values) = values::<T>(&source) else { return Ok(None) };
    let nulls = source.nulls();
    let mut refused = false;
    store(
        vector,
        values.iter().map(|value| {
            let converted = convert(*value);
            refused |= converted.is_none();
            converted.unwrap_or_default()
        }),
    )?;
    if refused {
        refuse(values, nulls.as_ref(), name, convert)?;
    }
    validity::write(vector, nulls.as_ref(), source.len)?;
    Ok(Some(()))
}

/// The error about the first refused value; none when only NULLs hide refused ones.
fn refuse<N: Copy + Display, U>(
    values: &[N],
    nulls: Option<&NullBuffer>,
    name: &str,
    convert: impl Fn(N) -> Option<U>,
) -> Result<()> {
    for (row, value) in values.iter().enumerate() {
        if nulls.is_none_or(|nulls| nulls.is_valid(row)) && convert(*value).is_none() {
            return Err(Error::limit_exceeded(format!(
                "the stored value {value} is outside the range of DuckDB's {name}"
            )));
        }
    }
    Ok(())
}

fn values<'a, T: ArrowPrimitiveType>(source: &Source<'a>) -> Option<&'a [T::Native]> {
    let array = source.array.as_primitive_opt::<T>()?;
    array.values().get(source.offset..source.offset.checked_add(source.len)?)
}

/// Writes the values as the rows from 0.
fn store<V: RawVector, U: Copy>(vector: V, values: impl Iterator<Item = U>) -> Result<()> {
    let data = vector.data()?.cast::<U>();
    for (row, value) in values.enumerate() {
        // SAFETY: the vector has room for the chunk's rows at the width of `U`; the write needs no alignment.
        unsafe { data.add(row).write_unaligned(value) };
    }
    Ok(())
}

/// BOOLEAN: a bit in Arrow, a byte in DuckDB.
pub(super) fn booleans<V: RawVector>(vector: V, source: Source<'_>) -> Result<Option<()>> {
    let Some(array) = source.array.as_boolean_opt() else { return Ok(None) };
    let bits = array.values().slice(source.offset, source.len);
    store(vector, bits.iter().map(u8::from))?;
    validity::write(vector, source.nulls().as_ref(), source.len)?;
    Ok(Some(()))
}

/// DECIMAL, in the narrowest integer that DuckDB uses for the precision.
pub(super) fn decimals<V: RawVector>(vector: V, precision: u8, source: Source<'_>) -> Result<Option<()>> {
    match precision {
        0..=4 => try_map::<V, Decimal128Type, i16>(vector, source, "DECIMAL", |value| value.try_into().ok()),
        5..=9 => try_map::<V, Decimal128Type, i32>(vector, source, "DECIMAL", |value| value.try_into().ok()),
        10..=18 => try_map::<V, Decimal128Type, i64>(vector, source, "DECIMAL", |value| value.try_into().ok()),
        _ => copy::<V, Decimal128Type>(vector, source),
    }
}

/// TIME in microseconds; TIME_NS for nanoseconds where the host has it.
pub(super) fn times<V: RawVector>(vector: V, unit: TimeUnit, source: Source<'_>) -> Result<Option<()>> {
    match unit {
        TimeUnit::S => map::<V, Time32SecondType, i64>(vector, source, |value| i64::from(value) * MICROS_PER_SECOND),
        TimeUnit::Ms => map::<V, Time32MillisecondType, i64>(vector, source, |value| i64::from(value) * 1_000),
        TimeUnit::Us => copy::<V, Time64MicrosecondType>(vector, source),
        TimeUnit::Ns if vector.counts_nanoseconds() => copy::<V, Time64NanosecondType>(vector, source),
        TimeUnit::Ns => map::<V, Time64NanosecondType, i64>(vector, source, |value| value.div_euclid(1_000)),
    }
}

/// TIMETZ at offset zero, to which the values are normalised.
pub(super) fn times_tz<V: RawVector>(vector: V, unit: TimeUnit, source: Source<'_>) -> Result<Option<()>> {
    let pack = |micros: i64| (micros.cast_unsigned() << 24) | TIME_TZ_MAX_OFFSET;
    match unit {
        TimeUnit::S => {
            map::<V, Time32SecondType, u64>(vector, source, |value| pack(i64::from(value) * MICROS_PER_SECOND))
        }
        TimeUnit::Ms => map::<V, Time32MillisecondType, u64>(vector, source, |value| pack(i64::from(value) * 1_000)),
        TimeUnit::Us => map::<V, Time64MicrosecondType, u64>(vector, source, pack),
        TimeUnit::Ns => map::<V, Time64NanosecondType, u64>(vector, source, |value| pack(value.div_euclid(1_000))),
    }
}

/// TIMESTAMP_S, TIMESTAMP (from milliseconds too, as DuckDB reads Parquet) and TIMESTAMP_NS.
pub(super) fn timestamps<V: RawVector>(vector: V, unit: TimeUnit, source: Source<'_>) -> Result<Option<()>> {
    match unit {
        TimeUnit::S => copy::<V, TimestampSecondType>(vector, source),
        TimeUnit::Ms => scaled::<V, TimestampMillisecondType>(vector, source, 1_000, "TIMESTAMP"),
        TimeUnit::Us => shown::<V, TimestampMicrosecondType>(vector, TimeUnit::Us, source, "TIMESTAMP"),
        TimeUnit::Ns => shown::<V, TimestampNanosecondType>(vector, TimeUnit::Ns, source, "TIMESTAMP_NS"),
    }
}

/// TIMESTAMPTZ in microseconds, earlier rather than later; in nanoseconds where the host shows them.
pub(super) fn timestamps_tz<V: RawVector>(vector: V, unit: TimeUnit, source: Source<'_>) -> Result<Option<()>> {
    const NAME: &str = "TIMESTAMP WITH TIME ZONE";
    match unit {
        TimeUnit::S => scaled::<V, TimestampSecondType>(vector, source, MICROS_PER_SECOND, NAME),
        TimeUnit::Ms => scaled::<V, TimestampMillisecondType>(vector, source, 1_000, NAME),
        TimeUnit::Us => shown::<V, TimestampMicrosecondType>(vector, unit, source, NAME),
        TimeUnit::Ns if vector.counts_nanoseconds() => shown::<V, TimestampNanosecondType>(vector, unit, source, NAME),
        TimeUnit::Ns => map::<V, TimestampNanosecondType, i64>(vector, source, |value| value.div_euclid(1_000)),
    }
}

/// Copies instants, which must be ones that DuckDB can show: its own functions and casts end the database over others.
fn shown<V: RawVector, T: ArrowPrimitiveType<Native = i64>>(
    vector: V,
    unit: TimeUnit,
    source: Source<'_>,
    name: &str,
) -> Result<Option<()>> {
    let Some(values) = values::<T>(&source) else { return Ok(None) };
    // Without a branch for each value: there are very many, and none of them is refused.
    let least = if unit == TimeUnit::Us { TimeUnit::LEAST_US } else { INFINITY_BEFORE };
    if values.iter().fold(false, |odd, value| odd | (*value < least && *value != INFINITY_BEFORE)) {
        refuse(values, source.nulls().as_ref(), name, |value| unit.shows(value).then_some(()))?;
    }
    copy::<V, T>(vector, source)
}

/// DuckDB's `-infinity`.
const INFINITY_BEFORE: i64 = -i64::MAX;

fn scaled<V: RawVector, T: ArrowPrimitiveType<Native = i64>>(
    vector: V,
    source: Source<'_>,
    factor: i64,
    name: &str,
) -> Result<Option<()>> {
    // DuckDB reads its infinities, the ends of the integer, alike in every unit.
    let micros =
        |value| if matches!(value, i64::MAX | INFINITY_BEFORE) { Some(value) } else { i64::checked_mul(value, factor) };
    try_map::<V, T, i64>(vector, source, name, micros)
}

/// An INTERVAL as DuckDB stores it.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) months: i32,
    pub(super) days: i32,
    pub(super) micros: i64,
}

impl Interval {
    /// Parquet's interval: months, days and milliseconds, each in 4 bytes.
    fn from_parquet(bytes: &[u8]) -> Option<Self> {
        let (months, rest) = bytes.split_first_chunk()?;
        let (days, rest) = rest.split_first_chunk()?;
        let millis = u32::from_le_bytes(rest.try_into().ok()?);
        Some(Self {
            months: i32::from_le_bytes(*months),
            days: i32::from_le_bytes(*days),
            micros: i64::from(millis) * 1_000,
        })
    }
}

/// INTERVAL, from Parquet's 12 bytes or from Arrow's months, days and nanoseconds.
pub(super) fn intervals<V: RawVector>(vector: V, source: Source<'_>) -> Result<Option<()>> {
    if source.array.as_primitive_opt::<IntervalMonthDayNanoType>().is_some() {
        return map::<V, IntervalMonthDayNanoType, Interval>(vector, source, |value| Interval {
            months: value.months,
            days: value.days,
            micros: value.nanoseconds.div_euclid(1_000),
        });
    }
    binaries(vector, source, 12, |bytes| Interval::from_parquet(bytes).unwrap_or_default())
}

/// UUID: DuckDB flips the highest bit so that values order as signed integers.
pub(super) fn uuids<V: RawVector>(vector: V, source: Source<'_>) -> Result<Option<()>> {
    binaries(vector, source, 16, |bytes| bytes.try_into().map_or(0, |bytes| i128::from_be_bytes(bytes) ^ i128::MIN))
}

fn binaries<V: RawVector, U: Copy>(
    vector: V,
    source: Source<'_>,
    width: usize,
    convert: impl Fn(&[u8]) -> U,
) -> Result<Option<()>> {
    let Some(array) = source.array.as_fixed_size_binary_opt() else { return Ok(None) };
    if usize::try_from(array.value_length()) != Ok(width) {
        return Ok(None);
    }
    let rows = source.offset..source.offset.saturating_add(source.len);
    store(vector, rows.map(|row| convert(array.value(row))))?;
    validity::write(vector, source.nulls().as_ref(), source.len)?;
    Ok(Some(()))
}
