//! The scalar types of Parquet: what each means to DuckDB and how it must be annotated for the Parquet reader to deliver
//! it so. Nesting is decided in [`super::schema`].

use std::sync::Arc;

use parquet::{
    basic::{
        ConvertedType, DecimalType, IntType, LogicalType, TimeType, TimeUnit as ParquetUnit, TimestampType,
        Type as Physical,
    },
    errors::Result as ParquetResult,
    schema::types::{BasicTypeInfo, SchemaDescriptor, Type, TypePtr},
};

use crate::schema::{ColumnType, TimeUnit};

/// The most digits of a DECIMAL.
const MAX_DIGITS: i32 = 38;

/// The type as DuckDB shows it; none when it has no counterpart.
pub(super) fn leaf_type(ty: &Type) -> Option<ColumnType> {
    let Type::PrimitiveType { basic_info, physical_type, type_length, .. } = ty else { return None };
    match basic_info.logical_type_ref() {
        Some(logical) => logical_type(logical, ty, *physical_type, *type_length),
        None => converted_type(basic_info, ty, *physical_type, *type_length),
    }
}

fn logical_type(logical: &LogicalType, ty: &Type, physical: Physical, length: i32) -> Option<ColumnType> {
    Some(match (logical, physical) {
        (LogicalType::String | LogicalType::Enum | LogicalType::Json, Physical::BYTE_ARRAY) => ColumnType::Varchar,
        (LogicalType::Bson, Physical::BYTE_ARRAY) => ColumnType::Blob,
        (LogicalType::Integer(IntType { bit_width, is_signed }), Physical::INT32 | Physical::INT64) => {
            integer(i32::from(*bit_width), *is_signed)?
        }
        (LogicalType::Decimal(DecimalType { precision, scale }), _) => decimal(*precision, *scale)?,
        (LogicalType::Date, Physical::INT32) => ColumnType::Date,
        (LogicalType::Time(TimeType { is_adjusted_to_u_t_c, unit }), Physical::INT32 | Physical::INT64) => {
            if *is_adjusted_to_u_t_c {
                ColumnType::TimeTz(time_unit(*unit))
            } else {
                ColumnType::Time(time_unit(*unit))
            }
        }
        (LogicalType::Timestamp(TimestampType { is_adjusted_to_u_t_c, unit }), Physical::INT64) => {
            if *is_adjusted_to_u_t_c {
                ColumnType::TimestampTz(time_unit(*unit))
            } else {
                ColumnType::Timestamp(time_unit(*unit))
            }
        }
        (LogicalType::Uuid, Physical::FIXED_LEN_BYTE_ARRAY) if length == 16 => ColumnType::Uuid,
        (LogicalType::Float16, Physical::FIXED_LEN_BYTE_ARRAY) if length == 2 => ColumnType::HalfFloat,
        // A column of NULLs; the writers that have such store 32-bit integers.
        (LogicalType::Unknown, Physical::INT32) => ColumnType::Null,
        (LogicalType::Unknown, _) => plain(ty, physical)?,
        _ => return None,
    })
}

fn converted_type(info: &BasicTypeInfo, ty: &Type, physical: Physical, length: i32) -> Option<ColumnType> {
    Some(match info.converted_type() {
        ConvertedType::NONE => plain(ty, physical)?,
        ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON if physical == Physical::BYTE_ARRAY => {
            ColumnType::Varchar
        }
        ConvertedType::BSON => ColumnType::Blob,
        ConvertedType::DECIMAL => decimal(ty.get_precision(), ty.get_scale())?,
        ConvertedType::DATE => ColumnType::Date,
        ConvertedType::TIME_MILLIS => ColumnType::Time(TimeUnit::Ms),
        ConvertedType::TIME_MICROS => ColumnType::Time(TimeUnit::Us),
        ConvertedType::TIMESTAMP_MILLIS => ColumnType::Timestamp(TimeUnit::Ms),
        ConvertedType::TIMESTAMP_MICROS => ColumnType::Timestamp(TimeUnit::Us),
        ConvertedType::UINT_8 => ColumnType::UTinyInt,
        ConvertedType::UINT_16 => ColumnType::USmallInt,
        ConvertedType::UINT_32 => ColumnType::UInteger,
        ConvertedType::UINT_64 => ColumnType::UBigInt,
        ConvertedType::INT_8 => ColumnType::TinyInt,
        ConvertedType::INT_16 => ColumnType::SmallInt,
        ConvertedType::INT_32 => ColumnType::Integer,
        ConvertedType::INT_64 => ColumnType::BigInt,
        ConvertedType::INTERVAL if physical == Physical::FIXED_LEN_BYTE_ARRAY && length == 12 => ColumnType::Interval,
        _ => return None,
    })
}

fn plain(ty: &Type, physical: Physical) -> Option<ColumnType> {
    Some(match physical {
        Physical::BOOLEAN => ColumnType::Boolean,
        Physical::INT32 => ColumnType::Integer,
        Physical::INT64 => ColumnType::BigInt,
        Physical::INT96 => ColumnType::Timestamp(TimeUnit::Us),
        Physical::FLOAT => ColumnType::Float,
        Physical::DOUBLE => ColumnType::Double,
        Physical::BYTE_ARRAY => ColumnType::Blob,
        Physical::FIXED_LEN_BYTE_ARRAY => {
            let Type::PrimitiveType { type_length, .. } = ty else { return None };
            (*type_length > 0).then_some(ColumnType::Blob)?
        }
    })
}

fn integer(bits: i32, signed: bool) -> Option<ColumnType> {
    Some(match (bits, signed) {
        (8, true) => ColumnType::TinyInt,
        (16, true) => ColumnType::SmallInt,
        (32, true) => ColumnType::Integer,
        (64, true) => ColumnType::BigInt,
        (8, false) => ColumnType::UTinyInt,
        (16, false) => ColumnType::USmallInt,
        (32, false) => ColumnType::UInteger,
        (64, false) => ColumnType::UBigInt,
        _ => return None,
    })
}

fn decimal(precision: i32, scale: i32) -> Option<ColumnType> {
    if !(1..=MAX_DIGITS).contains(&precision) || !(0..=precision).contains(&scale) {
        return None;
    }
    Some(ColumnType::Decimal { precision: u8::try_from(precision).ok()?, scale: u8::try_from(scale).ok()? })
}

fn time_unit(unit: ParquetUnit) -> TimeUnit {
    match unit {
        ParquetUnit::MILLIS => TimeUnit::Ms,
        ParquetUnit::MICROS => TimeUnit::Us,
        ParquetUnit::NANOS => TimeUnit::Ns,
    }
}

/// Parquet's words for a leaf, for messages: `DECIMAL(50,2)`, `INT64 (TIME_MILLIS)`.
pub(super) fn describe(ty: &Type) -> String {
    let info = ty.get_basic_info();
    let annotation = match info.logical_type_ref() {
        Some(LogicalType::Decimal(DecimalType { precision, scale })) => return format!("DECIMAL({precision},{scale})"),
        Some(LogicalType::Variant(_)) => return "VARIANT".to_owned(),
        Some(LogicalType::Geometry(_)) => return "GEOMETRY".to_owned(),
        Some(LogicalType::Geography(_)) => return "GEOGRAPHY".to_owned(),
        Some(other) => Some(format!("{other:?}")),
        None if info.converted_type() == ConvertedType::NONE => None,
        None if info.converted_type() == ConvertedType::DECIMAL && ty.is_primitive() => {
            return format!("DECIMAL({},{})", ty.get_precision(), ty.get_scale());
        }
        None => Some(info.converted_type().to_string()),
    };
    let physical = if ty.is_primitive() { ty.get_physical_type().to_string() } else { "group".to_owned() };
    annotation.map_or(physical.clone(), |annotation| format!("{physical} ({annotation})"))
}

/// The schema under other annotations, where the Parquet reader would otherwise deliver a leaf as another type than
/// DuckDB shows (or not check that text is UTF-8); none when it reads the schema rightly as it is.
pub(super) fn readable(schema: &SchemaDescriptor) -> ParquetResult<Option<SchemaDescriptor>> {
    let root = schema.root_schema_ptr();
    let rebuilt = rebuild(&root, true)?;
    Ok(if Arc::ptr_eq(&root, &rebuilt) { None } else { Some(SchemaDescriptor::new(rebuilt)) })
}

fn rebuild(ty: &TypePtr, root: bool) -> ParquetResult<TypePtr> {
    if ty.is_primitive() {
        return Ok(relabelled(ty)?.map_or_else(|| Arc::clone(ty), Arc::new));
    }
    let fields: Vec<TypePtr> =
        ty.get_fields().iter().map(|field| rebuild(field, false)).collect::<ParquetResult<_>>()?;
    if fields.iter().zip(ty.get_fields()).all(|(new, old)| Arc::ptr_eq(new, old)) {
        return Ok(Arc::clone(ty));
    }
    let info = ty.get_basic_info();
    let mut group = Type::group_type_builder(ty.name())
        .with_fields(fields)
        .with_converted_type(info.converted_type())
        .with_logical_type(info.logical_type_ref().cloned())
        .with_id(info.has_id().then(|| info.id()));
    if !root {
        group = group.with_repetition(info.repetition());
    }
    Ok(Arc::new(group.build()?))
}

fn relabelled(ty: &Type) -> ParquetResult<Option<Type>> {
    let Type::PrimitiveType { basic_info: info, physical_type, type_length, .. } = ty else { return Ok(None) };
    let annotation = match (info.logical_type_ref(), info.converted_type()) {
        // The reader delivers this as NULLs.
        (Some(LogicalType::Unknown), _) if *physical_type == Physical::INT32 => return Ok(None),
        (Some(LogicalType::Unknown), _) | (None, ConvertedType::INTERVAL) => None,
        (Some(LogicalType::Json | LogicalType::Enum), _) | (None, ConvertedType::JSON | ConvertedType::ENUM) => {
            Some(LogicalType::String)
        }
        (None, ConvertedType::TIMESTAMP_MILLIS) => Some(LogicalType::timestamp(false, ParquetUnit::MILLIS)),
        (None, ConvertedType::TIMESTAMP_MICROS) => Some(LogicalType::timestamp(false, ParquetUnit::MICROS)),
        _ => return Ok(None),
    };
    Type::primitive_type_builder(ty.name(), *physical_type)
        .with_repetition(info.repetition())
        .with_logical_type(annotation)
        .with_length(*type_length)
        .with_id(info.has_id().then(|| info.id()))
        .build()
        .map(Some)
}
