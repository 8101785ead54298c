//! The segments in the order of the index, gathered into few enough bars to see.

use std::sync::Arc;

use crate::{log::segment::Segment, schema::ColumnType, time::format_value};

/// No chart has more bars.
const MAX_BARS: usize = 100;

/// Segments that follow each other.
#[derive(Debug)]
pub(super) struct SegmentBin {
    pub(super) start: String,
    pub(super) segments: u64,
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

/// Bars of equally many segments each, in the order of the index.
pub(super) fn bins(segments: &[&Arc<Segment>], index: &ColumnType) -> Vec<SegmentBin> {
    let each = segments.len().div_ceil(MAX_BARS).max(1);
    let bin = |part: &[&Arc<Segment>]| SegmentBin {
        start: part.first().map(|first| format_value(first.record.index_min, index)).unwrap_or_default(),
        segments: part.len() as u64,
        rows: part.iter().map(|s| s.record.rows).fold(0, u64::saturating_add),
        bytes: part.iter().map(|s| s.record.bytes).fold(0, u64::saturating_add),
    };
    segments.chunks(each).map(bin).collect()
}
