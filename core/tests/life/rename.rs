//! Renaming an entity.

use tstable_core::{
    ErrorKind,
    coverage::{Entity, EntityPart},
    log::universe::Universe,
    table::{
        commit::Changed,
        expect::EmptyRequest,
        monitor::Unwatched,
        write::policy::{OnOverlap, Status},
    },
    time::{IndexRange, IndexValue},
};

use super::fixture::{HOUR_US, Meanwhile, Row, StopAfter, World, check_coverage, rows, shown};

const ROWS: [Row; 6] =
    [(0.0, "A", 1.0), (1.0, "A", 2.0), (1.5, "A", 3.0), (2.0, "A", 4.0), (0.0, "B", 5.0), (1.0, "B", 6.0)];
const RENAMED: [Row; 6] =
    [(0.0, "B", 5.0), (1.0, "B", 6.0), (0.0, "C", 1.0), (1.0, "C", 2.0), (1.5, "C", 3.0), (2.0, "C", 4.0)];

fn world() -> World {
    let world = World::new();
    world.append(&[world.file(&ROWS)], OnOverlap::Error).unwrap();
    world
}

fn entity(name: &str) -> Entity {
    Entity::from(vec![EntityPart::from(name)])
}

fn rename(world: &World, from: &str, to: &str) -> tstable_core::Result<Changed> {
    world.table.rename_entity(&world.latest(), &entity(from), &entity(to), &Unwatched)
}

fn hours(start: i64, until: i64) -> IndexRange {
    IndexRange::new(IndexValue((start * HOUR_US).into()), IndexValue((until * HOUR_US).into()))
}

fn sorted(mut rows: Vec<(f64, String, f64)>) -> Vec<(f64, String, f64)> {
    rows.sort_by(|a, b| (&a.1, a.0).partial_cmp(&(&b.1, b.0)).unwrap());
    rows
}

#[test]
fn an_entity_has_another_name_and_old_versions_the_old_one() {
    let world = world();
    assert_eq!(rename(&world, "A", "C").unwrap().snapshot.state.version.0, 3);
    assert_eq!(sorted(rows(&world.latest())), shown(&RENAMED));
    assert_eq!(rows(&world.at(2)), shown(&ROWS));
    check_coverage(&world.latest());
    assert!(world.latest().coverage().unwrap().get(&entity("A")).is_none());
    let newest = world.table.log().read(world.latest().state.version).unwrap().unwrap();
    assert_eq!((newest.operation.as_str(), newest.rows_rewritten), ("rename_entity", 6));
    assert_eq!(newest.message.unwrap(), "symbol='A' is now symbol='C'");
}

#[test]
fn a_segment_sorted_by_entity_is_sorted_again_and_keeps_its_sources() {
    let world = world();
    let record = |world: &World| world.latest().state.segments.all().unwrap()[0].record.clone();
    let before = record(&world);
    rename(&world, "A", "C").unwrap();
    let after = record(&world);
    assert_eq!((after.sorted_by, &after.sources, after.rows), (before.sorted_by, &before.sources, before.rows));
    assert_ne!(after.id, before.id);
    assert_eq!(rows(&world.latest()), shown(&RENAMED));
}

#[test]
fn only_segments_that_have_the_entity_are_written_anew() {
    let world = world();
    world.append(&[world.file(&[(5.0, "B", 7.0)])], OnOverlap::Error).unwrap();
    let ids = |world: &World| -> Vec<String> {
        world.latest().state.segments.all().unwrap().iter().map(|s| s.record.id.clone()).collect()
    };
    let before = ids(&world);
    rename(&world, "A", "C").unwrap();
    let kept: Vec<_> = ids(&world).into_iter().filter(|id| before.contains(id)).collect();
    assert_eq!(kept, before[1..]);
}

#[test]
fn two_names_become_one_unless_they_share_a_bucket() {
    let world = world();
    let error = rename(&world, "A", "B").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overlap);
    assert!(error.message().contains("2 buckets are covered by symbol='A' and by symbol='B', first"), "{error}");
    assert_eq!((rows(&world.latest()), world.latest().state.version.0), (shown(&ROWS), 2));
    world.append(&[world.file(&[(7.0, "D", 7.0)])], OnOverlap::Error).unwrap();
    rename(&world, "D", "B").unwrap();
    assert_eq!(world.latest().coverage().unwrap().get(&entity("B")).unwrap().len(), 3);
    check_coverage(&world.latest());
}

#[test]
fn an_unknown_entity_the_same_name_and_a_value_of_another_type_are_refused() {
    let world = world();
    for (from, to, words) in
        [("Z", "C", "the table has nothing of symbol='Z'"), ("A", "A", "both the old and the new name")]
    {
        let error = rename(&world, from, to).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.message().contains(words), "{error}");
    }
    assert_eq!(world.latest().state.version.0, 2);
}

#[test]
fn what_is_said_of_an_entity_follows_its_name() {
    let world = world();
    let expected: Universe =
        [(entity("A"), hours(0, 9)), (entity("B"), IndexRange::ALL), (entity("N"), IndexRange::ALL)]
            .into_iter()
            .collect();
    world.table.expect_entities(&world.latest(), &expected).unwrap();
    let empty = EmptyRequest { range: hours(4, 6), entities: vec![entity("A")], reason: None, undo: false };
    world.table.mark_empty(&world.latest(), &empty).unwrap();
    rename(&world, "A", "C").unwrap();
    let state = &world.latest().state;
    let expected = Universe::of(&state.properties).unwrap();
    assert_eq!((expected.ranges_of(&entity("A")), expected.ranges_of(&entity("C"))), (None, Some(&[hours(0, 9)][..])));
    let confirmed = |name: &str| state.expectations.confirmed_of(&entity(name)).map(|set| set.len());
    assert_eq!((confirmed("A"), confirmed("C")), (None, Some(2)));
    // Who never delivered can be renamed as well: no row moves.
    rename(&world, "N", "M").unwrap();
    let expected = Universe::of(&world.latest().state.properties).unwrap();
    assert_eq!((expected.ranges_of(&entity("N")), expected.len()), (None, 3));
}

#[test]
fn the_file_of_the_old_name_is_known_as_loaded() {
    let world = World::new();
    let file = world.file(&ROWS);
    world.append(std::slice::from_ref(&file), OnOverlap::Error).unwrap();
    rename(&world, "A", "X").unwrap();
    rename(&world, "X", "C").unwrap();
    for policy in [OnOverlap::SkipFile, OnOverlap::SkipRows, OnOverlap::Replace, OnOverlap::Merge] {
        let again = world.append(std::slice::from_ref(&file), policy).unwrap();
        assert_eq!(again.files[0].status, Status::AlreadyLoaded, "{policy:?}");
    }
    let error = world.append(std::slice::from_ref(&file), OnOverlap::Error).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overlap);
    assert!(error.message().contains("symbol='A' in it has been renamed to symbol='C'"), "{error}");
    assert_eq!(rows(&world.latest()), shown(&RENAMED));
}

#[test]
fn a_new_entity_may_have_the_old_name() {
    let world = world();
    rename(&world, "A", "C").unwrap();
    let file = world.file(&[(0.0, "A", 9.0)]);
    for status in [Status::Appended, Status::AlreadyLoaded] {
        let appended = world.append(std::slice::from_ref(&file), OnOverlap::SkipFile).unwrap();
        assert_eq!(appended.files[0].status, status);
    }
}

#[test]
fn what_others_append_under_the_old_name_meanwhile_is_renamed_too() {
    let world = world();
    let between = world.file(&[(5.0, "A", 9.0)]);
    let meanwhile = Meanwhile::new(|| drop(world.append(std::slice::from_ref(&between), OnOverlap::Error).unwrap()));
    world.table.rename_entity(&world.latest(), &entity("A"), &entity("C"), &meanwhile).unwrap();
    assert!(world.latest().coverage().unwrap().get(&entity("A")).is_none());
    assert_eq!(world.latest().coverage().unwrap().get(&entity("C")).unwrap().len(), 4);
    assert_eq!(world.unreferenced(), Vec::<String>::new());
}

#[test]
fn an_interrupted_rename_leaves_nothing() {
    let mut stopped = 0;
    for stop in 0..4 {
        let world = world();
        let (from, to) = (entity("A"), entity("C"));
        if let Err(e) = world.table.rename_entity(&world.latest(), &from, &to, &StopAfter(stop.into())) {
            stopped += 1;
            assert_eq!(e.kind(), ErrorKind::Cancelled);
            assert_eq!(rows(&world.latest()), shown(&ROWS));
        }
        assert_eq!(world.unreferenced(), Vec::<String>::new());
    }
    assert!(stopped > 1, "only {stopped} renames were interrupted");
}
