//! Which buckets have enough rows, against a count of the rows, however few may be counted at once.

use std::collections::BTreeMap;

use tstable_core::{
    coverage::{BucketId, Entity, EntityPart, Run},
    log::commit::Instant,
    table::{
        append::{OnOverlap, Unwatched},
        ask::density::{CountedBy, Counting},
        vacuum::VacuumRequest,
    },
    time::{IndexRange, IndexValue},
};

use super::{
    fixture::{HOUR_US, Row, World, rows},
    since::busy_in,
};

/// The buckets with at least `least` rows by a count of all rows.
fn truth(world: &World, from: i64, until: i64, least: usize) -> BTreeMap<(String, i64), usize> {
    let mut counted: BTreeMap<(String, i64), usize> = BTreeMap::new();
    for (hour, symbol, _) in rows(&world.latest()) {
        #[expect(clippy::cast_possible_truncation, reason = "hours of tests are small")]
        let bucket = hour.floor() as i64;
        if (from..until).contains(&bucket) {
            *counted.entry((symbol, bucket)).or_default() += 1;
        }
    }
    counted.retain(|_, rows| *rows >= least);
    counted
}

fn check(world: &World, from: i64, until: i64, by: CountedBy) {
    let snapshot = world.latest();
    let (grid, coverage) = (snapshot.grid().unwrap(), snapshot.coverage().unwrap());
    let range = IndexRange::new(IndexValue::from(from * HOUR_US), IndexValue::from(until * HOUR_US));
    let run = grid.buckets_in(&range).unwrap();
    for least in 1..6 {
        let truth: Vec<_> = truth(world, from, until, least).into_keys().collect();
        for at_once in [1, 3, 1 << 20] {
            let wanted: BTreeMap<Entity, Run> = coverage.entities().map(|entity| (entity.clone(), run)).collect();
            let counting = Counting::new(&snapshot, &coverage, wanted, &Unwatched).holding(at_once);
            let dense = counting.dense(least as u64).unwrap();
            let mut found: Vec<(String, i64)> = Vec::new();
            for (entity, set) in &dense.sets {
                let hour = |bucket: BucketId| i64::try_from(grid.start_of(bucket).0).unwrap() / HOUR_US;
                let EntityPart::Text(name) = &entity.parts()[0] else { panic!("{entity:?}") };
                found.extend(set.iter().map(|bucket| (name.to_string(), hour(bucket))));
            }
            assert_eq!(dense.by, by);
            assert_eq!(found, truth, "at least {least}, {at_once} at once");
        }
    }
}

#[test]
fn buckets_with_enough_rows_are_those_that_a_count_of_the_rows_finds() {
    let world = busy_in(World::new());
    check(&world, 0, 48, CountedBy::Rows);
    check(&world, 3, 4, CountedBy::Rows);
    check(&world, 7, 31, CountedBy::Rows);
}

#[test]
fn counts_stay_true_through_all_that_moves_rows() {
    let world = busy_in(World::counting());
    check(&world, 0, 48, CountedBy::Counts);
    let name = |of: &str| -> Entity { vec![EntityPart::from(of)].into() };
    world.table.rename_entity(&world.latest(), &name("A"), &name("Z"), &Unwatched).unwrap();
    check(&world, 0, 48, CountedBy::Counts);
    let rows: Vec<Row> = (0..40_u8).map(|at| (f64::from(at) / 8.0 + 2.0, "B", f64::from(at))).collect();
    world.append(&[world.file(&rows)], OnOverlap::Merge).unwrap();
    check(&world, 0, 48, CountedBy::Counts);
    world.append(&[world.file(&rows)], OnOverlap::SkipRows).unwrap();
    check(&world, 0, 48, CountedBy::Counts);
    assert!(world.table.verify(true, &Unwatched).unwrap().iter().all(|found| found.problem.is_none()));
}

/// A table whose only segment has counts of more than the commit holds.
fn with_a_file_of_counts() -> (World, std::path::PathBuf) {
    let world = World::counting();
    let many = |bucket: i32| (0..=bucket % 7).map(move |at| (f64::from(bucket) + f64::from(at) / 10.0, "A", 1.0));
    let rows: Vec<Row> = (0..3_000).flat_map(many).collect();
    world.append(&[world.file(&rows)], OnOverlap::Error).unwrap();
    let latest = world.latest();
    let record = &latest.state.segments.all().unwrap()[0].record;
    let path = world.directory.path().join("t").join(record.counts_path().unwrap());
    (world, path)
}

#[test]
fn counts_that_are_damaged_or_gone_are_read_from_the_rows_found_and_rebuilt() {
    let (world, path) = with_a_file_of_counts();
    let whole = std::fs::read(&path).unwrap();
    check(&world, 100, 130, CountedBy::Counts);
    let mut bent = whole.clone();
    bent[40] ^= 1;
    // Counts of other rows, whole in themselves.
    let other = tstable_core::coverage::Counts::default().to_bytes();
    for damage in [Some(bent), Some(other), None] {
        match damage {
            Some(bytes) => std::fs::write(&path, bytes).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        check(&world, 100, 130, CountedBy::Rows);
        let found = world.table.verify(false, &Unwatched).unwrap();
        let problems: Vec<_> = found.into_iter().filter(|found| found.problem.is_some()).map(|f| f.what).collect();
        assert_eq!(problems, ["counts"]);
        let repaired = world.table.repair(false, Instant::now()).unwrap();
        assert!(repaired.iter().any(|row| row.what == "counts" && row.done), "{repaired:?}");
        assert_eq!(std::fs::read(&path).unwrap(), whole);
        check(&world, 100, 130, CountedBy::Counts);
    }
}

#[test]
fn vacuum_keeps_the_counts_of_live_segments_and_removes_those_of_others() {
    let (world, path) = with_a_file_of_counts();
    let stranger = path.with_file_name("0123456789abcdef.cnt");
    std::fs::copy(&path, &stranger).unwrap();
    let later = Instant(Instant::now().0 + 40 * 24 * 3_600 * 1_000_000);
    world.table.vacuum(&VacuumRequest { keep_us: 0, dry_run: false, now: later }).unwrap();
    assert!(path.exists() && !stranger.exists());
}
