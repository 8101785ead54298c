//! Tests of rows that come as a struct.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, StructArray},
    buffer::NullBuffer,
    datatypes::{DataType, Field as ArrowField, Int64Type},
};
use tstable_core::schema::{ColumnType, Field};

use super::{named, unpacked};
use crate::host::OutColumn;

fn column(name: &str, ty: ColumnType) -> OutColumn {
    OutColumn { name: name.to_owned(), ty }
}

fn row() -> ColumnType {
    ColumnType::Struct(vec![Field::new("a", ColumnType::BigInt), Field::new("b", ColumnType::Varchar)])
}

#[test]
fn one_struct_is_its_fields_whatever_it_is_called() {
    let fields = vec![("a".to_owned(), ColumnType::BigInt), ("b".to_owned(), ColumnType::Varchar)];
    assert_eq!(named(vec![column("r", row())]).unwrap(), (fields.clone(), true));
    assert_eq!(named(vec![column("", row())]).unwrap(), (fields, true));
}

#[test]
fn columns_with_names_stay_as_they_are() {
    let columns = vec![("r".to_owned(), row()), ("c".to_owned(), ColumnType::Double)];
    let given = columns.iter().map(|(name, ty)| column(name, ty.clone())).collect();
    assert_eq!(named(given).unwrap(), (columns, false));
}

#[test]
fn columns_without_names_are_refused_with_what_to_write() {
    let error = named(vec![column("", ColumnType::BigInt), column("", ColumnType::Varchar)]).unwrap_err().to_string();
    assert!(error.contains("COPY (SELECT r FROM (<the query>) r) TO"), "{error}");
}

#[test]
fn a_struct_that_is_null_is_null_in_all_columns() {
    let fields = vec![ArrowField::new("a", DataType::Int64, true), ArrowField::new("b", DataType::Utf8, true)];
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![Some(1), None, Some(3)])),
        Arc::new(StringArray::from(vec!["x", "y", "z"])),
    ];
    let nulls = NullBuffer::from(vec![true, true, false]);
    let rows: ArrayRef = Arc::new(StructArray::try_new(fields.into(), columns, Some(nulls)).unwrap());
    let batch = unpacked(&RecordBatch::try_from_iter([("r", rows)]).unwrap()).unwrap();
    assert_eq!(batch.column(0).as_primitive::<Int64Type>(), &Int64Array::from(vec![Some(1), None, None]));
    assert_eq!(batch.column(1).as_string::<i32>(), &StringArray::from(vec![Some("x"), Some("y"), None]));
    assert_eq!(batch.num_rows(), batch.column(1).len());
}
