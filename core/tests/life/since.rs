//! What a version has that an earlier one had not, however few rows may be held at once.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use arrow::array::RecordBatch;
use tstable_core::{
    ErrorKind,
    log::Version,
    table::{
        append::{OnOverlap, Unwatched},
        cache::Cache,
        compact::{CompactRequest, Order},
        delete::DeleteRequest,
        since::{Since, new_rows::NewRows},
    },
    time::{IndexRange, IndexValue},
};

use super::fixture::{HOUR_US, Row, World, rows, rows_of};

type Counted = BTreeMap<(i64, String, i64), usize>;

#[expect(clippy::cast_possible_truncation, reason = "hours and prices of tests are small")]
fn counted(rows: impl IntoIterator<Item = (f64, String, f64)>) -> Counted {
    let mut counted = Counted::new();
    for (hour, symbol, price) in rows {
        *counted.entry(((hour * 1000.0).round() as i64, symbol, price as i64)).or_default() += 1;
    }
    counted
}

fn since(world: &World, then: u64, rows_at_once: u64) -> Since {
    let cache = Arc::new(Cache::new(1 << 20));
    Since::new(&world.table, &world.latest(), Version(then), &cache).unwrap().holding(rows_at_once)
}

fn new_rows(world: &World, then: u64, rows_at_once: u64) -> Counted {
    let mut found = NewRows::new(since(world, then, rows_at_once), IndexRange::ALL).unwrap();
    let mut all: Vec<RecordBatch> = Vec::new();
    while let Some(batch) = found.next(&Unwatched).unwrap() {
        all.push(batch);
    }
    counted(all.iter().flat_map(rows_of))
}

/// A table after appends, a compaction, a replacement, a deletion and a second compaction.
fn busy() -> World {
    busy_in(World::new())
}

/// The same with a table that is empty still.
pub(crate) fn busy_in(world: World) -> World {
    let day = |from: usize, price: f64| -> Vec<Row> {
        (from * 4..from * 4 + 48)
            .flat_map(|q| [(q as f64 / 4.0, "A", price), (q as f64 / 4.0, "B", q as f64)])
            .collect()
    };
    let append = |files: &[PathBuf], policy| world.append(files, policy).unwrap();
    append(&[world.file(&day(0, 1.0))], OnOverlap::Error);
    append(&[world.file(&day(12, 1.0))], OnOverlap::Error);
    let request = CompactRequest { range: IndexRange::ALL, target_rows: 100, order: Order::Entity, dry_run: false };
    world.table.compact(&world.latest(), &request, &Unwatched).unwrap();
    append(&[world.file(&day(6, 2.0))], OnOverlap::Replace);
    append(&[world.file(&[(3.1, "A", 9.0), (3.1, "A", 9.0), (3.25, "A", 1.0), (40.0, "C", 1.0)])], OnOverlap::Allow);
    let hours =
        |from: i64, until: i64| IndexRange::new(IndexValue::from(from * HOUR_US), IndexValue::from(until * HOUR_US));
    let delete = DeleteRequest { range: hours(20, 22), entities: Vec::new() };
    world.table.delete(&world.latest(), &delete, &Unwatched).unwrap();
    world.table.compact(&world.latest(), &request, &Unwatched).unwrap();
    world
}

#[test]
fn new_rows_are_those_of_now_less_those_of_then_each_as_often_as_it_is_there() {
    let world = busy();
    let now = counted(rows(&world.latest()));
    for then in 2..=world.latest().state.version.0 {
        let mut wanted = now.clone();
        for (row, times) in counted(rows(&world.at(then))) {
            if let Some(left) = wanted.get_mut(&row) {
                *left = left.saturating_sub(times);
            }
        }
        wanted.retain(|_, times| *times > 0);
        for rows_at_once in [1, 7, 50, 1 << 20] {
            assert_eq!(new_rows(&world, then, rows_at_once), wanted, "since {then}, {rows_at_once} rows at once");
        }
    }
    assert_eq!(new_rows(&world, 0, 7), now);
}

#[test]
fn changed_buckets_are_those_whose_rows_differ() {
    let world = busy();
    let buckets = |version: u64| {
        let mut buckets: BTreeMap<(String, i64), Counted> = BTreeMap::new();
        for row in rows(&world.at(version)) {
            #[expect(clippy::cast_possible_truncation, reason = "hours of tests are small")]
            let key = (row.1.clone(), row.0.floor() as i64);
            for (row, times) in counted([row]) {
                *buckets.entry(key.clone()).or_default().entry(row).or_default() += times;
            }
        }
        buckets
    };
    let now = buckets(world.latest().state.version.0);
    for then in 2..=world.latest().state.version.0 {
        let before = buckets(then);
        let keys = now.keys().chain(before.keys()).filter(|key| now.get(*key) != before.get(*key));
        let wanted: std::collections::BTreeSet<_> = keys.cloned().collect();
        for rows_at_once in [1, 7, 50, 1 << 20] {
            let changed = since(&world, then, rows_at_once).changed(&Unwatched).unwrap();
            let text = |entity: &tstable_core::coverage::Entity| match &entity.parts()[0] {
                tstable_core::coverage::EntityPart::Text(text) => text.to_string(),
                other => panic!("{other:?}"),
            };
            let found = changed.iter().flat_map(|(entity, set)| set.iter().map(move |bucket| (text(entity), bucket.0)));
            assert_eq!(
                found.collect::<std::collections::BTreeSet<_>>(),
                wanted,
                "since {then}, {rows_at_once} at once"
            );
        }
    }
}

#[test]
fn a_version_that_is_yet_to_come_is_refused() {
    let world = busy();
    let latest = world.latest();
    let cache = Arc::new(Cache::new(1 << 20));
    let refused = Since::new(&world.table, &latest, latest.state.version.next(), &cache).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
}
