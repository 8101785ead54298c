//! Loads that meet rows of the table, row by row: what is passed over is there, what is put in the place of others has their
//! entity and index, and content that is there already makes no version.

use tstable_core::{
    ErrorKind,
    coverage::{Coverage, Entity, EntityPart},
    table::{
        compact::{CompactRequest, Order},
        folders::Folders,
        incoming::Arrival,
        keys::{Holder, Keys},
        monitor::Unwatched,
        target::Target,
        write::policy::{OnOverlap, Status},
    },
    time::IndexRange,
};

use super::fixture::{Meanwhile, Row, World, check_coverage, rows, shown};

const OLD: [Row; 4] = [(0.0, "A", 1.0), (0.5, "A", 2.0), (0.0, "B", 3.0), (5.0, "B", 4.0)];

fn with_old() -> World {
    let world = World::new();
    world.append(&[world.file(&OLD)], OnOverlap::Error).unwrap();
    world
}

fn version(world: &World) -> u64 {
    world.latest().state.version.0
}

#[test]
fn skip_file_refuses_a_covered_file_whose_rows_are_not_there_and_names_every_way() {
    let world = with_old();
    let file = world.file(&[(0.0, "A", 1.0), (0.25, "A", 7.0), (0.75, "A", 8.0)]);
    let error = world.append(&[file], OnOverlap::SkipFile).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overlap);
    let words = error.message();
    assert!(words.contains("2 of its 3 rows are not in the table, first symbol='A' at 1970-01-01 00:15"), "{words}");
    for way in ["'skip_rows'", "'merge'", "'replace'", "'allow'", "smaller buckets", "uniqueness := 'none'"] {
        assert!(words.contains(way), "{way}: {words}");
    }
    assert_eq!((version(&world), rows(&world.latest())), (2, shown(&OLD)));
}

#[test]
fn skip_file_passes_over_a_file_whose_rows_are_there_whatever_their_values() {
    let world = with_old();
    let file = world.file(&[(0.5, "A", 9.0), (5.0, "B", 9.0)]);
    let report = &world.append(&[file], OnOverlap::SkipFile).unwrap().files[0];
    assert_eq!((report.status, report.rows, report.rows_skipped), (Status::AlreadyCovered, 0, 2));
    assert_eq!(version(&world), 2);
}

#[test]
fn skip_file_counts_rows_that_share_entity_and_index() {
    let world = with_old();
    let file = world.file(&[(0.5, "A", 2.0), (0.5, "A", 3.0)]);
    let error = world.append(&[file], OnOverlap::SkipFile).unwrap_err();
    assert!(error.message().contains("1 of its 2 rows is not in the table"), "{error}");
}

#[test]
fn skip_rows_refuses_to_choose_among_rows_that_share_entity_and_index() {
    let world = with_old();
    let file = world.file(&[(0.5, "A", 2.0), (0.5, "A", 3.0), (0.75, "A", 4.0)]);
    let error = world.append(&[file], OnOverlap::SkipRows).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overlap);
    assert!(error.message().contains("which of them are new cannot be told"), "{error}");
    assert_eq!((version(&world), world.unreferenced()), (2, Vec::<String>::new()));
}

#[test]
fn a_load_smaller_than_a_bucket_is_told_how_to_get_in() {
    let world = World::new();
    world.append(&[world.file(&[(0.0, "A", 1.0)])], OnOverlap::Error).unwrap();
    let later = world.file(&[(0.1, "A", 2.0)]);
    let error = world.append(std::slice::from_ref(&later), OnOverlap::Error).unwrap_err();
    assert!(error.message().contains("'allow'") && error.message().contains("uniqueness := 'none'"), "{error}");
    world.append(&[later], OnOverlap::SkipRows).unwrap();
    assert_eq!(rows(&world.latest()), shown(&[(0.0, "A", 1.0), (0.1, "A", 2.0)]));
    check_coverage(&world.latest());
}

#[test]
fn merge_puts_rows_in_the_place_of_those_with_the_same_entity_and_index_and_keeps_all_others() {
    let world = with_old();
    let file = world.file(&[(0.5, "A", 9.0), (0.75, "A", 8.0), (9.0, "A", 7.0)]);
    let done = world.append(&[file], OnOverlap::Merge).unwrap();
    assert_eq!((done.files[0].status, done.files[0].rows), (Status::Merged, 3));
    let expected =
        [(0.0, "A", 1.0), (0.5, "A", 9.0), (0.75, "A", 8.0), (9.0, "A", 7.0), (0.0, "B", 3.0), (5.0, "B", 4.0)];
    assert_eq!(rows(&world.latest()), shown(&expected));
    assert_eq!(rows(&world.at(2)), shown(&OLD));
    check_coverage(&world.latest());
}

#[test]
fn merge_of_rows_that_replace_none_leaves_segments_as_they_are() {
    let world = with_old();
    let before = world.latest().state.segments.all().unwrap()[0].record.id.clone();
    world.append(&[world.file(&[(0.25, "A", 9.0)])], OnOverlap::Merge).unwrap();
    let after = world.latest();
    assert!(after.state.segments.all().unwrap().iter().any(|segment| segment.record.id == before));
    assert_eq!(rows(&after).len(), 5);
}

#[test]
fn merge_takes_the_place_of_rows_that_come_between() {
    let world = with_old();
    let between = world.file(&[(2.0, "A", 5.0), (2.5, "A", 6.0)]);
    let file = world.file(&[(0.5, "A", 9.0), (2.0, "A", 8.0)]);
    let meanwhile = Meanwhile::new(|| drop(world.append(std::slice::from_ref(&between), OnOverlap::Error).unwrap()));
    world.append_watched(&[file], OnOverlap::Merge, &meanwhile).unwrap();
    let expected =
        [(0.0, "A", 1.0), (0.5, "A", 9.0), (2.0, "A", 8.0), (2.5, "A", 6.0), (0.0, "B", 3.0), (5.0, "B", 4.0)];
    assert_eq!(rows(&world.latest()), shown(&expected));
    check_coverage(&world.latest());
    assert_eq!(world.unreferenced(), Vec::<String>::new());
}

#[test]
fn merge_refuses_two_files_of_one_call_with_the_same_row_and_takes_those_without() {
    let world = with_old();
    let files = [world.file(&[(0.5, "A", 9.0)]), world.file(&[(0.5, "A", 8.0)])];
    let error = world.append(&files, OnOverlap::Merge).unwrap_err();
    assert!(error.kind() == ErrorKind::Overlap && error.message().contains("of the same call"), "{error}");
    let files = [world.file(&[(0.5, "A", 9.0)]), world.file(&[(0.75, "A", 8.0)])];
    world.append(&files, OnOverlap::Merge).unwrap();
    assert_eq!(rows(&world.latest()).len(), 5);
    check_coverage(&world.latest());
}

#[test]
fn content_that_is_there_makes_no_version_under_any_policy_that_takes_it() {
    let world = World::new();
    let first = world.file(&OLD);
    let second = world.file(&[(7.0, "A", 1.0), (8.0, "A", 2.0)]);
    world.append(&[first.clone(), second.clone()], OnOverlap::Error).unwrap();
    let again = || {
        let before = version(&world);
        for policy in [OnOverlap::SkipFile, OnOverlap::SkipRows, OnOverlap::Replace, OnOverlap::Merge] {
            let done = world.append(&[first.clone(), second.clone()], policy).unwrap();
            let statuses: Vec<_> = done.files.iter().map(|file| (file.status, file.rows)).collect();
            assert_eq!(statuses, [(Status::AlreadyLoaded, 0); 2], "{policy:?}");
        }
        assert_eq!(version(&world), before);
    };
    again();
    // Rows of both in one segment, which has both as sources.
    let request = CompactRequest { range: IndexRange::ALL, target_rows: 1000, order: Order::default(), dry_run: false };
    world.table.compact(&world.latest(), &request, &Unwatched).unwrap();
    assert_eq!(world.latest().state.segments.len(), 1);
    again();
}

#[test]
fn content_that_was_loaded_and_corrected_since_is_put_back_by_replace_and_merge() {
    for policy in [OnOverlap::Replace, OnOverlap::Merge] {
        let world = World::new();
        let first = world.file(&OLD);
        world.append(std::slice::from_ref(&first), OnOverlap::Error).unwrap();
        world.append(&[world.file(&[(0.5, "A", 9.0)])], OnOverlap::Merge).unwrap();
        let back = world.append(&[first], policy).unwrap();
        assert!(matches!(back.files[0].status, Status::Replaced | Status::Merged), "{policy:?}");
        assert_eq!(rows(&world.latest()), shown(&OLD), "{policy:?}");
    }
}

#[test]
fn keys_compared_in_many_passes_are_those_of_one() {
    let world = World::new();
    let many: Vec<Row> =
        (0..200).map(|i| (f64::from(i % 40) / 4.0, if i % 3 == 0 { "A" } else { "B" }, f64::from(i))).collect();
    world.append(&[world.file(&many)], OnOverlap::Error).unwrap();
    let other: Vec<Row> =
        (0..100).map(|i| (f64::from(i) / 8.0, if i % 2 == 0 { "A" } else { "C" }, f64::from(i))).collect();
    let latest = world.latest();
    let target = Target::of_table(latest.definition()).unwrap();
    let Arrival::Rows(file) =
        Arrival::read(&world.file(&other), Some(&target), &Folders::default(), &Unwatched).unwrap()
    else {
        panic!("rows")
    };
    let keys = Keys::new(latest.storage().as_ref(), &target, &latest.state.properties).unwrap();
    let segments = latest.state.segments.all().unwrap();
    let others: Vec<_> = segments.iter().map(|segment| Holder::Segment(segment)).collect();
    let shared =
        |at_once| keys.shared_at_once(Holder::File(&file), &others, &file.coverage, at_once, &Unwatched).unwrap();
    let all = shared(1 << 20);
    let expected: Vec<u64> = (0..100_u64)
        .filter(|i| {
            let (hour, symbol, _) = other[usize::try_from(*i).unwrap()];
            many.iter().any(|(h, s, _)| *h == hour && *s == symbol)
        })
        .collect();
    assert!(!expected.is_empty());
    assert_eq!((0..100).filter(|row| all.rows.contains(*row)).collect::<Vec<_>>(), expected);
    assert_eq!(all.lacking, 100 - expected.len() as u64);
    for at_once in [1, 7, 50] {
        let parts = shared(at_once);
        assert_eq!((parts.rows, parts.lacking, parts.surplus), (all.rows.clone(), all.lacking, all.surplus));
        assert_eq!(parts.example, all.example);
    }
    // Rows outside of the buckets that are asked about do not count.
    let mut only = Coverage::new();
    let symbol: Entity = [EntityPart::Text("A".into())].into_iter().collect();
    only.insert_set(&symbol, file.coverage.get(&symbol).unwrap().clone());
    let part = keys.shared(Holder::File(&file), &others, &only, &Unwatched).unwrap();
    assert_eq!(part.lacking + part.rows.len(), 50);
}
