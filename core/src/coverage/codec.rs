//! Coverage to bytes and back: header, entities, checksum. The layout is in the module's documentation.

use xxhash_rust::xxh3::xxh3_64;

use crate::error::{Error, Result};

use super::{
    Coverage, Entity, EntityPart, set_codec,
    varint::{self, Reader},
};

const MAGIC: &[u8] = b"TSTCOV";
const VERSION: u16 = 1;
const CHECKSUM_BYTES: usize = 8;
const TEXT: u8 = 0;
const INT: u8 = 1;
const BOOL: u8 = 2;
const DATE: u8 = 3;
const UUID: u8 = 4;

/// A limit for [`Coverage::from_bytes`] that is beyond real tables: 2^40 buckets, which take up to 1 GiB of memory (a block
/// of some 64 bytes for every 65,536 buckets).
pub const MAX_BUCKETS: u64 = 1 << 40;

impl Coverage {
    /// The serialised form.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        varint::write(self.entity_count() as u128, &mut out);
        for (entity, set) in self.iter() {
            write_entity(entity, &mut out);
            set_codec::write(set, &mut out);
        }
        let checksum = xxh3_64(&out);
        out.extend_from_slice(&checksum.to_le_bytes());
        out
    }

    /// Reads the serialised form of at most `max_buckets` buckets over all entities ([`MAX_BUCKETS`] suits).
    ///
    /// Safe on any bytes: memory is bounded by their number and by `max_buckets`.
    ///
    /// # Errors
    /// `Corrupt` for bytes that [`Self::to_bytes`] cannot have made, `UnsupportedFormat` for a version that is not
    /// known, `LimitExceeded` for more buckets than `max_buckets`.
    pub fn from_bytes(bytes: &[u8], max_buckets: u64) -> Result<Self> {
        let mut coverage = Self::new();
        coverage.extend_from_bytes(bytes, max_buckets)?;
        Ok(coverage)
    }

    /// Adds the buckets of the serialised form, of which there may be `max_buckets`, and says how many those are. Cheaper
    /// than [`Self::from_bytes`] and [`Self::union_with`] where many small parts are put together.
    ///
    /// # Errors
    /// As [`Self::from_bytes`]; what was read before the error has been added.
    pub fn extend_from_bytes(&mut self, bytes: &[u8], max_buckets: u64) -> Result<u64> {
        let mut reader = Reader::new(checked_body(bytes, "coverage", MAGIC, VERSION)?);
        let count = reader.varint()?;
        let mut budget = max_buckets;
        let mut last: Option<Entity> = None;
        for _ in 0..count {
            let entity = read_entity(&mut reader)?;
            if last.as_ref().is_some_and(|last| *last >= entity) {
                return Err(Error::corrupt("the entities of the coverage are not in ascending order"));
            }
            let set = self.set_mut(&entity);
            let is_new = set.is_empty();
            set_codec::read(&mut reader, &mut budget, set)?;
            // At once, so that no more than one set at a time takes the memory of scattered buckets.
            if is_new {
                set.optimize();
            }
            last = Some(entity);
        }
        if !reader.is_at_end() {
            return Err(Error::corrupt("the coverage has bytes after its last entity"));
        }
        Ok(max_buckets.saturating_sub(budget))
    }
}

/// The bytes between the version and the checksum, once both are found to be right.
pub(super) fn checked_body<'a>(bytes: &'a [u8], what: &str, magic: &[u8], version: u16) -> Result<&'a [u8]> {
    let Some((body, checksum)) = bytes.split_last_chunk::<CHECKSUM_BYTES>() else {
        return Err(Error::corrupt(format!("{} bytes are too few for {what}", bytes.len())));
    };
    let Some(rest) = body.strip_prefix(magic) else {
        let magic = String::from_utf8_lossy(magic);
        return Err(Error::corrupt(format!("{what} begins with the bytes '{magic}', but these bytes do not")));
    };
    let (expected, found) = (u64::from_le_bytes(*checksum), xxh3_64(body));
    if expected != found {
        return Err(Error::corrupt(format!(
            "the checksum of the {what} does not match: its bytes give {found:016x}, written is {expected:016x}"
        )));
    }
    match rest.split_first_chunk::<2>() {
        Some((stated, body)) if u16::from_le_bytes(*stated) == version => Ok(body),
        Some((stated, _)) => Err(Error::unsupported_format(format!(
            "the {what} has the format version {}; this program reads version {version}",
            u16::from_le_bytes(*stated)
        ))),
        None => Err(Error::corrupt(format!("the {what} ends before its version"))),
    }
}

pub(super) fn write_entity(entity: &Entity, out: &mut Vec<u8>) {
    varint::write(entity.parts().len() as u128, out);
    for part in entity.parts() {
        match part {
            EntityPart::Text(text) => {
                out.push(TEXT);
                varint::write(text.len() as u128, out);
                out.extend_from_slice(text.as_bytes());
            }
            EntityPart::Int(value) => {
                out.push(INT);
                varint::write_signed(*value, out);
            }
            EntityPart::Bool(value) => out.extend_from_slice(&[BOOL, u8::from(*value)]),
            EntityPart::Date(days) => {
                out.push(DATE);
                varint::write_signed((*days).into(), out);
            }
            EntityPart::Uuid(number) => {
                out.push(UUID);
                out.extend_from_slice(&number.to_be_bytes());
            }
        }
    }
}

pub(super) fn read_entity(reader: &mut Reader<'_>) -> Result<Entity> {
    let parts = reader.varint()?;
    // Parts are pushed as they are read, so a false count costs no memory.
    let mut read = Vec::new();
    for _ in 0..parts {
        read.push(read_part(reader)?);
    }
    Ok(read.into())
}

fn read_part(reader: &mut Reader<'_>) -> Result<EntityPart> {
    match reader.byte()? {
        TEXT => {
            let length = reader.varint()?;
            let text = std::str::from_utf8(reader.bytes(length)?)
                .map_err(|error| Error::corrupt("an entity of the coverage is not UTF-8").caused_by(error))?;
            Ok(text.into())
        }
        INT => Ok(EntityPart::Int(reader.signed()?)),
        BOOL => match reader.byte()? {
            value @ (0 | 1) => Ok(EntityPart::Bool(value == 1)),
            other => Err(Error::corrupt(format!("the coverage has {other} as a BOOLEAN of an entity"))),
        },
        DATE => {
            let days = reader.signed()?;
            let days = i32::try_from(days)
                .map_err(|_| Error::corrupt(format!("the coverage has {days} as the days of an entity's DATE")))?;
            Ok(EntityPart::Date(days))
        }
        UUID => {
            let bytes = <[u8; 16]>::try_from(reader.bytes(16)?)
                .map_err(|error| Error::corrupt("the coverage ends within a UUID").caused_by(error))?;
            Ok(EntityPart::Uuid(u128::from_be_bytes(bytes)))
        }
        other => Err(Error::corrupt(format!("the coverage has an entity value of the unknown kind {other}"))),
    }
}
