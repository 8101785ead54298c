//! Tests of the copy of validity bits, against a look at every row.
#![allow(clippy::unwrap_used)]

use arrow::buffer::NullBuffer;

use super::each_word;

fn words(nulls: &NullBuffer, len: usize) -> Vec<u64> {
    let mut words = Vec::new();
    each_word(nulls, len, |index, word| {
        assert_eq!(index, words.len());
        words.push(word);
    });
    words
}

#[test]
fn bits_are_the_rows_whatever_the_offset_and_length() {
    let all = NullBuffer::from_iter((0..300).map(|row| row % 3 != 0 && row % 7 != 2));
    for offset in [0, 1, 5, 63, 64, 65, 130] {
        for len in [0, 1, 7, 63, 64, 65, 127, 128, 129, 170] {
            let nulls = all.slice(offset, len);
            let words = words(&nulls, len);
            assert_eq!(words.len(), len.div_ceil(64), "offset {offset}, {len} rows");
            for row in 0..words.len() * 64 {
                let bit = words.get(row / 64).unwrap() >> (row % 64) & 1 == 1;
                let valid = row >= len || nulls.is_valid(row);
                assert_eq!(bit, valid, "offset {offset}, {len} rows, row {row}");
            }
        }
    }
}
