//! How many rows make a batch: as many as were asked for, unless their text would take too much memory, or more than the 2 GiB
//! that an array of text can hold. The footer and the header of a dictionary say how long texts are on average; where a few are
//! much longer than the others the reader finds out, and tries again with fewer rows.

use super::{SegmentFile, file::chunk_range, guard::guarded, walk};
use crate::{
    error::{Error, Result},
    schema::{ColumnType, Strings},
};
use parquet::{basic::Type as Physical, file::metadata::ColumnChunkMetaData};

/// Text of a batch, about.
pub(super) const BATCH_BYTES: usize = 16 << 20;

/// How many of `most` rows of the columns at `positions` go into a batch of `bytes`; at least one.
///
/// # Errors
/// Those of the source.
pub(super) fn rows(
    file: &SegmentFile,
    row_group: usize,
    positions: &[usize],
    strings: Strings,
    most: usize,
    bytes: usize,
) -> Result<usize> {
    let mut row_bytes = 0_u64;
    for position in positions {
        let flat_text = file.columns().get(*position).is_some_and(|column| column.ty == ColumnType::Varchar);
        for leaf in file.leaves(*position) {
            let Some(chunk) = file.chunk(row_group, leaf).filter(|chunk| chunk.column_type() == Physical::BYTE_ARRAY)
            else {
                continue;
            };
            let has_dictionary = chunk.dictionary_page_offset().is_some();
            if has_dictionary && flat_text && strings == Strings::Dictionary {
                continue;
            }
            row_bytes = row_bytes.saturating_add(value_bytes(file, chunk, most, bytes)?.saturating_mul(
                // A row of a list has several values.
                u64::try_from(chunk.num_values()).unwrap_or(0).div_ceil(file.row_group_rows(row_group).max(1) as u64),
            ));
        }
    }
    let fitting = (bytes as u64).checked_div(row_bytes).map_or(most, |rows| usize::try_from(rows).unwrap_or(most));
    Ok(fitting.clamp(1, most.max(1)))
}

/// The bytes of a value on average.
fn value_bytes(file: &SegmentFile, chunk: &ColumnChunkMetaData, most: usize, bytes: usize) -> Result<u64> {
    let values = u64::try_from(chunk.num_values()).unwrap_or(0).max(1);
    if let Some(all) = chunk.unencoded_byte_array_data_bytes().and_then(|all| u64::try_from(all).ok()) {
        return Ok(all.div_ceil(values));
    }
    let stored = u64::try_from(chunk.uncompressed_size()).unwrap_or(0);
    let average = stored.div_ceil(values);
    // However long a value of a small dictionary is, this many rows of it fit.
    if chunk.dictionary_page_offset().is_none() || stored.saturating_mul(most as u64) <= bytes as u64 {
        return Ok(average);
    }
    let Some(range) = chunk_range(chunk) else { return Ok(average) };
    let dictionary = guarded(file.path(), || walk::dictionary(file.source().as_ref(), &range))?;
    Ok(dictionary.map_or(average, |(values, bytes)| bytes.div_ceil(values.max(1)).max(average)))
}

/// Whether an error says that an array of text would have to hold more than it can.
pub(super) fn is_overflow(error: &Error) -> bool {
    use std::error::Error as _;
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string().to_lowercase();
        if words.contains("index overflow") || words.contains("offset overflow") {
            return true;
        }
        cause = error.source();
    }
    false
}
