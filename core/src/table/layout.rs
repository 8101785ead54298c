//! How a table's rows are spread over segments, and whether gathering them would pay.

use crate::log::state::TableState;

/// Rows in a segment that scans like best: enough to amortise a footer, few enough to skip well.
pub const TARGET_ROWS: u64 = 1_000_000;

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

/// Judges the live segments by number and size.
#[must_use]
pub fn assess(state: &TableState) -> Layout {
    let segments = state.segments.len() as u64;
    let needed = state.rows().div_ceil(TARGET_ROWS).max(1);
    let spare = segments.saturating_sub(needed);
    #[expect(clippy::cast_precision_loss, reason = "a ratio of counts far below 2^52")]
    let fragmentation = if segments == 0 { 0.0 } else { spare as f64 / segments as f64 };
    let pays = segments > FEW_SEGMENTS && segments > needed.saturating_mul(4);
    let recommendation = pays.then(|| {
        format!(
            "{segments} segments where about {needed} would do: tstable_compact makes scans over many of them faster"
        )
    });
    Layout { fragmentation, recommendation }
}
