//! Rows that DuckDB hands over, as Arrow arrays in the types that tables have. The API's own conversion to Arrow wants a
//! connection, which a COPY does not have, so vectors are read here; DuckDB has made them flat, the nested ones too.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, ArrowPrimitiveType, Decimal128Array, FixedSizeBinaryArray, ListArray, MapArray,
        NullBufferBuilder, PrimitiveArray, RecordBatch, RecordBatchOptions, StringArray, StructArray, UInt64Array,
        new_null_array,
    },
    buffer::{NullBuffer, OffsetBuffer},
    datatypes::{
        DataType, Int64Type, Schema, Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType,
        TimestampNanosecondType,
    },
};
use libduckdb_sys as ffi;
use tstable_core::{
    Error, Result,
    schema::{ColumnType, Field, Strings, TimeUnit},
};

use super::super::{
    super::{
        OutColumn,
        interval::parquet_interval,
        vector::{View, read},
    },
    owned_text,
    types::LogicalType,
};

/// The rows of a chunk.
///
/// # Safety
/// `chunk` is alive, flat, and has these columns.
pub(super) unsafe fn batch(columns: &[OutColumn], chunk: ffi::duckdb_data_chunk) -> Result<RecordBatch> {
    // SAFETY: as the caller says.
    let rows = usize::try_from(unsafe { ffi::duckdb_data_chunk_get_size(chunk) }).unwrap_or(0);
    let arrays = columns.iter().zip(0..).map(|(column, index)| {
        // SAFETY: the chunk has this column, of the type that was bound.
        unsafe { array(&column.ty, ffi::duckdb_data_chunk_get_vector(chunk, index), rows) }
    });
    let arrays = arrays.collect::<Result<Vec<_>>>()?;
    let fields = columns.iter().zip(0..).map(|(column, index)| {
        let name = if column.name.is_empty() { format!("column{index}") } else { column.name.clone() };
        column.ty.arrow_field(&name, Strings::Plain)
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema, arrays, &options).map_err(unread)
}

fn unread(error: arrow::error::ArrowError) -> Error {
    Error::schema_mismatch("rows from DuckDB cannot be read as Arrow").caused_by(error)
}

/// # Safety
/// `vector` is alive, flat, of DuckDB's type for `ty`, and has `rows` rows.
unsafe fn array(ty: &ColumnType, vector: ffi::duckdb_vector, rows: usize) -> Result<ArrayRef> {
    // SAFETY: as the caller says.
    let view = unsafe {
        View {
            data: ffi::duckdb_vector_get_data(vector).cast(),
            validity: ffi::duckdb_vector_get_validity(vector),
            selection: std::ptr::null(),
            rows,
        }
    };
    // SAFETY: as the caller says; each reader is asked for the vector's own type.
    unsafe {
        match ty {
            ColumnType::Decimal { precision, scale } => decimals(vector, &view, *precision, *scale),
            ColumnType::Uuid => uuids(&view),
            ColumnType::Interval => intervals(&view),
            ColumnType::Timestamp(TimeUnit::Us) if id(vector) == ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_S => {
                seconds(&view)
            }
            ColumnType::Timestamp(TimeUnit::Ms) => milliseconds(ty, &view),
            ColumnType::Null => Ok(new_null_array(&ty.arrow(Strings::Plain), rows)),
            ColumnType::Varchar if id(vector) == ffi::DUCKDB_TYPE_DUCKDB_TYPE_ENUM => Ok(enums(vector, &view)),
            ColumnType::List(element) if id(vector) == ffi::DUCKDB_TYPE_DUCKDB_TYPE_ARRAY => {
                arrays(element, ty, vector, &view)
            }
            ColumnType::TimestampTz(TimeUnit::Ns) => Ok(primitive::<TimestampNanosecondType>(ty, &view)),
            ColumnType::Time(TimeUnit::Ns) => Ok(primitive::<Time64NanosecondType>(ty, &view)),
            ColumnType::List(element) => list(element, ty, vector, &view),
            ColumnType::Struct(fields) => Ok(Arc::new(structure(fields, vector, &view, rows)?)),
            ColumnType::Map(key, value) => map(key, value, ty, vector, &view),
            _ => read(ty, &view),
        }
    }
}

/// # Safety
/// `vector` is alive.
unsafe fn id(vector: ffi::duckdb_vector) -> ffi::duckdb_type {
    // SAFETY: as the caller says; the type is owned here.
    LogicalType::own(unsafe { ffi::duckdb_vector_get_column_type(vector) }).id()
}

fn primitive<T: ArrowPrimitiveType>(ty: &ColumnType, view: &View) -> ArrayRef {
    Arc::new(view.values::<T::Native>().collect::<PrimitiveArray<T>>().with_data_type(ty.arrow(Strings::Plain)))
}

/// DuckDB's `-infinity`.
const INFINITY_BEFORE: i64 = -i64::MAX;

fn seconds(view: &View) -> Result<ArrayRef> {
    let seconds = view.values::<i64>().collect::<PrimitiveArray<Int64Type>>();
    let micros = seconds.try_unary::<_, TimestampMicrosecondType, Error>(|seconds| {
        // DuckDB's infinities are alike in every unit.
        let scaled =
            if matches!(seconds, i64::MAX | INFINITY_BEFORE) { Some(seconds) } else { seconds.checked_mul(1_000_000) };
        let beyond = || format!("{seconds} s since 1970 are outside the range of DuckDB's TIMESTAMP");
        scaled.ok_or_else(|| Error::limit_exceeded(beyond()))
    })?;
    Ok(Arc::new(micros))
}

fn milliseconds(ty: &ColumnType, view: &View) -> Result<ArrayRef> {
    match view.values::<i64>().flatten().find(|value| !TimeUnit::Ms.shows(*value)) {
        Some(far) => Err(Error::limit_exceeded(format!("{far} ms since 1970 are outside the range of DuckDB's {ty}"))),
        None => Ok(primitive::<TimestampMillisecondType>(ty, view)),
    }
}

/// The texts of an ENUM.
///
/// # Safety
/// `vector` is a live ENUM and `view` its memory.
unsafe fn enums(vector: ffi::duckdb_vector, view: &View) -> ArrayRef {
    // SAFETY: as the caller says; the type and the texts are owned here.
    let (width, texts) = unsafe {
        let ty = LogicalType::own(ffi::duckdb_vector_get_column_type(vector));
        let text = |at| owned_text(ffi::duckdb_enum_dictionary_value(ty.raw(), at));
        let texts: Vec<String> = (0..u64::from(ffi::duckdb_enum_dictionary_size(ty.raw()))).map(text).collect();
        (ffi::duckdb_enum_internal_type(ty.raw()), texts)
    };
    let numbers: Vec<Option<u32>> = match width {
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_UTINYINT => view.values::<u8>().map(|v| v.map(u32::from)).collect(),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_USMALLINT => view.values::<u16>().map(|v| v.map(u32::from)).collect(),
        _ => view.values::<u32>().collect(),
    };
    let text = |number: Option<u32>| texts.get(usize::try_from(number?).ok()?);
    Arc::new(numbers.into_iter().map(text).collect::<StringArray>())
}

/// An array of fixed length as a list.
///
/// # Safety
/// `vector` is a live ARRAY and `view` its memory.
unsafe fn arrays(element: &Field, ty: &ColumnType, vector: ffi::duckdb_vector, view: &View) -> Result<ArrayRef> {
    // SAFETY: as the caller says; the type is owned here, and the child has that number of rows for each of the array's.
    let (length, values) = unsafe {
        let own = LogicalType::own(ffi::duckdb_vector_get_column_type(vector));
        let length = usize::try_from(ffi::duckdb_array_type_array_size(own.raw())).unwrap_or(0);
        let rows = view.rows.saturating_mul(length);
        (length, array(&element.ty, ffi::duckdb_array_vector_get_child(vector), rows)?)
    };
    let DataType::List(field) = ty.arrow(Strings::Plain) else {
        return Err(Error::schema_mismatch("a list came as another Arrow type"));
    };
    let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(length, view.rows));
    Ok(Arc::new(ListArray::try_new(field, offsets, values, nulls(view)).map_err(unread)?))
}

/// # Safety
/// `vector` is a live DECIMAL and `view` its memory.
unsafe fn decimals(vector: ffi::duckdb_vector, view: &View, precision: u8, scale: u8) -> Result<ArrayRef> {
    // SAFETY: as the caller says; the type is owned here.
    let width = unsafe {
        let ty = LogicalType::own(ffi::duckdb_vector_get_column_type(vector));
        ffi::duckdb_decimal_internal_type(ty.raw())
    };
    let values: Decimal128Array = match width {
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_SMALLINT => view.values::<i16>().map(|v| v.map(i128::from)).collect(),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_INTEGER => view.values::<i32>().map(|v| v.map(i128::from)).collect(),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_BIGINT => view.values::<i64>().map(|v| v.map(i128::from)).collect(),
        _ => view.values::<i128>().collect(),
    };
    let scale = i8::try_from(scale).unwrap_or(0);
    Ok(Arc::new(values.with_precision_and_scale(precision, scale).map_err(unread)?))
}

/// DuckDB orders UUIDs as signed numbers, so their first bit is turned.
fn uuids(view: &View) -> Result<ArrayRef> {
    let values = view.values::<u128>().map(|value| value.map(|number| (number ^ (1 << 127)).to_be_bytes()));
    Ok(Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(values, 16).map_err(unread)?))
}

/// Months, days and microseconds in DuckDB; months, days and milliseconds without signs in Parquet.
fn intervals(view: &View) -> Result<ArrayRef> {
    let bytes = |value: Option<ffi::duckdb_interval>| {
        value.map(|value| parquet_interval(value.months, value.days, value.micros)).transpose()
    };
    let values = view.values::<ffi::duckdb_interval>().map(bytes).collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(values.into_iter(), 12).map_err(unread)?))
}

fn nulls(view: &View) -> Option<NullBuffer> {
    let mut builder = NullBufferBuilder::new(view.rows);
    view.validities().for_each(|valid| builder.append(valid));
    builder.finish()
}

/// Offsets of lists that lie one after the other, and the elements in that order.
///
/// # Safety
/// `vector` is a live LIST or MAP and `view` its memory.
unsafe fn elements(ty: &ColumnType, vector: ffi::duckdb_vector, view: &View) -> Result<(OffsetBuffer<i32>, ArrayRef)> {
    // SAFETY: as the caller says; the child has as many rows as the list says.
    let all = unsafe {
        let count = usize::try_from(ffi::duckdb_list_vector_get_size(vector)).unwrap_or(0);
        array(ty, ffi::duckdb_list_vector_get_child(vector), count)?
    };
    let (mut offsets, mut order) = (vec![0_i32], Vec::new());
    for entry in view.values::<ffi::duckdb_list_entry>() {
        let ffi::duckdb_list_entry { offset, length } =
            entry.unwrap_or(ffi::duckdb_list_entry { offset: 0, length: 0 });
        order.extend(offset..offset.saturating_add(length));
        let end = i32::try_from(order.len());
        offsets.push(end.map_err(|_| Error::limit_exceeded("the lists of 2,048 rows have more than 2^31 elements"))?);
    }
    let in_order = order.iter().copied().eq(0..u64::try_from(all.len()).unwrap_or(0));
    let values =
        if in_order { all } else { arrow::compute::take(&all, &UInt64Array::from(order), None).map_err(unread)? };
    Ok((OffsetBuffer::new(offsets.into()), values))
}

/// # Safety
/// As for [`elements`].
unsafe fn list(element: &Field, ty: &ColumnType, vector: ffi::duckdb_vector, view: &View) -> Result<ArrayRef> {
    // SAFETY: as the caller says.
    let (offsets, values) = unsafe { elements(&element.ty, vector, view)? };
    let DataType::List(field) = ty.arrow(Strings::Plain) else {
        return Err(Error::schema_mismatch("a list came as another Arrow type"));
    };
    Ok(Arc::new(ListArray::try_new(field, offsets, values, nulls(view)).map_err(unread)?))
}

/// # Safety
/// As for [`elements`].
unsafe fn map(
    key: &Field,
    value: &Field,
    ty: &ColumnType,
    vector: ffi::duckdb_vector,
    view: &View,
) -> Result<ArrayRef> {
    let entries = ColumnType::Struct(vec![key.clone(), value.clone()]);
    // SAFETY: as the caller says; the elements of a map are structs of key and value.
    let (offsets, values) = unsafe { elements(&entries, vector, view)? };
    let DataType::Map(field, ordered) = ty.arrow(Strings::Plain) else {
        return Err(Error::schema_mismatch("a column of type MAP does not hold a map"));
    };
    let DataType::Struct(fields) = field.data_type() else {
        return Err(Error::schema_mismatch("a column of type MAP does not hold a map"));
    };
    let columns = values.as_any().downcast_ref::<StructArray>().map_or_else(Vec::new, |parts| parts.columns().to_vec());
    let parts = StructArray::try_new(fields.clone(), columns, None).map_err(unread)?;
    Ok(Arc::new(MapArray::try_new(field, offsets, parts, nulls(view), ordered).map_err(unread)?))
}

/// # Safety
/// `vector` is a live STRUCT with `rows` rows and `view` its memory.
unsafe fn structure(fields: &[Field], vector: ffi::duckdb_vector, view: &View, rows: usize) -> Result<StructArray> {
    let columns = fields.iter().zip(0..).map(|(field, index)| {
        // SAFETY: as the caller says; the struct has this field.
        unsafe { array(&field.ty, ffi::duckdb_struct_vector_get_child(vector, index), rows) }
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let DataType::Struct(to) = ColumnType::Struct(fields.to_vec()).arrow(Strings::Plain) else {
        return Err(Error::schema_mismatch("a struct came as another Arrow type"));
    };
    StructArray::try_new(to, columns, nulls(view)).map_err(unread)
}
