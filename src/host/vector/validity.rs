//! NULLs: Arrow's bits into DuckDB's words, 64 rows at a time whatever the bit where they begin.

use arrow::buffer::NullBuffer;
use tstable_core::Result;

use super::RawVector;

/// Marks the rows that are NULL among the first `len` of `vector`; touches nothing when there are none, for a fresh
/// vector has only valid rows.
pub(super) fn write<V: RawVector>(vector: V, nulls: Option<&NullBuffer>, len: usize) -> Result<()> {
    let Some(nulls) = nulls.filter(|nulls| nulls.null_count() > 0) else { return Ok(()) };
    let words = vector.validity()?;
    each_word(nulls, len, |index, word| {
        // SAFETY: the host's mask has a bit for each row of the vector, hence a word for every 64 begun ones.
        unsafe { words.add(index).write_unaligned(word) };
    });
    Ok(())
}

/// Calls `put` with the validity of 64 rows each, for the first `len` rows; rows beyond them count as valid.
fn each_word(nulls: &NullBuffer, len: usize, mut put: impl FnMut(usize, u64)) {
    let len = len.min(nulls.len());
    let chunks = nulls.buffer().bit_chunks(nulls.offset(), len);
    let whole = len / 64;
    for (index, word) in chunks.iter().enumerate() {
        put(index, word);
    }
    if let Some(beyond) =
        u32::try_from(len % 64).ok().filter(|rest| *rest > 0).and_then(|rest| u64::MAX.checked_shl(rest))
    {
        put(whole, chunks.remainder_bits() | beyond);
    }
}

#[cfg(test)]
#[path = "validity_tests.rs"]
mod tests;
