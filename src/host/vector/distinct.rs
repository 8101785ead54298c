//! The strings of a chunk, each once, with a key for every row: what a host needs to make a dictionary vector, in which
//! DuckDB hashes and compares each string once instead of once a row. Knows no host.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, StringArray},
    buffer::NullBuffer,
    datatypes::Int32Type,
};

use super::strings::same_memory;

/// DuckDB's aggregation makes use of a dictionary vector that has more rows than this for each string.
const ROWS_PER_STRING: usize = 2;
/// Rows per string below which it does not pay to look which strings of a large dictionary occur.
const ROWS_PER_FOUND_STRING: usize = 16;

/// Strings, one behind the other.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Packed {
    /// Where each string begins in `bytes`, and where the last one ends.
    pub(crate) offsets: Vec<i32>,
    pub(crate) bytes: Vec<u8>,
}

impl Packed {
    /// The number of strings.
    pub(crate) fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    fn push(&mut self, string: &str) -> Option<()> {
        if self.offsets.is_empty() {
            self.offsets.push(0);
        }
        self.bytes.extend_from_slice(string.as_bytes());
        self.offsets.push(i32::try_from(self.bytes.len()).ok()?);
        Some(())
    }
}

/// The strings of some rows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Distinct {
    /// For each row the position of its string; of a NULL row any.
    pub(crate) keys: Vec<i32>,
    /// The strings, at least one.
    pub(crate) strings: Arc<Packed>,
    /// The validity of the rows; none when all are valid.
    pub(crate) nulls: Option<NullBuffer>,
}

/// What is known of the dictionary that a column used last. Holding it keeps its address from being used again.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    dictionary: Option<ArrayRef>,
    /// All of its strings, once they have been wanted.
    whole: Option<Arc<Packed>>,
    /// For each string of the dictionary the round that met it last, and its position in that round.
    places: Vec<(u32, i32)>,
    round: u32,
    /// Whether a chunk had too many different strings; the other chunks of the dictionary will have, too.
    spread: bool,
}

impl Seen {
    /// The strings of rows `offset` to `offset + len` of a dictionary array; none when a dictionary vector would not pay
    /// or the array is of another kind.
    pub(crate) fn distinct(&mut self, array: &dyn Array, offset: usize, len: usize) -> Option<Distinct> {
        let array = array.as_dictionary_opt::<Int32Type>()?;
        let values = array.values();
        let strings = values.as_string_opt::<i32>().filter(|strings| strings.null_count() == 0)?;
        self.turn_to(values);
        let keys = array.keys().values().get(offset..offset.checked_add(len)?)?;
        if self.spread || len == 0 {
            return None;
        }
        let nulls = array.keys().nulls().map(|nulls| nulls.slice(offset, len)).filter(|nulls| nulls.null_count() > 0);
        if nulls.as_ref().is_some_and(|nulls| nulls.null_count() == len) {
            return None;
        }
        if (1..len / ROWS_PER_STRING).contains(&strings.len()) {
            return Some(Distinct { keys: keys.to_vec(), strings: self.all(strings)?, nulls });
        }
        self.spread = true;
        let (keys, strings) = self.used(keys, nulls.as_ref(), strings, len / ROWS_PER_FOUND_STRING)?;
        self.spread = false;
        Some(Distinct { keys, strings: Arc::new(strings), nulls })
    }

    /// All strings of the dictionary.
    fn all(&mut self, strings: &StringArray) -> Option<Arc<Packed>> {
        if let Some(whole) = &self.whole {
            return Some(Arc::clone(whole));
        }
        let mut packed = Packed::default();
        strings.iter().try_for_each(|string| packed.push(string.unwrap_or_default()))?;
        Some(Arc::clone(self.whole.insert(Arc::new(packed))))
    }

    fn turn_to(&mut self, dictionary: &ArrayRef) {
        let known = self.dictionary.as_ref().is_some_and(|known| same_memory(known, dictionary));
        if !known {
            self.places.clear();
            self.places.resize(dictionary.len(), (0, 0));
            *self = Self {
                dictionary: Some(ArrayRef::clone(dictionary)),
                places: std::mem::take(&mut self.places),
                ..Self::default()
            };
        }
    }

    /// The strings that the keys name, in the order in which they do; none when they are more than `most`.
    fn used(
        &mut self,
        keys: &[i32],
        nulls: Option<&NullBuffer>,
        strings: &StringArray,
        most: usize,
    ) -> Option<(Vec<i32>, Packed)> {
        self.round = self.round.checked_add(1)?;
        let mut found = Packed::default();
        let mut places = Vec::with_capacity(keys.len());
        // Of rows that are sorted by the column most have the key of the row before.
        let mut last = None;
        for (row, key) in keys.iter().enumerate() {
            if let Some((_, place)) = last.filter(|(before, _)| before == key && nulls.is_none()) {
                places.push(place);
                continue;
            }
            let valid = nulls.is_none_or(|nulls| nulls.is_valid(row));
            let Some(position) = usize::try_from(*key).ok().filter(|_| valid) else {
                places.push(0);
                continue;
            };
            let (round, place) = self.places.get_mut(position)?;
            if *round != self.round {
                let next = found.len();
                if next >= most {
                    return None;
                }
                (*round, *place) = (self.round, i32::try_from(next).ok()?);
                found.push(strings.value(position))?;
            }
            places.push(*place);
            last = Some((*key, *place));
        }
        (found.len() > 0).then_some((places, found))
    }
}

#[cfg(test)]
#[path = "distinct_tests.rs"]
mod tests;
