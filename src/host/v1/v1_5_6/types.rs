//! The types in which a table keeps the columns of a query.

use libduckdb_sys as ffi;
use tstable_core::{
    Error, Result,
    schema::{ColumnType, Field, TimeUnit},
};

use super::super::{owned_text, types::LogicalType};

/// The type in which a table keeps a column, as Parquet files would: seconds as microseconds. `name` is for messages.
///
/// # Errors
/// `SchemaMismatch` for a type that Parquet files do not hold, with what to cast it to.
pub(super) fn stored(name: &str, ty: &LogicalType) -> Result<ColumnType> {
    let refused = |type_name: &str, advice: &str| {
        Err(Error::schema_mismatch(format!(
            "column \"{name}\" is {type_name}, which Parquet files do not hold; {advice}"
        )))
    };
    match ty.id() {
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_DECIMAL => Ok(decimal(ty)),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_LIST => list(name, ty),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_STRUCT => structure(ty),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_MAP => map(name, ty),
        // The loader fits these into a type that Parquet has.
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_HUGEINT => Ok(ColumnType::HugeInt),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_ENUM => Ok(ColumnType::Varchar),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_SQLNULL => Ok(ColumnType::Null),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_ARRAY => array(name, ty),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_UHUGEINT => refused("UHUGEINT", "cast it to UBIGINT, HUGEINT or DOUBLE"),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIME_TZ => refused("TIME WITH TIME ZONE", "cast it to TIME or VARCHAR"),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_BIT => refused("BIT", "cast it to VARCHAR"),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_UNION => refused("a UNION", "cast it to VARCHAR or to one member's type"),
        id => plain(id).map_or_else(|| refused("of another type", "cast it to a type that they hold"), Ok),
    }
}

fn plain(id: ffi::duckdb_type) -> Option<ColumnType> {
    Some(match id {
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_BOOLEAN => ColumnType::Boolean,
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TINYINT => ColumnType::TinyInt,
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_SMALLINT => ColumnType::SmallInt,
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_INTEGER => ColumnType::Integer,
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_BIGINT => ColumnType::BigInt,
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_UTINYINT => ColumnType::UTinyInt,
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_USMALLINT => ColumnType::USmallInt,
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_UINTEGER => ColumnType::UInteger,
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_UBIGINT => ColumnType::UBigInt,
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_FLOAT => ColumnType::Float,
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_DOUBLE => ColumnType::Double,
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR => ColumnType::Varchar,
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_BLOB => ColumnType::Blob,
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_DATE => ColumnType::Date,
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIME => ColumnType::Time(TimeUnit::Us),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIME_NS => ColumnType::Time(TimeUnit::Ns),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_S | ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP => {
            ColumnType::Timestamp(TimeUnit::Us)
        }
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_MS => ColumnType::Timestamp(TimeUnit::Ms),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_NS => ColumnType::Timestamp(TimeUnit::Ns),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_TZ => ColumnType::TimestampTz(TimeUnit::Us),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_TZ_NS => ColumnType::TimestampTz(TimeUnit::Ns),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_INTERVAL => ColumnType::Interval,
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_UUID => ColumnType::Uuid,
        _ => return None,
    })
}

fn decimal(ty: &LogicalType) -> ColumnType {
    // SAFETY: the type is a live DECIMAL.
    unsafe {
        ColumnType::Decimal {
            precision: ffi::duckdb_decimal_width(ty.raw()),
            scale: ffi::duckdb_decimal_scale(ty.raw()),
        }
    }
}

fn list(name: &str, ty: &LogicalType) -> Result<ColumnType> {
    // SAFETY: the type is a live LIST; that of its elements is owned here.
    let element = LogicalType::own(unsafe { ffi::duckdb_list_type_child_type(ty.raw()) });
    Ok(ColumnType::List(Box::new(Field::new("element", stored(name, &element)?))))
}

fn array(name: &str, ty: &LogicalType) -> Result<ColumnType> {
    // SAFETY: the type is a live ARRAY; that of its elements is owned here.
    let element = LogicalType::own(unsafe { ffi::duckdb_array_type_child_type(ty.raw()) });
    Ok(ColumnType::List(Box::new(Field::new("element", stored(name, &element)?))))
}

fn structure(ty: &LogicalType) -> Result<ColumnType> {
    // SAFETY: the type is a live STRUCT; names and types of its fields are owned here.
    let field = |index| unsafe {
        let name = owned_text(ffi::duckdb_struct_type_child_name(ty.raw(), index));
        let ty = stored(&name, &LogicalType::own(ffi::duckdb_struct_type_child_type(ty.raw(), index)))?;
        Ok(Field::new(name, ty))
    };
    // SAFETY: as above.
    let count = unsafe { ffi::duckdb_struct_type_child_count(ty.raw()) };
    Ok(ColumnType::Struct((0..count).map(field).collect::<Result<_>>()?))
}

fn map(name: &str, ty: &LogicalType) -> Result<ColumnType> {
    // SAFETY: the type is a live MAP; the types of keys and values are owned here.
    let (key, value) = unsafe {
        (
            LogicalType::own(ffi::duckdb_map_type_key_type(ty.raw())),
            LogicalType::own(ffi::duckdb_map_type_value_type(ty.raw())),
        )
    };
    let key = Field { name: "key".to_owned(), ty: stored(name, &key)?, nullable: false };
    Ok(ColumnType::Map(Box::new(key), Box::new(Field::new("value", stored(name, &value)?))))
}
