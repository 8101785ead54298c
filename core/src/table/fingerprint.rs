//! The fingerprint of bytes, taken while they are read or written.

use std::io::{self, Write};

use xxhash_rust::xxh3::Xxh3Default;

use crate::{
    error::Result,
    log::commit::Fingerprint,
    storage::{Staged, source::Source},
};

/// Reads a source from end to end, handing each piece to `sink`, and returns the XXH3-128 of all of it.
///
/// # Errors
/// As the source and `sink`.
pub fn hash(source: &dyn Source, mut sink: impl FnMut(&[u8]) -> Result<()>) -> Result<Fingerprint> {
    const PIECE_BYTES: usize = 1 << 20;
    let mut hasher = Xxh3Default::new();
    let mut buffer = vec![0; PIECE_BYTES.min(usize::try_from(source.len()).unwrap_or(PIECE_BYTES)).max(1)];
    let mut offset = 0_u64;
    while offset < source.len() {
        let piece = usize::try_from(source.len() - offset).unwrap_or(usize::MAX).min(buffer.len());
        let bytes = buffer.get_mut(..piece).unwrap_or_default();
        source.read_at(offset, bytes)?;
        hasher.update(bytes);
        sink(bytes)?;
        offset += piece as u64;
    }
    Ok(Fingerprint(hasher.digest128()))
}

/// A staged file that hashes what is written to it.
pub(crate) struct Hashing {
    pub(crate) staged: Box<dyn Staged>,
    pub(crate) hasher: Xxh3Default,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.staged.write(bytes)?;
        self.hasher.update(bytes.get(..written).unwrap_or(bytes));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.staged.flush()
    }
}
