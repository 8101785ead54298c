#![allow(clippy::unwrap_used)]

use tstable_core::{coverage::Entity, error::ErrorKind};

use super::*;
use crate::functions::report::array;

#[test]
fn a_cell_of_another_type_than_its_column_is_an_internal_error_and_not_a_null() {
    let row = Answer::new().column("rows", ColumnType::BigInt, |_: &()| Cell::text("three")).row(&());
    let error = array(&ColumnType::BigInt, &[row], 0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert!(error.to_string().contains("BIGINT"), "{error}");
}

#[test]
fn a_line_without_an_entity_has_a_null_in_each_entity_column() {
    let columns = ["desk", "symbol"].map(|name| column(name, ColumnType::Varchar));
    let answer = Answer::new().entity(&columns, |of: &Option<Entity>| of.as_ref()).count("rows", |_| 3);
    assert_eq!(answer.row(&None), [Cell::Null, Cell::Null, Cell::count(3)]);
}

#[test]
fn a_column_of_the_answer_gives_way_to_an_entity_column_of_its_name() {
    let columns = [column("Rows", ColumnType::Varchar)];
    let answer = Answer::new().count("rows", |()| 3).entity(&columns, |()| None).bound(|_| Ok([()]));
    let names: Vec<_> = answer.columns().iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["rows_1", "Rows"]);
}
