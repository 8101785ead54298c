//! What a footer tells of columns that no scan could read: said before a file becomes a segment, since afterwards every query of the
//! column, or the whole table, would fail.

use parquet::basic::Compression;

use super::SegmentFile;
use crate::{
    error::{Error, Result},
    prune::expr::Constant,
    schema::{ColumnType, check_names},
};

/// Refuses a file with a column that the hosts cannot bind or that cannot be decoded, as far as the footer tells.
///
/// # Errors
/// `SchemaMismatch` or `UnsupportedFormat` naming column and reason.
pub fn admit(file: &SegmentFile) -> Result<()> {
    file.columns().iter().try_for_each(|column| check_names(&column.name, &column.ty))?;
    if let Some(leaf) = file.encrypted() {
        return Err(unreadable(file, leaf, "is encrypted; decrypt it, or leave it out, before writing"));
    }
    for row_group in 0..file.row_group_count() {
        for leaf in 0..file.metadata().file_metadata().schema_descr().num_columns() {
            if file.chunk(row_group, leaf).is_some_and(|chunk| chunk.compression() == Compression::LZO) {
                return Err(unreadable(
                    file,
                    leaf,
                    "is compressed with LZO, which tstable cannot read; write it with ZSTD or SNAPPY",
                ));
            }
        }
        for (position, column) in file.columns().iter().enumerate() {
            let bounds = file.column_bounds(row_group, position);
            for bound in [bounds.min, bounds.max].into_iter().flatten() {
                check_instant(&column.name, &column.ty, &bound)?;
            }
        }
    }
    Ok(())
}

fn unreadable(file: &SegmentFile, leaf: usize, why: &str) -> Error {
    let schema = file.metadata().file_metadata().schema_descr();
    Error::unsupported_format(format!("column \"{}\" {why}", schema.get_column_root(leaf).name()))
}

fn check_instant(column: &str, ty: &ColumnType, value: &Constant) -> Result<()> {
    let (ColumnType::Timestamp(unit) | ColumnType::TimestampTz(unit), Constant::Temporal(_, count)) = (ty, value)
    else {
        return Ok(());
    };
    if unit.shows(*count) {
        return Ok(());
    }
    Err(Error::schema_mismatch(format!(
        "column \"{column}\" holds {count} {unit} since 1970, which is outside the range of DuckDB's {ty}; set such values to NULL"
    )))
}
