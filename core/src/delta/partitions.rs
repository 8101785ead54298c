//! Columns that segments have without their being in the files: in Delta's words partition columns, whose values stand in the log. There
//! every file has a value for each; here a column may be constant in one segment and in the file of another, so a version has as partition
//! columns whatever any of its segments lacks, and the others must have one value there.

use serde_json::{Map, Value};

use crate::{
    coverage::EntityPart,
    error::{Error, Result},
    log::{commit::SegmentRecord, definition::Definition, segment::Segment, state::TableState},
    prune::expr::Constant,
    schema::{ColumnType, Schema, same_name},
    segment::constants::{ConstantColumn, text},
    storage::Storage,
};

/// The partition columns of a version, in the order of the schema.
///
/// # Errors
/// As reading the log.
pub(super) fn columns(state: &TableState) -> Result<Vec<String>> {
    if !state.has_constants {
        return Ok(Vec::new());
    }
    let mut names: Vec<String> = Vec::new();
    for segment in state.segments.all()? {
        for field in segment.record.constants()? {
            if !names.iter().any(|name| same_name(name, &field.name)) {
                names.push(field.name);
            }
        }
    }
    let schema = state.definition.schema.as_ref().map_or(&[][..], |schema: &Schema| &schema.columns);
    let is_partition = |name: &&String| names.iter().any(|known| same_name(known, name));
    Ok(schema.iter().map(|column| &column.name).filter(is_partition).cloned().collect())
}

/// The values of a segment in the partition columns of its version.
///
/// # Errors
/// `SchemaMismatch` naming column and file, when the file has several values there, or one that Delta cannot hold.
pub(super) fn values(
    record: &SegmentRecord,
    columns: &[String],
    definition: &Definition,
    storage: &dyn Storage,
) -> Result<Map<String, Value>> {
    let mut values = Map::new();
    if columns.is_empty() {
        return Ok(values);
    }
    let constants = record.constants()?.into_iter().map(ConstantColumn::of_field).collect::<Result<Vec<_>>>()?;
    for name in columns {
        let constant = constants.iter().find(|constant| same_name(&constant.name, name));
        let value = match constant {
            Some(constant) => Some(constant.value.clone()),
            None => only_value(record, name, definition, storage)?,
        };
        let value = value.ok_or_else(|| {
            Error::schema_mismatch(format!(
                "Delta Lake cannot hold column '{name}' of this version: the names of folders say it for some segments, and it is in the file \
                 of another, with several values; compact all of the table and export from there, or export with from_version"
            ))
            .with("path", &record.path)
        })?;
        values.insert(name.clone(), partition_value(&value, name, record)?);
    }
    Ok(values)
}

/// The one value that a segment has in a column of its file, as far as the log tells: of an entity column, or NULL.
fn only_value(
    record: &SegmentRecord,
    name: &str,
    definition: &Definition,
    storage: &dyn Storage,
) -> Result<Option<Constant>> {
    let column = definition.schema.as_ref().and_then(|schema| schema.find(name));
    if column.is_some_and(|column| column.id > record.last_field_id || record.missing_fields.contains(&column.id)) {
        return Ok(Some(Constant::Null));
    }
    let Some(part) = definition.entity_columns.iter().position(|entity| same_name(entity, name)) else {
        return Ok(None);
    };
    // The version is for messages only.
    let coverage = Segment::new(record.clone(), crate::log::Version::default()).coverage(storage)?;
    let mut parts = coverage.entities().map(|entity| entity.parts().get(part));
    let first: Option<&EntityPart> = parts.next().flatten();
    Ok(first.filter(|_| parts.all(|part| part == first)).map(Constant::from))
}

fn partition_value(value: &Constant, name: &str, record: &SegmentRecord) -> Result<Value> {
    let unfit = |what: &str| {
        Error::schema_mismatch(format!("Delta Lake cannot hold {what} in column '{name}', which folders name"))
            .with("path", &record.path)
    };
    match value {
        Constant::Null => Ok(Value::Null),
        // There, an empty text is NULL.
        Constant::Text(text) if text.is_empty() => Err(unfit("an empty text")),
        value => {
            let written = text::text(value).ok_or_else(|| unfit("this value"))?;
            let zoned = matches!(value, Constant::Temporal(ColumnType::TimestampTz(_), _));
            Ok(written.strip_suffix("+00").filter(|_| zoned).unwrap_or(&written).into())
        }
    }
}

/// A path as a URI, which the paths in a Delta log are.
pub(super) fn encoded(path: &str) -> String {
    use std::fmt::Write;
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/=,+@".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}
