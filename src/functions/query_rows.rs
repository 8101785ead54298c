//! The rows of a query that is copied into a table. DuckDB 1.5 does not tell a format the names of the columns. There, and
//! wherever else it is wanted, a query gives its rows as one struct, `SELECT r FROM (...) r`, whose fields are the columns.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, StructArray},
    buffer::NullBuffer,
    datatypes::{Field as ArrowField, Schema},
};
use tstable_core::{Error, Result, schema::ColumnType};

use crate::host::OutColumn;

/// The columns by name, and whether they come as the fields of one struct.
///
/// # Errors
/// `InvalidArgument` when the host does not name the columns.
pub(super) fn named(columns: Vec<OutColumn>) -> Result<(Vec<(String, ColumnType)>, bool)> {
    if let [OutColumn { ty: ColumnType::Struct(fields), .. }] = columns.as_slice() {
        return Ok((fields.iter().map(|field| (field.name.clone(), field.ty.clone())).collect(), true));
    }
    if columns.iter().any(|column| column.name.is_empty()) {
        return Err(Error::invalid_argument(
            "this DuckDB does not tell a format the names of the columns, so the rows have to come as one struct with names: \
             COPY (SELECT r FROM (<the query>) r) TO ...",
        ));
    }
    Ok((columns.into_iter().map(|column| (column.name, column.ty)).collect(), false))
}

/// The fields of the only column as columns; a row whose struct is NULL has NULL in all of them.
///
/// # Errors
/// `SchemaMismatch` when the batch is not what [`named`] said.
pub(super) fn unpacked(batch: &RecordBatch) -> Result<RecordBatch> {
    let unfit =
        || Error::schema_mismatch("rows that were announced as a struct came as something else; please report it");
    let rows = batch.columns().first().and_then(|column| column.as_struct_opt()).ok_or_else(unfit)?;
    let columns = rows.columns().iter().map(|column| below(rows, column)).collect::<Result<Vec<_>>>()?;
    let fields = rows.fields().iter().map(|field| ArrowField::new(field.name(), field.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema, columns, &options).map_err(|error| unfit().caused_by(error))
}

/// A field's values, NULL where the struct is.
fn below(rows: &StructArray, column: &ArrayRef) -> Result<ArrayRef> {
    let nulls = NullBuffer::union(rows.nulls(), column.nulls());
    if rows.null_count() == 0 {
        return Ok(Arc::clone(column));
    }
    let array = column.to_data().into_builder().nulls(nulls).build();
    Ok(arrow::array::make_array(
        array.map_err(|e| Error::schema_mismatch("a struct's NULLs do not fit its fields").caused_by(e))?,
    ))
}

#[cfg(test)]
#[path = "query_rows_tests.rs"]
mod tests;
