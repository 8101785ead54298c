//! NULLs: Arrow's bits into DuckDB's words, 64 rows at a time whatever the bit where they begin.

use arrow::buffer::NullBuffer;
use tstable_core::Result;

use super::RawVector;

/// Marks the rows that are NULL among the first `len` of `vector`; touches nothing when there are none, for a fresh
/// vector has only valid rows.
pub(super) fn write<V: RawVector>(vector: V, nulls: Option<&NullBuffer>, len: usize) -> Result<()> {
    let Some(nulls) = nulls.filter(|nulls| nulls.null_count() > 0) else { return Ok(()) };
    let words = vector.validity()?;
    for (index, word) in words_of(nulls, len).enumerate() {
        // SAFETY: the host's mask has a bit for each row of the vector, hence a word for every 64 begun ones.
        unsafe { words.add(index).write_unaligned(word) };
    }
    Ok(())
}

/// The validity of the first `len` rows as words; rows beyond them count as valid.
fn words_of(nulls: &NullBuffer, len: usize) -> impl Iterator<Item = u64> {
    let len = len.min(nulls.len());
    let chunks = nulls.buffer().bit_chunks(nulls.offset(), len);
    let rest = len % 64;
    let tail =
        (rest > 0).then(|| chunks.remainder_bits() | u64::MAX.checked_shl(rest.try_into().unwrap_or(0)).unwrap_or(0));
    let whole: Vec<u64> = chunks.iter().collect();
    whole.into_iter().chain(tail)
}

#[cfg(test)]
#[path = "validity_tests.rs"]
mod tests;
