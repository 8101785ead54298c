//! The columns of the heat map: periods that people know, few enough to see.

use crate::{
    error::{Error, Result},
    log::definition::Definition,
    schema::ColumnType,
    table::handle::Snapshot,
    time::{BucketId, BucketWidth, Grid, IndexRange, Run, format_value},
};

/// No heat map has more columns.
const MAX_PERIODS: u64 = 120;

const WIDTHS: [&str; 16] =
    ["1s", "10s", "1m", "5m", "15m", "1h", "3h", "6h", "12h", "1d", "1w", "1mo", "1q", "1y", "10y", "100y"];

/// The periods of an extent.
pub(super) struct Periods {
    pub(super) runs: Vec<Run>,
    /// The width of a period; buckets where no period of the calendar suits.
    pub(super) width: String,
}

impl Periods {
    pub(super) fn new(snapshot: &Snapshot, grid: &Grid, extent: Run) -> Result<Self> {
        let definition = snapshot.definition();
        let index = snapshot.index_type()?;
        if extent.buckets() <= MAX_PERIODS {
            return Ok(Self { runs: equal(extent, 1), width: definition.bucket.to_string() });
        }
        for text in WIDTHS {
            let width = BucketWidth::parse(text)?;
            let coarse = Definition { bucket: width, ..definition.clone() };
            let Ok(coarse) = coarse.grid(index) else { continue };
            let whole = IndexRange::new(grid.start_of(extent.first), grid.end_of(extent.last));
            let Some(run) = coarse.buckets_in(&whole).filter(|run| run.buckets() <= MAX_PERIODS) else { continue };
            if let Some(runs) = aligned(grid, &coarse, run, extent) {
                return Ok(Self { runs, width: text.to_owned() });
            }
        }
        let each = round_up(extent.buckets().div_ceil(MAX_PERIODS));
        let runs = equal(extent, each);
        if runs.is_empty() {
            return Err(Error::limit_exceeded("the range cannot be divided into periods; ask for a shorter range"));
        }
        Ok(Self { runs, width: format!("{each} buckets") })
    }

    /// Start and end of each period as people read them.
    pub(super) fn shown(&self, grid: &Grid, index: &ColumnType) -> Vec<(String, String)> {
        let show =
            |run: &Run| (format_value(grid.start_of(run.first), index), format_value(grid.end_of(run.last), index));
        self.runs.iter().map(show).collect()
    }
}

/// The buckets that begin in each of the periods; none when a period has none, being shorter than a bucket.
fn aligned(grid: &Grid, coarse: &Grid, periods: Run, extent: Run) -> Option<Vec<Run>> {
    let mut runs = Vec::new();
    let mut first = extent.first;
    for period in periods.first.0..=periods.last.0 {
        let end = coarse.end_of(BucketId(period));
        let inside = IndexRange { start: None, until: Some(end) };
        let last = grid.buckets_in(&inside)?.last.min(extent.last);
        if last < first {
            return None;
        }
        runs.push(Run { first, last });
        if last == extent.last {
            break;
        }
        first = BucketId(last.0.checked_add(1)?);
    }
    Some(runs)
}

fn equal(extent: Run, each: u64) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut next = Some(extent.first);
    while let Some(first) = next.filter(|first| *first <= extent.last) {
        let last = BucketId(first.0.saturating_add_unsigned(each.saturating_sub(1))).min(extent.last);
        runs.push(Run { first, last });
        next = last.0.checked_add(1).map(BucketId);
    }
    runs
}

/// 1, 2 or 5 times a power of ten, not below `least`.
fn round_up(least: u64) -> u64 {
    let mut power = 1_u64;
    loop {
        for factor in [1, 2, 5] {
            let candidate = power.saturating_mul(factor);
            if candidate >= least || candidate == u64::MAX {
                return candidate;
            }
        }
        power = power.saturating_mul(10);
    }
}
