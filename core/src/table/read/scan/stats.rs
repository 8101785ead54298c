//! What a file says of its row groups and pages, in the words in which predicates are judged.

use std::borrow::Cow;

use crate::{
    log::{adopted::Compared, definition::Definition, segment::Segment},
    prune::{ColumnStats, Interval, Nulls, Statistics, expr::Constant},
    schema::Schema,
    segment::{ColumnBounds, PageBounds, SegmentFile},
    table::read::select::constant_of,
};

/// Whether the column's rows are known not to be what the file says of them.
pub(super) fn distrusted(segment: &Segment, field: u32) -> bool {
    segment.record.adopted().is_some_and(|adopted| adopted.distrusted_fields.contains(&field))
}

/// An index value as a number.
pub(super) fn value(constant: Option<&Constant>) -> Option<i128> {
    match constant {
        Some(Constant::Int(value)) => Some(*value),
        Some(Constant::Temporal(_, value)) => Some(i128::from(*value)),
        _ => None,
    }
}

/// What the page index says of one page of one column.
pub(super) struct PageStats {
    column: usize,
    rows: u64,
    stats: ColumnStats,
}

impl PageStats {
    pub(super) fn new(column: usize, page: &PageBounds) -> Self {
        let rows = page.rows.len() as u64;
        Self { column, rows, stats: column_stats(page.bounds.clone(), rows) }
    }
}

impl Statistics for PageStats {
    fn rows(&self) -> u64 {
        self.rows
    }

    fn column(&self, index: usize) -> Option<Cow<'_, ColumnStats>> {
        (index == self.column).then_some(Cow::Borrowed(&self.stats))
    }
}

fn column_stats(bounds: ColumnBounds, rows: u64) -> ColumnStats {
    ColumnStats {
        min: bounds.min,
        max: bounds.max,
        exact: bounds.exact,
        nulls: Nulls::from_count(bounds.nulls, rows),
        values: None,
    }
}

/// What a footer says of one row group, in the table's columns.
pub(super) struct GroupStats<'a> {
    pub(super) schema: &'a Schema,
    pub(super) definition: &'a Definition,
    /// The position of the index column.
    pub(super) index: usize,
    pub(super) segment: &'a Segment,
    pub(super) file: &'a SegmentFile,
    pub(super) row_group: usize,
}

impl GroupStats<'_> {
    /// Whether what the file says of all of its columns, save the distrusted, is known to be so: it was written here, or
    /// compared with every row when it was appended.
    pub(super) fn is_proven(&self) -> bool {
        let compared = || self.segment.record.adopted().is_some_and(|adopted| adopted.compared == Compared::All);
        self.file.is_own() || compared()
    }

    /// The value of a column that is not in the file.
    pub(super) fn constant(&self, column: usize) -> Option<Constant> {
        let column = self.schema.columns.get(column)?;
        constant_of(self.segment, column, self.definition)
    }

    /// The part of `clip` that the row group's own bounds leave; none when all of its rows lie in it.
    pub(super) fn clip(&self, clip: Interval) -> Option<Interval> {
        let Some(stats) = self.column(self.index) else { return Some(clip) };
        let (Some(low), Some(high)) = (value(stats.min.as_ref()), value(stats.max.as_ref())) else { return Some(clip) };
        let whole = Interval { low: Some(low), high: Some(high) };
        // The log's bounds are those of the rows. Logs did not always say whether a row group's were compared with them.
        let record = &self.segment.record;
        if low < record.index_min.0 || high > record.index_max.0 {
            return Some(clip);
        }
        let part = whole.intersect(&clip);
        (part != whole).then_some(part)
    }
}

impl Statistics for GroupStats<'_> {
    fn rows(&self) -> u64 {
        self.file.row_group_rows(self.row_group) as u64
    }

    fn column(&self, index: usize) -> Option<Cow<'_, ColumnStats>> {
        let column = self.schema.columns.get(index)?;
        if !self.segment.has_field(column.id) {
            return Some(Cow::Owned(ColumnStats { nulls: Nulls::All, ..ColumnStats::default() }));
        }
        if distrusted(self.segment, column.id) {
            return None;
        }
        let position = self.file.position(&column.name)?;
        // Bounds of a narrower type are in another unit than the table's.
        if self.file.columns().get(position)?.ty != column.ty {
            return None;
        }
        let bounds = self.file.column_bounds(self.row_group, position);
        Some(Cow::Owned(column_stats(bounds, self.rows())))
    }
}
