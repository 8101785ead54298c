//! The log of timeseries-table-format, which has the name of ours: what its commits say, in every layout that was released (format
//! versions 1, 2, 6 and 7, of the releases 0.1 to 0.9). Reads only; what its files hold is for [`ReadForeign`] to tell.

use std::{fmt, sync::Arc};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

pub use super::recognized::PROGRAM;
use super::{
    Version,
    commit::{Commit, Instant, MAX_COMMIT_BYTES},
    hint::{HINT_PATH, MAX_HINT_BYTES},
    recognized::{Raw, meta_of, raw},
};
use crate::{
    error::{Error, ErrorKind, Result},
    schema::{ColumnType, Field, TimeUnit},
    storage::{Storage, check_path},
};

/// Puts commits of the other program in our words. Lies above the log, since what its segments hold is told by their files alone.
pub trait ReadForeign: fmt::Debug + Send + Sync {
    /// The commit of `version`; none when the table has no such version.
    ///
    /// # Errors
    /// `Corrupt` naming the file when the log or a file is damaged, `UnsupportedFormat` for a format or feature that is not known.
    fn commit(&self, storage: &Arc<dyn Storage>, version: Version) -> Result<Option<Commit>>;
}

/// A commit of the other program.
#[derive(Debug, Clone)]
pub struct ForeignCommit {
    /// When it was made.
    pub timestamp: Instant,
    /// What the table is, where the commit says so.
    pub meta: Option<Meta>,
    /// Segments that come and go, in order.
    pub changes: Vec<Change>,
}

/// What a table of the other program is.
#[derive(Debug, Clone)]
pub struct Meta {
    /// The number of its format.
    pub format: u64,
    /// The index column.
    pub index_column: String,
    /// The columns that identify an entity.
    pub entity_columns: Vec<String>,
    /// The width of a bucket, as we write it. Buckets are of UTC whatever the zone.
    pub bucket: String,
    /// The zone that was given, which decides nothing.
    pub timezone: Option<String>,
    /// Columns and types, once they are known; without a type where ours has none of that name, and without zones in old logs.
    pub columns: Vec<(String, Option<ColumnType>)>,
}

/// A segment that comes or goes.
#[derive(Debug, Clone)]
pub enum Change {
    /// It comes.
    Add {
        /// Where it is, relative to the root.
        path: String,
        /// Its rows.
        rows: Option<u64>,
        /// Its size.
        bytes: Option<u64>,
        /// Its least and greatest index value; instants in nanoseconds.
        bounds: Option<(i128, i128)>,
    },
    /// It goes.
    Remove {
        /// Where it is.
        path: String,
    },
}

#[derive(Deserialize)]
struct RawMeta {
    kind: Kind,
    logical_schema: Option<LogicalSchema>,
    #[serde(alias = "protocol_version")]
    format_version: u64,
    #[serde(default)]
    required_reader_features: Vec<String>,
}

#[derive(Deserialize)]
enum Kind {
    TimeSeries(TimeSeries),
}

#[derive(Deserialize)]
struct TimeSeries {
    #[serde(alias = "timestamp_column")]
    column: String,
    #[serde(default)]
    entity_columns: Vec<String>,
    #[serde(flatten)]
    old: Buckets,
    kind: Option<Buckets>,
}

/// The width, wherever the format keeps it.
#[derive(Default, Deserialize)]
struct Buckets {
    #[serde(alias = "bucket_width", alias = "index_granularity")]
    bucket: Option<Value>,
    timezone: Option<String>,
}

#[derive(Deserialize)]
struct LogicalSchema {
    columns: Vec<LogicalColumn>,
}

#[derive(Deserialize)]
struct LogicalColumn {
    name: String,
    data_type: Value,
}

/// Whether the log on `storage` is one of the other program's, by its first commit.
///
/// # Errors
/// `Io` when it cannot be read.
pub fn is_table(storage: &dyn Storage) -> Result<bool> {
    let first = storage.read(&Version(1).commit_path(), MAX_COMMIT_BYTES)?;
    Ok(first.is_some_and(|bytes| raw(&bytes).is_some_and(|raw| meta_of(&raw).is_some())))
}

/// The version that `CURRENT` names, which is the newest there is whatever lies beside it: a commit beyond it was never finished.
/// None when the file is missing or is not one of the other program's.
///
/// # Errors
/// `Io` when it cannot be read.
pub fn current(storage: &dyn Storage) -> Result<Option<Version>> {
    let bytes = match storage.read(HINT_PATH, MAX_HINT_BYTES) {
        // Nobody writes a hint of that size, and a hint that is damaged harms nobody.
        Err(e) if e.kind() == ErrorKind::LimitExceeded => return Ok(None),
        read => read?,
    };
    let Some(bytes) = bytes else { return Ok(None) };
    let number = std::str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse().ok());
    Ok(number.filter(|number| *number > 0).map(Version))
}

/// The refusal to write to a table of the other program's.
#[must_use]
pub fn read_only(program: &str, root: &str) -> Error {
    Error::unsupported_format(format!(
        "a table of {program}, which tstable reads in place and never writes to; nothing was changed: \
         CALL tstable_import('{root}', '<another root>') makes a table of tstable of it"
    ))
}

/// Reads the commit of `version`.
///
/// # Errors
/// `Corrupt` naming the file and what it says that no release wrote, `UnsupportedFormat` for a format or feature that is not known.
pub fn decode(bytes: &[u8], version: Version) -> Result<ForeignCommit> {
    decoded(bytes, version).map_err(|e| e.with("path", version.commit_path()))
}

fn decoded(bytes: &[u8], version: Version) -> Result<ForeignCommit> {
    let raw: Raw = serde_json::from_slice(bytes)
        .map_err(|e| Error::corrupt(format!("a commit of {PROGRAM} is cut off or damaged")).caused_by(e))?;
    if raw.version != version.0 {
        return Err(Error::corrupt(format!("the commit calls itself version {}", raw.version)));
    }
    let time = DateTime::parse_from_rfc3339(&raw.timestamp).map_err(|e| odd("the commit's timestamp").caused_by(e))?;
    let timestamp = Instant(time.with_timezone(&Utc).timestamp_micros());
    let mut commit = ForeignCommit { timestamp, meta: None, changes: Vec::new() };
    for (name, action) in raw.actions.into_iter().flatten() {
        match name.as_str() {
            "UpdateTableMeta" => commit.meta = Some(meta(action)?),
            "AddSegment" => commit.changes.push(added(&action)?),
            "RemoveSegment" => commit.changes.push(Change::Remove { path: path_of(&action)? }),
            "UpdateTableCoverage" => {}
            other => return Err(odd(&format!("the action {other}"))),
        }
    }
    Ok(commit)
}

fn odd(what: &str) -> Error {
    Error::corrupt(format!("the log of {PROGRAM} says something that no release wrote: {what}"))
}

fn path_of(action: &Value) -> Result<String> {
    let path = action.get("path").and_then(Value::as_str).ok_or_else(|| odd("a segment without a path"))?;
    check_path(path)?;
    Ok(path.to_owned())
}

fn added(action: &Value) -> Result<Change> {
    let number = |name: &str| action.get(name).and_then(Value::as_u64);
    let end = |new: &str, old: &str| match action.get(new) {
        Some(typed) => bound(typed.get("value")?),
        None => bound(action.get(old)?),
    };
    Ok(Change::Add {
        path: path_of(action)?,
        rows: number("row_count"),
        bytes: number("file_size"),
        bounds: end("index_min", "ts_min").zip(end("index_max", "ts_max")).filter(|(min, max)| min <= max),
    })
}

fn bound(value: &Value) -> Option<i128> {
    if let Some(number) = value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from)) {
        return Some(number);
    }
    let time = DateTime::parse_from_rfc3339(value.as_str()?).ok()?.with_timezone(&Utc);
    Some(i128::from(time.timestamp()) * 1_000_000_000 + i128::from(time.timestamp_subsec_nanos()))
}

fn meta(action: Value) -> Result<Meta> {
    let raw: RawMeta = serde_json::from_value(action).map_err(|e| odd("the table's definition").caused_by(e))?;
    check_format(&raw)?;
    let Kind::TimeSeries(series) = raw.kind;
    let zone = series.kind.as_ref().and_then(|kind| kind.timezone.clone()).or_else(|| series.old.timezone.clone());
    let buckets = series.kind.as_ref().unwrap_or(&series.old);
    let bucket = buckets.bucket.as_ref().and_then(width).ok_or_else(|| odd("the width of a bucket"))?;
    let columns = raw.logical_schema.map(|schema| schema.columns).unwrap_or_default();
    Ok(Meta {
        format: raw.format_version,
        index_column: series.column,
        entity_columns: series.entity_columns,
        bucket,
        timezone: zone,
        columns: columns.into_iter().map(|column| (column.name, logical_type(&column.data_type))).collect(),
    })
}

fn check_format(meta: &RawMeta) -> Result<()> {
    if !matches!(meta.format_version, 1 | 2 | 6 | 7) {
        return Err(Error::unsupported_format(format!(
            "a table of {PROGRAM} in format {}; known are 1, 2, 6 and 7",
            meta.format_version
        )));
    }
    match meta.required_reader_features.iter().find(|feature| *feature != "schema_add_columns") {
        None => Ok(()),
        Some(feature) => Err(Error::unsupported_format(format!(
            "a table of {PROGRAM} that needs the feature '{feature}', which is not known"
        ))),
    }
}

/// `{"Hours": 1}` or a plain number, as our width.
fn width(bucket: &Value) -> Option<String> {
    if let Some(number) = bucket.as_u64() {
        return Some(number.to_string());
    }
    let (unit, count) = bucket.as_object()?.iter().next()?;
    let unit = match unit.as_str() {
        "Seconds" => "s",
        "Minutes" => "m",
        "Hours" => "h",
        "Days" => "d",
        _ => return None,
    };
    Some(format!("{}{unit}", count.as_u64()?))
}

fn logical_type(ty: &Value) -> Option<ColumnType> {
    if let Some(word) = ty.as_str() {
        return Some(match word {
            "Bool" | "Boolean" => ColumnType::Boolean,
            "Int8" => ColumnType::TinyInt,
            "Int16" => ColumnType::SmallInt,
            "Int32" => ColumnType::Integer,
            "Int64" => ColumnType::BigInt,
            "UInt8" => ColumnType::UTinyInt,
            "UInt16" => ColumnType::USmallInt,
            "UInt32" => ColumnType::UInteger,
            "UInt64" => ColumnType::UBigInt,
            "Float32" => ColumnType::Float,
            "Float64" => ColumnType::Double,
            "Utf8" => ColumnType::Varchar,
            "Binary" => ColumnType::Blob,
            "Date" | "Date32" => ColumnType::Date,
            _ => return None,
        });
    }
    let (kind, of) = ty.as_object()?.iter().next()?;
    let field = |column: &Value, name: &str| {
        let nullable = column.get("nullable").and_then(Value::as_bool).unwrap_or(true);
        Some(Field { name: name.to_owned(), ty: logical_type(column.get("data_type")?)?, nullable })
    };
    let number = |name: &str| u8::try_from(of.get(name)?.as_u64()?).ok();
    match kind.as_str() {
        "FixedBinary" => Some(ColumnType::Blob),
        "List" => Some(ColumnType::List(Box::new(field(of.get("elements")?, "element")?))),
        "Map" => {
            let (key, value) = (field(of.get("key")?, "key")?, field(of.get("value")?, "value")?);
            Some(ColumnType::Map(Box::new(key), Box::new(value)))
        }
        "Struct" => {
            let part = |part: &Value| field(part, part.get("name")?.as_str()?);
            Some(ColumnType::Struct(of.get("fields")?.as_array()?.iter().map(part).collect::<Option<_>>()?))
        }
        "Decimal" => Some(ColumnType::Decimal { precision: number("precision")?, scale: number("scale")? }),
        "Timestamp" => {
            let unit = match of.get("unit")?.as_str()? {
                "Millis" => TimeUnit::Ms,
                "Micros" => TimeUnit::Us,
                "Nanos" => TimeUnit::Ns,
                _ => return None,
            };
            let zoned = of.get("timezone").is_some_and(Value::is_string);
            Some(if zoned { ColumnType::TimestampTz(unit) } else { ColumnType::Timestamp(unit) })
        }
        _ => None,
    }
}

#[cfg(test)]
#[path = "foreign_tests.rs"]
mod tests;
