//! Counts of rows to bytes and back. The layout is in the module's documentation.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::xxh3_64;

use super::{
    Entity,
    codec::{checked_body, read_entity, write_entity},
    counts::{Counts, Piece},
    set_codec::checked_run,
    varint::{self, Reader},
};
use crate::{
    error::{Error, Result},
    time::BucketId,
};

const MAGIC: &[u8] = b"TSTCNT";
const VERSION: u16 = 1;

impl Counts {
    /// The serialised form.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        varint::write(self.pieces.len() as u128, &mut out);
        for (entity, pieces) in &self.pieces {
            write_entity(entity, &mut out);
            varint::write(pieces.len() as u128, &mut out);
            let mut end: Option<BucketId> = None;
            for Piece { run, rows } in pieces {
                match end {
                    None => varint::write_signed(run.first.0.into(), &mut out),
                    Some(end) => varint::write(u128::from(end.0.abs_diff(run.first.0)).saturating_sub(1), &mut out),
                }
                varint::write(run.last.0.abs_diff(run.first.0).into(), &mut out);
                varint::write(rows.saturating_sub(1).into(), &mut out);
                end = Some(run.last);
            }
        }
        let checksum = xxh3_64(&out);
        out.extend_from_slice(&checksum.to_le_bytes());
        out
    }

    /// Reads the serialised form. Memory is bounded by the number of bytes.
    ///
    /// # Errors
    /// `Corrupt` for bytes that [`Self::to_bytes`] cannot have made, `UnsupportedFormat` for a version that is not known.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(checked_body(bytes, "counts", MAGIC, VERSION)?);
        let mut pieces: BTreeMap<Entity, Vec<Piece>> = BTreeMap::new();
        for _ in 0..reader.varint()? {
            let entity = read_entity(&mut reader)?;
            if pieces.last_key_value().is_some_and(|(last, _)| *last >= entity) {
                return Err(Error::corrupt("the entities of the counts are not in ascending order"));
            }
            pieces.insert(entity, read_pieces(&mut reader)?);
        }
        if !reader.is_at_end() {
            return Err(Error::corrupt("the counts have bytes after their last entity"));
        }
        Ok(Self { pieces })
    }
}

fn read_pieces(reader: &mut Reader<'_>) -> Result<Vec<Piece>> {
    let count = reader.varint()?;
    if count == 0 {
        return Err(Error::corrupt("the counts have an entity without buckets"));
    }
    let mut pieces: Vec<Piece> = Vec::new();
    for _ in 0..count {
        let first = match pieces.last() {
            None => reader.signed()?,
            Some(last) => i128::from(last.run.last.0) + 1 + i128::from(reader.varint()?),
        };
        let run = checked_run(first, reader.varint()?)?;
        let rows = reader.varint()?.checked_add(1);
        let rows = rows.ok_or_else(|| Error::corrupt("the counts have a bucket of more rows than fit 64 bits"))?;
        let touches = |last: &Piece| last.rows == rows && last.run.last.0.checked_add(1) == Some(run.first.0);
        if pieces.last().is_some_and(touches) {
            return Err(Error::corrupt("the counts have a run in two parts"));
        }
        pieces.push(Piece { run, rows });
    }
    Ok(pieces)
}
