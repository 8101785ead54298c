//! Which column an error is about. The Parquet reader decodes several columns together and names none; after an error each
//! is read by itself, so that a message says which one to leave out or to mend.

use std::error::Error as _;

use super::{
    SegmentFile,
    read::{ReadColumn, ReadRequest, RowGroupRead},
};
use crate::{
    error::{Error, ErrorKind, Result},
    schema::Strings,
};

/// The error with the column and the row group that it is about, where that can be told.
pub(super) fn named(file: &SegmentFile, request: &ReadRequest, row_group: usize, error: Error) -> Error {
    if error.kind() != ErrorKind::Corrupt {
        return error;
    }
    let mut columns: Vec<&ReadColumn> = Vec::new();
    for column in request.columns.iter().chain(request.conditions()) {
        if !columns.iter().any(|known| known.position == column.position) {
            columns.push(column);
        }
    }
    match columns.as_slice() {
        [] => error.with("row group", row_group),
        [one] => about(file, one, row_group, error),
        many => many.iter().find_map(|column| alone(file, column, row_group).err()).unwrap_or(error),
    }
}

/// Reads the row group's values of one column; an error names it.
fn alone(file: &SegmentFile, column: &ReadColumn, row_group: usize) -> Result<()> {
    let request = ReadRequest {
        columns: vec![column.clone()],
        row_groups: vec![RowGroupRead::from(row_group)],
        strings: Strings::Plain,
        batch_rows: 2048,
        filter: None,
        values: Vec::new(),
    };
    file.read(request)?.try_for_each(|batch| batch.map(drop))
}

fn about(file: &SegmentFile, column: &ReadColumn, row_group: usize, error: Error) -> Error {
    let name = file.columns().get(column.position).map_or("", |column| column.name.as_str());
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    if cause.to_lowercase().contains("utf-8") {
        let message = format!(
            "column \"{name}\" of '{}' holds text that is not UTF-8; leave the column out of the query, or write the file again \
             with the text mended or as BLOB",
            file.path()
        );
        return Error::corrupt(message).with("row group", row_group).caused_by(cause);
    }
    error.with("column", name).with("row group", row_group)
}
