//! The table's types in Delta's words, and values of the index in the words of its statistics.

use chrono::{DateTime, Datelike, Utc};
use serde_json::{Value, json};

use crate::{
    error::{Error, Result},
    schema::{ColumnType, Field, Schema, TimeUnit},
    time::IndexValue,
};

/// # Errors
/// `SchemaMismatch` naming every column that Delta has no type for.
pub(super) fn check(schema: Option<&Schema>) -> Result<()> {
    let columns = schema.map_or(&[][..], |schema| &schema.columns);
    let unfit = columns.iter().filter(|column| of(&column.ty).is_none());
    let unfit: Vec<String> = unfit.map(|column| format!("\"{}\" {}", column.name, column.ty)).collect();
    if unfit.is_empty() {
        return Ok(());
    }
    Err(Error::schema_mismatch(format!(
        "Delta Lake has no type for {}; export the table without these columns, or load them as a type that Delta has",
        unfit.join(", ")
    )))
}

/// The `schemaString` of a table's metadata.
pub(super) fn schema_string(schema: Option<&Schema>) -> String {
    let columns = schema.map_or(&[][..], |schema| &schema.columns);
    let fields: Vec<Value> =
        columns.iter().filter_map(|column| Some(field(&column.name, of(&column.ty)?, true))).collect();
    json!({"type": "struct", "fields": fields}).to_string()
}

/// Whether any column holds timestamps without a zone, which is a feature of its own there. A table that has no columns yet will
/// most likely get one.
pub(super) fn has_wall_clock(schema: Option<&Schema>) -> bool {
    schema.is_none_or(|schema| schema.columns.iter().any(|column| wall_clock(&column.ty)))
}

fn wall_clock(ty: &ColumnType) -> bool {
    match ty {
        ColumnType::Timestamp(_) => true,
        ColumnType::List(element) => wall_clock(&element.ty),
        ColumnType::Map(key, value) => wall_clock(&key.ty) || wall_clock(&value.ty),
        ColumnType::Struct(fields) => fields.iter().any(|field| wall_clock(&field.ty)),
        _ => false,
    }
}

fn field(name: &str, ty: Value, nullable: bool) -> Value {
    json!({"name": name, "type": ty, "nullable": nullable, "metadata": {}})
}

/// The type in Delta; none when it has none. Unsigned integers become the next wider signed ones, which hold all their values.
fn of(ty: &ColumnType) -> Option<Value> {
    let word = match ty {
        ColumnType::Boolean => "boolean",
        ColumnType::TinyInt => "byte",
        ColumnType::SmallInt | ColumnType::UTinyInt => "short",
        ColumnType::Integer | ColumnType::USmallInt => "integer",
        ColumnType::BigInt | ColumnType::UInteger => "long",
        ColumnType::Float => "float",
        ColumnType::Double => "double",
        ColumnType::Varchar => "string",
        ColumnType::Blob => "binary",
        ColumnType::Date => "date",
        ColumnType::Timestamp(TimeUnit::Us | TimeUnit::Ms | TimeUnit::S) => "timestamp_ntz",
        ColumnType::TimestampTz(TimeUnit::Us | TimeUnit::Ms | TimeUnit::S) => "timestamp",
        ColumnType::Decimal { precision, scale } => return Some(format!("decimal({precision},{scale})").into()),
        ColumnType::List(element) => {
            return Some(json!({
                "type": "array", "elementType": of(&element.ty)?, "containsNull": element.nullable
            }));
        }
        ColumnType::Struct(fields) => {
            let part = |part: &Field| Some(field(&part.name, of(&part.ty)?, part.nullable));
            let fields = fields.iter().map(part).collect::<Option<Vec<_>>>()?;
            return Some(json!({"type": "struct", "fields": fields}));
        }
        ColumnType::Map(key, value) => {
            return Some(json!({
                "type": "map", "keyType": of(&key.ty)?, "valueType": of(&value.ty)?, "valueContainsNull": value.nullable
            }));
        }
        _ => return None,
    };
    Some(word.into())
}

/// An index value as statistics hold it; none when their calendar, the years 1 to 9999, does not reach so far.
pub(super) fn statistic(value: IndexValue, ty: &ColumnType) -> Option<Value> {
    let number = i64::try_from(value.0).ok()?;
    match ty {
        ColumnType::Date => {
            let days = chrono::Duration::try_days(number)?;
            let date = chrono::NaiveDate::default().checked_add_signed(days)?;
            (1..=9999).contains(&date.year()).then(|| date.format("%Y-%m-%d").to_string().into())
        }
        ColumnType::Timestamp(unit) => instant(number, *unit, "").map(Into::into),
        ColumnType::TimestampTz(unit) => instant(number, *unit, "Z").map(Into::into),
        _ => Some(number.into()),
    }
}

fn instant(number: i64, unit: TimeUnit, zone: &str) -> Option<String> {
    let micros = i64::try_from(i128::from(number) * i128::from(unit.nanos()) / 1_000).ok()?;
    let time: DateTime<Utc> = DateTime::from_timestamp_micros(micros)?;
    (1..=9999).contains(&time.year()).then(|| format!("{}{zone}", time.format("%Y-%m-%dT%H:%M:%S%.6f")))
}
