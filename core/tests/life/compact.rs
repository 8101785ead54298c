//! Compacting: what it merges, what it keeps, and what others do meanwhile.

use std::cell::Cell;

use tstable_core::{
    ErrorKind,
    log::commit::SortOrder,
    table::{
        compact::{CompactRequest, Compacted, Order},
        delete::DeleteRequest,
        fragmentation::assess,
        monitor::Unwatched,
        write::policy::{OnOverlap, Status},
    },
    time::{IndexRange, IndexValue},
};

use super::fixture::{HOUR_US, Meanwhile, Row, StopAfter, World, check_coverage, rows};

fn request(target_rows: u64) -> CompactRequest {
    CompactRequest { range: IndexRange::ALL, target_rows, order: Order::Entity, dry_run: false }
}

fn compact(world: &World, target_rows: u64) -> Compacted {
    world.table.compact(&world.latest(), &request(target_rows), &Unwatched).unwrap()
}

/// So many files of ten hours of A and B each, one after the other.
fn daily(count: usize) -> World {
    let world = World::new();
    for day in 0..count {
        let hours = (0..10).map(|h| (day * 10 + h) as f64);
        let both = hours.flat_map(|h| [(h, "B", h), (h, "A", -h)]).collect::<Vec<Row>>();
        world.append(&[world.file(&both)], OnOverlap::Error).unwrap();
    }
    world
}

#[test]
fn small_segments_become_sorted_ones_of_about_the_target() {
    let world = daily(20);
    let before = rows(&world.latest());
    let done = compact(&world, 100);
    assert_eq!((done.segments_before, done.segments_after, done.rows), (20, 4, 400));
    assert_eq!(done.changed.snapshot.state.version.0, 22);
    let latest = world.latest();
    for segment in latest.state.segments.all().unwrap() {
        assert_eq!(segment.record.rows, 100);
        assert_eq!(segment.record.sorted_by, Some(SortOrder::EntityIndex));
        assert_eq!(segment.record.sources.len(), 5);
    }
    assert_eq!(rows(&latest), before);
    assert_eq!(rows(&world.at(21)), before);
    check_coverage(&latest);
}

#[test]
fn a_second_run_finds_nothing_to_do() {
    for target in [30, 45, 64, 100, 1000] {
        let world = daily(13);
        compact(&world, target);
        let again = compact(&world, target);
        assert!(!again.changed.committed, "target {target}");
        assert_eq!(again.rows, 0);
    }
}

#[test]
fn a_second_run_finds_nothing_whatever_the_segments() {
    // A small generator of its own, so that failures repeat.
    let mut seed = 7_u64;
    let mut next = move |limit: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % limit
    };
    for round in 0..30 {
        let world = World::with("none");
        for _ in 0..=next(12) {
            let (start, step, count) = (next(60) as f64, 1.0 + next(5) as f64, 1 + next(25));
            let symbol = if next(2) == 0 { "A" } else { "B" };
            let file: Vec<Row> = (0..count).map(|i| (start + step * i as f64, symbol, i as f64)).collect();
            world.append(&[world.file(&file)], OnOverlap::Error).unwrap();
        }
        let target = 2 + next(40);
        let before = rows(&world.latest());
        compact(&world, target);
        let snapshot = world.latest();
        assert_eq!(rows(&snapshot), before, "round {round}");
        check_coverage(&snapshot);
        let again = compact(&world, target);
        assert!(!again.changed.committed, "round {round}, target {target}");
    }
}

#[test]
fn segments_that_overlap_are_cut_into_periods() {
    let world = World::new();
    for symbol in ["A", "B", "C", "D", "E", "F", "G", "H"] {
        let file: Vec<Row> = (0..50).map(|h| (f64::from(h), symbol, 1.0)).collect();
        world.append(&[world.file(&file)], OnOverlap::Error).unwrap();
    }
    let before = rows(&world.latest());
    let done = compact(&world, 120);
    assert_eq!(done.segments_after, 4);
    let latest = world.latest();
    let bounds: Vec<_> =
        latest.state.segments.all().unwrap().into_iter().map(|s| (s.record.index_min, s.record.index_max)).collect();
    assert!(bounds.windows(2).all(|pair| pair[0].1 < pair[1].0), "{bounds:?}");
    assert!(latest.state.segments.all().unwrap().into_iter().all(|s| s.record.rows <= 120 && s.record.entities == 8));
    assert_eq!(rows(&latest), before);
    check_coverage(&latest);
}

#[test]
fn only_segments_wholly_inside_the_range_are_merged() {
    let world = daily(6);
    let hours = |start: i64, until: i64| {
        IndexRange::new(IndexValue((start * HOUR_US).into()), IndexValue((until * HOUR_US).into()))
    };
    let done =
        world.table.compact(&world.latest(), &CompactRequest { range: hours(5, 40), ..request(1000) }, &Unwatched);
    let done = done.unwrap();
    assert_eq!((done.segments_before, done.segments_after, done.rows), (6, 4, 60));
}

#[test]
fn a_dry_run_says_what_would_be_done() {
    let world = daily(6);
    let done =
        world.table.compact(&world.latest(), &CompactRequest { dry_run: true, ..request(1000) }, &Unwatched).unwrap();
    assert_eq!((done.segments_before, done.segments_after, done.rows, done.bytes_after), (6, 1, 120, None));
    assert!(!done.changed.committed);
    assert_eq!(world.latest().state.segments.len(), 6);
}

#[test]
fn files_stay_loaded_and_tags_and_properties_stay() {
    let world = World::new();
    let files: Vec<_> = (0..3).map(|h| world.file(&[(f64::from(h), "A", 1.0)])).collect();
    world.append(&files, OnOverlap::Error).unwrap();
    world.table.set(&world.latest(), "owner", Some("ops")).unwrap();
    world.table.tag(&world.latest(), "before", None).unwrap();
    compact(&world, 1000);
    let again = world.append(&files, OnOverlap::SkipFile).unwrap();
    assert!(again.files.iter().all(|file| file.status == Status::AlreadyLoaded));
    assert_eq!((world.latest().state.properties.len(), world.latest().state.tags.len()), (1, 1));
}

#[test]
fn an_append_meanwhile_does_not_conflict() {
    let world = daily(3);
    let between = world.file(&[(500.0, "A", 1.0)]);
    let meanwhile = Meanwhile::new(|| drop(world.append(std::slice::from_ref(&between), OnOverlap::Error).unwrap()));
    let done = world.table.compact(&world.latest(), &request(1000), &meanwhile).unwrap();
    assert_eq!((done.segments_before, done.segments_after), (4, 2));
    assert_eq!(rows(&world.latest()).len(), 61);
    check_coverage(&world.latest());
    assert_eq!(world.unreferenced(), Vec::<String>::new());
}

#[test]
fn a_deletion_meanwhile_is_followed() {
    let world = daily(3);
    let range = IndexRange::new(IndexValue(0), IndexValue((5 * HOUR_US).into()));
    let meanwhile = Meanwhile::new(|| {
        let request = DeleteRequest { range, entities: Vec::new() };
        world.table.delete(&world.latest(), &request, &Unwatched).unwrap();
    });
    world.table.compact(&world.latest(), &request(1000), &meanwhile).unwrap();
    assert_eq!(world.latest().state.segments.len(), 1);
    assert_eq!(rows(&world.latest()).len(), 50);
    check_coverage(&world.latest());
    assert_eq!(world.unreferenced(), Vec::<String>::new());
}

#[test]
fn an_interrupted_run_leaves_nothing() {
    for stop in 0..12 {
        let world = daily(4);
        let result = world.table.compact(&world.latest(), &request(40), &StopAfter(Cell::new(stop)));
        if let Err(e) = result {
            assert_eq!(e.kind(), ErrorKind::Cancelled);
            assert_eq!(world.latest().state.version.0, 5);
        }
        assert_eq!(world.unreferenced(), Vec::<String>::new(), "stopped after {stop}");
    }
}

#[test]
fn the_recommendation_ends_once_it_was_followed() {
    let world = daily(20);
    let before = assess(&world.latest().state).unwrap();
    assert!(before.recommendation.is_some_and(|text| text.contains("20 of 20 segments are small, about 1 would do")));
    compact(&world, 1_000_000);
    let after = assess(&world.latest().state).unwrap();
    assert_eq!((after.fragmentation, after.recommendation), (0.0, None));
}

#[test]
fn an_order_by_index_alone_can_be_chosen() {
    let world = daily(3);
    let request = CompactRequest { order: Order::Index, ..request(1000) };
    world.table.compact(&world.latest(), &request, &Unwatched).unwrap();
    assert_eq!(world.latest().state.segments.all().unwrap()[0].record.sorted_by, Some(SortOrder::Index));
    assert_eq!(Order::parse("x").unwrap_err().kind(), ErrorKind::InvalidArgument);
}

#[test]
fn segments_of_several_row_groups_stay_sorted_within_each_when_they_lose_rows() {
    let world = World::with("none");
    for part in 0..2 {
        let file: Vec<Row> = (0..62_000)
            .map(|i| (f64::from(part * 62_000 + i) / 100.0, if i % 2 == 0 { "B" } else { "A" }, 0.0))
            .collect();
        world.append(&[world.file(&file)], OnOverlap::Error).unwrap();
    }
    compact(&world, 1_000_000);
    let order = |world: &World| {
        let record = world.latest().state.segments.all().unwrap()[0].record.clone();
        (record.row_groups, record.sorted_by)
    };
    assert_eq!(order(&world), (2, Some(SortOrder::EntityIndex)));
    let range = IndexRange::new(IndexValue(0), IndexValue((5 * HOUR_US).into()));
    world.table.delete(&world.latest(), &DeleteRequest { range, entities: Vec::new() }, &Unwatched).unwrap();
    assert_eq!(order(&world), (2, Some(SortOrder::EntityIndex)));
    assert_eq!(world.latest().state.rows(), 123_500);
    check_coverage(&world.latest());
}
