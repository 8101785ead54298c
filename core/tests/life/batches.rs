//! Reading rows from a program: the columns, rows and values that are asked for, and nothing of units and places.

use arrow::{
    array::{Array, AsArray, RecordBatch},
    datatypes::{Float64Type, TimestampMicrosecondType},
};
use tstable_core::{
    ColumnType, Entity, EntityPart, ErrorKind, IndexRange, IndexValue, MemoryStorage, OnOverlap, Rows, Table,
};

use super::fixture::{HOUR_US, World};

fn filled() -> World {
    let world = World::new();
    world.append(&[world.file(&[(0.0, "A", 1.0), (1.5, "A", 2.0), (1.0, "B", 3.0)])], OnOverlap::Error).unwrap();
    world.append(&[world.file(&[(2.0, "A", 4.0), (3.0, "B", 5.0)])], OnOverlap::Error).unwrap();
    world
}

fn read(world: &World, rows: Rows) -> Vec<RecordBatch> {
    world.latest().scan(rows).batches().unwrap().collect::<Result<_, _>>().unwrap()
}

fn prices(batches: &[RecordBatch]) -> Vec<f64> {
    let column = |batch: &RecordBatch| batch.column_by_name("price").unwrap().as_primitive::<Float64Type>().clone();
    let mut all: Vec<_> = batches.iter().flat_map(|batch| column(batch).values().to_vec()).collect();
    all.sort_by(f64::total_cmp);
    all
}

fn hours(start: i64, until: i64) -> IndexRange {
    IndexRange::new(IndexValue::from(start * HOUR_US), IndexValue::from(until * HOUR_US))
}

#[test]
fn every_row_of_every_column_is_read_when_nothing_else_is_said() {
    let batches = read(&filled(), Rows::all());
    assert_eq!(prices(&batches), [1.0, 2.0, 3.0, 4.0, 5.0]);
    let names: Vec<_> = batches[0].schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["ts", "symbol", "price"]);
}

#[test]
fn columns_come_in_the_order_in_which_they_are_asked_for() {
    let batches = read(&filled(), Rows::all().columns(["price", "ts"]));
    let schema = batches[0].schema();
    let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["price", "ts"]);
    assert!(batches.iter().all(|batch| batch.column(1).as_primitive_opt::<TimestampMicrosecondType>().is_some()));
}

#[test]
fn only_rows_of_the_range_and_of_the_entities_come() {
    let world = filled();
    assert_eq!(prices(&read(&world, Rows::all().within(hours(1, 3)))), [2.0, 3.0, 4.0]);
    let a = || Entity::from(vec![EntityPart::from("A")]);
    assert_eq!(prices(&read(&world, Rows::all().of([a()]))), [1.0, 2.0, 4.0]);
    assert_eq!(prices(&read(&world, Rows::all().of([a()]).within(hours(0, 2)).columns(["price"]))), [1.0, 2.0]);
    assert!(read(&world, Rows::all().within(hours(50, 60))).is_empty());
}

#[test]
fn no_columns_at_all_count_the_rows() {
    let world = filled();
    let count = |rows: Rows| read(&world, rows).iter().map(RecordBatch::num_rows).sum::<usize>();
    assert_eq!(count(Rows::all().columns::<String>([])), 5);
    assert_eq!(count(Rows::all().columns::<String>([]).within(hours(1, 3))), 3);
}

#[test]
fn a_column_that_was_added_later_is_null_in_older_rows() {
    let world = filled();
    let table = &world.table;
    table.add_columns(&world.latest(), &[("venue".to_owned(), ColumnType::Varchar)]).unwrap();
    for rows in [Rows::all(), Rows::all().columns(["venue"])] {
        let batches = read(&world, rows);
        let nulls: usize = batches.iter().map(|batch| batch.column_by_name("venue").unwrap().null_count()).sum();
        assert_eq!(nulls, 5);
    }
}

#[test]
fn a_column_that_is_not_there_is_named_beside_those_that_are() {
    let error = filled().latest().scan(Rows::all().columns(["close"])).batches().map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().contains("no column 'close'; its columns are ts, symbol, price"), "{error}");
}

#[test]
fn a_table_without_columns_says_so() {
    let table = Table::new(std::sync::Arc::new(MemoryStorage::new("memory")));
    let definition = tstable_core::CreateRequest::new("ts", "1h").definition().unwrap();
    let snapshot = table.create(definition, false).unwrap().snapshot;
    let error = snapshot.scan(Rows::all()).batches().map(drop).unwrap_err();
    assert!(error.to_string().contains("the table has no columns yet"), "{error}");
}
