//! Checkpoints of the Delta log: the whole state in one Parquet file, so that a reader need not follow every commit.

use std::{io::Write, sync::Arc};

use arrow::{
    array::{
        ArrayRef, BooleanArray, Int32Array, Int64Array, ListBuilder, MapBuilder, MapFieldNames, RecordBatch,
        StringArray, StringBuilder, StructArray,
    },
    buffer::NullBuffer,
    datatypes::{DataType, Schema as ArrowSchema},
};
use serde_json::{Value, json};

use super::{DELTA_DIRECTORY, actions, partitions};
use crate::{
    error::{Error, Result},
    log::{state::TableState, store::Log},
    schema::{ColumnType, Field, Strings},
    segment::{SegmentWriter, WriteColumn, WriteOptions},
};

const LAST_CHECKPOINT: &str = "_delta_log/_last_checkpoint";
const MAX_HINT_BYTES: u64 = 64 << 10;

/// Writes the checkpoint of `state` and points readers at it, unless they are pointed at a later one. One that is there already stays.
pub(super) fn write(log: &Log, state: &TableState, delta_version: u64) -> Result<()> {
    let storage = log.storage();
    let path = format!("{DELTA_DIRECTORY}/{delta_version:020}.checkpoint.parquet");
    let rows = Rows::of(log, state)?;
    if storage.stat(&path)?.is_none() {
        let columns = columns();
        let mut bytes = Vec::new();
        let mut writer = SegmentWriter::create(path.as_str(), &mut bytes, &columns, &WriteOptions::default())?;
        writer.write(&rows.batch(&columns)?)?;
        writer.finish()?;
        let mut staged = storage.stage(&path)?;
        staged.write_all(&bytes).map_err(|e| Error::io("write", &path, e))?;
        match staged.finish() {
            Ok(_) => {}
            // Another export was quicker; its checkpoint says the same.
            Err(_) if storage.stat(&path)?.is_some() => {}
            Err(e) => return Err(e),
        }
    }
    if pointed_at(log)?.is_some_and(|pointed| pointed > delta_version) {
        return Ok(());
    }
    let hint = json!({"version": delta_version, "size": rows.count()}).to_string();
    storage.replace(LAST_CHECKPOINT, hint.as_bytes())
}

/// The version of the checkpoint that readers are pointed at; none when that cannot be read.
pub(super) fn pointed_at(log: &Log) -> Result<Option<u64>> {
    let bytes = log.storage().read(LAST_CHECKPOINT, MAX_HINT_BYTES)?.unwrap_or_default();
    let hint: Option<Value> = serde_json::from_slice(&bytes).ok();
    Ok(hint.and_then(|hint| hint.get("version")?.as_u64()))
}

fn text(name: &str) -> Field {
    Field::new(name, ColumnType::Varchar)
}

fn texts(name: &str) -> Field {
    Field::new(name, ColumnType::List(Box::new(text("element"))))
}

fn text_map(name: &str) -> Field {
    let key = Field { nullable: false, ..text("key") };
    Field::new(name, ColumnType::Map(Box::new(key), Box::new(text("value"))))
}

/// The columns of a checkpoint, one for each kind of action; of each row all but one are NULL.
fn columns() -> Vec<WriteColumn> {
    let number = |name: &str| Field::new(name, ColumnType::BigInt);
    let add = vec![
        text("path"),
        text_map("partitionValues"),
        number("size"),
        number("modificationTime"),
        Field::new("dataChange", ColumnType::Boolean),
        text("stats"),
    ];
    let protocol = vec![
        Field::new("minReaderVersion", ColumnType::Integer),
        Field::new("minWriterVersion", ColumnType::Integer),
        texts("readerFeatures"),
        texts("writerFeatures"),
    ];
    let format = Field::new("format", ColumnType::Struct(vec![text("provider"), text_map("options")]));
    let metadata = vec![
        text("id"),
        format,
        text("schemaString"),
        texts("partitionColumns"),
        text_map("configuration"),
        number("createdTime"),
    ];
    [("protocol", protocol), ("metaData", metadata), ("add", add)]
        .map(|(name, fields)| WriteColumn { name: name.to_owned(), ty: ColumnType::Struct(fields), field_id: None })
        .into()
}

/// The actions: `protocol`, `metaData`, then one `add` for each live segment.
struct Rows {
    protocol: Value,
    metadata: Value,
    adds: Vec<Value>,
}

impl Rows {
    fn of(log: &Log, state: &TableState) -> Result<Self> {
        let storage = log.storage();
        let partitions = partitions::columns(state)?;
        let mut adds = Vec::new();
        for segment in state.segments.all()? {
            let (definition, at) = (&state.definition, state.committed_at);
            adds.push(actions::add_of(&segment.record, definition, &partitions, storage.as_ref(), at, false)?);
        }
        let metadata = actions::metadata(&state.definition, &partitions, state.created_at);
        Ok(Self { protocol: actions::protocol(&state.definition), metadata, adds })
    }

    fn count(&self) -> usize {
        self.adds.len().saturating_add(2)
    }

    fn batch(&self, columns: &[WriteColumn]) -> Result<RecordBatch> {
        let rows: Vec<[&Value; 3]> = std::iter::once([&self.protocol, &Value::Null, &Value::Null])
            .chain([[&Value::Null, &self.metadata, &Value::Null]])
            .chain(self.adds.iter().map(|add| [&Value::Null, &Value::Null, add.get("add").unwrap_or(&Value::Null)]))
            .collect();
        let mut arrays = Vec::new();
        for (at, column) in columns.iter().enumerate() {
            let values: Vec<&Value> = rows.iter().filter_map(|row| row.get(at).copied()).collect();
            arrays.push(array(&column.ty, &values)?);
        }
        let fields = columns.iter().map(|column| column.ty.arrow_field(&column.name, Strings::Plain));
        RecordBatch::try_new(Arc::new(ArrowSchema::new(fields.collect::<Vec<_>>())), arrays).map_err(failed)
    }
}

fn failed(error: arrow::error::ArrowError) -> Error {
    Error::invalid_argument("the Delta checkpoint cannot be put together").caused_by(error)
}

/// JSON values of one type as an Arrow array; what is not of the type is NULL.
fn array(ty: &ColumnType, values: &[&Value]) -> Result<ArrayRef> {
    Ok(match ty {
        ColumnType::Boolean => Arc::new(values.iter().map(|value| value.as_bool()).collect::<BooleanArray>()),
        ColumnType::BigInt => Arc::new(values.iter().map(|value| value.as_i64()).collect::<Int64Array>()),
        ColumnType::Integer => {
            let number = |value: &&Value| value.as_i64().and_then(|number| i32::try_from(number).ok());
            Arc::new(values.iter().map(number).collect::<Int32Array>())
        }
        ColumnType::Varchar => Arc::new(values.iter().map(|value| value.as_str()).collect::<StringArray>()),
        ColumnType::List(_) => lists(values),
        ColumnType::Map(..) => maps(ty, values)?,
        ColumnType::Struct(fields) => structs(ty, fields, values)?,
        other => return Err(Error::invalid_argument(format!("a Delta checkpoint has no column of type {other}"))),
    })
}

fn structs(ty: &ColumnType, fields: &[Field], values: &[&Value]) -> Result<ArrayRef> {
    let DataType::Struct(arrow_fields) = ty.arrow(Strings::Plain) else { return Err(unexpected()) };
    let children = fields.iter().map(|field| {
        let parts: Vec<&Value> = values.iter().map(|value| value.get(&field.name).unwrap_or(&Value::Null)).collect();
        array(&field.ty, &parts)
    });
    let children = children.collect::<Result<Vec<_>>>()?;
    let valid = NullBuffer::from_iter(values.iter().map(|value| value.is_object()));
    StructArray::try_new(arrow_fields, children, Some(valid)).map(|array| Arc::new(array) as ArrayRef).map_err(failed)
}

fn lists(values: &[&Value]) -> ArrayRef {
    let element = ColumnType::Varchar.arrow_field("element", Strings::Plain);
    let mut lists = ListBuilder::new(StringBuilder::new()).with_field(element);
    for value in values {
        for item in value.as_array().map_or(&[][..], Vec::as_slice) {
            lists.values().append_option(item.as_str());
        }
        lists.append(value.is_array());
    }
    Arc::new(lists.finish())
}

fn maps(ty: &ColumnType, values: &[&Value]) -> Result<ArrayRef> {
    let DataType::Map(entries, _) = ty.arrow(Strings::Plain) else { return Err(unexpected()) };
    let names = MapFieldNames { entry: entries.name().clone(), key: "key".to_owned(), value: "value".to_owned() };
    let mut maps = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    for value in values {
        for (key, item) in value.as_object().into_iter().flatten() {
            maps.keys().append_value(key);
            maps.values().append_option(item.as_str());
        }
        maps.append(value.is_object()).map_err(failed)?;
    }
    Ok(Arc::new(maps.finish()))
}

fn unexpected() -> Error {
    Error::invalid_argument("the Delta checkpoint has another form than expected")
}
