//! Segments in blocks behave as one sorted list, share what does not change, and survive being stored.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

use std::{collections::HashSet, sync::Arc};

use serde_json::Map;

use super::{super::Version, *};
use crate::{
    log::commit::{CoverageRecord, Fingerprint, SegmentRecord},
    storage::source::MemorySource,
};

struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn segment(index: i64, added: u64) -> Arc<Segment> {
    let record = SegmentRecord {
        id: format!("{added:016x}"),
        path: format!("data/{added:016x}.parquet"),
        rows: 10 + added % 7,
        row_groups: 1,
        bytes: 100 + added,
        checksum: Fingerprint(added.into()),
        footer_checksum: None,
        index_min: IndexValue::from(index),
        index_max: IndexValue::from(index + 5),
        sorted_by: None,
        last_field_id: 3,
        missing_fields: Vec::new(),
        entities: 1,
        buckets: 2,
        coverage: CoverageRecord::Inline(vec![1, 2, 3]),
        sources: Vec::new(),
        extra: Map::new(),
    };
    Arc::new(Segment::new(record, Version(added)))
}

fn assert_same(segments: &Segments, model: &mut [Arc<Segment>]) {
    model.sort_by(|a, b| key(a).cmp(&key(b)));
    let all = segments.all().unwrap();
    assert!(all.iter().map(|s| &s.record).eq(model.iter().map(|s| &s.record)));
    assert_eq!((segments.len(), segments.is_empty()), (model.len(), model.is_empty()));
    assert_eq!(segments.rows(), model.iter().map(|s| s.record.rows).sum::<u64>());
    assert_eq!(segments.bytes(), model.iter().map(|s| s.record.bytes).sum::<u64>());
    assert_eq!(segments.buckets(), 2 * model.len() as u64);
    let max = model.iter().map(|s| s.record.index_max).max();
    assert_eq!(segments.index_bounds(), model.first().map(|s| s.record.index_min).zip(max));
    assert!(segments.blocks.iter().all(|block| (1..=BLOCK_SEGMENTS as u64).contains(&block.sums.segments)));
}

fn parts(blocks: Vec<(Sums, Bytes)>) -> Vec<(Sums, Part)> {
    let part = |bytes: Bytes| {
        let length = bytes.len() as u64;
        Part { source: Arc::new(MemorySource::new("some.checkpoint", bytes)), offset: 0, length }
    };
    blocks.into_iter().map(|(sums, bytes)| (sums, part(bytes))).collect()
}

fn stored(segments: &Segments) -> Segments {
    Segments::of_blocks(parts(segments.to_blocks().unwrap())).unwrap()
}

#[test]
fn any_insertions_and_removals_agree_with_a_sorted_list() {
    for seed in 0..20 {
        let mut numbers = Numbers(seed);
        let (mut segments, mut model) = (Segments::default(), Vec::new());
        let spread = 1 + numbers.below(2000);
        for added in 1..1200 {
            if numbers.below(4) > 0 || model.is_empty() {
                let new = segment(numbers.below(spread) as i64, added);
                segments.insert(Arc::clone(&new)).unwrap();
                model.push(new);
            } else {
                let gone: Vec<String> = (0..numbers.below(8))
                    .map(|_| model[numbers.below(model.len() as u64) as usize].record.id.clone())
                    .collect();
                let ids: HashSet<&str> = gone.iter().map(String::as_str).chain(["unknown"]).collect();
                assert_eq!(segments.remove(&ids).unwrap(), ids.len() - 1);
                model.retain(|s| !ids.contains(s.record.id.as_str()));
            }
            if added % 97 == 0 {
                assert_same(&segments, &mut model);
                segments = stored(&segments);
            }
        }
        assert_same(&segments, &mut model);
    }
}

#[test]
fn appending_in_order_fills_blocks_and_shares_all_but_the_last() {
    let mut segments = Segments::default();
    for added in 1..=10 * BLOCK_SEGMENTS as u64 {
        segments.insert(segment(added as i64, added)).unwrap();
    }
    assert_eq!(segments.blocks.len(), 10);
    let mut next = segments.clone();
    next.insert(segment(1 << 40, 1 << 40)).unwrap();
    assert!(segments.blocks.iter().zip(&next.blocks).all(|(a, b)| Arc::ptr_eq(a, b)));
    assert_eq!(next.blocks.len(), 11);
}

#[test]
fn removing_nearly_everything_leaves_few_blocks() {
    let mut segments = Segments::default();
    for added in 1..=20 * BLOCK_SEGMENTS as u64 {
        segments.insert(segment(added as i64, added)).unwrap();
    }
    let ids: Vec<_> = segments.all().unwrap().iter().map(|s| s.record.id.clone()).collect();
    let gone = ids.iter().enumerate().filter(|(i, _)| i % 100 != 0).map(|(_, id)| id.as_str()).collect();
    segments.remove(&gone).unwrap();
    assert!(segments.blocks.len() <= 2, "{}", segments.blocks.len());
}

#[test]
fn stored_blocks_are_decoded_only_when_they_are_needed() {
    let mut segments = Segments::default();
    for added in 1..=5 * BLOCK_SEGMENTS as u64 {
        segments.insert(segment(added as i64, added)).unwrap();
    }
    let mut blocks = segments.to_blocks().unwrap();
    blocks[1].1 = Bytes::from_static(&[0xFF; 1000]);
    let mut damaged = Segments::of_blocks(parts(blocks)).unwrap();
    damaged.insert(segment(1 << 40, 1 << 40)).unwrap();
    assert_eq!((damaged.len(), damaged.rows()), (5 * BLOCK_SEGMENTS + 1, segments.rows() + 10 + (1_u64 << 40) % 7));
    let error = damaged.all().unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::Corrupt);
    assert!(error.to_string().contains("some.checkpoint"), "{error}");
}

#[test]
fn blocks_that_contradict_what_is_said_of_them_are_corrupt() {
    let mut segments = Segments::default();
    for added in 1..=2 * BLOCK_SEGMENTS as u64 {
        segments.insert(segment(added as i64, added)).unwrap();
    }
    let harms: [fn(&mut Sums); 6] = [
        |sums| sums.segments += 1,
        |sums| sums.rows = u64::MAX,
        |sums| sums.bytes = 0,
        |sums| sums.buckets = 0,
        |sums| sums.index_max = IndexValue::from(0),
        |sums| sums.first.3 = "other".to_owned(),
    ];
    for harm in harms {
        let mut blocks = segments.to_blocks().unwrap();
        harm(&mut blocks[1].0);
        assert!(Segments::of_blocks(parts(blocks)).is_ok_and(|segments| segments.all().is_err()));
    }
    let mut blocks = segments.to_blocks().unwrap();
    blocks.swap(0, 1);
    assert!(Segments::of_blocks(parts(blocks)).is_err());
    let mut blocks = segments.to_blocks().unwrap();
    blocks[0].0.segments = u64::MAX;
    assert!(Segments::of_blocks(parts(blocks)).is_err());
}
