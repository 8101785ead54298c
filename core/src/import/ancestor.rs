//! Tables of [timeseries-table-format](https://pypi.org/project/timeseries-table-format/), of every format that was released: what
//! the newest version of such a table is, as [`crate::table::foreign`] reads it.

use std::path::{Path, PathBuf};

use super::Import;
use crate::{
    error::{Error, Result},
    table::{CreateRequest, Table, write::policy::AppendRequest},
};

/// What the table at `directory` is; none when it is not one of these.
///
/// # Errors
/// As reading the table in place, and `NotFound` naming a segment that is missing.
pub fn describe(directory: &Path) -> Result<Option<Import>> {
    let table = Table::at_directory(&directory.to_string_lossy());
    let state = table.log().latest(None)?;
    let Some(program) = &state.foreign else { return Ok(None) };
    let mut files: Vec<(u64, PathBuf)> = Vec::new();
    for segment in state.segments.all()? {
        let path = &segment.record.path;
        if table.log().storage().stat(path)?.is_none() {
            let missing = Error::not_found("a segment of the source is missing");
            return Err(missing.with("path", path).with("version", segment.added));
        }
        files.push((segment.added.0, directory.join(path)));
    }
    // By age, then in the order of the index.
    files.sort_by_key(|(added, _)| *added);
    let definition = &state.definition;
    Ok(Some(Import {
        source: directory.to_owned(),
        kind: program.replace(" (", ", ").trim_end_matches(')').to_owned(),
        definition: CreateRequest {
            entity_columns: definition.entity_columns.clone(),
            schema: definition.schema.clone(),
            ..CreateRequest::new(&definition.index_column, &definition.bucket.to_string())
        },
        files: files.into_iter().map(|(_, path)| path).collect(),
        properties: state.properties.clone().into_iter().collect(),
        snapshots: Vec::new(),
        decodes: false,
        how: AppendRequest::default(),
    }))
}
