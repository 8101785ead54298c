//! Segments that a load has written and not committed yet.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    carve::{Taken, carve},
    keys::{Holder, Keys},
    overlap, record,
};
use crate::{
    coverage::Coverage,
    error::Result,
    log::{
        Version,
        commit::{Action, SegmentRecord},
        segment::Segment,
        state::TableState,
    },
    storage::Storage,
    table::{monitor::Monitor, target::Target},
};

/// Segments that are written and not committed.
pub(super) struct Pending {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) target: Arc<Target>,
    pub(super) records: Vec<SegmentRecord>,
}

impl Pending {
    fn segment(record: &SegmentRecord) -> Segment {
        Segment::new(record.clone(), Version::default())
    }

    pub(super) fn coverage(&self) -> Result<Coverage> {
        let mut all = Coverage::new();
        for record in &self.records {
            all.union_with(Self::segment(record).coverage(self.storage.as_ref())?.as_ref());
        }
        Ok(all)
    }

    pub(super) fn actions(&self) -> impl Iterator<Item = Action> {
        self.records.iter().map(|record| Action::AddSegment(Box::new(record.clone())))
    }

    pub(super) fn segments(&self) -> Vec<Segment> {
        self.records.iter().map(Self::segment).collect()
    }

    /// Rewrites the segments without the rows that the table has by entity and index in these buckets.
    pub(super) fn leave_out(
        &mut self,
        state: &TableState,
        both: &Coverage,
        properties: &BTreeMap<String, String>,
        monitor: &dyn Monitor,
    ) -> Result<()> {
        if both.is_empty() {
            return Ok(());
        }
        let storage = Arc::clone(&self.storage);
        let target = Arc::clone(&self.target);
        let keys = Keys::new(storage.as_ref(), &target, properties)?;
        let mut live = Vec::new();
        for segment in state.segments.all()? {
            if !segment.coverage(storage.as_ref())?.is_disjoint(both) {
                live.push(Holder::Segment(segment));
            }
        }
        let mut records = std::mem::take(&mut self.records).into_iter();
        let result = records.by_ref().try_for_each(|record| {
            let rest = self.without(&record, &keys, &live, both, monitor);
            // What failed is discarded with all others.
            let kept = rest.as_ref().map_or(Some(record), Clone::clone);
            self.records.extend(kept);
            rest.map(drop)
        });
        self.records.extend(records);
        result
    }

    fn without(
        &self,
        record: &SegmentRecord,
        keys: &Keys<'_>,
        live: &[Holder<'_>],
        both: &Coverage,
        monitor: &dyn Monitor,
    ) -> Result<Option<SegmentRecord>> {
        let segment = Self::segment(record);
        let own = segment.coverage(self.storage.as_ref())?.intersect(both);
        if own.is_empty() {
            return Ok(Some(record.clone()));
        }
        let shared = keys.shared(Holder::Segment(&segment), live, &own, monitor)?;
        if shared.surplus > 0 {
            return Err(overlap::ambiguous(&self.target, &shared));
        }
        if shared.rows.is_empty() {
            return Ok(Some(record.clone()));
        }
        let rest = match shared.rows.len() == record.rows {
            true => None,
            false => carve(self.storage.as_ref(), &self.target, &segment, &Taken::Rows(&shared.rows), monitor)?,
        };
        record::discard(self.storage.as_ref(), record);
        Ok(rest)
    }

    pub(super) fn discard(&self) {
        self.records.iter().for_each(|record| record::discard(self.storage.as_ref(), record));
    }
}
