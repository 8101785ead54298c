//! Annotations that contradict each other or the column's type, put in order as DuckDB understands them: of the newer
//! annotations it heeds those of times, UUID, FLOAT16 and NULL where they fit the stored type, and else the older. The Parquet
//! reader refuses a footer with such a contradiction as a whole, so the footer's bytes are rewritten without it.

use super::thrift::{BYTE, Bytes, INT32, LIST, STRUCT};

/// Fields of the footer and of a schema element.
const SCHEMA: i64 = 2;
const TYPE: i64 = 1;
const TYPE_LENGTH: i64 = 2;
const CHILDREN: i64 = 5;
const CONVERTED: i64 = 6;
const SCALE: i64 = 7;
const PRECISION: i64 = 8;
const LOGICAL: i64 = 10;

/// Physical types by their numbers.
const STORED_INT32: i64 = 1;
const STORED_INT64: i64 = 2;
const STORED_BYTES: i64 = 6;
const STORED_FIXED: i64 = 7;

/// An old annotation of a column without values, which the format has dropped.
const CONVERTED_NULL: i64 = 24;

/// A field as it stands in the footer: its number, its kind, its bytes.
pub(super) type Field<'a> = (i64, u8, &'a [u8]);

/// The footer with the annotations of its leaves in order; none when there is nothing to put in order, or when the bytes
/// cannot be followed.
pub(super) fn mended(footer: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Bytes(footer);
    let mut field = 0;
    while let Some(kind) = bytes.field(&mut field)? {
        if field != SCHEMA || kind != LIST {
            bytes.skip(kind, 0)?;
            continue;
        }
        let count = bytes.structs()?;
        let mut out = footer.get(..footer.len().checked_sub(bytes.0.len())?)?.to_vec();
        let mut changed = false;
        for _ in 0..count {
            let fields = fields(&mut bytes)?;
            let kept = in_order(&fields);
            changed |= kept.len() != fields.len() || kept != fields;
            write(&kept, &mut out);
        }
        out.extend_from_slice(bytes.0);
        return changed.then_some(out);
    }
    None
}

/// The fields of the struct that begins here, to its end.
pub(super) fn fields<'a>(bytes: &mut Bytes<'a>) -> Option<Vec<Field<'a>>> {
    let (mut fields, mut field) = (Vec::new(), 0);
    while let Some(kind) = bytes.field(&mut field)? {
        let before = bytes.0;
        bytes.skip(kind, 0)?;
        fields.push((field, kind, before.get(..before.len().checked_sub(bytes.0.len())?)?));
    }
    Some(fields)
}

/// The fields without the annotation that DuckDB would not heed.
fn in_order<'a>(fields: &[Field<'a>]) -> Vec<Field<'a>> {
    let number = |wanted: i64| {
        let (_, kind, bytes) = fields.iter().find(|(field, ..)| *field == wanted)?;
        if *kind == INT32 { Bytes(bytes).integer() } else { None }
    };
    let has = |wanted: i64| fields.iter().any(|(field, ..)| *field == wanted);
    let (Some(stored), true) = (number(TYPE), number(CHILDREN).unwrap_or(0) == 0) else { return fields.to_vec() };
    let without = |dropped: i64| fields.iter().copied().filter(|(field, ..)| *field != dropped).collect::<Vec<_>>();
    if number(CONVERTED) == Some(CONVERTED_NULL) {
        // Field 11 of the newer annotation, an empty struct.
        let null: &[u8] = &[0xBC, 0, 0];
        let mut fields = without(CONVERTED);
        fields.retain(|(field, ..)| *field != LOGICAL);
        fields.push((LOGICAL, STRUCT, null));
        fields.sort_by_key(|(field, ..)| *field);
        return fields;
    }
    let Some((_, _, logical)) = fields.iter().find(|(field, kind, _)| *field == LOGICAL && *kind == STRUCT) else {
        return fields.to_vec();
    };
    let length = number(TYPE_LENGTH);
    let Some((logical, inside)) = annotation(logical) else { return without(LOGICAL) };
    let heeded = match logical {
        7 if fits_time(stored, inside) => true,
        8 if stored == STORED_INT64 => true,
        // DuckDB takes these for times and for UUIDs in whatever bytes, which the Parquet reader cannot: refused by name.
        7 | 8 => return fields.to_vec(),
        14 if stored == STORED_FIXED && length != Some(16) => return fields.to_vec(),
        11 => true,
        14 => stored == STORED_FIXED,
        15 => stored == STORED_FIXED && length == Some(2),
        // Refused by name, or unknown and so no annotation.
        16.. => return fields.to_vec(),
        _ => false,
    };
    if heeded {
        return without(CONVERTED);
    }
    let alone_fits = match logical {
        1 | 4 | 12 | 13 => stored == STORED_BYTES,
        5 => has(SCALE) && has(PRECISION),
        6 => stored == STORED_INT32,
        10 => fits_integer(stored, inside),
        _ => false,
    };
    if alone_fits && !has(CONVERTED) { fields.to_vec() } else { without(LOGICAL) }
}

/// Which annotation a union holds, and what is in it.
fn annotation(union: &[u8]) -> Option<(i64, &[u8])> {
    let mut bytes = Bytes(union);
    let mut field = 0;
    (bytes.field(&mut field)? == Some(STRUCT)).then_some((field, bytes.0))
}

/// Whether an integer of that many bits is stored in as many as it needs.
fn fits_integer(stored: i64, inside: &[u8]) -> bool {
    let mut bytes = Bytes(inside);
    let mut field = 0;
    let first = bytes.field(&mut field);
    let bits = if first == Some(Some(BYTE)) && field == 1 { bytes.byte() } else { None };
    matches!((stored, bits), (STORED_INT32, Some(8 | 16 | 32)) | (STORED_INT64, Some(64)))
}

/// Whether a TIME of that unit (1 is milliseconds) is stored in the bits that it needs.
fn fits_time(stored: i64, inside: &[u8]) -> bool {
    let unit = || {
        let mut bytes = Bytes(inside);
        let mut field = 0;
        while let Some(kind) = bytes.field(&mut field)? {
            if field == 2 && kind == STRUCT {
                let mut unit = 0;
                bytes.field(&mut unit)?;
                return Some(unit);
            }
            bytes.skip(kind, 0)?;
        }
        None
    };
    unit().is_some_and(|unit| if unit == 1 { stored == STORED_INT32 } else { stored == STORED_INT64 })
}

/// Writes a struct. Numbers of fields are written in full where the step from the last is not a small one.
pub(super) fn write(fields: &[Field<'_>], out: &mut Vec<u8>) {
    let mut last = 0;
    for (field, kind, bytes) in fields {
        match u8::try_from(field.saturating_sub(last)) {
            Ok(step @ 1..=15) => out.push((step << 4) | kind),
            _ => {
                out.push(*kind);
                let mut zigzag = ((field << 1) ^ (field >> 63)).cast_unsigned();
                while zigzag >= 0x80 {
                    out.push(u8::try_from(zigzag & 0x7F).unwrap_or(0) | 0x80);
                    zigzag >>= 7;
                }
                out.push(u8::try_from(zigzag).unwrap_or(0));
            }
        }
        out.extend_from_slice(bytes);
        last = *field;
    }
    out.push(0);
}

#[cfg(test)]
#[path = "annotations_tests.rs"]
mod tests;
