//! The newest rows of each entity, and how few segments they are found in.

use arrow::{
    array::AsArray,
    datatypes::{Float64Type, TimestampMicrosecondType},
};
use tstable_core::table::{cache::Cache, latest::latest, monitor::Unwatched, write::policy::OnOverlap};

use super::fixture::{HOUR_US, Row, World};

/// Hour, symbol and price of the newest rows, and the segments opened.
fn newest(world: &World, count: usize) -> (Vec<(f64, String, f64)>, usize) {
    let found = latest(&world.latest(), &Cache::new(1 << 20), count, &[], &Unwatched).unwrap();
    let mut rows = Vec::new();
    for batch in &found.batches {
        let times = batch.column(0).as_primitive::<TimestampMicrosecondType>();
        let (symbols, prices) = (batch.column(1).as_string::<i32>(), batch.column(2).as_primitive::<Float64Type>());
        for row in 0..batch.num_rows() {
            rows.push((times.value(row) as f64 / HOUR_US as f64, symbols.value(row).to_owned(), prices.value(row)));
        }
    }
    (rows, found.opened)
}

#[test]
fn only_the_newest_segment_is_opened_when_it_has_everybody() {
    let world = World::new();
    for day in 0..10 {
        let file: Vec<Row> =
            (0..5).flat_map(|h| [(f64::from(day * 5 + h), "A", 1.0), (f64::from(day * 5 + h), "B", 2.0)]).collect();
        world.append(&[world.file(&file)], OnOverlap::Error).unwrap();
    }
    let (rows, opened) = newest(&world, 2);
    let expected = [(49.0, "A", 1.0), (48.0, "A", 1.0), (49.0, "B", 2.0), (48.0, "B", 2.0)];
    assert_eq!(rows, expected.map(|(h, s, p)| (h, s.to_owned(), p)));
    assert_eq!(opened, 1);
    assert_eq!(newest(&world, 7).1, 2);
    assert_eq!(newest(&world, 1_000_000).0.len(), 100);
}

#[test]
fn an_entity_that_ended_long_ago_costs_its_own_segment_only() {
    let world = World::new();
    world.append(&[world.file(&[(0.0, "OLD", 1.0), (0.5, "OLD", 2.0), (0.0, "A", 0.0)])], OnOverlap::Error).unwrap();
    for hour in 1..10 {
        world.append(&[world.file(&[(f64::from(hour), "A", 1.0)])], OnOverlap::Error).unwrap();
    }
    let (rows, opened) = newest(&world, 1);
    assert_eq!(rows, [(9.0, "A".to_owned(), 1.0), (0.5, "OLD".to_owned(), 2.0)]);
    assert_eq!(opened, 2);
}

#[test]
fn it_is_what_sorting_all_rows_gives() {
    let world = World::with("none");
    let mut all: Vec<Row> = Vec::new();
    for file in 0..12_i32 {
        let rows: Vec<Row> = (0..40_i32)
            .map(|i| {
                let hour = f64::from((file * 31 + i * 17) % 97) + f64::from(file * 40 + i) / 1024.0;
                (hour, ["A", "B", "C"][usize::try_from((i + file) % 3).unwrap()], f64::from(file * 40 + i))
            })
            .collect();
        world.append(&[world.file(&rows)], OnOverlap::Error).unwrap();
        all.extend(rows);
    }
    for count in [1, 2, 5, 50, 500] {
        let mut expected = Vec::new();
        for symbol in ["A", "B", "C"] {
            let mut own: Vec<_> = all.iter().filter(|row| row.1 == symbol).collect();
            own.sort_by(|a, b| b.0.total_cmp(&a.0));
            expected.extend(own.into_iter().take(count).map(|row| (row.1.to_owned(), row.2)));
        }
        let found: Vec<_> = newest(&world, count).0.into_iter().map(|row| (row.1, row.2)).collect();
        assert_eq!(found, expected, "count {count}");
    }
}

#[test]
fn an_empty_table_has_no_newest_row() {
    let world = World::new();
    world.append(&[world.file(&[(0.0, "A", 1.0)])], OnOverlap::Error).unwrap();
    world.table.delete(&world.latest(), &Default::default(), &Unwatched).unwrap();
    assert_eq!(newest(&world, 3), (Vec::new(), 0));
}
