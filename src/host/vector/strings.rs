//! VARCHAR and BLOB: DuckDB's 16-byte strings, which hold up to 12 bytes themselves and point to longer ones. Strings of
//! a dictionary are made once per dictionary and copied by key.

use std::ptr;

use arrow::{
    array::{Array, ArrayRef, AsArray, DictionaryArray, GenericByteArray},
    datatypes::{ByteArrayType, GenericBinaryType, GenericStringType, Int32Type},
};
use tstable_core::{Error, Result};

use super::{RawVector, Source, validity};

/// The longest string that DuckDB's 16 bytes hold themselves.
pub(super) const INLINE_BYTES: usize = 12;
/// A dictionary with more values than the array has rows, and more than this, is not worth a table.
const LARGE_DICTIONARY: usize = 4096;

/// A string as DuckDB stores it: the length, then either up to 12 bytes or the first 4 and a pointer.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct StringValue {
    length: u32,
    prefix: [u8; 4],
    rest: [u8; 8],
}

impl StringValue {
    /// The string of `bytes`; a long one points to them.
    pub(super) fn new(bytes: &[u8]) -> Result<Self> {
        let length = u32::try_from(bytes.len()).map_err(|_| {
            Error::limit_exceeded(format!("a string of {} bytes is longer than DuckDB's 4 GiB", bytes.len()))
        })?;
        let mut value = Self { length, ..Self::default() };
        copy_front(&mut value.prefix, bytes);
        if bytes.len() > INLINE_BYTES {
            copy_front(&mut value.rest, &bytes.as_ptr().expose_provenance().to_ne_bytes());
        } else {
            copy_front(&mut value.rest, bytes.get(value.prefix.len()..).unwrap_or_default());
        }
        Ok(value)
    }

    /// Where the bytes of a string of `bytes` bytes lie, if that is what it is and they lie outside of it.
    pub(crate) fn memory(self, bytes: usize) -> Option<*mut u8> {
        let expected = usize::try_from(self.length) == Ok(bytes) && !self.is_inline();
        Some(self.address()).filter(|memory| expected && !memory.is_null())
    }

    /// What a long string points to.
    fn address(self) -> *mut u8 {
        let mut address = [0_u8; size_of::<usize>()];
        copy_front(&mut address, &self.rest);
        ptr::with_exposed_provenance_mut(usize::from_ne_bytes(address))
    }

    /// The bytes of a string that lies at `place`.
    ///
    /// # Safety
    /// `place` holds this string for the lifetime of the result, and what it points to is alive as long.
    pub(super) unsafe fn bytes<'a>(self, place: *const Self) -> &'a [u8] {
        let length = usize::try_from(self.length).unwrap_or(0);
        let long = self.address().cast_const();
        let short = place.cast::<u8>().wrapping_add(size_of::<u32>());
        // SAFETY: the caller vouches for the string's own bytes or the ones that it points to.
        unsafe { std::slice::from_raw_parts(if self.is_inline() { short } else { long }, length) }
    }

    fn is_inline(&self) -> bool {
        usize::try_from(self.length).is_ok_and(|length| length <= INLINE_BYTES)
    }
}

/// Copies as many bytes as both have.
fn copy_front(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// The strings of the dictionary that a column used last. Holding the dictionary keeps the address by which it is known
/// from being used again.
#[derive(Debug, Default)]
pub(crate) struct StringTable {
    dictionary: Option<ArrayRef>,
    values: Vec<StringValue>,
    has_long: bool,
    /// For each value the last round that copied it, and the copy: long strings are copied once per chunk.
    copies: Vec<(u64, StringValue)>,
    round: u64,
}

impl StringTable {
    /// Makes this the table of `dictionary`, if it is not already.
    fn load(&mut self, dictionary: &ArrayRef, strings: &Bytes<'_>) -> Result<()> {
        if self.dictionary.as_ref().is_some_and(|known| same_memory(known, dictionary)) {
            return Ok(());
        }
        *self = Self { round: self.round, ..Self::default() };
        self.values.reserve(dictionary.len());
        for index in 0..dictionary.len() {
            self.values.push(StringValue::new(strings.get(index))?);
        }
        self.has_long = self.values.iter().any(|value| !value.is_inline());
        if self.has_long {
            self.copies.resize(self.values.len(), (0, StringValue::default()));
        }
        self.dictionary = Some(ArrayRef::clone(dictionary));
        Ok(())
    }
}

/// Whether two arrays are the same view of the same memory.
pub(super) fn same_memory(a: &ArrayRef, b: &ArrayRef) -> bool {
    if ptr::addr_eq(a.as_ref(), b.as_ref()) {
        return true;
    }
    let key = |array: &ArrayRef| {
        let strings = array.as_string_opt::<i32>()?;
        Some((strings.value_offsets().as_ptr(), strings.values().as_ptr(), strings.len()))
    };
    matches!((key(a), key(b)), (Some(a), Some(b)) if a == b)
}

/// Any layout of strings or blobs, read by position.
enum Bytes<'a> {
    Text(&'a GenericByteArray<GenericStringType<i32>>),
    LargeText(&'a GenericByteArray<GenericStringType<i64>>),
    TextView(&'a arrow::array::StringViewArray),
    Blob(&'a GenericByteArray<GenericBinaryType<i32>>),
    LargeBlob(&'a GenericByteArray<GenericBinaryType<i64>>),
    BlobView(&'a arrow::array::BinaryViewArray),
}

impl<'a> Bytes<'a> {
    fn of(array: &'a dyn Array) -> Option<Self> {
        None.or_else(|| array.as_string_opt::<i32>().map(Self::Text))
            .or_else(|| array.as_string_opt::<i64>().map(Self::LargeText))
            .or_else(|| array.as_string_view_opt().map(Self::TextView))
            .or_else(|| array.as_binary_opt::<i32>().map(Self::Blob))
            .or_else(|| array.as_binary_opt::<i64>().map(Self::LargeBlob))
            .or_else(|| array.as_binary_view_opt().map(Self::BlobView))
    }

    fn get(&self, index: usize) -> &'a [u8] {
        match self {
            Self::Text(array) => array.value(index).as_bytes(),
            Self::LargeText(array) => array.value(index).as_bytes(),
            Self::TextView(array) => array.value(index).as_bytes(),
            Self::Blob(array) => array.value(index),
            Self::LargeBlob(array) => array.value(index),
            Self::BlobView(array) => array.value(index),
        }
    }
}

/// Writes strings or blobs of any layout; none when the array holds neither.
pub(super) fn write<V: RawVector>(
    vector: V,
    source: Source<'_>,
    table: Option<&mut StringTable>,
) -> Result<Option<()>> {
    let written = if let Some(array) = source.array.as_dictionary_opt::<Int32Type>() {
        dictionary(vector, array, &source, table)?
    } else if let Some(array) = source.array.as_string_opt::<i32>() {
        run(vector, array, &source)?;
        true
    } else if let Some(array) = source.array.as_binary_opt::<i32>() {
        run(vector, array, &source)?;
        true
    } else if let Some(strings) = Bytes::of(source.array) {
        each(vector, &source, |row| Some(strings.get(row)))?;
        true
    } else {
        false
    };
    if written {
        validity::write(vector, source.nulls().as_ref(), source.len)?;
    }
    Ok(written.then_some(()))
}

/// Strings that lie one behind the other: the bytes of all rows are copied at once when any of them is long.
fn run<V: RawVector, T: ByteArrayType<Offset = i32>>(
    vector: V,
    array: &GenericByteArray<T>,
    source: &Source<'_>,
) -> Result<()> {
    let rows = source.offset..source.offset.saturating_add(source.len);
    let bytes = |row: usize| AsRef::<[u8]>::as_ref(array.value(row));
    let any_long = rows.clone().any(|row| bytes(row).len() > INLINE_BYTES);
    if !any_long {
        return inline(vector, rows.map(bytes));
    }
    let offset = |row: usize| array.value_offsets().get(row).and_then(|at| usize::try_from(*at).ok()).unwrap_or(0);
    let (begin, end) = (offset(rows.start), offset(rows.end));
    let all = array.value_data().get(begin..end).ok_or_else(|| Error::corrupt("a string array lacks its bytes"))?;
    let memory = vector.allocate(all.len())?;
    // SAFETY: `memory` has room for exactly these bytes and lives as long as the vector's rows.
    let copy = unsafe {
        ptr::copy_nonoverlapping(all.as_ptr(), memory, all.len());
        std::slice::from_raw_parts(memory, all.len())
    };
    let kept =
        |row: usize| copy.get(offset(row).saturating_sub(begin)..offset(row.saturating_add(1)).saturating_sub(begin));
    inline(vector, rows.map(|row| kept(row).unwrap_or_default()))
}

/// Writes strings that are short or whose bytes outlive the chunk.
fn inline<'a, V: RawVector>(vector: V, strings: impl Iterator<Item = &'a [u8]>) -> Result<()> {
    let data = vector.data()?.cast::<StringValue>();
    for (row, bytes) in strings.enumerate() {
        // SAFETY: the vector has room for the chunk's rows of 16 bytes; the write needs no alignment.
        unsafe { data.add(row).write_unaligned(StringValue::new(bytes)?) };
    }
    Ok(())
}

/// Writes strings one by one: long ones into memory of their own.
fn each<'a, V: RawVector>(vector: V, source: &Source<'_>, bytes: impl Fn(usize) -> Option<&'a [u8]>) -> Result<()> {
    let data = vector.data()?.cast::<StringValue>();
    let nulls = source.nulls();
    for row in 0..source.len {
        let valid = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
        let bytes = bytes(source.offset.saturating_add(row)).filter(|_| valid).unwrap_or_default();
        let value = keep(vector, bytes)?;
        // SAFETY: the vector has room for the chunk's rows of 16 bytes; the write needs no alignment.
        unsafe { data.add(row).write_unaligned(value) };
    }
    Ok(())
}

/// The string of `bytes`, copied where it is long.
fn keep<V: RawVector>(vector: V, bytes: &[u8]) -> Result<StringValue> {
    if bytes.len() <= INLINE_BYTES {
        return StringValue::new(bytes);
    }
    let memory = vector.allocate(bytes.len())?;
    // SAFETY: `memory` has room for exactly these bytes and lives as long as the vector's rows.
    let copy = unsafe {
        ptr::copy_nonoverlapping(bytes.as_ptr(), memory, bytes.len());
        std::slice::from_raw_parts(memory, bytes.len())
    };
    StringValue::new(copy)
}

/// Writes the strings of a dictionary; false when its values are not strings.
fn dictionary<V: RawVector>(
    vector: V,
    array: &DictionaryArray<Int32Type>,
    source: &Source<'_>,
    table: Option<&mut StringTable>,
) -> Result<bool> {
    let values = array.values();
    let Some(strings) = Bytes::of(values.as_ref()) else { return Ok(false) };
    let keys = array.keys().values().get(source.offset..source.offset.saturating_add(source.len)).unwrap_or_default();
    let position = |key: i32| usize::try_from(key).ok().filter(|key| *key < values.len());
    let Some(table) = table.filter(|_| values.len() <= LARGE_DICTIONARY || values.len() <= array.len()) else {
        each(vector, source, |row| {
            let key = array.keys().values().get(row)?;
            position(*key).map(|key| strings.get(key))
        })?;
        return Ok(true);
    };
    table.load(values, &strings)?;
    if table.has_long {
        gather_long(vector, keys, source, table, &strings)?;
    } else {
        gather(vector, keys, &table.values)?;
    }
    Ok(true)
}

/// Copies 16 bytes a row. The key of a NULL may be anything.
fn gather<V: RawVector>(vector: V, keys: &[i32], values: &[StringValue]) -> Result<()> {
    let data = vector.data()?.cast::<StringValue>();
    for (row, key) in keys.iter().enumerate() {
        let value = usize::try_from(*key).ok().and_then(|key| values.get(key)).copied().unwrap_or_default();
        // SAFETY: the vector has room for the chunk's rows of 16 bytes; the write needs no alignment.
        unsafe { data.add(row).write_unaligned(value) };
    }
    Ok(())
}

/// As [`gather`], with each long string copied once per chunk.
fn gather_long<V: RawVector>(
    vector: V,
    keys: &[i32],
    source: &Source<'_>,
    table: &mut StringTable,
    strings: &Bytes<'_>,
) -> Result<()> {
    table.round = table.round.wrapping_add(1);
    let data = vector.data()?.cast::<StringValue>();
    let nulls = source.nulls();
    for (row, key) in keys.iter().enumerate() {
        let valid = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
        let index = usize::try_from(*key).ok().filter(|_| valid);
        let value = match index.and_then(|index| Some((index, table.values.get(index)?, table.copies.get_mut(index)?)))
        {
            None => StringValue::default(),
            Some((_, value, _)) if value.is_inline() => *value,
            Some((_, _, (round, copy))) if *round == table.round => *copy,
            Some((index, _, slot)) => {
                let copy = keep(vector, strings.get(index))?;
                *slot = (table.round, copy);
                copy
            }
        };
        // SAFETY: the vector has room for the chunk's rows of 16 bytes; the write needs no alignment.
        unsafe { data.add(row).write_unaligned(value) };
    }
    Ok(())
}

/// The string of all rows, when a dictionary array has a single one in them and no NULL.
pub(crate) fn single_text(array: &dyn Array, offset: usize, len: usize) -> Option<&str> {
    let array = array.as_dictionary_opt::<Int32Type>()?;
    let values = array.values().as_string_opt::<i32>()?;
    let keys = array.keys().values().get(offset..offset.checked_add(len)?)?;
    let (first, rest) = keys.split_first()?;
    if rest.iter().any(|key| key != first) {
        return None;
    }
    let key = usize::try_from(*first).ok().filter(|key| *key < values.len())?;
    let valid = array.keys().nulls().is_none_or(|nulls| nulls.slice(offset, len).null_count() == 0);
    (valid && values.is_valid(key)).then(|| values.value(key))
}

#[cfg(test)]
#[path = "strings_tests.rs"]
mod tests;
