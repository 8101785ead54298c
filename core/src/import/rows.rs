//! Rows of PyStore's files that are written anew, because a file alone does not say what a table should hold: the name of its item, or
//! the words of a column of pandas categories, of which it has numbers only.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, AsArray, RecordBatch, StringArray},
    datatypes::{DataType, Field, Int64Type},
};

use super::metadata::{Labels, labels};
use crate::{
    error::{Error, Result},
    log::commit::Action,
    schema::{ColumnType, Schema, same_name},
    segment::{SegmentFile, WriteColumn, rewrite::TableRows},
    table::{
        Snapshot, Table,
        incoming::open,
        load::LoadRequest,
        monitor::{Monitor, check_cancelled},
        target::Target,
        write::policy::OnOverlap,
    },
};

/// The files of each item, by its name.
pub(super) type Members = BTreeMap<String, Vec<PathBuf>>;

/// What went wrong, and with which file or item where it is about one.
pub(super) struct Blamed {
    pub(super) on: Option<PathBuf>,
    pub(super) reason: Error,
}

impl From<Error> for Blamed {
    fn from(reason: Error) -> Self {
        Self { on: None, reason }
    }
}

/// Makes a version that holds the rows of these items and no others. `named` is the column for the items' names, if they have one.
pub(super) fn load(
    table: &Table,
    target: &Target,
    also: Vec<Action>,
    items: &Members,
    named: Option<&str>,
    monitor: &dyn Monitor,
) -> std::result::Result<Snapshot, Blamed> {
    let columns: Vec<_> = target.schema.columns.iter().map(|column| (column.name.clone(), column.ty.clone())).collect();
    let request = LoadRequest {
        create: Some(target.definition.clone()),
        on_overlap: OnOverlap::Allow,
        whole: Some(also),
        ..LoadRequest::default()
    };
    let mut loader = table.loader(&columns, request)?;
    for (name, files) in items {
        for path in files {
            check_cancelled(monitor)?;
            let pushed =
                push(&mut |batch| loader.push(batch), path, target, named.map(|column| (column, name.as_str())));
            pushed.map_err(|e| Blamed { on: Some(path.clone()), reason: e.with("file", path.display()) })?;
        }
    }
    Ok(loader.finish(monitor)?.changed.snapshot)
}

/// The words for the numbers of those columns of a file that have such, by the metadata beside it.
pub(super) fn labels_of(path: &Path, file: &SegmentFile) -> Result<Labels> {
    let mut labels = labels(path.parent().unwrap_or(Path::new("")))?;
    let is_number = |name: &str| {
        file.columns().iter().any(|column| {
            let codes = [ColumnType::TinyInt, ColumnType::SmallInt, ColumnType::Integer, ColumnType::BigInt];
            column.name == name && codes.contains(&column.ty)
        })
    };
    labels.retain(|name, _| is_number(name));
    Ok(labels)
}

/// The columns of all files, those whose words are known as texts; none of `without`.
pub(super) fn columns_of_all(plain: &Target, files: &[PathBuf], without: Option<&str>) -> Result<(Schema, bool)> {
    let mut labelled = Vec::new();
    for path in files {
        let (_, file) = open(path)?;
        labelled.extend(labels_of(path, &file)?.into_keys());
    }
    let kept = plain.schema.columns.iter().filter(|column| without.is_none_or(|name| !same_name(&column.name, name)));
    let columns = kept.map(|column| match labelled.contains(&column.name) {
        true => (column.name.clone(), ColumnType::Varchar),
        false => (column.name.clone(), column.ty.clone()),
    });
    Ok((Schema::new(columns)?, !labelled.is_empty()))
}

fn push(
    sink: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    path: &Path,
    target: &Target,
    named: Option<(&str, &str)>,
) -> Result<()> {
    let (_, file) = open(path)?;
    let labels = labels_of(path, &file)?;
    let columns: Vec<_> = target.schema.columns.iter().map(|column| written(column, &labels)).collect();
    for batch in TableRows::new(&file, &columns)? {
        let batch = batch?;
        let (mut fields, mut arrays) = (Vec::new(), Vec::<ArrayRef>::new());
        for (field, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            let text = || Arc::new(Field::new(field.name(), DataType::Utf8, true));
            let (field, array) = match (named, labels.get(field.name())) {
                (Some((column, name)), _) if same_name(field.name(), column) => {
                    let names = StringArray::from_iter_values(std::iter::repeat_n(name, batch.num_rows()));
                    (text(), Arc::new(names) as ArrayRef)
                }
                (_, Some(words)) => (text(), decoded(array, field.name(), words)?),
                _ => (Arc::clone(field), Arc::clone(array)),
            };
            fields.push(field);
            arrays.push(array);
        }
        let whole = RecordBatch::try_new(Arc::new(arrow::datatypes::Schema::new(fields)), arrays);
        sink(&whole.map_err(|e| Error::corrupt("the rows of an item cannot be put together").caused_by(e))?)?;
    }
    Ok(())
}

/// A column of the table, as a file is asked for it.
fn written(column: &crate::schema::Column, labels: &Labels) -> WriteColumn {
    let ty = if labels.contains_key(&column.name) { ColumnType::BigInt } else { column.ty.clone() };
    WriteColumn { name: column.name.clone(), ty, field_id: None }
}

/// The words for numbers; a negative one, as NULL itself, is pandas' NULL.
fn decoded(codes: &ArrayRef, name: &str, words: &[String]) -> Result<ArrayRef> {
    let codes =
        codes.as_primitive_opt::<Int64Type>().ok_or_else(|| Error::corrupt("codes of categories are no numbers"))?;
    let word = |code: i64| {
        let Ok(at) = usize::try_from(code) else { return Ok(None) };
        words.get(at).map(|word| Some(word.as_str())).ok_or_else(|| {
            Error::corrupt(format!(
                "column \"{name}\" has the code {code} of a pandas category, of which the item's metadata name {}",
                words.len()
            ))
        })
    };
    let texts: Vec<Option<&str>> = codes.iter().map(|code| code.map_or(Ok(None), word)).collect::<Result<_>>()?;
    Ok(Arc::new(StringArray::from(texts)))
}
