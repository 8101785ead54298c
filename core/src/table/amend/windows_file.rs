//! Reading the windows of a calendar from a Parquet file with two columns, `open` and `close`. What they mean is
//! [`crate::calendar`]'s business.

use std::path::Path;

use arrow::array::{Array, ArrayRef};

use crate::{
    error::{Error, Result},
    schema::{ColumnType, integers},
    segment::{ReadColumn, ReadRequest, SegmentFile},
    table::write::incoming,
    time::IndexValue,
};

const NANOS_PER_DAY: i128 = 86_400_000_000_000;
const MAX_WINDOWS: u64 = 10_000_000;

/// The windows `[open, close)` in the unit of an index of type `index`: opening rounded down, closing up. Times without zone
/// are for indexes without, instants for indexes of instants.
///
/// # Errors
/// `SchemaMismatch` when a column is missing or of a type that does not fit the index; `InvalidArgument` for a NULL;
/// else what opening and reading the file says.
pub fn read_windows(path: &Path, index: &ColumnType) -> Result<Vec<(IndexValue, IndexValue)>> {
    let (_, file) = incoming::open(path)?;
    if file.rows() > MAX_WINDOWS {
        return Err(Error::limit_exceeded(format!("the file has {} windows; {MAX_WINDOWS} are the most", file.rows())));
    }
    let columns = [column(&file, "open", index)?, column(&file, "close", index)?];
    let types = columns.clone().map(|column| column.ty);
    let mut request = ReadRequest::all(&file);
    request.columns = columns.to_vec();
    let mut windows = Vec::new();
    for batch in file.read(request)? {
        let batch = batch?;
        let [open, close] = &types;
        let opens = values(batch.columns().first(), open, index, false)?;
        let closes = values(batch.columns().get(1), close, index, true)?;
        windows.extend(opens.into_iter().zip(closes));
    }
    Ok(windows)
}

fn column(file: &SegmentFile, name: &str, index: &ColumnType) -> Result<ReadColumn> {
    let columns = file.columns();
    let found = file.position(name).and_then(|position| Some((position, columns.get(position)?)));
    let Some((position, column)) = found else {
        let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
        return Err(Error::schema_mismatch(format!(
            "windows are the columns 'open' and 'close', but the file has {}",
            names.join(", ")
        )));
    };
    // A file has no session whose zone could stand between instants and a wall clock.
    let kind = |ty: &ColumnType| (ty.is_integer(), matches!(ty, ColumnType::TimestampTz(_)));
    if !column.ty.can_index() || kind(&column.ty) != kind(index) {
        return Err(Error::schema_mismatch(format!(
            "the column '{name}' is {}, which does not fit an index of type {index}; write the file with that type",
            column.ty
        )));
    }
    Ok(ReadColumn { position, ty: column.ty.clone() })
}

fn values(array: Option<&ArrayRef>, ty: &ColumnType, index: &ColumnType, up: bool) -> Result<Vec<IndexValue>> {
    let unreadable = || Error::corrupt("the windows cannot be read");
    let array = array.ok_or_else(unreadable)?;
    if array.null_count() > 0 {
        return Err(Error::invalid_argument("a window opens or closes at NULL"));
    }
    let raw = integers(array.as_ref())?;
    let (from, to) = (nanos(ty), nanos(index));
    Ok(raw
        .into_iter()
        .map(|value| {
            let value = value * from;
            IndexValue(value.div_euclid(to) + i128::from(up && value.rem_euclid(to) != 0))
        })
        .collect())
}

fn nanos(ty: &ColumnType) -> i128 {
    match ty {
        ColumnType::Date => NANOS_PER_DAY,
        ColumnType::Timestamp(unit) | ColumnType::TimestampTz(unit) => unit.nanos().into(),
        _ => 1,
    }
}
