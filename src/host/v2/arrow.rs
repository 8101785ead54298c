//! Rows that DuckDB hands over, as Arrow arrays in the types that tables have. DuckDB's own conversion to Arrow does most; what it
//! expresses in another way (UUIDs as text, intervals in nanoseconds, seconds, zones) is put right here.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Decimal128Array, FixedSizeBinaryArray, LargeListArray,
        ListArray, MapArray, PrimitiveArray, RecordBatch, StringArray, StructArray, new_null_array,
    },
    buffer::OffsetBuffer,
    datatypes::{
        DataType, Decimal32Type, Decimal64Type, Int8Type, IntervalMonthDayNano, IntervalMonthDayNanoType,
        TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    },
    ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi},
};
use duckdb_neo::{
    arrow::ArrowExporter,
    column_data_collection::ColumnDataCollection,
    connection::Context,
    data_chunk::DataChunkRef,
    logical_type::LogicalType,
    logical_type::LogicalTypeID as Id,
    types::{FromValue, IntervalValue},
};
use tstable_core::{
    Error, Result,
    schema::{ColumnType, Field, Strings, TimeUnit, type_name},
};

use super::{
    super::{OutColumn, interval::parquet_interval},
    host_error, types,
};

/// The type in which a table keeps a column of a query, as Parquet files would: seconds as microseconds, ENUM as VARCHAR, ARRAY as LIST.
/// HUGEINT, which they lack, is the loader's to fit into a type that they have.
pub(super) fn stored_type(name: &str, ty: &LogicalType) -> Result<ColumnType> {
    kept(ty).map_err(|e| e.with("column", name))
}

fn kept(ty: &LogicalType) -> Result<ColumnType> {
    let id = ty.id().map_err(host_error)?;
    if let (Some(advice), text) = (advice(id), ty.to_text().map_err(host_error)?) {
        return Err(Error::schema_mismatch(format!("{text} is not a type of a table's column: {advice}")));
    }
    let parameter = |at| {
        let (name, value) = ty.get_param(at).map_err(host_error)?;
        let ty = LogicalType::from_value(&value).map_err(host_error)?;
        let ty = ty.ok_or_else(|| Error::schema_mismatch("a type has no parameter where it should"))?;
        Ok::<_, Error>((name.to_owned(), kept(&ty)?))
    };
    let part = |name: &str, at| Ok::<_, Error>(Box::new(Field::new(name, parameter(at)?.1)));
    Ok(match id {
        Id::SqlNull => ColumnType::Null,
        Id::Enum => ColumnType::Varchar,
        Id::TimestampSec => ColumnType::Timestamp(TimeUnit::Us),
        Id::List | Id::Array => ColumnType::List(part("element", 0)?),
        Id::Map => {
            let key = Field { nullable: false, ..*part("key", 0)? };
            ColumnType::Map(Box::new(key), part("value", 1)?)
        }
        Id::Struct => {
            let fields = (0..ty.param_count().map_err(host_error)?).map(parameter);
            ColumnType::Struct(fields.map(|field| field.map(|(name, ty)| Field::new(name, ty))).collect::<Result<_>>()?)
        }
        _ => match types::column_type(id) {
            Some(ty) => ty,
            None => type_name::parse(&ty.to_text().map_err(host_error)?)?,
        },
    })
}

/// What to do with a column of a type that tables do not have, and why they do not.
fn advice(id: Id) -> Option<&'static str> {
    Some(match id {
        Id::TimeTz => "Parquet keeps no offset with a time; cast it to TIME or VARCHAR",
        Id::Variant => {
            "what Parquet has of it cannot be read back alike by every DuckDB; cast it to JSON or to a type of its values"
        }
        Id::Geometry => "its geometries would come back as BLOB; make them so with ST_AsWKB, or text with ST_AsText",
        Id::Bit => "Parquet has no bit strings; cast it to VARCHAR",
        Id::UHugeInt => "Parquet has no such integers; cast it to UBIGINT, HUGEINT or DOUBLE",
        Id::BigNum => "Parquet has no numbers of any length; cast it to VARCHAR or DECIMAL(38,0)",
        Id::Union => "Parquet would keep its members as a STRUCT; cast it to VARCHAR or to one member's type",
        Id::Tuple => "its fields have no names; give them some with struct_pack",
        _ => return None,
    })
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
        for (index, column) in columns.iter().enumerate().filter(|(_, column)| column.ty == ColumnType::Interval) {
            check_intervals(&chunk, index).map_err(|e| e.with("column", &column.name))?;
        }
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

/// Refuses intervals that Parquet does not hold before DuckDB counts them in nanoseconds, where long ones come round to others.
fn check_intervals(chunk: &DataChunkRef<'_>, index: usize) -> Result<()> {
    let vector = chunk.get_vector_at::<IntervalValue>(index).map_err(host_error)?;
    let reader = vector.reader().map_err(host_error)?;
    for value in reader.iter().flatten() {
        parquet_interval(value.months, value.days, value.micros)?;
    }
    Ok(())
}

fn unread(error: arrow::error::ArrowError) -> Error {
    Error::schema_mismatch("rows from DuckDB cannot be read as Arrow").caused_by(error)
}

fn batch(columns: &[OutColumn], rows: &StructArray) -> Result<RecordBatch> {
    let fields = columns.iter().map(|column| column.ty.arrow_field(&column.name, Strings::Plain));
    let schema = arrow::datatypes::Schema::new(fields.collect::<Vec<_>>());
    let arrays = columns
        .iter()
        .zip(rows.columns())
        .map(|(column, array)| stored(array, &column.ty).map_err(|e| e.with("column", &column.name)));
    RecordBatch::try_new(Arc::new(schema), arrays.collect::<Result<_>>()?).map_err(unread)
}

/// The array in the Arrow form of `ty`.
fn stored(array: &ArrayRef, ty: &ColumnType) -> Result<ArrayRef> {
    let to = ty.arrow(Strings::Plain);
    if let (ColumnType::Timestamp(unit @ TimeUnit::Ms), Some(values)) =
        (ty, array.as_primitive_opt::<TimestampMillisecondType>())
        && let Some(far) = values.iter().flatten().find(|value| !unit.shows(*value))
    {
        return Err(Error::limit_exceeded(format!("{far} ms since 1970 are outside the range of DuckDB's {ty}")));
    }
    if *array.data_type() == to {
        return Ok(Arc::clone(array));
    }
    let unfit = || {
        Error::schema_mismatch(format!(
            "DuckDB gives {ty} as Arrow's {}; reset the settings that begin with arrow_",
            array.data_type()
        ))
    };
    Ok(match (ty, array.data_type()) {
        (ColumnType::Timestamp(TimeUnit::Us), DataType::Timestamp(arrow::datatypes::TimeUnit::Second, None)) => {
            micros(array)?
        }
        (ColumnType::TimestampTz(TimeUnit::Us), DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, _)) => {
            Arc::new(array.as_primitive::<TimestampMicrosecondType>().clone().with_timezone("UTC"))
        }
        (ColumnType::TimestampTz(TimeUnit::Ns), DataType::Timestamp(arrow::datatypes::TimeUnit::Nanosecond, _)) => {
            Arc::new(array.as_primitive::<TimestampNanosecondType>().clone().with_timezone("UTC"))
        }
        (ColumnType::Uuid, DataType::Utf8) => uuids(array)?,
        (ColumnType::Uuid, DataType::LargeUtf8 | DataType::Utf8View) => uuids(&texts(array).ok_or_else(unfit)?)?,
        (ColumnType::Decimal { .. }, DataType::Decimal32(..)) => {
            let wide: Decimal128Array = array.as_primitive::<Decimal32Type>().unary(i128::from);
            Arc::new(wide.with_data_type(to))
        }
        (ColumnType::Decimal { .. }, DataType::Decimal64(..)) => {
            let wide: Decimal128Array = array.as_primitive::<Decimal64Type>().unary(i128::from);
            Arc::new(wide.with_data_type(to))
        }
        (ColumnType::Interval, DataType::Interval(_)) => intervals(array)?,
        (ColumnType::Null, _) => new_null_array(&to, array.len()),
        (ColumnType::Boolean, DataType::Int8) => {
            let bytes = array.as_primitive::<Int8Type>().iter();
            Arc::new(bytes.map(|value| value.map(|value| value != 0)).collect::<BooleanArray>())
        }
        (ColumnType::Varchar, _) => texts(array).ok_or_else(unfit)?,
        (ColumnType::Blob, _) => blobs(array).ok_or_else(unfit)?,
        (ColumnType::HugeInt, DataType::FixedSizeBinary(16)) => huge_integers(array),
        (ColumnType::List(element), DataType::List(_)) => list(array.as_list(), element, &to)?,
        (ColumnType::List(element), DataType::LargeList(_)) => list(&short(array.as_list())?, element, &to)?,
        (ColumnType::List(element), DataType::FixedSizeList(..)) => {
            list(&ListArray::from(array.as_fixed_size_list().clone()), element, &to)?
        }
        (ColumnType::Struct(fields), DataType::Struct(_)) => Arc::new(structure(array.as_struct(), fields)?),
        (ColumnType::Map(key, value), DataType::Map(..)) => map(array.as_map(), key, value, &to)?,
        _ => return Err(unfit()),
    })
}

/// Microseconds of seconds.
fn micros(seconds: &ArrayRef) -> Result<ArrayRef> {
    let micros = |s: i64| match s {
        // DuckDB's infinities are alike in every unit.
        s if s == i64::MAX || s == -i64::MAX => Ok(s),
        s => s
            .checked_mul(1_000_000)
            .ok_or_else(|| Error::limit_exceeded(format!("{s} s since 1970 are outside the range of TIMESTAMP"))),
    };
    let micros: PrimitiveArray<TimestampMicrosecondType> =
        seconds.as_primitive::<TimestampSecondType>().try_unary(micros)?;
    Ok(Arc::new(micros))
}

fn uuids(array: &ArrayRef) -> Result<ArrayRef> {
    let bytes = |text: Option<&str>| -> Result<Option<[u8; 16]>> {
        let Some(text) = text else { return Ok(None) };
        let digits: String = text.chars().filter(|c| *c != '-').collect();
        let number = u128::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 32);
        let number = number.ok_or_else(|| Error::schema_mismatch(format!("'{text}' is not a UUID")))?;
        Ok(Some(number.to_be_bytes()))
    };
    let values = array.as_string::<i32>().iter().map(bytes).collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(values.into_iter(), 16).map_err(unread)?))
}

/// Text in any of the layouts in which the session's settings make DuckDB give it; an ENUM comes as a dictionary.
fn texts(array: &ArrayRef) -> Option<ArrayRef> {
    Some(match array.data_type() {
        DataType::LargeUtf8 => Arc::new(array.as_string::<i64>().iter().collect::<StringArray>()),
        DataType::Utf8View => Arc::new(array.as_string_view().iter().collect::<StringArray>()),
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary_opt()?;
            let values = dictionary.values();
            let plain = if *values.data_type() == DataType::Utf8 { Arc::clone(values) } else { texts(values)? };
            let (plain, keys) = (plain.as_string::<i32>(), dictionary.normalized_keys());
            let text = |row: usize| match array.is_valid(row) {
                true => keys.get(row).filter(|key| **key < plain.len()).map(|key| plain.value(*key)),
                false => None,
            };
            Arc::new((0..array.len()).map(text).collect::<StringArray>())
        }
        _ => return None,
    })
}

fn blobs(array: &ArrayRef) -> Option<ArrayRef> {
    Some(match array.data_type() {
        DataType::LargeBinary => Arc::new(array.as_binary::<i64>().iter().collect::<BinaryArray>()),
        DataType::BinaryView => Arc::new(array.as_binary_view().iter().collect::<BinaryArray>()),
        _ => return None,
    })
}

/// HUGEINT as `arrow_lossless_conversion` gives it.
fn huge_integers(array: &ArrayRef) -> ArrayRef {
    let number = |bytes: &[u8]| bytes.try_into().map_or(0, i128::from_le_bytes);
    let numbers = array.as_fixed_size_binary().iter().map(|bytes| bytes.map(number));
    Arc::new(numbers.collect::<Decimal128Array>().with_data_type(DataType::Decimal128(38, 0)))
}

/// The list with 32-bit offsets.
fn short(list: &LargeListArray) -> Result<ListArray> {
    let DataType::LargeList(field) = list.data_type() else {
        return Err(Error::schema_mismatch("a list came as another Arrow type"));
    };
    let (first, last) = (list.offsets().first(), list.offsets().last());
    let within = |offset: i64| usize::try_from(offset).unwrap_or(0);
    let values = list.values().slice(within(first), within(last).saturating_sub(within(first)));
    let offsets = OffsetBuffer::from_lengths(list.offsets().lengths());
    ListArray::try_new(Arc::clone(field), offsets, values, list.nulls().cloned()).map_err(unread)
}

/// Months, days and milliseconds, as Parquet has them.
///
/// # Errors
/// `SchemaMismatch` naming the first value that has more than those hold.
fn intervals(array: &ArrayRef) -> Result<ArrayRef> {
    let unfit = || Error::schema_mismatch(format!("DuckDB gives INTERVAL as Arrow's {}", array.data_type()));
    let intervals = array.as_primitive_opt::<IntervalMonthDayNanoType>().ok_or_else(unfit)?;
    let interval = |value: IntervalMonthDayNano| parquet_interval(value.months, value.days, value.nanoseconds / 1_000);
    let bytes = |value: Option<IntervalMonthDayNano>| value.map(interval).transpose();
    let values = intervals.iter().map(bytes).collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(values.into_iter(), 12).map_err(unread)?))
}

fn list(array: &ListArray, element: &Field, to: &DataType) -> Result<ArrayRef> {
    let DataType::List(field) = to else { return Err(Error::schema_mismatch("a list came as another Arrow type")) };
    let values = stored(array.values(), &element.ty)?;
    let list = ListArray::try_new(Arc::clone(field), array.offsets().clone(), values, array.nulls().cloned());
    Ok(Arc::new(list.map_err(unread)?))
}

fn structure(array: &StructArray, fields: &[Field]) -> Result<StructArray> {
    let DataType::Struct(to) = ColumnType::Struct(fields.to_vec()).arrow(Strings::Plain) else {
        return Err(Error::schema_mismatch("a struct came as another Arrow type"));
    };
    let columns = fields.iter().zip(array.columns()).map(|(field, column)| stored(column, &field.ty));
    StructArray::try_new(to, columns.collect::<Result<_>>()?, array.nulls().cloned()).map_err(unread)
}

fn map(array: &MapArray, key: &Field, value: &Field, to: &DataType) -> Result<ArrayRef> {
    let DataType::Map(entries, ordered) = to else {
        return Err(Error::schema_mismatch("a column of type MAP does not hold a map"));
    };
    let parts = structure(array.entries(), &[key.clone(), value.clone()])?;
    let map = MapArray::try_new(Arc::clone(entries), array.offsets().clone(), parts, array.nulls().cloned(), *ordered);
    Ok(Arc::new(map.map_err(unread)?))
}
