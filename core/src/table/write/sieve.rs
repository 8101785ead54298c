//! Leaving rows out by the bucket and entity that they belong to.

use std::sync::Arc;

use arrow::{
    array::{BooleanArray, BooleanBufferBuilder, RecordBatch},
    compute::filter_record_batch,
};

use crate::{
    coverage::{BucketSet, Coverage},
    error::{Error, Result},
    segment::{
        look::RowLook,
        visit::{EntityBatch, IndexValues, RowVisitor},
    },
    table::target::{KeyColumns, Target},
    time::{BucketId, Cursor, IndexValue},
};

/// Lets through the rows whose bucket is not in a coverage, or those whose bucket is.
pub struct Sieve<'a> {
    keys: KeyColumns,
    look: RowLook,
    marker: Marker<'a>,
    /// Rows left out so far.
    pub left_out: u64,
}

impl<'a> Sieve<'a> {
    /// Leaves out the rows of `away`.
    ///
    /// # Errors
    /// As [`KeyColumns::of`].
    pub fn new(target: &'a Target, away: &'a Coverage) -> Result<Self> {
        let keys = KeyColumns::of(target)?;
        let marker = Marker {
            cursor: target.grid.cursor(),
            away,
            inside: false,
            sets: Vec::new(),
            last: None,
            keep: BooleanBufferBuilder::new(0),
        };
        Ok(Self { look: RowLook::new(keys.entities.len()), keys, marker, left_out: 0 })
    }

    /// Leaves out all rows but those of `kept`.
    ///
    /// # Errors
    /// As [`KeyColumns::of`].
    pub fn of_inside(target: &'a Target, kept: &'a Coverage) -> Result<Self> {
        let mut sieve = Self::new(target, kept)?;
        sieve.marker.inside = true;
        Ok(sieve)
    }

    /// The rows of `batch`, which has the target's columns, that are let through.
    ///
    /// # Errors
    /// As [`RowLook::batch`].
    pub fn pass(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        let (index, entities) = self.keys.arrays(batch)?;
        self.look.batch(index, &entities, &mut self.marker)?;
        let keep = BooleanArray::new(self.marker.keep.finish(), None);
        let out = (batch.num_rows() as u64).saturating_sub(keep.true_count() as u64);
        self.left_out = self.left_out.saturating_add(out);
        if out == 0 {
            return Ok(batch.clone());
        }
        filter_record_batch(batch, &keep).map_err(|e| Error::corrupt("rows cannot be told apart").caused_by(e))
    }
}

impl std::fmt::Debug for Sieve<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sieve").field("left_out", &self.left_out).finish_non_exhaustive()
    }
}

struct Marker<'a> {
    cursor: Cursor<'a>,
    away: &'a Coverage,
    /// Whether the rows of the coverage are those that stay.
    inside: bool,
    /// By the entity's code, its buckets that go.
    sets: Vec<Option<Arc<BucketSet>>>,
    /// Neighbouring rows mostly share entity and bucket.
    last: Option<(u32, BucketId, bool)>,
    keep: BooleanBufferBuilder,
}

impl Marker<'_> {
    fn rows(&mut self, values: impl Iterator<Item = i128>, codes: &[u32]) -> Result<()> {
        for (value, code) in values.zip(codes) {
            let bucket = self.cursor.bucket_of(IndexValue(value))?;
            let keep = match self.last {
                Some((last, known, keep)) if last == *code && known == bucket => keep,
                _ => {
                    let set = usize::try_from(*code).ok().and_then(|code| self.sets.get(code)).cloned().flatten();
                    set.is_some_and(|set| set.contains(bucket)) == self.inside
                }
            };
            self.last = Some((*code, bucket, keep));
            self.keep.append(keep);
        }
        Ok(())
    }
}

impl RowVisitor for Marker<'_> {
    fn batch(&mut self, index: IndexValues<'_>, entities: &EntityBatch<'_>) -> Result<()> {
        for values in entities.entities.iter().skip(self.sets.len()) {
            self.sets.push(self.away.set_of(values));
        }
        match index {
            IndexValues::Signed(values) => self.rows(values.iter().map(|v| i128::from(*v)), entities.codes),
            IndexValues::Unsigned(values) => self.rows(values.iter().map(|v| i128::from(*v)), entities.codes),
        }
    }
}
