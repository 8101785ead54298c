//! What is said before a file becomes a segment: of columns that no scan could read, as far as the footer tells, since afterwards every query
//! of the column, or the whole table, would fail; and of values that do not go into the table's types.

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    buffer::NullBuffer,
    compute::cast,
    datatypes::{DataType, Int64Type},
    error::ArrowError,
};
use parquet::{
    basic::{Compression, Encoding},
    file::metadata::ColumnChunkMetaData,
};

use super::{ReadColumn, ReadRequest, SegmentFile, WriteColumn, convert::converted, stats::is_before};
use crate::{
    error::{Error, Result},
    prune::expr::Constant,
    schema::{ColumnType, Strings, check_names, check_twins},
};

/// Refuses a file with a column that the hosts cannot bind or that cannot be decoded, as far as the footer tells.
///
/// # Errors
/// `SchemaMismatch` or `UnsupportedFormat` naming column and reason.
pub fn admit(file: &SegmentFile) -> Result<()> {
    file.columns().iter().try_for_each(|column| check_names(&column.name, &column.ty))?;
    check_twins(file.columns().iter().map(|column| column.name.as_str()))?;
    if let Some(leaf) = file.encrypted() {
        return Err(unreadable(file, leaf, "is encrypted; decrypt it, or leave it out, before writing"));
    }
    for row_group in 0..file.row_group_count() {
        for leaf in 0..file.metadata().file_metadata().schema_descr().num_columns() {
            if let Some(why) = file.chunk(row_group, leaf).and_then(|chunk| undecodable(chunk, file.created_by())) {
                return Err(unreadable(file, leaf, why));
            }
        }
        for (position, column) in file.columns().iter().enumerate() {
            let bounds = file.column_bounds(row_group, position);
            for bound in [bounds.min, bounds.max].into_iter().flatten() {
                check_instant(&column.name, &column.ty, &bound)?;
            }
            for (path, ty, bounds) in file.nested_bounds(row_group, position) {
                let within = |bound| check_instant(&column.name, &ty, &bound).map_err(|e| e.with("leaf", &path));
                bounds.into_iter().flatten().try_for_each(within)?;
            }
        }
    }
    Ok(())
}

/// Refuses a file with a value that does not go into the type that is asked for its column.
///
/// # Errors
/// `SchemaMismatch` naming column, row and value; as reading the file otherwise.
pub fn check_values(file: &SegmentFile, columns: &[ReadColumn]) -> Result<()> {
    if columns.is_empty() {
        return Ok(());
    }
    let own = |column: &ReadColumn| {
        let ty = file.columns().get(column.position).map_or_else(|| column.ty.clone(), |own| own.ty.clone());
        ReadColumn { position: column.position, ty }
    };
    let request = ReadRequest { columns: columns.iter().map(own).collect(), ..ReadRequest::all(file) };
    let mut before = 0_u64;
    for batch in file.read(request)? {
        let batch = batch?;
        for (array, column) in batch.columns().iter().zip(columns) {
            let name = file.columns().get(column.position).map_or("", |own| own.name.as_str());
            fitted(array, name, &column.ty, before)?;
        }
        before = before.saturating_add(batch.num_rows() as u64);
    }
    Ok(())
}

/// The array as `ty`; `before` rows came before it.
///
/// # Errors
/// `SchemaMismatch` naming column, row (from 1) and value.
pub(super) fn fitted(array: &ArrayRef, column: &str, ty: &ColumnType, before: u64) -> Result<ArrayRef> {
    let to = ty.arrow(Strings::Plain);
    converted(array, &to).map_err(|error| {
        let why = match error {
            ArrowError::CastError(why) => why,
            other => other.to_string(),
        };
        let row = before.saturating_add(first_unfit(array, &to) as u64).saturating_add(1);
        Error::schema_mismatch(format!(
            "column \"{column}\" does not fit {ty} in row {row}: {why}; cast it, or leave such rows out"
        ))
    })
}

/// The first row that does not go into `to`, when one does not.
fn first_unfit(array: &ArrayRef, to: &DataType) -> usize {
    let (mut fits, mut end) = (0, array.len());
    while end.saturating_sub(fits) > 1 {
        let middle = fits.midpoint(end);
        match converted(&array.slice(fits, middle - fits), to) {
            Ok(_) => fits = middle,
            Err(_) => end = middle,
        }
    }
    fits
}

/// Why the pages of a chunk cannot be decoded, where they cannot.
fn undecodable(chunk: &ColumnChunkMetaData, created_by: Option<&str>) -> Option<&'static str> {
    if chunk.compression() == Compression::LZO {
        return Some("is compressed with LZO, which tstable cannot read; write it with ZSTD or SNAPPY");
    }
    // A value there continues the last one of the page before, which the decoder of a page does not know: it gives what is left of it.
    let continues = is_before(created_by, "parquet-mr", (1, 8));
    (continues && chunk.encodings().any(|encoding| encoding == Encoding::DELTA_BYTE_ARRAY)).then_some(
        "is encoded as DELTA_BYTE_ARRAY by a parquet-mr before 1.8, whose pages cannot be decoded (PARQUET-246); write it with a newer one",
    )
}

fn unreadable(file: &SegmentFile, leaf: usize, why: &str) -> Error {
    let schema = file.metadata().file_metadata().schema_descr();
    Error::unsupported_format(format!("column \"{}\" {why}", schema.get_column_root(leaf).name()))
}

/// Refuses rows with an instant, however deep inside a column, that DuckDB cannot show.
///
/// # Errors
/// `SchemaMismatch` naming the column and the instant.
pub fn check_instants(batch: &RecordBatch, columns: &[WriteColumn]) -> Result<()> {
    let check = |(array, column): (&ArrayRef, &WriteColumn)| check_within(&column.name, &column.ty, array, None);
    batch.columns().iter().zip(columns).try_for_each(check)
}

fn check_within(column: &str, ty: &ColumnType, array: &ArrayRef, outer: Option<&NullBuffer>) -> Result<()> {
    let nulls = NullBuffer::union(outer, array.nulls());
    match ty {
        ColumnType::Timestamp(_) | ColumnType::TimestampTz(_) => {
            let counts = cast(array, &DataType::Int64);
            let counts = counts.map_err(|e| Error::internal("instants cannot be read as numbers").caused_by(e))?;
            let counts = counts.as_primitive::<Int64Type>().values();
            let valid = |row: &usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*row));
            let odd = counts.iter().enumerate().filter(|(_, count)| !ty.shows(**count));
            let first = odd.filter(|(row, _)| valid(row)).map(|(_, count)| *count).next();
            first.map_or(Ok(()), |count| check_instant(column, ty, &Constant::Temporal(ty.clone(), count)))
        }
        ColumnType::Struct(fields) => {
            let Some(array) = array.as_struct_opt() else { return Ok(()) };
            let mut parts = fields.iter().zip(array.columns());
            parts.try_for_each(|(field, part)| check_within(column, &field.ty, part, nulls.as_ref()))
        }
        ColumnType::List(element) => {
            let Some(array) = array.as_list_opt::<i32>() else { return Ok(()) };
            check_within(column, &element.ty, array.values(), None)
        }
        ColumnType::Map(key, value) => {
            let Some(array) = array.as_map_opt() else { return Ok(()) };
            check_within(column, &key.ty, array.keys(), None)?;
            check_within(column, &value.ty, array.values(), None)
        }
        _ => Ok(()),
    }
}

fn check_instant(column: &str, ty: &ColumnType, value: &Constant) -> Result<()> {
    let (ColumnType::Timestamp(unit) | ColumnType::TimestampTz(unit), Constant::Temporal(_, count)) = (ty, value)
    else {
        return Ok(());
    };
    if ty.shows(*count) {
        return Ok(());
    }
    Err(Error::schema_mismatch(format!(
        "column \"{column}\" holds {count} {unit} since 1970, which is outside the range of DuckDB's {ty}; set such values to NULL"
    )))
}
