//! What each policy does with buckets that are covered, alone and in races.

use tstable_core::{
    ErrorKind,
    table::write::policy::{OnOverlap, Status},
};

use super::fixture::{Meanwhile, Row, StopAfter, World, check_coverage, rows, shown};

const OLD: [Row; 4] = [(0.0, "A", 1.0), (1.0, "A", 2.0), (0.0, "B", 3.0), (5.0, "B", 4.0)];

fn with_old() -> World {
    let world = World::new();
    world.append(&[world.file(&OLD)], OnOverlap::Error).unwrap();
    world
}

#[test]
fn skip_rows_leaves_out_only_the_rows_that_the_table_has() {
    let world = with_old();
    let file = world.file(&[(1.0, "A", 9.0), (1.5, "A", 9.0), (2.0, "A", 8.0), (0.0, "C", 7.0)]);
    let report = &world.append(&[file], OnOverlap::SkipRows).unwrap().files[0];
    assert_eq!((report.status, report.rows, report.rows_skipped), (Status::Appended, 3, 1));
    assert_eq!((report.buckets_added, report.entities), (2, 2));
    let expected = [OLD.as_slice(), &[(1.5, "A", 9.0), (2.0, "A", 8.0), (0.0, "C", 7.0)]].concat();
    assert_eq!(rows(&world.latest()), shown(&expected));
    check_coverage(&world.latest());
}

#[test]
fn skip_rows_of_a_file_whose_rows_are_there_commits_nothing() {
    let world = with_old();
    let file = world.file(&[(1.0, "A", 9.0)]);
    let report = world.append(&[file], OnOverlap::SkipRows).unwrap();
    assert_eq!((report.files[0].status, report.files[0].rows_skipped), (Status::AlreadyCovered, 1));
    assert_eq!(report.snapshot.state.version.0, 2);
}

#[test]
fn skip_rows_takes_a_row_from_the_first_of_two_files() {
    let world = World::new();
    let files = [world.file(&[(0.0, "A", 1.0)]), world.file(&[(0.0, "A", 9.0), (0.5, "A", 2.0), (1.0, "A", 3.0)])];
    world.append(&files, OnOverlap::SkipRows).unwrap();
    assert_eq!(rows(&world.latest()), shown(&[(0.0, "A", 1.0), (0.5, "A", 2.0), (1.0, "A", 3.0)]));
}

#[test]
fn replace_puts_new_rows_in_the_place_of_old_ones_and_keeps_the_old_version() {
    let world = with_old();
    let file = world.file(&[(0.25, "A", 9.0), (7.0, "A", 8.0)]);
    let done = world.append(&[file], OnOverlap::Replace).unwrap();
    assert_eq!((done.files[0].status, done.files[0].rows), (Status::Replaced, 2));
    assert_eq!(done.snapshot.state.version.0, 3);
    let expected = [(0.25, "A", 9.0), (1.0, "A", 2.0), (7.0, "A", 8.0), (0.0, "B", 3.0), (5.0, "B", 4.0)];
    assert_eq!(rows(&world.latest()), shown(&expected));
    assert_eq!(rows(&world.at(2)), shown(&OLD));
    check_coverage(&world.latest());
}

#[test]
fn replace_of_everything_leaves_only_the_new_segment() {
    let world = with_old();
    let new = [(0.0, "A", 10.0), (1.0, "A", 20.0), (0.0, "B", 30.0), (5.0, "B", 40.0)];
    world.append(&[world.file(&new)], OnOverlap::Replace).unwrap();
    assert_eq!(world.latest().state.segments.len(), 1);
    assert_eq!(rows(&world.latest()), shown(&new));
}

#[test]
fn replace_refuses_two_files_that_want_the_same_bucket() {
    let world = with_old();
    let files = [world.file(&[(0.0, "A", 1.0)]), world.file(&[(0.5, "A", 2.0)])];
    let error = world.append(&files, OnOverlap::Replace).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overlap);
    assert!(error.message().contains("of the same call"), "{error}");
    assert_eq!(world.latest().state.version.0, 2);
    assert_eq!(world.unreferenced(), Vec::<String>::new());
}

#[test]
fn replaced_rows_come_back_when_their_file_replaces_in_turn() {
    let world = World::new();
    let first = world.file(&[(0.0, "A", 1.0), (1.0, "A", 2.0)]);
    world.append(std::slice::from_ref(&first), OnOverlap::Error).unwrap();
    world.append(&[world.file(&[(1.0, "A", 9.0)])], OnOverlap::Replace).unwrap();
    let again = world.append(std::slice::from_ref(&first), OnOverlap::SkipFile).unwrap();
    assert_eq!(again.files[0].status, Status::AlreadyLoaded);
    let back = world.append(&[first], OnOverlap::Replace).unwrap();
    assert_eq!(back.files[0].status, Status::Replaced);
    assert_eq!(rows(&world.latest()), shown(&[(0.0, "A", 1.0), (1.0, "A", 2.0)]));
}

#[test]
fn replace_follows_an_append_that_comes_between() {
    let world = with_old();
    let between = world.file(&[(2.0, "A", 5.0), (3.0, "A", 6.0)]);
    let file = world.file(&[(0.0, "A", 9.0), (2.0, "A", 8.0)]);
    let meanwhile = Meanwhile::new(|| drop(world.append(std::slice::from_ref(&between), OnOverlap::Error).unwrap()));
    let done = world.append_watched(&[file], OnOverlap::Replace, &meanwhile).unwrap();
    assert_eq!(done.snapshot.state.version.0, 4);
    let expected =
        [(0.0, "A", 9.0), (1.0, "A", 2.0), (2.0, "A", 8.0), (3.0, "A", 6.0), (0.0, "B", 3.0), (5.0, "B", 4.0)];
    assert_eq!(rows(&world.latest()), shown(&expected));
    check_coverage(&world.latest());
    assert_eq!(world.unreferenced(), Vec::<String>::new());
}

#[test]
fn replace_computes_anew_when_the_segment_it_carves_goes_meanwhile() {
    let world = with_old();
    let between = world.file(&[(1.0, "A", 7.0)]);
    let file = world.file(&[(0.0, "A", 9.0)]);
    let meanwhile = Meanwhile::new(|| drop(world.append(std::slice::from_ref(&between), OnOverlap::Replace).unwrap()));
    world.append_watched(&[file], OnOverlap::Replace, &meanwhile).unwrap();
    assert_eq!(rows(&world.latest()), shown(&[(0.0, "A", 9.0), (1.0, "A", 7.0), (0.0, "B", 3.0), (5.0, "B", 4.0)]));
    check_coverage(&world.latest());
    assert_eq!(world.unreferenced(), Vec::<String>::new());
}

#[test]
fn skip_rows_decides_anew_after_a_lost_race() {
    let world = with_old();
    let between = world.file(&[(2.0, "A", 5.0)]);
    let file = world.file(&[(1.0, "A", 9.0), (2.0, "A", 8.0), (3.0, "A", 7.0)]);
    let meanwhile = Meanwhile::new(|| drop(world.append(std::slice::from_ref(&between), OnOverlap::Error).unwrap()));
    let done = world.append_watched(&[file], OnOverlap::SkipRows, &meanwhile).unwrap();
    assert_eq!((done.files[0].rows, done.files[0].rows_skipped), (1, 2));
    let expected = [OLD.as_slice(), &[(2.0, "A", 5.0), (3.0, "A", 7.0)]].concat();
    assert_eq!(rows(&world.latest()), shown(&expected));
    assert_eq!(world.unreferenced(), Vec::<String>::new());
}

#[test]
fn an_interrupted_replace_leaves_nothing() {
    for stop in 0..8 {
        let world = with_old();
        let file = world.file(&[(0.0, "A", 9.0), (0.0, "B", 9.0)]);
        match world.append_watched(&[file], OnOverlap::Replace, &StopAfter(stop.into())) {
            Ok(_) => assert_eq!(world.latest().state.version.0, 3),
            Err(e) => {
                assert_eq!(e.kind(), ErrorKind::Cancelled);
                assert_eq!(rows(&world.latest()), shown(&OLD));
            }
        }
        assert_eq!(world.unreferenced(), Vec::<String>::new());
    }
}

#[test]
fn uniqueness_none_lets_every_bucket_be_filled_again() {
    let world = World::with("none");
    for price in [1.0, 2.0] {
        world.append(&[world.file(&[(0.0, "A", price)])], OnOverlap::Error).unwrap();
    }
    assert_eq!(rows(&world.latest()), shown(&[(0.0, "A", 1.0), (0.0, "A", 2.0)]));
    world.append(&[world.file(&[(0.5, "A", 3.0)])], OnOverlap::Replace).unwrap();
    assert_eq!(rows(&world.latest()), shown(&[(0.5, "A", 3.0)]));
}

#[test]
fn uniqueness_row_refuses_rows_that_share_entity_and_index() {
    let world = World::with("row");
    let sorted = [(0.0, "A", 1.0), (0.0, "A", 2.0), (1.0, "A", 3.0)];
    let shuffled =
        [(1.0, "A", 1.0), (0.0, "B", 1.0), (0.5, "A", 1.0), (1.0, "A", 2.0), (0.0, "B", 2.0), (0.0, "B", 3.0)];
    for (bad, count, example) in [
        (sorted.as_slice(), "1 row shares", "symbol='A' at 1970-01-01 00:00"),
        (shuffled.as_slice(), "3 rows share", "symbol='B' at 1970-01-01 00:00"),
    ] {
        let error = world.append(&[world.file(bad)], OnOverlap::Error).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.message().contains(count) && error.message().contains(example), "{error}");
    }
    let good = [(1.0, "A", 1.0), (0.0, "A", 2.0), (0.5, "A", 2.0), (0.0, "B", 2.0)];
    world.append(&[world.file(&good)], OnOverlap::Error).unwrap();
    assert_eq!(rows(&world.latest()), shown(&good));
}
