//! Thrift's compact protocol, in which Parquet writes footers and page headers: as much of it as is looked at before, or
//! beside, the Parquet reader. Nothing recurses but skipping, whose depth is bounded.

/// The deepest nesting of structs; a footer has four.
const MAX_STRUCTS: usize = 16;

pub(super) const TRUE: u8 = 1;
pub(super) const FALSE: u8 = 2;
pub(super) const BYTE: u8 = 3;
pub(super) const INT16: u8 = 4;
pub(super) const INT32: u8 = 5;
pub(super) const INT64: u8 = 6;
pub(super) const DOUBLE: u8 = 7;
pub(super) const BINARY: u8 = 8;
pub(super) const LIST: u8 = 9;
pub(super) const SET: u8 = 10;
pub(super) const MAP: u8 = 11;
pub(super) const STRUCT: u8 = 12;

/// Whether the bytes begin with a whole struct: no list or text in it says to be longer than they are.
pub(super) fn is_struct(bytes: &[u8]) -> bool {
    Bytes(bytes).skip(STRUCT, 0).is_some()
}

/// What is left of the bytes. Every method gives none where they end too early or are not Thrift.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(super) fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F).wrapping_shl(shift);
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A number with a sign, as every integer but a byte is stored.
    pub(super) fn integer(&mut self) -> Option<i64> {
        self.varint().map(unzigzag)
    }

    fn forward(&mut self, length: u64) -> Option<()> {
        self.0 = self.0.get(usize::try_from(length).ok()?..)?;
        Some(())
    }

    /// The kind of the next field, whose number becomes `field`; an inner none at the struct's end.
    pub(super) fn field(&mut self, field: &mut i64) -> Option<Option<u8>> {
        let header = self.byte()?;
        if header == 0 {
            return Some(None);
        }
        *field = match header >> 4 {
            0 => unzigzag(self.varint()?),
            step => field.checked_add(i64::from(step))?,
        };
        Some(Some(header & 0x0F))
    }

    pub(super) fn list(&mut self) -> Option<(u64, u8)> {
        let header = self.byte()?;
        let count = if header >> 4 == 15 { self.varint()? } else { u64::from(header >> 4) };
        Some((count, header & 0x0F))
    }

    /// The number of structs in the list that begins here.
    pub(super) fn structs(&mut self) -> Option<u64> {
        self.list().and_then(|(count, kind)| (kind == STRUCT).then_some(count))
    }

    pub(super) fn skip(&mut self, kind: u8, structs: usize) -> Option<()> {
        match kind {
            TRUE | FALSE => Some(()),
            BYTE => self.forward(1),
            INT16 | INT32 | INT64 => self.varint().map(drop),
            DOUBLE => self.forward(8),
            BINARY => {
                let length = self.varint()?;
                self.forward(length)
            }
            _ if structs >= MAX_STRUCTS => None,
            LIST | SET => {
                let (count, kind) = self.list()?;
                (0..count).try_for_each(|_| self.skip_element(kind, structs))
            }
            MAP => self.skip_map(structs),
            STRUCT => {
                let mut field = 0;
                while let Some(kind) = self.field(&mut field)? {
                    self.skip(kind, structs.saturating_add(1))?;
                }
                Some(())
            }
            _ => None,
        }
    }

    fn skip_map(&mut self, structs: usize) -> Option<()> {
        let count = self.varint()?;
        if count == 0 {
            return Some(());
        }
        let kinds = self.byte()?;
        (0..count).try_for_each(|_| {
            self.skip_element(kinds >> 4, structs)?;
            self.skip_element(kinds & 0x0F, structs)
        })
    }

    /// Inside lists and maps a boolean takes a byte, as a field it is in the header.
    fn skip_element(&mut self, kind: u8, structs: usize) -> Option<()> {
        match kind {
            TRUE | FALSE => self.forward(1),
            _ => self.skip(kind, structs.saturating_add(1)),
        }
    }
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ (value & 1).cast_signed().wrapping_neg()
}
