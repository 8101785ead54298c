//! Tests of the 16-byte string.
#![allow(clippy::unwrap_used)]

use super::{INLINE_BYTES, StringValue};

#[test]
fn a_string_gives_back_its_bytes_on_both_sides_of_the_inline_limit() {
    assert_eq!(size_of::<StringValue>(), 16);
    for len in [0, 1, 4, 5, INLINE_BYTES, INLINE_BYTES + 1, 1000] {
        let bytes: Vec<u8> = (0..len).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let value = StringValue::new(&bytes).unwrap();
        assert_eq!(value.is_inline(), len <= INLINE_BYTES);
        // SAFETY: the string lies on the stack and the bytes it may point to are alive.
        assert_eq!(unsafe { value.bytes(&raw const value) }, bytes);
    }
}

#[test]
fn unused_bytes_of_a_short_string_are_zero() {
    // DuckDB compares short strings as 16 bytes.
    let value = StringValue::new(b"ab").unwrap();
    assert_eq!((value.prefix, value.rest), ([b'a', b'b', 0, 0], [0; 8]));
}

#[test]
fn a_long_string_keeps_its_first_bytes_at_hand() {
    let value = StringValue::new(b"the first four bytes").unwrap();
    assert_eq!(&value.prefix, b"the ");
}
