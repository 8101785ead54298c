//! Arrow arrays written straight into DuckDB's vectors, once for both hosts: a host only says how to reach a vector's
//! memory ([`RawVector`]). Nothing here calls DuckDB, decides about types' names, or knows functions.

mod distinct;
mod fixed;
mod nested;
mod read;
mod strings;
mod validity;

use arrow::{
    array::{Array, AsArray},
    buffer::NullBuffer,
    datatypes::{
        Date32Type, Decimal128Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
        UInt8Type, UInt16Type, UInt32Type, UInt64Type,
    },
};
use tstable_core::{Error, Result, schema::ColumnType};

pub(crate) use self::{
    distinct::{Distinct, Seen},
    read::{View, read},
    strings::{StringTable, StringValue, single_text},
};

/// A vector of the host being filled. Copies name the same vector.
pub(crate) trait RawVector: Copy {
    /// The rows' memory, for at least as many rows as the vector has room for.
    fn data(self) -> Result<*mut u8>;
    /// The validity bits, one a row, lowest bit first, all set until written.
    fn validity(self) -> Result<*mut u64>;
    /// Whether the vector's type counts in nanoseconds; asked of TIME and TIMESTAMPTZ, which else count microseconds.
    fn counts_nanoseconds(self) -> bool;
    /// The elements of a list or the entries of a map, with room for exactly `count` and that many set.
    fn elements(self, count: usize) -> Result<Self>;
    /// The field at `index` of a struct of `rows` rows.
    fn field(self, index: usize, rows: usize) -> Result<Self>;
    /// Memory of `bytes` bytes, more than 12, for the strings of this vector: it lives as long as its rows.
    fn allocate(self, bytes: usize) -> Result<*mut u8>;
}

/// Rows of an array that become the rows from 0 of a vector.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) array: &'a dyn Array,
    pub(crate) offset: usize,
    pub(crate) len: usize,
    /// The validity of the struct round these rows: where it is NULL so are its fields, for DuckDB reads a field
    /// without a look at the struct.
    pub(crate) parent: Option<&'a NullBuffer>,
}

impl<'a> Source<'a> {
    /// Rows `offset` to `offset + len` of `array`.
    ///
    /// # Errors
    /// `InvalidArgument` when the array ends before.
    pub(crate) fn new(array: &'a dyn Array, offset: usize, len: usize) -> Result<Self> {
        if offset.checked_add(len).is_none_or(|end| end > array.len()) {
            return Err(Error::internal(format!(
                "rows {offset} and {len} more were to be written of an array of {} rows",
                array.len()
            )));
        }
        Ok(Self { array, offset, len, parent: None })
    }

    /// The validity of these rows; none when all are valid.
    fn nulls(&self) -> Option<NullBuffer> {
        let own = self.array.logical_nulls().map(|nulls| nulls.slice(self.offset, self.len));
        NullBuffer::union(own.as_ref(), self.parent).filter(|nulls| nulls.null_count() > 0)
    }
}

/// Writes the rows of `source`, an array of the Arrow form of `ty`, into `vector`.
///
/// # Errors
/// `SchemaMismatch` when the array has another type; `LimitExceeded` when a value is outside what DuckDB's type holds.
pub(crate) fn write<V: RawVector>(
    vector: V,
    ty: &ColumnType,
    source: Source<'_>,
    table: Option<&mut StringTable>,
) -> Result<()> {
    let written = match ty {
        ColumnType::List(element) => nested::list(vector, element, source)?,
        ColumnType::Map(key, value) => nested::map(vector, key, value, source)?,
        ColumnType::Struct(fields) => nested::structure(vector, fields, source)?,
        ColumnType::Varchar | ColumnType::Blob => strings::write(vector, source, table)?,
        _ => scalar(vector, ty, source)?,
    };
    if written.is_none() {
        return Err(Error::schema_mismatch(format!(
            "a column of type {ty} was delivered as Arrow's {}, which is not how that type is delivered",
            source.array.data_type()
        )));
    }
    Ok(())
}

/// Writes a type of fixed width; none when the array's type is not the column's.
fn scalar<V: RawVector>(vector: V, ty: &ColumnType, source: Source<'_>) -> Result<Option<()>> {
    match ty {
        ColumnType::Boolean => fixed::booleans(vector, source),
        ColumnType::TinyInt => fixed::copy::<V, Int8Type>(vector, source),
        ColumnType::SmallInt => fixed::copy::<V, Int16Type>(vector, source),
        ColumnType::Integer | ColumnType::Null => fixed::copy::<V, Int32Type>(vector, source),
        ColumnType::BigInt => fixed::copy::<V, Int64Type>(vector, source),
        ColumnType::UTinyInt => fixed::copy::<V, UInt8Type>(vector, source),
        ColumnType::USmallInt => fixed::copy::<V, UInt16Type>(vector, source),
        ColumnType::UInteger => fixed::copy::<V, UInt32Type>(vector, source),
        ColumnType::UBigInt => fixed::copy::<V, UInt64Type>(vector, source),
        ColumnType::HugeInt => fixed::copy::<V, Decimal128Type>(vector, source),
        ColumnType::HalfFloat if source.array.as_primitive_opt::<Float16Type>().is_some() => {
            fixed::map::<V, Float16Type, f32>(vector, source, f32::from)
        }
        ColumnType::HalfFloat | ColumnType::Float => fixed::copy::<V, Float32Type>(vector, source),
        ColumnType::Double => fixed::copy::<V, Float64Type>(vector, source),
        ColumnType::Date => fixed::copy::<V, Date32Type>(vector, source),
        ColumnType::Decimal { precision, .. } => fixed::decimals(vector, *precision, source),
        ColumnType::Time(unit) => fixed::times(vector, *unit, source),
        ColumnType::TimeTz(unit) => fixed::times_tz(vector, *unit, source),
        ColumnType::Timestamp(unit) => fixed::timestamps(vector, *unit, source),
        ColumnType::TimestampTz(unit) => fixed::timestamps_tz(vector, *unit, source),
        ColumnType::Interval => fixed::intervals(vector, source),
        ColumnType::Uuid => fixed::uuids(vector, source),
        ColumnType::Varchar | ColumnType::Blob | ColumnType::List(_) | ColumnType::Struct(_) | ColumnType::Map(..) => {
            Ok(None)
        }
    }
}

/// Writes `len` NULLs of a type, into the fields of structs too.
pub(crate) fn write_nulls<V: RawVector>(vector: V, ty: &ColumnType, len: usize) -> Result<()> {
    if let ColumnType::Struct(fields) = ty {
        for (index, field) in fields.iter().enumerate() {
            write_nulls(vector.field(index, len)?, &field.ty, len)?;
        }
    }
    validity::write(vector, Some(&NullBuffer::new_null(len)), len)
}

#[cfg(test)]
mod tests;
