//! Rows that DuckDB hands over, as Arrow arrays in the types that tables have. DuckDB's own conversion to Arrow does most; what it
//! expresses in another way (UUIDs as text, intervals in nanoseconds, seconds, zones) is put right here.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, AsArray, FixedSizeBinaryArray, ListArray, MapArray, PrimitiveArray, RecordBatch, StructArray,
    },
    datatypes::{
        DataType, IntervalMonthDayNanoType, TimestampMicrosecondType, TimestampNanosecondType, TimestampSecondType,
    },
    ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi},
};
use duckdb_neo::{
    arrow::ArrowExporter, column_data_collection::ColumnDataCollection, connection::Context, logical_type::LogicalType,
    logical_type::LogicalTypeID as Id,
};
use tstable_core::{
    Error, Result,
    schema::{ColumnType, Field, Strings, TimeUnit, type_name},
};

use super::{super::OutColumn, host_error, types};

/// The type in which a table keeps a column of a query, as Parquet files would: seconds as microseconds.
pub(super) fn stored_type(name: &str, ty: &LogicalType) -> Result<ColumnType> {
    let id = ty.id().map_err(host_error)?;
    let text = ty.to_text().map_err(host_error)?;
    let advice = |advice: &str| {
        Error::schema_mismatch(format!("column \"{name}\" is {text}, which Parquet files do not hold; {advice}"))
    };
    match (id, types::column_type(id)) {
        (Id::HugeInt | Id::UHugeInt, _) => Err(advice("cast it to BIGINT, DECIMAL(38,0) or DOUBLE")),
        (Id::Enum, _) => Err(advice("cast it to VARCHAR")),
        (Id::TimeTz, _) => Err(advice("cast it to TIME or VARCHAR")),
        (_, Some(ColumnType::Timestamp(TimeUnit::S))) => Ok(ColumnType::Timestamp(TimeUnit::Us)),
        (_, Some(ty)) => Ok(ty),
        _ if text.trim_matches('"') == "NULL" => Err(Error::schema_mismatch(format!(
            "column \"{name}\" is NULL without a type; cast it, as in NULL::DOUBLE AS \"{name}\""
        ))),
        _ => type_name::parse(&text).map_err(|_| advice("cast it to a type that they hold")),
    }
}

/// The rows of a collection.
pub(super) fn batches(
    context: &Context,
    columns: &[OutColumn],
    input: &ColumnDataCollection<'_>,
) -> Result<Vec<RecordBatch>> {
    let described: Vec<_> =
        columns.iter().zip(input.logical_types()).map(|(column, ty)| (column.name.as_str(), ty.clone())).collect();
    let mut exporter = ArrowExporter::new(context, &described, None).map_err(host_error)?;
    let mut scan = input.to_scan(context).map_err(host_error)?;
    while let Some(chunk) = scan.next_chunk().map_err(host_error)? {
        exporter.append(&chunk, false).map_err(host_error)?;
    }
    exporter.flush().map_err(host_error)?;
    let mut raw = exporter.schema().map_err(host_error)?.into_raw();
    // SAFETY: both are the C data interface's ArrowSchema; `raw` is owned here and not used afterwards.
    let schema = unsafe { FFI_ArrowSchema::from_raw((&raw mut raw).cast()) };
    let mut batches = Vec::new();
    while let Some(array) = exporter.next_array().map_err(host_error)? {
        let mut raw = array.into_raw();
        // SAFETY: both are the C data interface's ArrowArray; `raw` is owned here and not used afterwards.
        let array = unsafe { FFI_ArrowArray::from_raw((&raw mut raw).cast()) };
        // SAFETY: DuckDB made array and schema together, by the C data interface's rules.
        let rows = unsafe { from_ffi(array, &schema) }.map_err(unread)?;
        batches.push(batch(columns, &StructArray::from(rows))?);
    }
    Ok(batches)
}

fn unread(error: arrow::error::ArrowError) -> Error {
    Error::schema_mismatch("rows from DuckDB cannot be read as Arrow").caused_by(error)
}

fn batch(columns: &[OutColumn], rows: &StructArray) -> Result<RecordBatch> {
    let fields = columns.iter().map(|column| column.ty.arrow_field(&column.name, Strings::Plain));
    let schema = arrow::datatypes::Schema::new(fields.collect::<Vec<_>>());
    let arrays = columns.iter().zip(rows.columns()).map(|(column, array)| stored(array, &column.ty));
    RecordBatch::try_new(Arc::new(schema), arrays.collect::<Result<_>>()?).map_err(unread)
}

/// The array in the Arrow form of `ty`.
fn stored(array: &ArrayRef, ty: &ColumnType) -> Result<ArrayRef> {
    let to = ty.arrow(Strings::Plain);
    if *array.data_type() == to {
        return Ok(Arc::clone(array));
    }
    let unfit = || Error::schema_mismatch(format!("DuckDB gives {ty} as Arrow's {}", array.data_type()));
    Ok(match (ty, array.data_type()) {
        (ColumnType::Timestamp(TimeUnit::Us), DataType::Timestamp(arrow::datatypes::TimeUnit::Second, None)) => {
            let seconds = array.as_primitive::<TimestampSecondType>();
            let micros =
                |s: i64| s.checked_mul(1_000_000).ok_or_else(|| Error::limit_exceeded("a TIMESTAMP_S is too large"));
            let micros: PrimitiveArray<TimestampMicrosecondType> = seconds.try_unary(micros)?;
            Arc::new(micros)
        }
        (ColumnType::TimestampTz(TimeUnit::Us), DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, _)) => {
            Arc::new(array.as_primitive::<TimestampMicrosecondType>().clone().with_timezone("UTC"))
        }
        (ColumnType::TimestampTz(TimeUnit::Ns), DataType::Timestamp(arrow::datatypes::TimeUnit::Nanosecond, _)) => {
            Arc::new(array.as_primitive::<TimestampNanosecondType>().clone().with_timezone("UTC"))
        }
        (ColumnType::Uuid, DataType::Utf8) => uuids(array)?,
        (ColumnType::Interval, DataType::Interval(_)) => intervals(array).ok_or_else(unfit)?,
        (ColumnType::List(element), DataType::List(_)) => list(array.as_list(), element, &to)?,
        (ColumnType::Struct(fields), DataType::Struct(_)) => Arc::new(structure(array.as_struct(), fields)?),
        (ColumnType::Map(key, value), DataType::Map(..)) => map(array.as_map(), key, value, &to)?,
        _ => return Err(unfit()),
    })
}

fn uuids(array: &ArrayRef) -> Result<ArrayRef> {
    let bytes = |text: Option<&str>| -> Result<Option<[u8; 16]>> {
        let Some(text) = text else { return Ok(None) };
        let digits: String = text.chars().filter(|c| *c != '-').collect();
        let number = u128::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 32);
        let number = number.ok_or_else(|| Error::schema_mismatch(format!("'{text}' is no UUID")))?;
        Ok(Some(number.to_be_bytes()))
    };
    let values = array.as_string::<i32>().iter().map(bytes).collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(values.into_iter(), 16).map_err(unread)?))
}

/// Months, days and milliseconds, as Parquet has them; none when a value has more than those hold.
fn intervals(array: &ArrayRef) -> Option<ArrayRef> {
    let intervals = array.as_primitive_opt::<IntervalMonthDayNanoType>()?;
    let bytes = |value: Option<arrow::datatypes::IntervalMonthDayNano>| -> Option<Option<[u8; 12]>> {
        let Some(value) = value else { return Some(None) };
        let millis = u32::try_from(value.nanoseconds / 1_000_000).ok()?;
        let mut bytes = [0; 12];
        let parts = [u32::try_from(value.months).ok()?, u32::try_from(value.days).ok()?, millis];
        for (place, part) in bytes.chunks_exact_mut(4).zip(parts) {
            place.copy_from_slice(&part.to_le_bytes());
        }
        Some(Some(bytes))
    };
    let values = intervals.iter().map(bytes).collect::<Option<Vec<_>>>()?;
    Some(Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(values.into_iter(), 12).ok()?))
}

fn list(array: &ListArray, element: &Field, to: &DataType) -> Result<ArrayRef> {
    let DataType::List(field) = to else { return Err(Error::schema_mismatch("a list is no list")) };
    let values = stored(array.values(), &element.ty)?;
    let list = ListArray::try_new(Arc::clone(field), array.offsets().clone(), values, array.nulls().cloned());
    Ok(Arc::new(list.map_err(unread)?))
}

fn structure(array: &StructArray, fields: &[Field]) -> Result<StructArray> {
    let DataType::Struct(to) = ColumnType::Struct(fields.to_vec()).arrow(Strings::Plain) else {
        return Err(Error::schema_mismatch("a struct is no struct"));
    };
    let columns = fields.iter().zip(array.columns()).map(|(field, column)| stored(column, &field.ty));
    StructArray::try_new(to, columns.collect::<Result<_>>()?, array.nulls().cloned()).map_err(unread)
}

fn map(array: &MapArray, key: &Field, value: &Field, to: &DataType) -> Result<ArrayRef> {
    let DataType::Map(entries, ordered) = to else { return Err(Error::schema_mismatch("a map is no map")) };
    let parts = structure(array.entries(), &[key.clone(), value.clone()])?;
    let map = MapArray::try_new(Arc::clone(entries), array.offsets().clone(), parts, array.nulls().cloned(), *ordered);
    Ok(Arc::new(map.map_err(unread)?))
}
