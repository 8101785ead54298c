//! The buckets whose rows are not those of an earlier version: rows came, went or were restated. Buckets of which all rows came or went
//! are known from coverage; where rows both came and went, they are read and their hashes summed up by bucket, in windows of bounded size.

use std::collections::HashMap;

use super::{Since, gone::Gone};
use crate::{
    coverage::{Coverage, Entity},
    error::Result,
    log::segment::Segment,
    segment::look::RowLook,
    table::{
        monitor::{Monitor, check_cancelled},
        read::latest::Names,
        target::KeyColumns,
    },
    time::{BucketId, IndexRange, IndexValue},
};

/// How many rows more there are than there were, and the sum of their hashes less that of the rows that were.
type Digest = (i64, u128);
/// By entity and bucket.
type Digests = HashMap<Entity, HashMap<BucketId, Digest>>;

impl Since {
    /// See the module.
    ///
    /// # Errors
    /// As reading segments and their coverage, `InvalidArgument` when rows must be compared and cannot be, and `Cancelled`.
    pub fn changed(&self, monitor: &dyn Monitor) -> Result<Coverage> {
        let (gone, come) = (self.coverage_of(&self.gone)?, self.coverage_of(&self.come)?);
        let both = gone.intersect(&come);
        let mut changed = gone;
        changed.union_with(&come);
        changed.subtract(&both);
        if both.is_empty() {
            return Ok(changed);
        }
        let storage = self.now.storage().as_ref();
        let meets = |segment: &Segment| Ok::<_, crate::Error>(!segment.coverage(storage)?.is_disjoint(&both));
        for (range, _) in self.now.windows(&self.gone, self.rows_at_once)? {
            let mut digests = Digests::new();
            for (segments, came) in [(&self.gone, false), (&self.come, true)] {
                for segment in segments.iter().filter(|segment| segment.meets(&range)) {
                    if meets(segment)? {
                        self.digest(segment, &range, came, &mut digests, monitor)?;
                    }
                }
            }
            for (entity, buckets) in &digests {
                let Some(shared) = both.get(entity) else { continue };
                for (bucket, _) in
                    buckets.iter().filter(|(bucket, digest)| **digest != (0, 0) && shared.contains(**bucket))
                {
                    changed.insert(entity, *bucket);
                }
            }
        }
        Ok(changed)
    }

    fn coverage_of(&self, segments: &[std::sync::Arc<Segment>]) -> Result<Coverage> {
        let mut all = Coverage::new();
        for segment in segments {
            all.union_with(segment.coverage(self.now.storage().as_ref())?.as_ref());
        }
        Ok(all)
    }

    /// Adds the rows of a segment, or takes them away.
    fn digest(
        &self,
        segment: &Segment,
        range: &IndexRange,
        came: bool,
        digests: &mut Digests,
        monitor: &dyn Monitor,
    ) -> Result<()> {
        let (hasher, keys) = (self.hasher()?, KeyColumns::of(&self.target)?);
        let mut look = RowLook::new(keys.entities.len());
        let mut names = Names::default();
        let mut cursor = self.target.grid.cursor();
        let all: Box<dyn Iterator<Item = Result<Gone>>> = match came {
            true => Box::new(self.rows(segment, range)?.map(|batch| Ok(Gone { batch: batch?, possible: None }))),
            false => Box::new(self.gone_rows(segment, range)?),
        };
        for rows in all {
            check_cancelled(monitor)?;
            let Gone { batch, possible } = rows.map_err(|e| e.with("version", segment.added))?;
            let (index, entities) = keys.arrays(&batch)?;
            look.batch(index, &entities, &mut names)?;
            for (row, (hash, (index, code))) in hasher.hashes(&batch)?.into_iter().zip(&names.rows).enumerate() {
                let Some(entity) = usize::try_from(*code).ok().and_then(|code| names.entities.get(code)) else {
                    continue;
                };
                let bucket = cursor.bucket_of(IndexValue(*index))?;
                if !digests.contains_key(entity) {
                    digests.insert(entity.clone(), HashMap::new());
                }
                let Some(buckets) = digests.get_mut(entity) else { continue };
                let hash = if possible.as_ref().is_none_or(|possible| possible.value(row)) { hash } else { !hash };
                let (rows, sum) = buckets.entry(bucket).or_default();
                *rows = if came { rows.wrapping_add(1) } else { rows.wrapping_sub(1) };
                *sum = if came { sum.wrapping_add(hash) } else { sum.wrapping_sub(hash) };
            }
        }
        Ok(())
    }
}
