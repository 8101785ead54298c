//! Tables of [timeseries-table-format](https://pypi.org/project/timeseries-table-format/), of every format that was released: 1
//! (0.1), 2 (0.3), 6 (0.4) and protocol 7 (0.5 to 0.9). Reads their log, never their coverage files: what is covered is told by
//! the rows.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;
use serde_json::Value;

use super::Import;
use crate::{
    error::{Error, Result},
    log::LOG_DIRECTORY,
    schema::{Column, ColumnType, Schema, TimeUnit, same_name},
    storage::{Storage, check_path, local::LocalStorage},
    table::{CreateRequest, incoming},
};

/// No commit is larger; one that says so is not read.
const MAX_COMMIT_BYTES: u64 = 64 << 20;

/// The property that keeps the source's time zone: its buckets are of UTC whatever the zone.
const TIMEZONE_PROPERTY: &str = "timezone";

/// What the table at `directory` is; none when it is not one of these.
///
/// # Errors
/// `Corrupt` naming the file when the log has a hole or says something that no release wrote, `UnsupportedFormat` for a format
/// or a feature that is not known, `NotFound` when a segment is missing.
pub fn describe(directory: &Path) -> Result<Option<Import>> {
    let storage = LocalStorage::new(&directory.to_string_lossy());
    let mut log = Log::default();
    let mut version = 1_u64;
    while let Some(commit) = read(&storage, version)? {
        if version == 1 && !commit.is_one() {
            return Ok(None);
        }
        log.follow(commit)?;
        version = version.saturating_add(1);
    }
    if version == 1 {
        return Ok(None);
    }
    check_newest(&storage, version.saturating_sub(1))?;
    log.import(directory).map(Some)
}

/// Refuses a log whose newest commits are missing.
fn check_newest(storage: &LocalStorage, newest: u64) -> Result<()> {
    let entries = storage.list(LOG_DIRECTORY)?;
    let versions = entries.iter().filter_map(|entry| entry.name.strip_suffix(".json")?.parse::<u64>().ok());
    let current = storage.read(&format!("{LOG_DIRECTORY}/CURRENT"), 64)?;
    let current = current.and_then(|bytes| String::from_utf8(bytes).ok()?.trim().parse::<u64>().ok());
    match versions.chain(current).max() {
        Some(last) if last > newest => Err(Error::corrupt(format!(
            "the log of the source names version {last}, but version {} is missing",
            newest.saturating_add(1)
        ))
        .with("path", path_of(newest.saturating_add(1)))),
        _ => Ok(()),
    }
}

fn path_of(version: u64) -> String {
    format!("{LOG_DIRECTORY}/{version:010}.json")
}

fn read(storage: &LocalStorage, version: u64) -> Result<Option<Commit>> {
    let path = path_of(version);
    let Some(bytes) = storage.read(&path, MAX_COMMIT_BYTES)? else { return Ok(None) };
    let commit: Commit = serde_json::from_slice(&bytes)
        .map_err(|e| Error::corrupt("the source has a commit that cannot be read").with("path", &path).caused_by(e))?;
    if commit.version != version {
        let wrong = format!("the commit calls itself version {}", commit.version);
        return Err(Error::corrupt(wrong).with("path", path));
    }
    Ok(Some(commit))
}

#[derive(Debug, Deserialize)]
struct Commit {
    version: u64,
    #[serde(default)]
    actions: Vec<BTreeMap<String, Value>>,
    /// What a commit of ours has and theirs has not.
    format_version: Option<u64>,
}

impl Commit {
    fn is_one(&self) -> bool {
        self.format_version.is_none() && self.actions.iter().any(|action| action.contains_key("UpdateTableMeta"))
    }
}

/// What a log says, up to some version.
#[derive(Debug, Default)]
struct Log {
    meta: Option<Meta>,
    live: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Meta {
    kind: Kind,
    #[serde(default)]
    logical_schema: Option<LogicalSchema>,
    #[serde(alias = "protocol_version")]
    format_version: u64,
    #[serde(default)]
    required_reader_features: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
enum Kind {
    TimeSeries(TimeSeries),
}

#[derive(Debug, Clone, Deserialize)]
struct TimeSeries {
    #[serde(alias = "timestamp_column")]
    column: String,
    #[serde(default)]
    entity_columns: Vec<String>,
    #[serde(flatten)]
    old: Buckets,
    #[serde(default)]
    kind: Option<Buckets>,
}

/// The width, wherever the format keeps it.
#[derive(Debug, Clone, Default, Deserialize)]
struct Buckets {
    #[serde(alias = "bucket_width", alias = "index_granularity")]
    bucket: Option<Value>,
    timezone: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct LogicalSchema {
    columns: Vec<LogicalColumn>,
}

#[derive(Debug, Clone, Deserialize)]
struct LogicalColumn {
    name: String,
    data_type: Value,
}

impl Log {
    fn follow(&mut self, commit: Commit) -> Result<()> {
        let path = path_of(commit.version);
        let odd = |what: &str| Error::corrupt(format!("the source's log says something that no release wrote: {what}"));
        for (name, action) in commit.actions.into_iter().flatten() {
            match name.as_str() {
                "UpdateTableMeta" => {
                    let meta: Meta = serde_json::from_value(action)
                        .map_err(|e| odd("the table's definition").with("path", &path).caused_by(e))?;
                    check_format(&meta)?;
                    self.meta = Some(meta);
                }
                "AddSegment" | "RemoveSegment" => {
                    let segment = action.get("path").and_then(Value::as_str);
                    let segment = segment.ok_or_else(|| odd("a segment without a path").with("path", &path))?;
                    check_path(segment)?;
                    self.live.retain(|live| live != segment);
                    if name == "AddSegment" {
                        self.live.push(segment.to_owned());
                    }
                }
                "UpdateTableCoverage" => {}
                other => return Err(odd(&format!("the action {other}")).with("path", &path)),
            }
        }
        Ok(())
    }

    fn import(self, directory: &Path) -> Result<Import> {
        let Some(meta) = self.meta else { return Err(Error::corrupt("the source's log defines no table")) };
        let Kind::TimeSeries(series) = &meta.kind;
        let buckets = series.kind.as_ref().unwrap_or(&series.old);
        let bucket = buckets
            .bucket
            .as_ref()
            .and_then(width)
            .ok_or_else(|| Error::corrupt("the source's log gives buckets a width that no release wrote"))?;
        let files: Vec<_> = self.live.iter().map(|path| directory.join(path)).collect();
        let schema = schema_of_all(&files)?;
        let added = added_columns(&meta, schema.as_ref())?;
        let zone = series.kind.as_ref().and_then(|kind| kind.timezone.clone()).or_else(|| series.old.timezone.clone());
        Ok(Import {
            source: directory.to_owned(),
            kind: format!("timeseries-table-format, format {}", meta.format_version),
            definition: CreateRequest {
                entity_columns: series.entity_columns.clone(),
                schema,
                ..CreateRequest::new(&series.column, &bucket)
            },
            files,
            added,
            properties: zone.map(|zone| (TIMEZONE_PROPERTY.to_owned(), zone)).into_iter().collect(),
            snapshots: Vec::new(),
            shared_buckets: false,
        })
    }
}

fn check_format(meta: &Meta) -> Result<()> {
    if !matches!(meta.format_version, 1 | 2 | 6 | 7) {
        return Err(Error::unsupported_format(format!(
            "the source is a table of timeseries-table-format in format {}; known are 1, 2, 6 and 7",
            meta.format_version
        )));
    }
    match meta.required_reader_features.iter().find(|feature| *feature != "schema_add_columns") {
        None => Ok(()),
        Some(feature) => Err(Error::unsupported_format(format!(
            "the source is a table of timeseries-table-format that needs the feature '{feature}', which is not known"
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

/// The columns of all files, in the order in which they first appear: the types are told by the files, since old logs leave out zones.
fn schema_of_all(files: &[std::path::PathBuf]) -> Result<Option<Schema>> {
    let mut columns: Vec<(String, ColumnType)> = Vec::new();
    for path in files {
        let (_, file) = incoming::open(path)?;
        for column in file.columns() {
            if !columns.iter().any(|(name, _)| same_name(name, &column.name)) {
                columns.push((column.name.clone(), column.ty.clone()));
            }
        }
    }
    if columns.is_empty() { Ok(None) } else { Schema::new(columns).map(Some) }
}

/// Columns that were added and that no file has yet.
fn added_columns(meta: &Meta, schema: Option<&Schema>) -> Result<Schema> {
    let mut added = Schema::default();
    let Some((logical, schema)) = meta.logical_schema.as_ref().zip(schema) else { return Ok(added) };
    for column in logical.columns.iter().filter(|column| schema.find(&column.name).is_none()) {
        let ty = logical_type(&column.data_type).ok_or_else(|| {
            Error::unsupported_format(format!(
                "the source has a column \"{}\" of type {} without any row; its type is not known",
                column.name, column.data_type
            ))
        })?;
        added.columns.push(Column { id: 0, name: column.name.clone(), ty });
    }
    Ok(added)
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
    let number = |name: &str| u8::try_from(of.get(name)?.as_u64()?).ok();
    match kind.as_str() {
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
