//! Checks on rows that are appended.

use tstable_core::{
    ErrorKind,
    table::{
        append::Appended,
        monitor::Unwatched,
        write::policy::{AppendRequest, OnOverlap, OnViolation},
    },
};

use super::fixture::{Meanwhile, Row, World, check_coverage, rows, shown};

const GOOD: [Row; 2] = [(0.0, "A", 1.0), (1.0, "A", 2.0)];
const MIXED: [Row; 4] = [(2.0, "A", 5.0), (3.0, "A", -1.0), (2.0, "B", -2.0), (2.5, "A", 6.0)];

fn world() -> World {
    let world = World::new();
    world.append(&[world.file(&GOOD)], OnOverlap::Error).unwrap();
    world.table.check(&world.latest(), "positive", Some("price > 0")).unwrap();
    world
}

fn append(
    world: &World,
    new: &[Row],
    on_violation: OnViolation,
    on_overlap: OnOverlap,
) -> tstable_core::Result<Appended> {
    let request = AppendRequest { files: vec![world.file(new)], on_overlap, on_violation, ..AppendRequest::default() };
    world.table.append(&world.latest(), &request, &Unwatched)
}

#[test]
fn a_file_that_violates_a_check_is_refused_with_count_and_first_rows() {
    let world = world();
    let error = append(&world, &MIXED, OnViolation::Error, OnOverlap::Error).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let text = error.to_string();
    for part in [
        "2 rows violate the check 'positive' (price > 0)",
        "row 2 (symbol A, ts 1970-01-01T03:00:00, price -1.0)",
        "row 3 (symbol B",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(world.latest().state.version.0, 3);
    assert_eq!(world.unreferenced(), Vec::<String>::new());
}

#[test]
fn rows_that_violate_a_check_can_be_left_out_and_do_not_cover_their_buckets() {
    let world = world();
    let done = append(&world, &MIXED, OnViolation::SkipRows, OnOverlap::Error).unwrap();
    assert_eq!((done.files[0].rows, done.files[0].rows_skipped, done.files[0].buckets_added), (2, 2, 1));
    assert_eq!(rows(&world.latest()), shown(&[GOOD.as_slice(), &[MIXED[0], MIXED[3]]].concat()));
    check_coverage(&world.latest());
    append(&world, &[(3.0, "A", 9.0)], OnViolation::Error, OnOverlap::Error).unwrap();
}

#[test]
fn checks_go_together_with_overlap_policies() {
    let world = world();
    let new = [(0.0, "A", 8.0), (2.0, "A", -1.0), (3.0, "A", 7.0)];
    let done = append(&world, &new, OnViolation::SkipRows, OnOverlap::SkipRows).unwrap();
    assert_eq!((done.files[0].rows, done.files[0].rows_skipped), (1, 2));
    let done = append(&world, &new, OnViolation::SkipRows, OnOverlap::Replace).unwrap();
    assert_eq!(done.files[0].rows, 2);
    assert_eq!(rows(&world.latest()), shown(&[(0.0, "A", 8.0), (1.0, "A", 2.0), (3.0, "A", 7.0)]));
    check_coverage(&world.latest());
}

#[test]
fn a_file_of_which_every_row_violates_adds_nothing() {
    let world = world();
    let done = append(&world, &[(5.0, "A", -1.0)], OnViolation::SkipRows, OnOverlap::Error).unwrap();
    assert_eq!((done.files[0].rows, done.files[0].rows_skipped), (0, 1));
    assert_eq!(world.latest().state.version.0, 3);
    assert_eq!(world.unreferenced(), Vec::<String>::new());
}

#[test]
fn a_check_is_replaced_and_removed() {
    let world = world();
    assert!(!world.table.check(&world.latest(), "positive", Some("price > 0")).unwrap().committed);
    world.table.check(&world.latest(), "positive", Some("price > -10")).unwrap();
    append(&world, &MIXED, OnViolation::Error, OnOverlap::Error).unwrap();
    world.table.check(&world.latest(), "positive", None).unwrap();
    append(&world, &[(9.0, "A", -99.0)], OnViolation::Error, OnOverlap::Error).unwrap();
    for (name, predicate) in [("", "price > 0"), ("x", "volume > 0"), ("x", "sqrt(price) > 0")] {
        let error = world.table.check(&world.latest(), name, Some(predicate)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
}

#[test]
fn a_check_that_is_made_meanwhile_stops_the_append() {
    let world = World::new();
    world.append(&[world.file(&GOOD)], OnOverlap::Error).unwrap();
    let file = world.file(&MIXED);
    let meanwhile = Meanwhile::new(|| drop(world.table.check(&world.latest(), "positive", Some("price > 0")).unwrap()));
    let error = world.append_watched(&[file], OnOverlap::Error, &meanwhile).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(rows(&world.latest()), shown(&GOOD));
    assert_eq!(world.unreferenced(), Vec::<String>::new());
}
