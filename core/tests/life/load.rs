//! Loading rows that do not come from a file.

use std::sync::Arc;

use tstable_core::{
    ErrorKind,
    log::definition::Uniqueness,
    schema::{ColumnType, TimeUnit},
    storage::local::LocalStorage,
    table::{
        CreateRequest, Table,
        load::{LoadRequest, Loaded},
        monitor::{Monitor, Unwatched},
        write::policy::OnOverlap,
    },
};

use super::fixture::{Meanwhile, Row, StopAfter, World, batch, check_coverage, rows, shown};

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
    let new = [(1.0, "A", 9.0), (1.5, "A", 7.0), (2.0, "A", 8.0)];
    let world = World::new();
    load(&world, &OLD, OnOverlap::Error).unwrap();
    assert_eq!(load(&world, &new, OnOverlap::Error).unwrap_err().kind(), ErrorKind::Overlap);
    assert_eq!(load(&world, &new, OnOverlap::SkipFile).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(rows(&world.latest()), shown(&OLD));
    let skipped = load(&world, &new, OnOverlap::SkipRows).unwrap();
    assert_eq!((skipped.rows, skipped.rows_skipped), (2, 1));
    assert_eq!(rows(&world.latest()), shown(&[OLD.as_slice(), &[(1.5, "A", 7.0), (2.0, "A", 8.0)]].concat()));
    load(&world, &[(1.25, "A", 6.0), (1.5, "A", 5.0)], OnOverlap::Merge).unwrap();
    let merged = [OLD.as_slice(), &[(1.25, "A", 6.0), (1.5, "A", 5.0), (2.0, "A", 8.0)]].concat();
    assert_eq!(rows(&world.latest()), shown(&merged));
    load(&world, &new, OnOverlap::Replace).unwrap();
    let replaced = [(0.0, "A", 1.0), (0.0, "B", 3.0), (1.0, "A", 9.0), (1.5, "A", 7.0), (2.0, "A", 8.0)];
    assert_eq!(rows(&world.latest()), shown(&replaced));
    load(&world, &new, OnOverlap::Allow).unwrap();
    assert_eq!(world.latest().state.rows(), 8);
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
    for stop in 0.. {
        let mut loader = world.table.loader(&columns(), LoadRequest::default()).unwrap();
        loader.push(&batch(&OLD)).unwrap();
        let result = loader.finish(&StopAfter(stop.into()));
        assert_eq!(world.unreferenced(), Vec::<String>::new());
        let Err(e) = result else {
            assert!(stop > 1, "it is asked before rows are written and before the commit");
            break;
        };
        assert_eq!(e.kind(), ErrorKind::Cancelled);
        assert_eq!(world.latest().state.version.0, 1);
    }
}

fn create(bucket: &str) -> LoadRequest {
    let request = CreateRequest { entity_columns: vec!["symbol".to_owned()], ..CreateRequest::new("ts", bucket) };
    LoadRequest { create: Some(request.definition().unwrap()), ..LoadRequest::default() }
}

/// A directory and the table that may come to be in it.
fn nowhere() -> (tempfile::TempDir, Table) {
    let directory = tempfile::tempdir().unwrap();
    let table = Table::new(Arc::new(LocalStorage::new(directory.path().join("new").to_str().unwrap())));
    (directory, table)
}

fn load_into(table: &Table, bucket: &str, part: &[Row], monitor: &dyn Monitor) -> tstable_core::Result<Loaded> {
    let mut loader = table.loader(&columns(), create(bucket))?;
    part.chunks(1).try_for_each(|row| loader.push(&batch(row)))?;
    loader.finish(monitor)
}

#[test]
fn a_table_is_made_with_its_first_rows_in_one_version_and_must_be_equal_afterwards() {
    let (_directory, table) = nowhere();
    let load = |bucket: &str, part: &[Row]| load_into(&table, bucket, part, &Unwatched);
    assert_eq!(table.loader(&columns(), LoadRequest::default()).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(load("1h", &OLD).unwrap().changed.snapshot.state.version.0, 1);
    assert_eq!(rows(&table.latest(None).unwrap()).len(), 3);
    assert_eq!(load("1h", &[(7.0, "A", 1.0)]).unwrap().changed.snapshot.state.version.0, 2);
    assert_eq!(load("1d", &[(8.0, "A", 1.0)]).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(rows(&table.latest(None).unwrap()).len(), 4);
}

#[test]
fn no_rows_make_an_empty_table_with_their_columns() {
    let (_directory, table) = nowhere();
    let loaded = load_into(&table, "1h", &[], &Unwatched).unwrap();
    assert_eq!((loaded.rows, loaded.changed.committed, loaded.changed.snapshot.state.version.0), (0, true, 1));
    assert_eq!(table.latest(None).unwrap().schema().unwrap().columns.len(), 3);
}

#[test]
fn a_load_that_fails_makes_no_table() {
    let (_directory, table) = nowhere();
    let twice = [(0.0, "A", 1.0), (0.0, "A", 2.0)];
    let mut request = create("1h");
    request.create.as_mut().unwrap().uniqueness = Uniqueness::Row;
    let mut loader = table.loader(&columns(), request).unwrap();
    loader.push(&batch(&twice)).unwrap();
    assert_eq!(loader.finish(&Unwatched).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(table.latest(None).unwrap_err().kind(), ErrorKind::NotFound);
    assert!(table.log().storage().list("data").unwrap().is_empty());
}

#[test]
fn a_table_made_meanwhile_is_loaded_into_when_it_is_equal() {
    for (bucket, expected) in [("1h", Ok(2)), ("1d", Err(ErrorKind::AlreadyExists))] {
        let (_directory, table) = nowhere();
        let theirs = create(bucket).create.unwrap();
        let id = theirs.table_id.clone();
        let meanwhile = Meanwhile::new(|| _ = table.create(theirs.clone(), false).unwrap());
        let loaded = load_into(&table, "1h", &OLD, &meanwhile);
        let version = loaded.map(|loaded| loaded.changed.snapshot.state.version.0);
        assert_eq!(version.map_err(|e| e.kind()), expected);
        assert_eq!(table.latest(None).unwrap().definition().table_id, id);
        let files = table.log().storage().list("data").unwrap().len();
        assert_eq!(files, usize::from(expected.is_ok()));
    }
}
