//! Footers that nest, and footers that are none.
#![allow(clippy::cast_possible_truncation)]

use std::sync::Arc;

use super::*;
use crate::{ErrorKind, segment::SegmentFile, storage::source::MemorySource};

/// A footer whose schema is a chain of groups of one child each, ending in a leaf.
fn chain(groups: u32) -> Vec<u8> {
    let mut footer = vec![0x15, 2, 0x19, 0xF0 | STRUCT];
    let mut count = groups + 1;
    while count > 0x7F {
        footer.push((count & 0x7F) as u8 | 0x80);
        count >>= 7;
    }
    footer.push(count as u8);
    for _ in 0..groups {
        // repetition (field 3), name (field 4), one child (field 5), end
        footer.extend([0x35, 0, 0x18, 1, b'g', 0x15, 2, 0]);
    }
    // type (field 1), repetition (field 3), name (field 4), end; then the footer's end
    footer.extend([0x15, 2, 0x25, 0, 0x18, 1, b'x', 0, 0]);
    footer
}

#[test]
fn nesting_is_counted() {
    assert_eq!(schema_depth(&mut Bytes(&chain(1))), Some((1, false)));
    assert_eq!(nesting(&chain(100)), Nesting::Fine { encrypted: false });
    assert_eq!(nesting(&chain(101)), Nesting::TooDeep);
    assert_eq!(nesting(&[0xFF; 30]), Nesting::Unreadable);
    assert_eq!(nesting(&[]), Nesting::Unreadable);
}

#[test]
fn a_schema_that_would_exhaust_the_stack_is_an_error() {
    let footer = chain(1_000_000);
    let mut file = b"PAR1".to_vec();
    file.extend(&footer);
    file.extend(u32::try_from(footer.len()).unwrap_or(0).to_le_bytes());
    file.extend(b"PAR1");
    let error = SegmentFile::open(Arc::new(MemorySource::new("deep.parquet", file))).err();
    assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::LimitExceeded));
}
