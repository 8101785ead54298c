//! DuckDB's values of the v2 C API as arguments and constants, and back.

use duckdb_neo::{
    FromValue, ToValue,
    connection::FFILink,
    logical_type::LogicalTypeID as Id,
    types::{
        BlobValue, DateValue, DecimalValue, IntervalValue, TimeNsValue, TimeValue, TimestampMsValue, TimestampNsValue,
        TimestampSecValue, TimestampTzNsValue, TimestampTzValue, TimestampValue, UuidValueRaw,
    },
    value::Value,
};
use tstable_core::{
    Error, Result,
    prune::expr::Constant,
    schema::{ColumnType, TimeUnit},
};

use super::{super::Arg, host_error, types};

/// A value as its own type has it.
pub(super) fn argument(value: &Value) -> Result<Arg> {
    if let Some(constant) = constant(value)? {
        return Ok(Arg::Scalar(constant));
    }
    let ty = value.logical_type().map_err(host_error)?;
    match ty.id().map_err(host_error)? {
        Id::List | Id::Array => Ok(Arg::List(children(value)?)),
        Id::Struct => {
            let names = ty.get_params().map_err(host_error)?.into_iter().map(|(name, _)| name);
            Ok(Arg::Struct(names.zip(children(value)?).collect()))
        }
        Id::Map => {
            let mut parts = children(value)?.into_iter();
            let mut entries = Vec::new();
            while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
                entries.push((key, value));
            }
            Ok(Arg::Map(entries))
        }
        Id::Enum => Ok(Arg::Scalar(Constant::Text(value.to_string()))),
        _ => Ok(Arg::Other(ty.to_text().map_err(host_error)?, value.to_string())),
    }
}

fn children(value: &Value) -> Result<Vec<Arg>> {
    value.children().map_err(host_error)?.iter().map(argument).collect()
}

/// A value of a type that constants have; none for all others.
pub(super) fn constant(value: &Value) -> Result<Option<Constant>> {
    if value.is_null().map_err(host_error)? {
        return Ok(Some(Constant::Null));
    }
    let id = value.logical_type().and_then(|ty| ty.id()).map_err(host_error)?;
    Ok(match id {
        Id::Boolean => Some(Constant::Bool(get(value)?)),
        Id::TinyInt => Some(Constant::Int(get::<i8>(value)?.into())),
        Id::SmallInt => Some(Constant::Int(get::<i16>(value)?.into())),
        Id::Integer => Some(Constant::Int(get::<i32>(value)?.into())),
        Id::BigInt => Some(Constant::Int(get::<i64>(value)?.into())),
        Id::UTinyInt => Some(Constant::Int(get::<u8>(value)?.into())),
        Id::USmallInt => Some(Constant::Int(get::<u16>(value)?.into())),
        Id::UInteger => Some(Constant::Int(get::<u32>(value)?.into())),
        Id::UBigInt => Some(Constant::Int(get::<u64>(value)?.into())),
        Id::HugeInt => Some(Constant::Int(get::<i128>(value)?)),
        Id::Float => Some(Constant::Float(get::<f32>(value)?.into())),
        Id::Double => Some(Constant::Float(get(value)?)),
        Id::Decimal => {
            let decimal = get::<DecimalValue>(value)?;
            Some(Constant::Decimal(decimal.value, decimal.scale))
        }
        Id::Varchar => Some(Constant::Text(get(value)?)),
        Id::Blob => Some(Constant::Bytes(get::<BlobValue>(value)?.0)),
        // DuckDB keeps a UUID as a signed number, its first bit turned.
        Id::Uuid => Some(Constant::Uuid((get::<UuidValueRaw>(value)?.0 ^ i128::MIN).cast_unsigned())),
        Id::Interval => {
            let IntervalValue { months, days, micros } = get(value)?;
            Some(Constant::Interval { months, days, micros })
        }
        _ => temporal(id, value)?,
    })
}

fn temporal(id: Id, value: &Value) -> Result<Option<Constant>> {
    let count = match id {
        Id::Date => i64::from(get::<DateValue>(value)?.0),
        Id::Time => get::<TimeValue>(value)?.0,
        Id::TimeNs => get::<TimeNsValue>(value)?.0,
        Id::Timestamp => get::<TimestampValue>(value)?.0,
        Id::TimestampSec => get::<TimestampSecValue>(value)?.0,
        Id::TimestampMs => get::<TimestampMsValue>(value)?.0,
        Id::TimestampNs => get::<TimestampNsValue>(value)?.0,
        Id::TimestampTz => get::<TimestampTzValue>(value)?.0,
        Id::TimestampTzNs => get::<TimestampTzNsValue>(value)?.0,
        _ => return Ok(None),
    };
    Ok(types::column_type(id).map(|ty| Constant::Temporal(ty, count)))
}

/// A value that is not NULL.
fn get<T: FromValue>(value: &Value) -> Result<T> {
    value.get().map_err(host_error)?.ok_or_else(|| Error::internal("DuckDB called a NULL a value"))
}

/// A constant as a value of exactly DuckDB's type for `ty`; none when there is no direct way.
pub(super) fn host_value(link: &dyn FFILink, ty: &ColumnType, constant: &Constant) -> Result<Option<Value>> {
    let value = match (ty, constant) {
        (_, Constant::Null) => Value::null(link, &types::logical(link, ty)?).map(Some),
        (ColumnType::Boolean, Constant::Bool(value)) => value.value(link).map(Some),
        (ColumnType::Varchar, Constant::Text(text)) => text.as_str().value(link).map(Some),
        (_, Constant::Int(value)) => return integer(link, ty, *value),
        (ColumnType::Double, Constant::Float(value)) => value.value(link).map(Some),
        (ColumnType::Uuid, Constant::Uuid(value)) => {
            UuidValueRaw(value.cast_signed() ^ i128::MIN).value(link).map(Some)
        }
        (_, Constant::Temporal(of, count)) if of == ty => return moment(link, ty, *count),
        _ => Ok(None),
    };
    value.map_err(host_error)
}

fn integer(link: &dyn FFILink, ty: &ColumnType, value: i128) -> Result<Option<Value>> {
    fn narrow<T: TryFrom<i128> + ToValue>(link: &dyn FFILink, value: i128) -> Result<Option<Value>> {
        T::try_from(value).ok().map(|value| value.value(link)).transpose().map_err(host_error)
    }
    match ty {
        ColumnType::TinyInt => narrow::<i8>(link, value),
        ColumnType::SmallInt => narrow::<i16>(link, value),
        ColumnType::Integer => narrow::<i32>(link, value),
        ColumnType::BigInt => narrow::<i64>(link, value),
        ColumnType::UTinyInt => narrow::<u8>(link, value),
        ColumnType::USmallInt => narrow::<u16>(link, value),
        ColumnType::UInteger => narrow::<u32>(link, value),
        ColumnType::UBigInt => narrow::<u64>(link, value),
        _ => Ok(None),
    }
}

fn moment(link: &dyn FFILink, ty: &ColumnType, count: i64) -> Result<Option<Value>> {
    let value = match ty {
        ColumnType::Date => match i32::try_from(count) {
            Ok(days) => DateValue(days).value(link),
            Err(_) => return Ok(None),
        },
        ColumnType::Timestamp(TimeUnit::S) => TimestampSecValue(count).value(link),
        ColumnType::Timestamp(TimeUnit::Us) => TimestampValue(count).value(link),
        ColumnType::Timestamp(TimeUnit::Ns) => TimestampNsValue(count).value(link),
        ColumnType::TimestampTz(TimeUnit::Us) => TimestampTzValue(count).value(link),
        ColumnType::TimestampTz(TimeUnit::Ns) => TimestampTzNsValue(count).value(link),
        _ => return Ok(None),
    };
    value.map(Some).map_err(host_error)
}
