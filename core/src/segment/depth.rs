//! A look at a footer before the Parquet reader decodes it. The reader follows nested types by recursion, so a footer made
//! for it could exhaust the stack, which no error handling survives; here nesting is counted without recursion.

/// The deepest nesting of types that is read; real files have a handful of levels.
const MAX_DEPTH: usize = 100;
/// The deepest nesting of the encoding's own structs; a footer has four.
const MAX_STRUCTS: usize = 16;

/// What a footer's schema is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nesting {
    Fine {
        /// Whether the footer says that columns are encrypted.
        encrypted: bool,
    },
    TooDeep,
    /// The bytes do not follow Thrift's compact protocol.
    Unreadable,
}

/// Counts how deep the schema in the footer (Thrift's compact protocol) nests.
pub(super) fn nesting(footer: &[u8]) -> Nesting {
    match schema_depth(&mut Bytes(footer)) {
        Some((depth, encrypted)) if depth <= MAX_DEPTH => Nesting::Fine { encrypted },
        Some(_) => Nesting::TooDeep,
        None => Nesting::Unreadable,
    }
}

/// The field of the footer that lists the schema's elements.
const SCHEMA: i64 = 2;
/// The field of a schema element that counts its children.
const CHILDREN: i64 = 5;
/// The field of the footer that lists the row groups.
const ROW_GROUPS: i64 = 4;
/// The field of the footer that names the algorithm by which columns are encrypted.
const ENCRYPTION: i64 = 8;
/// The field of a row group that lists its column chunks.
const CHUNKS: i64 = 1;
/// The field of a column chunk that says how it is encrypted.
const CRYPTO: i64 = 8;

fn schema_depth(bytes: &mut Bytes<'_>) -> Option<(usize, bool)> {
    let mut deepest = 0;
    let mut encrypted = false;
    let mut field = 0;
    while let Some(kind) = bytes.field(&mut field)? {
        if field == SCHEMA && kind == LIST {
            deepest = deepest.max(elements(bytes)?);
        } else {
            encrypted |= field == ENCRYPTION && kind == STRUCT;
            bytes.skip(kind, 0)?;
        }
    }
    Some((deepest, encrypted))
}

/// The number of the first leaf with an encrypted column chunk; none when there is none.
pub(super) fn encrypted_leaf(footer: &[u8]) -> Option<usize> {
    let bytes = &mut Bytes(footer);
    let mut field = 0;
    while let Some(kind) = bytes.field(&mut field)? {
        if field != ROW_GROUPS || kind != LIST {
            bytes.skip(kind, 0)?;
            continue;
        }
        for _ in 0..bytes.structs()? {
            if let Some(leaf) = encrypted_chunk(bytes)? {
                return Some(leaf);
            }
        }
    }
    None
}

/// The number of the row group's first encrypted column chunk.
fn encrypted_chunk(bytes: &mut Bytes<'_>) -> Option<Option<usize>> {
    let (mut found, mut field) = (None, 0);
    while let Some(kind) = bytes.field(&mut field)? {
        if field != CHUNKS || kind != LIST {
            bytes.skip(kind, 0)?;
            continue;
        }
        for leaf in 0..usize::try_from(bytes.structs()?).ok()? {
            let mut field = 0;
            while let Some(kind) = bytes.field(&mut field)? {
                if field == CRYPTO {
                    found = found.or(Some(leaf));
                }
                bytes.skip(kind, 0)?;
            }
        }
    }
    Some(found)
}

fn elements(bytes: &mut Bytes<'_>) -> Option<usize> {
    let (count, kind) = bytes.list()?;
    if kind != STRUCT {
        return None;
    }
    // For each open group the number of children still to come.
    let mut open: Vec<u64> = Vec::new();
    let mut deepest = 0;
    for _ in 0..count {
        if let Some(left) = open.last_mut() {
            *left = left.saturating_sub(1);
        }
        let children = children(bytes)?;
        if children > 0 {
            open.push(children);
            deepest = deepest.max(open.len());
            if deepest > MAX_DEPTH {
                return Some(deepest);
            }
        }
        while open.last() == Some(&0) {
            open.pop();
        }
    }
    Some(deepest)
}

fn children(bytes: &mut Bytes<'_>) -> Option<u64> {
    let (mut children, mut field) = (0, 0);
    while let Some(kind) = bytes.field(&mut field)? {
        if field == CHILDREN && kind == INT32 {
            children = u64::try_from(unzigzag(bytes.varint()?)).unwrap_or(0);
        } else {
            bytes.skip(kind, 0)?;
        }
    }
    Some(children)
}

const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const INT16: u8 = 4;
const INT32: u8 = 5;
const INT64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
const STRUCT: u8 = 12;

struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn varint(&mut self) -> Option<u64> {
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

    fn forward(&mut self, length: u64) -> Option<()> {
        self.0 = self.0.get(usize::try_from(length).ok()?..)?;
        Some(())
    }

    /// The kind of the next field, whose number becomes `field`; an inner none at the struct's end.
    fn field(&mut self, field: &mut i64) -> Option<Option<u8>> {
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

    fn list(&mut self) -> Option<(u64, u8)> {
        let header = self.byte()?;
        let count = if header >> 4 == 15 { self.varint()? } else { u64::from(header >> 4) };
        Some((count, header & 0x0F))
    }

    /// The number of structs in the list that begins here.
    fn structs(&mut self) -> Option<u64> {
        self.list().and_then(|(count, kind)| (kind == STRUCT).then_some(count))
    }

    fn skip(&mut self, kind: u8, structs: usize) -> Option<()> {
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

#[cfg(test)]
#[path = "depth_tests.rs"]
mod tests;
