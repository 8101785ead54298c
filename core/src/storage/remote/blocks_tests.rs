//! See the module that is tested.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use bytes::Bytes;

use super::{BLOCK_BYTES, Blocks, HELD_BYTES};

#[test]
fn what_was_read_is_given_back_in_pieces_of_one_block() {
    let mut blocks = Blocks::default();
    let bytes = Bytes::from((0..BLOCK_BYTES + 10).map(|i| u8::try_from(i % 251).unwrap()).collect::<Vec<_>>());
    blocks.put(1, BLOCK_BYTES, &bytes);
    assert_eq!(blocks.get(1, &(BLOCK_BYTES + 5..BLOCK_BYTES + 9)).unwrap(), bytes.slice(5..9));
    assert_eq!(blocks.get(1, &(2 * BLOCK_BYTES..2 * BLOCK_BYTES + 10)).unwrap().len(), 10);
    assert_eq!(blocks.get(1, &(2 * BLOCK_BYTES..2 * BLOCK_BYTES + 11)), None);
    assert_eq!(blocks.get(2, &(BLOCK_BYTES..BLOCK_BYTES + 1)), None);
}

#[test]
fn no_more_is_held_than_the_bound() {
    let mut blocks = Blocks::default();
    let bytes = Bytes::from(vec![0; usize::try_from(BLOCK_BYTES).unwrap()]);
    for object in 0..u128::from(HELD_BYTES / BLOCK_BYTES) * 3 {
        blocks.put(object, 0, &bytes);
        assert!(blocks.get(object, &(0..1)).is_some());
        assert!(blocks.bytes <= HELD_BYTES);
    }
}
