//! Counts against a plain map of buckets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn one(bucket: i64) -> Run {
    Run { first: BucketId(bucket), last: BucketId(bucket) }
}

fn flat(counts: &Counts) -> BTreeMap<(Entity, i64), u64> {
    let mut all = BTreeMap::new();
    for (entity, pieces) in counts.iter() {
        assert!(pieces.windows(2).all(|pair| pair[0].run.last < pair[1].run.first), "{pieces:?}");
        for piece in pieces {
            for bucket in piece.run.first.0..=piece.run.last.0 {
                assert!(all.insert((entity.clone(), bucket), piece.rows).is_none());
            }
        }
    }
    all
}

proptest! {
    #[test]
    fn counts_are_those_of_a_map_whatever_the_order_and_the_memory(
        rows in prop::collection::vec((0_i64..3, -20_i64..20, 1_i64..4, 1_u64..3), 0..200),
        limit in 200_usize..500,
    ) {
        let mut builder = CountsBuilder::holding(limit);
        let mut model = BTreeMap::new();
        for (whose, first, length, count) in rows {
            let entity: Entity = vec![crate::coverage::EntityPart::Int(whose.into())].into();
            let slot = builder.slot(&entity);
            builder.add(slot, Run { first: BucketId(first), last: BucketId(first + length - 1) }, count);
            for bucket in first..first + length {
                *model.entry((entity.clone(), bucket)).or_insert(0) += count;
            }
        }
        let counts = builder.finish().unwrap();
        let rows = model.values().sum();
        prop_assert_eq!(counts.totals(), (model.len() as u64, rows));
        let mut dense = BTreeMap::new();
        counts.add_dense(3, &mut dense).unwrap();
        let enough: u64 = dense.values().map(BucketSet::len).sum();
        prop_assert_eq!(enough, model.values().filter(|rows| **rows >= 3).count() as u64);
        prop_assert_eq!(&Counts::from_bytes(&counts.to_bytes()).unwrap(), &counts);
        prop_assert_eq!(flat(&counts), model);
    }

    #[test]
    fn no_bytes_make_reading_counts_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..80), seal in any::<bool>()) {
        if seal {
            bytes.splice(0..0, *b"TSTCNT\x01\x00");
            let checksum = xxhash_rust::xxh3::xxh3_64(&bytes);
            bytes.extend_from_slice(&checksum.to_le_bytes());
        }
        if let Ok(counts) = Counts::from_bytes(&bytes) {
            prop_assert_eq!(Counts::from_bytes(&counts.to_bytes()).unwrap(), counts);
        }
    }
}

#[test]
fn a_row_a_bucket_is_one_piece_and_rows_that_come_back_are_added() {
    let mut builder = CountsBuilder::holding(100);
    let slot = builder.slot(&Entity::none());
    for bucket in 0..1_000 {
        builder.add(slot, one(bucket), 1);
    }
    builder.add(slot, one(5), 2);
    let counts = builder.finish().unwrap();
    let pieces: Vec<_> =
        counts.iter().flat_map(|(_, pieces)| pieces).map(|p| (p.run.first.0, p.run.last.0, p.rows)).collect();
    assert_eq!(pieces, [(0, 4, 1), (5, 5, 3), (6, 999, 1)]);
}

#[test]
fn more_pieces_than_may_be_held_are_given_up() {
    let mut builder = CountsBuilder::holding(100);
    let slot = builder.slot(&Entity::none());
    for bucket in 0..1_000 {
        builder.add(slot, one(bucket * 2), 1);
    }
    assert_eq!(builder.finish(), None);
}
