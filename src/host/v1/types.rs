//! DuckDB's logical types through the v1 C API.

use std::ffi::CString;

use libduckdb_sys as ffi;
use tstable_core::schema::{ColumnType, Field, TimeUnit};

use super::{super::ParamType, c_string};

/// An owned logical type.
pub(super) struct LogicalType(ffi::duckdb_logical_type);

impl Drop for LogicalType {
    fn drop(&mut self) {
        // SAFETY: this is the only owner of the handle.
        unsafe { ffi::duckdb_destroy_logical_type(&raw mut self.0) };
    }
}

/// The type of nanoseconds since midnight, which DuckDB 1.4 does not have.
pub(super) const TIME_NS: ffi::duckdb_type = ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIME_NS;

impl LogicalType {
    /// Owns `raw`, which the caller got to destroy.
    pub(super) fn own(raw: ffi::duckdb_logical_type) -> Self {
        Self(raw)
    }

    pub(super) fn id(&self) -> ffi::duckdb_type {
        // SAFETY: the handle is alive, or null, whose id is INVALID.
        unsafe { ffi::duckdb_get_type_id(self.0) }
    }

    pub(super) fn raw(&self) -> ffi::duckdb_logical_type {
        self.0
    }

    fn simple(id: ffi::duckdb_type) -> Self {
        // SAFETY: any id is allowed; the handle is owned by the result.
        Self(unsafe { ffi::duckdb_create_logical_type(id) })
    }

    fn list(element: &Self) -> Self {
        // SAFETY: DuckDB copies the element type.
        Self(unsafe { ffi::duckdb_create_list_type(element.0) })
    }

    fn map(key: &Self, value: &Self) -> Self {
        // SAFETY: DuckDB copies both types.
        Self(unsafe { ffi::duckdb_create_map_type(key.0, value.0) })
    }

    fn structure(fields: &[Field]) -> Self {
        let types: Vec<Self> = fields.iter().map(|field| Self::of(&field.ty)).collect();
        let names: Vec<CString> = fields.iter().map(|field| c_string(&field.name)).collect();
        let mut raw_types: Vec<_> = types.iter().map(Self::raw).collect();
        let mut raw_names: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
        // SAFETY: both arrays have as many live entries as the count says, and DuckDB copies them.
        Self(unsafe {
            ffi::duckdb_create_struct_type(raw_types.as_mut_ptr(), raw_names.as_mut_ptr(), raw_types.len() as u64)
        })
    }

    /// The type of a result column.
    pub(super) fn of(ty: &ColumnType) -> Self {
        match ty {
            ColumnType::Decimal { precision, scale } => {
                // SAFETY: plain numbers; the handle is owned by the result.
                Self(unsafe { ffi::duckdb_create_decimal_type(*precision, *scale) })
            }
            ColumnType::List(element) => Self::list(&Self::of(&element.ty)),
            ColumnType::Struct(fields) => Self::structure(fields),
            ColumnType::Map(key, value) => Self::map(&Self::of(&key.ty), &Self::of(&value.ty)),
            ColumnType::Time(TimeUnit::Ns) => Self::nanosecond_time(),
            _ => Self::simple(type_id(ty)),
        }
    }

    /// TIME_NS, or TIME of a DuckDB without it.
    fn nanosecond_time() -> Self {
        let ty = Self::simple(TIME_NS);
        if ty.id() == TIME_NS { ty } else { Self::simple(ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIME) }
    }

    /// The type of a parameter.
    pub(super) fn of_parameter(ty: ParamType) -> Self {
        match ty {
            ParamType::Any => Self::simple(ffi::DUCKDB_TYPE_DUCKDB_TYPE_ANY),
            ParamType::Varchar => Self::of(&ColumnType::Varchar),
            ParamType::Boolean => Self::of(&ColumnType::Boolean),
            ParamType::BigInt => Self::of(&ColumnType::BigInt),
            ParamType::VarcharList => Self::list(&Self::of(&ColumnType::Varchar)),
        }
    }
}

/// The id of a type without parameters.
fn type_id(ty: &ColumnType) -> ffi::duckdb_type {
    match ty {
        ColumnType::Boolean => ffi::DUCKDB_TYPE_DUCKDB_TYPE_BOOLEAN,
        ColumnType::TinyInt => ffi::DUCKDB_TYPE_DUCKDB_TYPE_TINYINT,
        ColumnType::SmallInt => ffi::DUCKDB_TYPE_DUCKDB_TYPE_SMALLINT,
        ColumnType::Integer | ColumnType::Null => ffi::DUCKDB_TYPE_DUCKDB_TYPE_INTEGER,
        ColumnType::BigInt => ffi::DUCKDB_TYPE_DUCKDB_TYPE_BIGINT,
        ColumnType::UTinyInt => ffi::DUCKDB_TYPE_DUCKDB_TYPE_UTINYINT,
        ColumnType::USmallInt => ffi::DUCKDB_TYPE_DUCKDB_TYPE_USMALLINT,
        ColumnType::UInteger => ffi::DUCKDB_TYPE_DUCKDB_TYPE_UINTEGER,
        ColumnType::UBigInt => ffi::DUCKDB_TYPE_DUCKDB_TYPE_UBIGINT,
        ColumnType::HugeInt => ffi::DUCKDB_TYPE_DUCKDB_TYPE_HUGEINT,
        ColumnType::HalfFloat | ColumnType::Float => ffi::DUCKDB_TYPE_DUCKDB_TYPE_FLOAT,
        ColumnType::Double => ffi::DUCKDB_TYPE_DUCKDB_TYPE_DOUBLE,
        ColumnType::Varchar => ffi::DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR,
        ColumnType::Blob => ffi::DUCKDB_TYPE_DUCKDB_TYPE_BLOB,
        ColumnType::Date => ffi::DUCKDB_TYPE_DUCKDB_TYPE_DATE,
        ColumnType::Time(_) => ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIME,
        ColumnType::TimeTz(_) => ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIME_TZ,
        ColumnType::Timestamp(TimeUnit::S) => ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_S,
        ColumnType::Timestamp(TimeUnit::Ns) => ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_NS,
        ColumnType::Timestamp(_) => ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP,
        ColumnType::TimestampTz(_) => ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_TZ,
        ColumnType::Interval => ffi::DUCKDB_TYPE_DUCKDB_TYPE_INTERVAL,
        ColumnType::Uuid => ffi::DUCKDB_TYPE_DUCKDB_TYPE_UUID,
        ColumnType::Decimal { .. } | ColumnType::List(_) | ColumnType::Struct(_) | ColumnType::Map(..) => {
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_INVALID
        }
    }
}
