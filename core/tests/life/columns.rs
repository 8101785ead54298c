//! Columns that are added, missing, in another order or narrower.

use std::sync::Arc;

use arrow::{
    array::{Float32Array, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray},
    datatypes::{DataType, Field, Schema, TimeUnit},
};
use tstable_core::{
    ErrorKind,
    schema::{ColumnType, type_name::parse},
    table::write::policy::OnOverlap,
};

use super::fixture::{Meanwhile, World, batches, is_null, rows, shown, write};

fn added(world: &World, columns: &[(&str, &str)]) -> tstable_core::Result<()> {
    let columns: Vec<(String, ColumnType)> =
        columns.iter().map(|(name, ty)| ((*name).to_owned(), parse(ty).unwrap())).collect();
    world.table.add_columns(&world.latest(), &columns).map(drop)
}

fn world() -> World {
    let world = World::new();
    world.append(&[world.file(&[(0.0, "A", 1.0)])], OnOverlap::Error).unwrap();
    world
}

#[test]
fn old_segments_answer_new_columns_with_null() {
    let world = world();
    added(&world, &[("fee", "DECIMAL(10,4)"), ("notes", "VARCHAR[]")]).unwrap();
    let latest = world.latest();
    let names: Vec<_> = latest.schema().unwrap().columns.iter().map(|c| (c.id, c.name.as_str())).collect();
    assert_eq!(names, [(1, "ts"), (2, "symbol"), (3, "price"), (4, "fee"), (5, "notes")]);
    assert_eq!(is_null(&batches(&latest)[0], "fee"), [true]);
    assert_eq!(is_null(&batches(&latest)[0], "notes"), [true]);
    assert_eq!(world.at(2).schema().unwrap().columns.len(), 3);
}

#[test]
fn a_name_that_is_there_is_refused_whatever_its_case() {
    let world = world();
    for columns in [vec![("PRICE", "DOUBLE")], vec![("x", "DOUBLE"), ("X", "DOUBLE")]] {
        assert_eq!(added(&world, &columns).unwrap_err().kind(), ErrorKind::AlreadyExists);
    }
    assert_eq!(added(&world, &[("", "DOUBLE")]).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(added(&world, &[]).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(added(&World::new(), &[("x", "DOUBLE")]).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(world.latest().state.version.0, 2);
}

#[test]
fn files_may_lack_columns_have_another_order_and_narrower_types() {
    let world = world();
    added(&world, &[("volume", "BIGINT")]).unwrap();
    let path = world.directory.path().join("other.parquet");
    let schema = Schema::new(vec![
        Field::new("Volume", DataType::Int32, true),
        Field::new("price", DataType::Float32, true),
        Field::new("SYMBOL", DataType::Utf8, true),
        Field::new("ts", DataType::Timestamp(TimeUnit::Millisecond, None), true),
    ]);
    let batch = RecordBatch::try_new(
        Arc::new(schema),
        vec![
            Arc::new(Int32Array::from(vec![7])),
            Arc::new(Float32Array::from(vec![2.5])),
            Arc::new(StringArray::from(vec!["B"])),
            Arc::new(TimestampMillisecondArray::from(vec![3_600_000])),
        ],
    );
    write(&path, &batch.unwrap());
    world.append(&[path, world.file(&[(2.0, "C", 3.0)])], OnOverlap::Error).unwrap();
    assert_eq!(rows(&world.latest()), shown(&[(0.0, "A", 1.0), (1.0, "B", 2.5), (2.0, "C", 3.0)]));
    let volumes: Vec<_> = batches(&world.latest()).iter().flat_map(|batch| is_null(batch, "volume")).collect();
    assert_eq!(volumes, [true, false, true]);
}

#[test]
fn what_would_lose_something_is_refused_with_both_types() {
    let world = world();
    let path = world.directory.path().join("lossy.parquet");
    let batch = RecordBatch::try_from_iter([
        ("ts", super::fixture::batch(&[(1.0, "A", 1.0)]).column(0).clone()),
        ("symbol", Arc::new(StringArray::from(vec!["A"])) as _),
        ("price", Arc::new(StringArray::from(vec!["1"])) as _),
        ("extra", Arc::new(Int64Array::from(vec![1])) as _),
    ]);
    write(&path, &batch.unwrap());
    let error = world.append(&[path], OnOverlap::Error).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SchemaMismatch);
    let text = error.to_string();
    assert!(text.contains("price   DOUBLE              VARCHAR"), "{text}");
    assert!(text.contains("extra   (not in the table)  BIGINT"), "{text}");
}

#[test]
fn an_append_follows_columns_that_are_added_meanwhile() {
    let world = world();
    let file = world.file(&[(1.0, "A", 2.0)]);
    let meanwhile = Meanwhile::new(|| added(&world, &[("fee", "DOUBLE")]).unwrap());
    world.append_watched(&[file], OnOverlap::Error, &meanwhile).unwrap();
    assert_eq!(world.latest().state.version.0, 4);
    let fees: Vec<_> = batches(&world.latest()).iter().flat_map(|batch| is_null(batch, "fee")).collect();
    assert_eq!(fees, [true, true]);
    let latest = world.latest();
    let segment = latest.state.segments.all().unwrap()[1];
    assert_eq!(segment.record.last_field_id, 3);
}

#[test]
fn a_restored_table_never_gives_an_id_out_again() {
    let world = world();
    added(&world, &[("x", "DOUBLE")]).unwrap();
    world.table.restore(&world.latest(), tstable_core::log::Version(2)).unwrap();
    added(&world, &[("x", "VARCHAR")]).unwrap();
    let latest = world.latest();
    // The first x had 4, and the restoration took 5 to tell what was written before it from what comes after.
    assert_eq!(latest.schema().unwrap().find("x").unwrap().id, 6);
    assert_eq!(is_null(&batches(&latest)[0], "x"), [true]);
}
