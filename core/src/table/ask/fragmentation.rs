//! How a table's rows are spread over segments, and whether gathering them would pay.

use std::sync::Arc;

use crate::table::write::compact::plan::TARGET_ROWS;
use crate::{
    error::Result,
    log::{segment::Segment, state::TableState},
    table::write::compact::plan::{Histogram, plan},
    time::{BucketId, IndexValue},
};

/// Below this many segments nobody notices how many there are.
const FEW_SEGMENTS: u64 = 16;

/// What [`assess`] finds.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// The share of segments that larger ones could do without, 0 to 1.
    pub fragmentation: f64,
    /// What to do about it, when it pays.
    pub recommendation: Option<String>,
}

/// Judges the live segments by what compacting would do with them.
///
/// # Errors
/// As [`Segments::all`](crate::log::segments::Segments::all).
pub fn assess(state: &TableState) -> Result<Layout> {
    let segments = state.segments.len() as u64;
    let (merged, made) = estimate(state)?;
    #[expect(clippy::cast_precision_loss, reason = "a ratio of counts far below 2^52")]
    let fragmentation = if segments == 0 { 0.0 } else { merged.saturating_sub(made) as f64 / segments as f64 };
    let pays = merged > FEW_SEGMENTS && merged > made.saturating_mul(4);
    let recommendation = pays.then(|| {
        format!(
            "{merged} of {segments} segments are small, about {made} would do: tstable_compact makes scans over many of \
             them faster"
        )
    });
    Ok(Layout { fragmentation, recommendation })
}

/// How many segments compacting would merge, and about how many it would make of them.
fn estimate(state: &TableState) -> Result<(u64, u64)> {
    // Where segments overlap, the rows of each period are known from the files only; full segments are a good guess.
    let evenly = |segments: &[Arc<Segment>]| {
        let rows = segments.iter().map(|s| s.record.rows).fold(0, u64::saturating_add);
        let full = i64::try_from(rows / TARGET_ROWS).unwrap_or(i64::MAX);
        let mut histogram: Histogram = (0..full).map(|bucket| (BucketId(bucket), TARGET_ROWS)).collect();
        histogram.insert(BucketId(full), rows % TARGET_ROWS);
        Ok(histogram)
    };
    let segments: Vec<_> = state.segments.all()?.into_iter().cloned().collect();
    let jobs = plan(&segments, TARGET_ROWS, evenly, |bucket| IndexValue(bucket.0.into())).unwrap_or_default();
    let merged = jobs.iter().map(|job| job.inputs.len() as u64).sum();
    Ok((merged, jobs.iter().map(|job| job.periods.len() as u64).sum()))
}
