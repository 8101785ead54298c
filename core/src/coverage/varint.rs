//! Integers of variable length, and a reader of bytes that never reads past the end. No meaning of their own.

use crate::error::{Error, Result};

/// Appends `value`: 7 bits a byte, the lowest first, all bytes but the last with the top bit set.
pub(super) fn write(value: u128, out: &mut Vec<u8>) {
    let mut rest = value;
    while rest >= 0x80 {
        out.push(low_bits(rest) | 0x80);
        rest >>= 7;
    }
    out.push(low_bits(rest));
}

/// Appends `value` so that numbers near zero are short, whatever their sign.
pub(super) fn write_signed(value: i128, out: &mut Vec<u8>) {
    write((value.cast_unsigned() << 1) ^ (value >> 127).cast_unsigned(), out);
}

fn low_bits(value: u128) -> u8 {
    (value & 0x7f).try_into().unwrap_or_default()
}

/// The bytes that are yet to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn byte(&mut self) -> Result<u8> {
        let (byte, rest) = self.rest.split_first().ok_or_else(ends_early)?;
        self.rest = rest;
        Ok(*byte)
    }

    /// The next `length` bytes.
    pub(super) fn bytes(&mut self, length: u64) -> Result<&'a [u8]> {
        let length = usize::try_from(length).map_err(|_| ends_early())?;
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or_else(ends_early)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// A varint of at most 64 bits.
    #[inline]
    pub(super) fn varint(&mut self) -> Result<u64> {
        // Nearly all are of one or two bytes.
        match self.rest {
            [byte, rest @ ..] if *byte < 0x80 => {
                self.rest = rest;
                Ok(u64::from(*byte))
            }
            [first, second, rest @ ..] if *second < 0x80 && *second != 0 => {
                self.rest = rest;
                Ok(u64::from(*first & 0x7f) | u64::from(*second) << 7)
            }
            _ => u64::try_from(self.wide_varint()?).map_err(|_| too_large()),
        }
    }

    /// A zigzag of at most 128 bits.
    pub(super) fn signed(&mut self) -> Result<i128> {
        let zigzag = self.wide_varint()?;
        Ok((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed())
    }

    fn wide_varint(&mut self) -> Result<u128> {
        let mut value = 0_u128;
        for shift in (0..128).step_by(7) {
            let byte = self.byte()?;
            let bits = u128::from(byte & 0x7f);
            if shift == 126 && bits > 3 {
                return Err(too_large());
            }
            value |= bits << shift;
            if byte < 0x80 {
                if byte == 0 && shift > 0 {
                    return Err(Error::corrupt("the coverage has an integer that is not in its shortest form"));
                }
                return Ok(value);
            }
        }
        Err(too_large())
    }
}

fn ends_early() -> Error {
    Error::corrupt("the coverage ends early")
}

fn too_large() -> Error {
    Error::corrupt("the coverage has an integer that is too large for its place")
}
