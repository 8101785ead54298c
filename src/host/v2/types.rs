//! DuckDB's logical types through the v2 C API.

use duckdb_neo::{
    Parameters, QueryParameter,
    connection::FFILink,
    logical_type::{LogicalType, LogicalTypeID as Id},
};
use tstable_core::{
    Result,
    schema::{ColumnType, Field, TimeUnit},
};

use super::{super::ParamType, host_error};

/// The type of a result column, an argument or a scalar's result.
pub(super) fn logical(link: &dyn FFILink, ty: &ColumnType) -> Result<LogicalType> {
    match ty {
        ColumnType::Decimal { precision, scale } => {
            create(link, Id::Decimal, Parameters::positional(&[precision, scale]))
        }
        ColumnType::List(element) => list(link, &element.ty),
        ColumnType::Map(key, value) => {
            let (key, value) = (logical(link, &key.ty)?, logical(link, &value.ty)?);
            create(link, Id::Map, Parameters::positional(&[&key, &value]))
        }
        ColumnType::Struct(fields) => structure(link, fields),
        _ => create(link, type_id(ty), Parameters::None),
    }
}

fn create(link: &dyn FFILink, id: Id, parameters: Parameters<'_>) -> Result<LogicalType> {
    LogicalType::create_from_id(link, id, parameters).map_err(host_error)
}

fn list(link: &dyn FFILink, element: &ColumnType) -> Result<LogicalType> {
    create(link, Id::List, Parameters::positional(&[&logical(link, element)?]))
}

fn structure(link: &dyn FFILink, fields: &[Field]) -> Result<LogicalType> {
    let types = fields.iter().map(|field| logical(link, &field.ty)).collect::<Result<Vec<_>>>()?;
    let named: Vec<(&str, &dyn QueryParameter)> =
        fields.iter().zip(&types).map(|(field, ty)| (field.name.as_str(), ty as &dyn QueryParameter)).collect();
    create(link, Id::Struct, Parameters::named(&named))
}

/// The type of a required parameter.
pub(super) fn parameter(link: &dyn FFILink, ty: ParamType) -> Result<LogicalType> {
    match ty {
        ParamType::Any => create(link, Id::Any, Parameters::None),
        ParamType::Varchar => logical(link, &ColumnType::Varchar),
        ParamType::Boolean => logical(link, &ColumnType::Boolean),
        ParamType::BigInt => logical(link, &ColumnType::BigInt),
        ParamType::VarcharList => list(link, &ColumnType::Varchar),
    }
}

/// The id of DuckDB's type for `ty`.
pub(super) fn type_id(ty: &ColumnType) -> Id {
    match ty {
        ColumnType::Boolean => Id::Boolean,
        ColumnType::TinyInt => Id::TinyInt,
        ColumnType::SmallInt => Id::SmallInt,
        ColumnType::Integer | ColumnType::Null => Id::Integer,
        ColumnType::BigInt => Id::BigInt,
        ColumnType::UTinyInt => Id::UTinyInt,
        ColumnType::USmallInt => Id::USmallInt,
        ColumnType::UInteger => Id::UInteger,
        ColumnType::UBigInt => Id::UBigInt,
        ColumnType::HugeInt => Id::HugeInt,
        ColumnType::HalfFloat | ColumnType::Float => Id::Float,
        ColumnType::Double => Id::Double,
        ColumnType::Decimal { .. } => Id::Decimal,
        ColumnType::Varchar => Id::Varchar,
        ColumnType::Blob => Id::Blob,
        ColumnType::Date => Id::Date,
        ColumnType::Time(TimeUnit::Ns) => Id::TimeNs,
        ColumnType::Time(_) => Id::Time,
        ColumnType::TimeTz(_) => Id::TimeTz,
        ColumnType::Timestamp(TimeUnit::S) => Id::TimestampSec,
        ColumnType::Timestamp(TimeUnit::Ns) => Id::TimestampNs,
        ColumnType::Timestamp(_) => Id::Timestamp,
        ColumnType::TimestampTz(TimeUnit::Ns) => Id::TimestampTzNs,
        ColumnType::TimestampTz(_) => Id::TimestampTz,
        ColumnType::Interval => Id::Interval,
        ColumnType::Uuid => Id::Uuid,
        ColumnType::List(_) => Id::List,
        ColumnType::Struct(_) => Id::Struct,
        ColumnType::Map(..) => Id::Map,
    }
}

/// The column type of one of DuckDB's types without parameters, with microseconds where the unit is open; none for
/// types with parameters and those that no column has.
pub(super) fn column_type(id: Id) -> Option<ColumnType> {
    Some(match id {
        Id::Boolean => ColumnType::Boolean,
        Id::TinyInt => ColumnType::TinyInt,
        Id::SmallInt => ColumnType::SmallInt,
        Id::Integer => ColumnType::Integer,
        Id::BigInt => ColumnType::BigInt,
        Id::UTinyInt => ColumnType::UTinyInt,
        Id::USmallInt => ColumnType::USmallInt,
        Id::UInteger => ColumnType::UInteger,
        Id::UBigInt => ColumnType::UBigInt,
        Id::HugeInt => ColumnType::HugeInt,
        Id::Float => ColumnType::Float,
        Id::Double => ColumnType::Double,
        Id::Varchar => ColumnType::Varchar,
        Id::Blob => ColumnType::Blob,
        Id::Date => ColumnType::Date,
        Id::Time => ColumnType::Time(TimeUnit::Us),
        Id::TimeNs => ColumnType::Time(TimeUnit::Ns),
        Id::TimestampSec => ColumnType::Timestamp(TimeUnit::S),
        Id::TimestampMs => ColumnType::Timestamp(TimeUnit::Ms),
        Id::Timestamp => ColumnType::Timestamp(TimeUnit::Us),
        Id::TimestampNs => ColumnType::Timestamp(TimeUnit::Ns),
        Id::TimestampTz => ColumnType::TimestampTz(TimeUnit::Us),
        Id::TimestampTzNs => ColumnType::TimestampTz(TimeUnit::Ns),
        Id::Interval => ColumnType::Interval,
        Id::Uuid => ColumnType::Uuid,
        _ => return None,
    })
}
