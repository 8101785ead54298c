//! A look at a footer before the Parquet reader decodes it. The reader follows nested types by recursion, so a footer made
//! for it could exhaust the stack, which no error handling survives; here nesting is counted without recursion.

use super::thrift::{Bytes, INT32, LIST, STRUCT};

/// The deepest nesting of types that is read; real files have a handful of levels.
const MAX_DEPTH: usize = 100;

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
            children = u64::try_from(bytes.integer()?).unwrap_or(0);
        } else {
            bytes.skip(kind, 0)?;
        }
    }
    Some(children)
}

#[cfg(test)]
#[path = "depth_tests.rs"]
mod tests;
