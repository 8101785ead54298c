//! Small numbers for entities: every distinct combination of entity values gets a code in order of first appearance, so
//! that what follows works with integers. Dictionaries are looked up once each, runs of equal values almost for nothing.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::Arc,
};

use arrow::{
    array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, StringArray},
    datatypes::{DataType, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type},
};

use super::values::{Kind, numbers};
use crate::{
    coverage::EntityPart,
    error::{Error, Result},
};

/// A code that no entity has.
const NONE: u32 = u32::MAX;

/// Codes of the values of one entity column.
#[derive(Debug, Default)]
pub(super) struct ColumnCodes {
    texts: HashMap<Arc<str>, u32>,
    numbers: HashMap<i128, u32, Quick>,
    values: Vec<EntityPart>,
    /// The dictionary seen last and the code of each of its values.
    dictionary: Option<(ArrayRef, Vec<u32>)>,
}

impl ColumnCodes {
    pub(super) fn values(&self) -> &[EntityPart] {
        &self.values
    }

    /// Appends the code of each row of `array`, which has no NULLs, to `codes`.
    pub(super) fn encode(&mut self, array: &ArrayRef, codes: &mut Vec<u32>) -> Result<()> {
        match array.data_type() {
            DataType::Dictionary(..) => self.dictionary(array, codes),
            DataType::Utf8 => self.strings(array.as_string(), codes),
            DataType::Int8 => self.integers::<Int8Type>(array, codes),
            DataType::Int16 => self.integers::<Int16Type>(array, codes),
            DataType::Int32 => self.integers::<Int32Type>(array, codes),
            DataType::Int64 => self.integers::<Int64Type>(array, codes),
            DataType::UInt8 => self.integers::<UInt8Type>(array, codes),
            DataType::UInt16 => self.integers::<UInt16Type>(array, codes),
            DataType::UInt32 => self.integers::<UInt32Type>(array, codes),
            DataType::UInt64 => self.integers::<UInt64Type>(array, codes),
            _ => self.others(array, codes),
        }
    }

    fn dictionary(&mut self, array: &ArrayRef, codes: &mut Vec<u32>) -> Result<()> {
        let dictionary = array.as_dictionary::<Int32Type>();
        let known = self.dictionary.take().filter(|(values, _)| Arc::ptr_eq(values, dictionary.values()));
        let (values, map) = match known {
            Some(known) => known,
            None => (Arc::clone(dictionary.values()), self.dictionary_codes(dictionary.values())?),
        };
        let code = |key: &i32| usize::try_from(*key).ok().and_then(|key| map.get(key)).copied().unwrap_or(NONE);
        let from = codes.len();
        codes.extend(dictionary.keys().values().iter().map(code));
        self.dictionary = Some((values, map));
        if codes.iter().skip(from).any(|code| *code == NONE) {
            return Err(Error::corrupt("a key of a dictionary has no value"));
        }
        Ok(())
    }

    fn dictionary_codes(&mut self, values: &ArrayRef) -> Result<Vec<u32>> {
        let strings = values
            .as_string_opt::<i32>()
            .ok_or_else(|| Error::schema_mismatch("the dictionary of an entity column is not of strings"))?;
        (0..strings.len())
            .map(|row| if strings.is_null(row) { Ok(NONE) } else { self.text(strings.value(row)) })
            .collect()
    }

    fn strings(&mut self, strings: &StringArray, codes: &mut Vec<u32>) -> Result<()> {
        let mut last: Option<(&str, u32)> = None;
        for row in 0..strings.len() {
            let value = strings.value(row);
            let code = match last {
                Some((same, code)) if same == value => code,
                _ => self.text(value)?,
            };
            last = Some((value, code));
            codes.push(code);
        }
        Ok(())
    }

    fn integers<T: ArrowPrimitiveType<Native: Into<i128>>>(
        &mut self,
        array: &ArrayRef,
        codes: &mut Vec<u32>,
    ) -> Result<()> {
        self.runs(array.as_primitive::<T>().values().iter().copied(), Kind::Int, codes)
    }

    fn others(&mut self, array: &ArrayRef, codes: &mut Vec<u32>) -> Result<()> {
        let unfit = || Error::schema_mismatch(format!("{} is not a type of an entity column", array.data_type()));
        let (kind, numbers) = numbers(array).ok_or_else(unfit)?;
        self.runs(numbers.into_iter(), kind, codes)
    }

    fn runs<N: Copy + PartialEq + Into<i128>>(
        &mut self,
        values: impl Iterator<Item = N>,
        kind: Kind,
        codes: &mut Vec<u32>,
    ) -> Result<()> {
        let mut last: Option<(N, u32)> = None;
        for value in values {
            let code = match last {
                Some((same, code)) if same == value => code,
                _ => self.number(value.into(), kind)?,
            };
            last = Some((value, code));
            codes.push(code);
        }
        Ok(())
    }

    fn text(&mut self, value: &str) -> Result<u32> {
        if let Some(code) = self.texts.get(value) {
            return Ok(*code);
        }
        let (code, text) = (next_code(self.values.len())?, Arc::<str>::from(value));
        self.texts.insert(Arc::clone(&text), code);
        self.values.push(EntityPart::Text(text));
        Ok(code)
    }

    fn number(&mut self, value: i128, kind: Kind) -> Result<u32> {
        if let Some(code) = self.numbers.get(&value) {
            return Ok(*code);
        }
        let code = next_code(self.values.len())?;
        self.numbers.insert(value, code);
        self.values.push(kind.part(value));
        Ok(code)
    }
}

/// Codes of pairs of codes.
#[derive(Debug, Default)]
pub(super) struct PairCodes {
    codes: HashMap<(u32, u32), u32, Quick>,
    pairs: Vec<(u32, u32)>,
}

impl PairCodes {
    pub(super) fn pairs(&self) -> &[(u32, u32)] {
        &self.pairs
    }

    /// Replaces each of the `left` codes by that of the pair with its `right` neighbour.
    pub(super) fn encode(&mut self, left: &mut [u32], right: &[u32]) -> Result<()> {
        let mut last = ((NONE, NONE), NONE);
        for (left, right) in left.iter_mut().zip(right) {
            let pair = (*left, *right);
            if last.0 != pair {
                last = (pair, self.pair(pair)?);
            }
            *left = last.1;
        }
        Ok(())
    }

    fn pair(&mut self, pair: (u32, u32)) -> Result<u32> {
        if let Some(code) = self.codes.get(&pair) {
            return Ok(*code);
        }
        let code = next_code(self.pairs.len())?;
        self.codes.insert(pair, code);
        self.pairs.push(pair);
        Ok(code)
    }
}

fn next_code(count: usize) -> Result<u32> {
    u32::try_from(count)
        .ok()
        .filter(|code| *code != NONE)
        .ok_or_else(|| Error::limit_exceeded("one file has more than four billion entities; split it"))
}

type Quick = BuildHasherDefault<QuickHasher>;

/// A hash of few multiplications for integers that come from a file: a hostile file can only make its own append slow.
#[derive(Debug, Default)]
struct QuickHasher(u64);

impl Hasher for QuickHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(23) ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 ^= self.0 >> 29;
    }

    #[expect(clippy::cast_possible_truncation, reason = "both halves are hashed")]
    fn write_i128(&mut self, value: i128) {
        self.write_u64(value.cast_unsigned() as u64);
        self.write_u64((value.cast_unsigned() >> 64) as u64);
    }
}
