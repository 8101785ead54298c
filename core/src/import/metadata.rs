//! What PyStore writes beside the files of an item: the user's metadata, and what its files leave out.

use std::{collections::BTreeMap, path::Path};

use serde_json::{Map, Value};

use crate::{
    error::{Error, Result},
    storage::{Storage, local::LocalStorage},
};

/// The files that make a directory an item, newest release first.
pub(super) const METADATA_FILES: [&str; 2] = ["pystore_metadata.json", "metadata.json"];
const MAX_METADATA_BYTES: u64 = 16 << 20;
/// Keys that begin so are PyStore's own.
const OWN_PREFIX: char = '_';
/// The column of row numbers that is written where pandas has several levels of an index, which are columns then.
pub(super) const ROW_NUMBERS: &str = "__null_dask_index__";

/// The user's metadata.
pub(super) fn metadata(directory: &Path) -> Result<Map<String, Value>> {
    let storage = LocalStorage::new(&directory.to_string_lossy());
    for name in METADATA_FILES {
        let Some(bytes) = storage.read(name, MAX_METADATA_BYTES)? else { continue };
        return serde_json::from_slice(&bytes).map_err(|e| {
            Error::corrupt("the item's metadata is not a JSON object")
                .with("file", directory.join(name).display())
                .caused_by(e)
        });
    }
    Ok(Map::new())
}

/// The user's metadata as properties.
pub(super) fn properties(directory: &Path) -> Result<Vec<(String, String)>> {
    let fields = metadata(directory)?;
    let own = |key: &String| key.starts_with(OWN_PREFIX) || key.trim().is_empty();
    Ok(fields
        .into_iter()
        .filter(|(key, value)| !own(key) && !value.is_null())
        .map(|(key, value)| (key, text_of(&value)))
        .collect())
}

/// The levels of an index that has several; none of one that has not.
pub(super) fn levels(directory: &Path) -> Result<Vec<String>> {
    let metadata = metadata(directory)?;
    let Some(told) = metadata.get("_transform_metadata") else { return Ok(Vec::new()) };
    if told.get("has_multiindex") != Some(&Value::Bool(true)) {
        return Ok(Vec::new());
    }
    let names = told.get("index_names").and_then(Value::as_array).into_iter().flatten();
    names
        .map(|name| match name.as_str() {
            Some(name) => Ok(name.to_owned()),
            None => Err(Error::unsupported_format(
                "a level of the item's index has no name; write the item with names for all",
            )
            .with("source", directory.display())),
        })
        .collect()
}

/// For columns of pandas categories the word for each number.
pub(super) type Labels = BTreeMap<String, Vec<String>>;

/// The words behind the numbers that the files of an item, or of its copy in a snapshot, have in columns of categories.
pub(super) fn labels(directory: &Path) -> Result<Labels> {
    let metadata = metadata(directory)?;
    let told = metadata.get("_type_info").and_then(Value::as_object).into_iter().flatten();
    let words = |(column, info): (&String, &Value)| {
        let categories = info.get("categories")?.as_array()?;
        Some((column.clone(), categories.iter().map(text_of).collect()))
    };
    Ok(told.filter_map(words).collect())
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
