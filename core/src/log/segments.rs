//! The live segments of a table, in the order of the index. Held in blocks, which states share: following a commit costs the same however
//! many segments there are, and whoever opens a table pays for no segment that nobody asks for. Knows nothing of files.

use std::{collections::HashSet, sync::Arc};

use bytes::Bytes;

use super::{
    block::{Block, Sums, borrowed, key},
    segment::Segment,
};
use crate::{
    error::{Error, Result},
    storage::source::Part,
    time::IndexValue,
};

/// No block has more segments: few enough to copy and decode at once, enough that there are few blocks.
const BLOCK_SEGMENTS: usize = 128;

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Segments {
    blocks: Vec<Arc<Block>>,
}

impl Segments {
    /// All of them, by least and greatest index value.
    ///
    /// # Errors
    /// `Corrupt` when they come from a checkpoint that no writer has written, `Io` when it cannot be read any more.
    pub fn all(&self) -> Result<Vec<&Arc<Segment>>> {
        let mut all = Vec::with_capacity(self.len().min(1 << 20));
        for block in &self.blocks {
            all.extend(block.segments()?);
        }
        Ok(all)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::try_from(self.sum(|sums| sums.segments)).unwrap_or(usize::MAX)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Rows of all.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.sum(|sums| sums.rows)
    }

    /// Bytes of all.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.sum(|sums| sums.bytes)
    }

    /// Pairs of entity and bucket of each, summed.
    #[must_use]
    pub fn buckets(&self) -> u64 {
        self.sum(|sums| sums.buckets)
    }

    fn sum(&self, of: fn(&Sums) -> u64) -> u64 {
        self.blocks.iter().map(|block| of(&block.sums)).fold(0, u64::saturating_add)
    }

    /// The least and greatest index value; none when there is no segment.
    #[must_use]
    pub fn index_bounds(&self) -> Option<(IndexValue, IndexValue)> {
        let max = self.blocks.iter().map(|block| block.sums.index_max).max()?;
        Some((self.blocks.first()?.sums.first.0, max))
    }

    /// Adds a segment in its place.
    pub(super) fn insert(&mut self, segment: Arc<Segment>) -> Result<()> {
        let after = self.blocks.partition_point(|block| borrowed(&block.sums.first) <= key(&segment));
        let at = after.saturating_sub(1);
        let mut segments = self.blocks.get(at).map_or(Ok(Vec::new()), |block| block.segments().map(<[_]>::to_vec))?;
        let place = segments.partition_point(|other| key(other) <= key(&segment));
        let full = segments.len() >= BLOCK_SEGMENTS;
        // A full block that is added to at its end stays as it is; others are halved.
        if full && place == segments.len() {
            self.blocks.splice(after..after, Block::of(vec![segment]).map(Arc::new));
            return Ok(());
        }
        segments.insert(place, segment);
        let rest = segments.split_off(if full { segments.len() / 2 } else { segments.len() });
        let made = [segments, rest].into_iter().filter_map(Block::of).map(Arc::new);
        self.blocks.splice(at..(at + 1).min(self.blocks.len()), made);
        Ok(())
    }

    /// Takes out those with these ids, and says how many there were.
    pub(super) fn remove(&mut self, ids: &HashSet<&str>) -> Result<usize> {
        let before = self.len();
        let mut blocks: Vec<Arc<Block>> = Vec::with_capacity(self.blocks.len());
        for block in &self.blocks {
            let segments = block.segments()?;
            let mut left: Vec<_> = segments.iter().filter(|s| !ids.contains(s.record.id.as_str())).cloned().collect();
            if left.len() == segments.len() {
                blocks.push(Arc::clone(block));
                continue;
            }
            // What is left of neighbours goes together, lest ever more blocks hold ever less.
            if let Some(last) = blocks.last().map(|last| last.segments()).transpose()?
                && last.len() + left.len() <= BLOCK_SEGMENTS
            {
                left.splice(..0, last.iter().cloned());
                blocks.pop();
            }
            blocks.extend(Block::of(left).map(Arc::new));
        }
        self.blocks = blocks;
        Ok(before.saturating_sub(self.len()))
    }

    /// The blocks as a checkpoint stores them.
    pub(super) fn to_blocks(&self) -> Result<Vec<(Sums, Bytes)>> {
        self.blocks.iter().map(|block| Ok((block.sums.clone(), block.to_bytes()?))).collect()
    }

    /// The segments of the blocks of a checkpoint.
    pub(super) fn of_blocks(blocks: Vec<(Sums, Part)>) -> Result<Self> {
        let ordered = blocks.is_sorted_by(|(a, _), (b, _)| a.first < b.first);
        // A segment takes more than a byte: counts that no block can hold are used for nothing.
        if !ordered || !blocks.iter().all(|(sums, part)| (1..=part.length).contains(&sums.segments)) {
            return Err(Error::corrupt("the blocks of a checkpoint contradict each other"));
        }
        let block = |(sums, part)| Arc::new(Block::stored(sums, part));
        Ok(Self { blocks: blocks.into_iter().map(block).collect() })
    }
}

#[cfg(test)]
#[path = "segments_tests.rs"]
mod tests;
