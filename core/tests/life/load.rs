//! Loading rows that are no file.

use std::sync::Arc;

use tstable_core::{
    ErrorKind,
    schema::{ColumnType, TimeUnit},
    storage::local::LocalStorage,
    table::{
        CreateRequest, Table,
        append::{OnOverlap, Unwatched},
        load::{LoadRequest, Loaded},
    },
};

use super::fixture::{Row, StopAfter, World, batch, check_coverage, rows, shown};

fn columns() -> Vec<(String, ColumnType)> {
    let columns =
        [("ts", ColumnType::Timestamp(TimeUnit::Us)), ("symbol", ColumnType::Varchar), ("price", ColumnType::Double)];
    columns.map(|(name, ty)| (name.to_owned(), ty)).to_vec()
}

fn load(world: &World, loaded: &[Row], on_overlap: OnOverlap) -> tstable_core::Result<Loaded> {
    let mut loader = world.table.loader(&columns(), LoadRequest { on_overlap, ..LoadRequest::default() })?;
    for part in loaded.chunks(3) {
        loader.push(&batch(part))?;
    }
    loader.finish(&Unwatched)
}

const OLD: [Row; 3] = [(0.0, "A", 1.0), (1.0, "A", 2.0), (0.0, "B", 3.0)];

#[test]
fn rows_of_any_order_become_a_sorted_segment() {
    let world = World::new();
    let some: Vec<Row> =
        (0..50).map(|i| (f64::from((i * 7) % 50), if i % 2 == 0 { "A" } else { "B" }, f64::from(i))).collect();
    let loaded = load(&world, &some, OnOverlap::Error).unwrap();
    assert_eq!((loaded.rows, loaded.rows_skipped), (50, 0));
    let latest = world.latest();
    assert_eq!(latest.state.segments.len(), 1);
    assert!(latest.state.segments.all().unwrap()[0].record.sorted_by.is_some());
    assert_eq!(rows(&latest), shown(&some));
    check_coverage(&latest);
}

#[test]
fn the_policies_are_those_of_files() {
    let new = [(1.5, "A", 9.0), (2.0, "A", 8.0)];
    let world = World::new();
    load(&world, &OLD, OnOverlap::Error).unwrap();
    assert_eq!(load(&world, &new, OnOverlap::Error).unwrap_err().kind(), ErrorKind::Overlap);
    assert_eq!(load(&world, &new, OnOverlap::SkipFile).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(rows(&world.latest()), shown(&OLD));
    let skipped = load(&world, &new, OnOverlap::SkipRows).unwrap();
    assert_eq!((skipped.rows, skipped.rows_skipped), (1, 1));
    assert_eq!(rows(&world.latest()), shown(&[OLD.as_slice(), &[(2.0, "A", 8.0)]].concat()));
    load(&world, &new, OnOverlap::Replace).unwrap();
    assert_eq!(rows(&world.latest()), shown(&[(0.0, "A", 1.0), (0.0, "B", 3.0), (1.5, "A", 9.0), (2.0, "A", 8.0)]));
    load(&world, &new, OnOverlap::Allow).unwrap();
    assert_eq!(world.latest().state.rows(), 6);
    check_coverage(&world.latest());
}

#[test]
fn what_is_wholly_covered_makes_no_version() {
    let world = World::new();
    load(&world, &OLD, OnOverlap::Error).unwrap();
    let loaded = load(&world, &OLD, OnOverlap::SkipRows).unwrap();
    assert_eq!((loaded.rows, loaded.rows_skipped, loaded.changed.committed), (0, 3, false));
    assert!(!load(&world, &[], OnOverlap::Error).unwrap().changed.committed);
    assert_eq!(world.unreferenced(), Vec::<String>::new());
}

#[test]
fn a_loader_that_is_dropped_or_interrupted_leaves_nothing() {
    let world = World::new();
    let mut loader = world.table.loader(&columns(), LoadRequest::default()).unwrap();
    loader.push(&batch(&OLD)).unwrap();
    drop(loader);
    for stop in 0..4 {
        let mut loader = world.table.loader(&columns(), LoadRequest::default()).unwrap();
        loader.push(&batch(&OLD)).unwrap();
        if let Err(e) = loader.finish(&StopAfter(stop.into())) {
            assert_eq!(e.kind(), ErrorKind::Cancelled);
            assert_eq!(world.latest().state.version.0, 1);
        }
        assert_eq!(world.unreferenced(), Vec::<String>::new());
    }
}

#[test]
fn a_table_is_made_with_the_first_rows_and_must_be_equal_afterwards() {
    let directory = tempfile::tempdir().unwrap();
    let table = Table::new(Arc::new(LocalStorage::new(directory.path().join("new").to_str().unwrap())));
    let request = |bucket: &str| LoadRequest {
        create: Some(
            CreateRequest { entity_columns: vec!["symbol".to_owned()], ..CreateRequest::new("ts", bucket) }
                .definition()
                .unwrap(),
        ),
        ..LoadRequest::default()
    };
    let load = |bucket: &str, part: &[Row]| {
        let mut loader = table.loader(&columns(), request(bucket))?;
        part.chunks(1).try_for_each(|row| loader.push(&batch(row)))?;
        loader.finish(&Unwatched)
    };
    assert_eq!(table.loader(&columns(), LoadRequest::default()).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(load("1h", &OLD).unwrap().changed.snapshot.state.version.0, 2);
    assert_eq!(load("1h", &[(7.0, "A", 1.0)]).unwrap().changed.snapshot.state.version.0, 3);
    assert_eq!(load("1d", &[(8.0, "A", 1.0)]).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(rows(&table.latest(None).unwrap()).len(), 4);
}
