//! Deleting buckets of ranges and entities.

use tstable_core::{
    ErrorKind,
    coverage::EntityPart,
    table::{
        delete::{DeleteRequest, Deleted},
        monitor::Unwatched,
        write::policy::{OnOverlap, Status},
    },
    time::{IndexRange, IndexValue},
};

use super::fixture::{HOUR_US, Meanwhile, Row, StopAfter, World, check_coverage, rows, shown};

const ROWS: [Row; 6] =
    [(0.0, "A", 1.0), (1.0, "A", 2.0), (1.5, "A", 3.0), (2.0, "A", 4.0), (0.0, "B", 5.0), (1.0, "B", 6.0)];

fn world() -> World {
    let world = World::new();
    world.append(&[world.file(&ROWS)], OnOverlap::Error).unwrap();
    world
}

fn hours(start: i64, until: i64) -> IndexRange {
    IndexRange::new(IndexValue((start * HOUR_US).into()), IndexValue((until * HOUR_US).into()))
}

fn delete(world: &World, range: IndexRange, symbol: Option<&str>) -> tstable_core::Result<Deleted> {
    let entity = symbol.map(|symbol| ("SYMBOL".to_owned(), EntityPart::from(symbol))).into_iter().collect();
    world.table.delete(&world.latest(), &DeleteRequest { range, entities: vec![entity] }, &Unwatched)
}

#[test]
fn a_range_goes_and_the_old_version_keeps_it() {
    let world = world();
    let deleted = delete(&world, hours(1, 2), None).unwrap();
    assert_eq!((deleted.loss.rows, deleted.buckets), (3, 2));
    assert_eq!(rows(&world.latest()), shown(&[(0.0, "A", 1.0), (2.0, "A", 4.0), (0.0, "B", 5.0)]));
    assert_eq!(rows(&world.at(2)), shown(&ROWS));
    check_coverage(&world.latest());
}

#[test]
fn an_entity_goes_alone() {
    let world = world();
    let deleted = delete(&world, IndexRange::ALL, Some("A")).unwrap();
    assert_eq!((deleted.loss.rows, deleted.buckets), (4, 3));
    assert_eq!(rows(&world.latest()), shown(&[(0.0, "B", 5.0), (1.0, "B", 6.0)]));
    check_coverage(&world.latest());
}

#[test]
fn segments_of_which_nothing_is_left_go_without_being_opened() {
    let world = world();
    let path = world.latest().state.segments.all().unwrap()[0].record.path.clone();
    std::fs::write(world.directory.path().join("t").join(path), b"no Parquet").unwrap();
    let deleted = delete(&world, IndexRange::ALL, None).unwrap();
    assert_eq!((deleted.loss.rows, deleted.loss.segments_removed, deleted.loss.segments_added), (6, 1, 0));
    assert!(world.latest().state.segments.is_empty());
}

#[test]
fn nothing_to_delete_makes_no_version() {
    let world = world();
    for (range, symbol) in [(hours(50, 60), None), (IndexRange::ALL, Some("Z"))] {
        let deleted = delete(&world, range, symbol).unwrap();
        assert!(!deleted.changed.committed);
        assert_eq!(deleted.loss.rows, 0);
    }
    assert_eq!(world.latest().state.version.0, 2);
}

#[test]
fn ends_inside_a_bucket_are_refused_with_the_bounds_around_them() {
    let world = world();
    let range = IndexRange::new(IndexValue((HOUR_US / 2).into()), IndexValue((2 * HOUR_US).into()));
    let error = delete(&world, range, None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.message().contains("start 1970-01-01 00:30"), "{error}");
    assert!(error.message().contains("1970-01-01 00:00 and 1970-01-01 01:00"), "{error}");
}

#[test]
fn an_unknown_entity_column_or_type_is_refused() {
    let world = world();
    for (name, part) in [("venue", EntityPart::from("X")), ("symbol", EntityPart::Int(1))] {
        let request = DeleteRequest { range: IndexRange::ALL, entities: vec![vec![(name.to_owned(), part)]] };
        let error = world.table.delete(&world.latest(), &request, &Unwatched).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
}

#[test]
fn deleted_buckets_may_be_filled_again_by_the_same_file() {
    let world = World::new();
    let file = world.file(&ROWS);
    world.append(std::slice::from_ref(&file), OnOverlap::Error).unwrap();
    delete(&world, hours(1, 2), None).unwrap();
    let refused = world.append(std::slice::from_ref(&file), OnOverlap::SkipFile).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Overlap);
    let again = world.append(&[file], OnOverlap::SkipRows).unwrap();
    assert_eq!((again.files[0].status, again.files[0].rows, again.files[0].rows_skipped), (Status::Appended, 3, 3));
    assert_eq!(rows(&world.latest()), shown(&ROWS));
}

#[test]
fn what_others_append_into_the_range_meanwhile_goes_too() {
    let world = world();
    let between = world.file(&[(1.0, "C", 9.0), (3.0, "C", 9.0)]);
    let meanwhile = Meanwhile::new(|| drop(world.append(std::slice::from_ref(&between), OnOverlap::Error).unwrap()));
    let request = DeleteRequest { range: hours(1, 2), entities: Vec::new() };
    world.table.delete(&world.latest(), &request, &meanwhile).unwrap();
    assert_eq!(rows(&world.latest()), shown(&[(0.0, "A", 1.0), (2.0, "A", 4.0), (0.0, "B", 5.0), (3.0, "C", 9.0)]));
    assert_eq!(world.unreferenced(), Vec::<String>::new());
}

#[test]
fn an_interrupted_deletion_leaves_nothing() {
    for stop in 0..3 {
        let world = world();
        let request = DeleteRequest { range: hours(1, 2), entities: Vec::new() };
        let result = world.table.delete(&world.latest(), &request, &StopAfter(stop.into()));
        if let Err(e) = result {
            assert_eq!(e.kind(), ErrorKind::Cancelled);
            assert_eq!(rows(&world.latest()), shown(&ROWS));
        }
        assert_eq!(world.unreferenced(), Vec::<String>::new());
    }
}
