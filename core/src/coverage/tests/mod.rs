//! Coverage against a plain model, as laws and as examples; bytes on disk have their own file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bytes;
mod sets;
mod tables;

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

type Model = BTreeSet<i64>;

fn set_of(model: &Model) -> BucketSet {
    model.iter().map(|id| BucketId(*id)).collect()
}

fn ids(set: &BucketSet) -> Vec<i64> {
    set.iter().map(|id| id.0).collect()
}

fn run(first: i64, last: i64) -> Run {
    Run { first: BucketId(first), last: BucketId(last) }
}

fn entity(name: &str) -> Entity {
    [EntityPart::from(name)].into_iter().collect()
}

/// Starts near the places where blocks of 2^16, maps of 2^32 and the numbers themselves meet or end.
fn any_id() -> impl Strategy<Value = i64> {
    prop_oneof![
        -40_i64..40,
        -40_i64..40,
        65_500_i64..65_570,
        (1_i64 << 32) - 20..(1_i64 << 32) + 20,
        -(1_i64 << 32) - 20..-(1_i64 << 32) + 20,
        Just(i64::MIN),
        Just(i64::MIN + 1),
        i64::MAX - 10..=i64::MAX,
        any::<i64>(),
    ]
}

/// Sets made of short runs, so that runs, gaps and neighbours are common.
fn any_model() -> impl Strategy<Value = Model> {
    prop::collection::vec((any_id(), 0_i64..12), 0..12).prop_map(|runs| {
        runs.into_iter().flat_map(|(first, length)| (0..=length).map_while(move |i| first.checked_add(i))).collect()
    })
}

/// As [`any_model`], and dense sets that Roaring keeps as bitmaps.
fn any_dense_model() -> impl Strategy<Value = Model> {
    prop_oneof![
        any_model(),
        (any_id(), 2_u64..9, 1_usize..9_000).prop_map(|(first, modulus, count)| {
            (0..count as u64)
                .filter(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % modulus == 0)
                .map_while(|i| first.checked_add_unsigned(i))
                .collect()
        }),
    ]
}

fn model_runs(model: &Model) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for id in model {
        match runs.last_mut() {
            Some(last) if last.last.0.checked_add(1) == Some(*id) => last.last = BucketId(*id),
            _ => runs.push(run(*id, *id)),
        }
    }
    runs
}
