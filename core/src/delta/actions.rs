//! The actions of a Delta commit, each a JSON object.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    partitions::{encoded, values},
    types,
};
use crate::{
    coverage::{EntityPart, uuid_text},
    error::Result,
    log::{
        commit::{Commit, Instant, SegmentRecord},
        definition::Definition,
        segment::Segment,
    },
    schema::{ColumnType, same_name},
    storage::Storage,
    time::IndexValue,
};

/// Nobody has this writer feature, so nobody but tstable writes to the log: a stranger's vacuum would remove the files of old versions.
pub(super) const READ_ONLY: &str = "tstable-readOnly";
/// The reader and writer feature of timestamps without a zone.
const WALL_CLOCK: &str = "timestampNtz";

const MICROS_PER_MILLI: i64 = 1_000;

/// A definition and the partition columns of its version.
pub(super) type Defined<'a> = (&'a Definition, &'a [String]);

/// `protocol` and `metaData`, where they differ from what the version before had.
///
/// # Errors
/// `SchemaMismatch` naming each column that Delta has no type for.
pub(super) fn definition(before: Option<Defined<'_>>, after: Defined<'_>, at: Instant) -> Result<Vec<Value>> {
    let (after, partitions) = after;
    let (before, partitions_before) = before.unzip();
    types::check(after.schema.as_ref())?;
    let mut actions = Vec::new();
    let had = before.map(|before| types::has_wall_clock(before.schema.as_ref()));
    if had.is_none_or(|had| !had && types::has_wall_clock(after.schema.as_ref())) {
        actions.push(json!({"protocol": protocol(after)}));
    }
    if before.is_none_or(|before| before.schema != after.schema) || partitions_before.is_some_and(|b| b != partitions) {
        actions.push(json!({"metaData": metadata(after, partitions, at)}));
    }
    Ok(actions)
}

/// The protocol that a reader of the table needs.
pub(super) fn protocol(definition: &Definition) -> Value {
    let readers = if types::has_wall_clock(definition.schema.as_ref()) { vec![WALL_CLOCK] } else { Vec::new() };
    let writers: Vec<_> = readers.iter().copied().chain([READ_ONLY]).collect();
    json!({"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": readers, "writerFeatures": writers})
}

/// The table's metadata.
pub(super) fn metadata(definition: &Definition, partitions: &[String], at: Instant) -> Value {
    json!({
        "id": table_id(definition),
        "format": {"provider": "parquet", "options": {}},
        "schemaString": types::schema_string(definition.schema.as_ref()),
        "partitionColumns": partitions,
        "configuration": {},
        "createdTime": millis(at),
    })
}

/// The table's id in the form of a UUID, which is what Delta calls for.
fn table_id(definition: &Definition) -> String {
    let digits: String = definition.table_id.chars().filter(char::is_ascii_hexdigit).cycle().take(32).collect();
    uuid_text(u128::from_str_radix(&digits, 16).unwrap_or_default())
}

pub(super) fn millis(at: Instant) -> i64 {
    at.0.div_euclid(MICROS_PER_MILLI)
}

/// A segment that comes.
fn add(record: &SegmentRecord, partition: &Map<String, Value>, stats: &str, at: Instant, data_change: bool) -> Value {
    json!({"add": {
        "path": encoded(&record.path),
        "partitionValues": partition,
        "size": record.bytes,
        "modificationTime": millis(at),
        "dataChange": data_change,
        "stats": stats,
    }})
}

/// A segment that comes to a version with this definition and these partition columns.
///
/// # Errors
/// As [`super::partitions::values`] and [`stats`].
pub(super) fn add_of(
    record: &SegmentRecord,
    definition: &Definition,
    partitions: &[String],
    storage: &dyn Storage,
    at: Instant,
    data_change: bool,
) -> Result<Value> {
    let stats = stats(record, definition, partitions, storage)?;
    let values = values(record, partitions, definition, storage)?;
    Ok(add(record, &values, &stats, at, data_change))
}

/// A segment that goes.
pub(super) fn remove(record: &SegmentRecord, partition: &Map<String, Value>, at: Instant, data_change: bool) -> Value {
    json!({"remove": {
        "path": encoded(&record.path),
        "deletionTimestamp": millis(at),
        "dataChange": data_change,
        "extendedFileMetadata": true,
        "partitionValues": partition,
        "size": record.bytes,
    }})
}

/// Who made the version, when and how.
pub(super) fn info(commit: &Commit, table_id: &str) -> Value {
    let mut info = json!({
        "timestamp": millis(commit.timestamp),
        "operation": commit.operation.to_uppercase(),
        "operationParameters": {},
        "engineInfo": commit.writer,
        "tstable": {"table_id": table_id, "version": commit.version},
    });
    if let (Some(message), Some(fields)) = (&commit.message, info.as_object_mut()) {
        fields.insert("userMetadata".to_owned(), message.as_str().into());
    }
    json!({"commitInfo": info})
}

/// What readers skip files by: rows, and least and greatest value of the index and of each entity column, none of which is NULL.
fn stats(
    record: &SegmentRecord,
    definition: &Definition,
    partitions: &[String],
    storage: &dyn Storage,
) -> Result<String> {
    let (mut least, mut greatest, mut nulls) = (Map::new(), Map::new(), Map::new());
    let mut column = |name: &str, min: Value, max: Value| {
        if partitions.iter().any(|partition| same_name(partition, name)) {
            return;
        }
        least.insert(name.to_owned(), min);
        greatest.insert(name.to_owned(), max);
        nulls.insert(name.to_owned(), 0.into());
    };
    if let Some(ty) = definition.index_type()
        && let Some((min, max)) = types::statistic(record.index_min, ty).zip(types::statistic(record.index_max, ty))
    {
        column(&definition.index_column, min, max);
    }
    for (name, (min, max)) in entity_bounds(record, definition, storage)? {
        column(name, min, max);
    }
    Ok(json!({"numRecords": record.rows, "minValues": least, "maxValues": greatest, "nullCount": nulls}).to_string())
}

type Bounds<'a> = BTreeMap<&'a str, (Value, Value)>;

fn entity_bounds<'a>(record: &SegmentRecord, definition: &'a Definition, storage: &dyn Storage) -> Result<Bounds<'a>> {
    let mut bounds = Bounds::new();
    if definition.entity_columns.is_empty() {
        return Ok(bounds);
    }
    // The version is for messages only.
    let segment = Segment::new(record.clone(), crate::log::Version::default());
    let coverage = segment.coverage(storage)?;
    for (part, name) in definition.entity_columns.iter().enumerate() {
        let values = || coverage.entities().filter_map(|entity| entity.parts().get(part));
        if let Some((min, max)) = values().min().zip(values().max())
            && let Some((min, max)) = value(min).zip(value(max))
        {
            bounds.insert(name, (min, max));
        }
    }
    Ok(bounds)
}

fn value(part: &EntityPart) -> Option<Value> {
    match part {
        EntityPart::Text(text) => Some(text.as_ref().into()),
        EntityPart::Int(number) => i64::try_from(*number).ok().map(Value::from),
        EntityPart::Date(days) => types::statistic(IndexValue((*days).into()), &ColumnType::Date),
        // Delta has no statistics of booleans, and no UUIDs.
        EntityPart::Bool(_) | EntityPart::Uuid(_) => None,
    }
}
