//! What lies between two versions: segments that came and went, and the buckets that came and went with them.

use std::{collections::HashSet, sync::Arc};

use crate::{
    error::Result,
    log::{segment::Segment, state::TableState},
    table::handle::Snapshot,
};

/// A segment that is live at one of the two versions only.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The segment.
    pub segment: Arc<Segment>,
    /// Whether it is live at the later version.
    pub added: bool,
    /// Pairs of entity and bucket in it that are covered at its own version and not at the other.
    pub buckets: u64,
}

/// The differences of `until` from `from`: first what was removed, then what was added, each in the order of the index.
///
/// # Errors
/// As [`TableState::coverage`].
pub fn differences(from: &Snapshot, until: &Snapshot) -> Result<Vec<Difference>> {
    let mut differences = side(&from.state, until, false)?;
    differences.extend(side(&until.state, from, true)?);
    Ok(differences)
}

fn side(state: &TableState, other: &Snapshot, added: bool) -> Result<Vec<Difference>> {
    let there: HashSet<&str> = other.state.segments.all()?.into_iter().map(|s| s.record.id.as_str()).collect();
    let own = state.segments.all()?.into_iter().filter(|s| !there.contains(s.record.id.as_str()));
    let own: Vec<_> = own.collect();
    if own.is_empty() {
        return Ok(Vec::new());
    }
    let covered = other.coverage()?;
    own.into_iter()
        .map(|segment| {
            let coverage = segment.coverage(other.storage().as_ref())?;
            let both = coverage.overlap(&covered).count;
            Ok(Difference { segment: Arc::clone(segment), added, buckets: coverage.buckets().saturating_sub(both) })
        })
        .collect()
}
