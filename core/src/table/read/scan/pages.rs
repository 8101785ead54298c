//! Which pages of a row group are read: those in which, as the page index says, rows that are of use can lie.

use std::ops::Range;

use super::{
    Scan,
    stats::{PageStats, value},
};
use crate::{
    error::Result,
    log::{
        adopted::{Adopted, Compared},
        segment::Segment,
    },
    prune::{Interval, Verdict, columns_of, judge},
    segment::{PageBounds, SegmentFile},
};

impl Scan {
    /// The rows of the pages in which rows that are of use can lie; none when the pages do not tell.
    pub(super) fn pages(
        &self,
        segment: &Segment,
        file: &SegmentFile,
        row_group: usize,
        clip: Option<Interval>,
    ) -> Result<Option<Vec<Range<usize>>>> {
        let mut rows: Option<Vec<Range<usize>>> = None;
        let mut keep = |of_use: Vec<Range<usize>>| {
            rows = Some(rows.take().map_or(of_use.clone(), |rows| common(&rows, &of_use)));
        };
        if let Some(clip) = clip
            && let Some(pages) = self.pages_of(segment, file, row_group, self.index)?
        {
            keep(joined(pages.into_iter().filter(|page| {
                let whole = Interval { low: value(page.bounds.min.as_ref()), high: value(page.bounds.max.as_ref()) };
                !whole.intersect(&clip).is_empty()
            })));
        }
        for predicate in self.query.predicates() {
            let mut columns = Vec::new();
            columns_of(predicate, &mut columns);
            let [column] = columns.as_slice() else { continue };
            // What the predicates say of the index is in `clip`.
            if *column == self.index {
                continue;
            }
            let Some(pages) = self.pages_of(segment, file, row_group, *column)? else { continue };
            let may =
                |page: &PageBounds| judge(predicate, &self.types, &PageStats::new(*column, page)) != Verdict::Never;
            keep(joined(pages.into_iter().filter(may)));
        }
        let all = file.row_group_rows(row_group);
        Ok(rows.filter(|rows| rows.iter().map(ExactSizeIterator::len).sum::<usize>() < all))
    }

    /// The pages of a column; none when the file does not say, is not believed or has the column in another type.
    fn pages_of(
        &self,
        segment: &Segment,
        file: &SegmentFile,
        row_group: usize,
        at: usize,
    ) -> Result<Option<Vec<PageBounds>>> {
        let Some(column) = self.snapshot.schema()?.columns.get(at).filter(|column| segment.has_field(column.id)) else {
            return Ok(None);
        };
        let same_type = |at: &usize| file.columns().get(*at).is_some_and(|has| has.ty == column.ty);
        match file.position(&column.name).filter(same_type) {
            Some(position) if self.are_compared(segment, file, at, column.id) => file.pages(row_group, position),
            _ => Ok(None),
        }
    }
}

impl Scan {
    /// Whether the bounds of the pages of the column at `position` in the schema are known to be those of the rows. A page
    /// index is not believed unproven: an append compares those of the index and entity columns with the rows.
    fn are_compared(&self, segment: &Segment, file: &SegmentFile, position: usize, field: u32) -> bool {
        let is_key = position == self.index || self.entities.contains(&position);
        let compared = |adopted: Adopted| {
            (is_key || adopted.compared == Compared::All) && !adopted.distrusted_fields.contains(&field)
        };
        file.is_own() || segment.record.adopted().is_some_and(compared)
    }
}

/// The rows of pages in order, neighbours as one range.
fn joined(pages: impl Iterator<Item = PageBounds>) -> Vec<Range<usize>> {
    let mut rows: Vec<Range<usize>> = Vec::new();
    for page in pages {
        match rows.last_mut() {
            Some(last) if last.end == page.rows.start => last.end = page.rows.end,
            _ => rows.push(page.rows),
        }
    }
    rows
}

/// The rows in both of two lists of ranges, each in order and disjoint.
fn common(a: &[Range<usize>], b: &[Range<usize>]) -> Vec<Range<usize>> {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    let mut rows = Vec::new();
    while let (Some(left), Some(right)) = (a.peek(), b.peek()) {
        let both = left.start.max(right.start)..left.end.min(right.end);
        let left_ends_first = left.end < right.end;
        if !both.is_empty() {
            rows.push(both);
        }
        if left_ends_first {
            a.next()
        } else {
            b.next()
        };
    }
    rows
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init)]
mod tests {
    use super::common;

    #[test]
    fn common_rows_are_in_both_lists() {
        assert_eq!(common(&[0..10, 20..30], &[5..25]), [5..10, 20..25]);
        assert_eq!(common(&[0..3, 5..8, 9..12], &[1..2, 6..10]), [1..2, 6..8, 9..10]);
        assert!(common(&[0..5], &[5..9]).is_empty());
        assert!(common(&[0..5, 7..9], &[]).is_empty());
        assert_eq!(common(&[0..5], &[0..5]), [0..5]);
    }
}
