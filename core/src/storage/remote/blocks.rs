//! Bytes of objects that were read lately, in memory and bounded: footers and page indexes are asked for in many small pieces, each of
//! which would be a request. Objects of a table never change under their name, and are told apart by their tag besides.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use bytes::Bytes;

/// The unit in which small pieces are read.
pub(super) const BLOCK_BYTES: u64 = 128 * 1024;
/// No more is held in a process.
const HELD_BYTES: u64 = 64 * 1024 * 1024;

/// What names a block: the identity of the object, and where the block begins.
type Name = (u128, u64);

#[derive(Debug, Default)]
pub(super) struct Blocks {
    held: HashMap<Name, (Bytes, u64)>,
    bytes: u64,
    clock: u64,
}

/// The blocks that this process holds.
pub(super) fn blocks() -> MutexGuard<'static, Blocks> {
    static BLOCKS: OnceLock<Mutex<Blocks>> = OnceLock::new();
    BLOCKS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

impl Blocks {
    /// The bytes of a range that lies within one block, when that is held.
    pub(super) fn get(&mut self, object: u128, range: &Range<u64>) -> Option<Bytes> {
        let block = range.start / BLOCK_BYTES * BLOCK_BYTES;
        self.clock = self.clock.saturating_add(1);
        let (bytes, used) = self.held.get_mut(&(object, block))?;
        *used = self.clock;
        let start = usize::try_from(range.start.checked_sub(block)?).ok()?;
        let end = usize::try_from(range.end.checked_sub(block)?).ok()?;
        (end <= bytes.len()).then(|| bytes.slice(start..end))
    }

    /// Holds bytes that begin where a block begins.
    pub(super) fn put(&mut self, object: u128, start: u64, bytes: &Bytes) {
        let mut at = 0;
        while at < bytes.len() {
            let end = bytes.len().min(at.saturating_add(usize::try_from(BLOCK_BYTES).unwrap_or(usize::MAX)));
            // Copied, so that a block does not keep all of what was read with it.
            let block = Bytes::copy_from_slice(bytes.get(at..end).unwrap_or_default());
            self.bytes = self.bytes.saturating_add(block.len() as u64);
            let before = self.held.insert((object, start.saturating_add(at as u64)), (block, self.clock));
            self.bytes = self.bytes.saturating_sub(before.map_or(0, |(old, _)| old.len() as u64));
            at = end;
        }
        if self.bytes > HELD_BYTES {
            self.shrink();
        }
    }

    /// Forgets the least recently used half, so that the sorting is paid for rarely.
    fn shrink(&mut self) {
        let mut used: Vec<_> = self.held.values().map(|(_, used)| *used).collect();
        used.sort_unstable();
        let middle = used.get(used.len() / 2).copied().unwrap_or(0);
        self.held.retain(|_, (_, used)| *used > middle);
        self.bytes = self.held.values().fold(0, |sum, (block, _)| sum.saturating_add(block.len() as u64));
    }
}

#[cfg(test)]
#[path = "blocks_tests.rs"]
mod tests;
