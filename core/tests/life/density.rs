//! Which buckets have enough rows, against a count of the rows, however few may be counted at once.

use std::collections::BTreeMap;

use tstable_core::{
    coverage::{BucketId, Entity, EntityPart, Run},
    table::{append::Unwatched, ask::density::Counting},
    time::{IndexRange, IndexValue},
};

use super::{
    fixture::{HOUR_US, World, rows},
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

fn check(world: &World, from: i64, until: i64) {
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
            assert_eq!(found, truth, "at least {least}, {at_once} at once");
        }
    }
}

#[test]
fn buckets_with_enough_rows_are_those_that_a_count_of_the_rows_finds() {
    let world = busy_in(World::new());
    check(&world, 0, 48);
    check(&world, 3, 4);
    check(&world, 7, 31);
}
