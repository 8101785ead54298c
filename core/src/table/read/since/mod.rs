//! What a version has that an earlier one had not: its new rows ([`new_rows`]), and the buckets whose rows are not what they
//! were ([`changed`]). Rows are compared by value, as a set in which a row may occur several times, so that it does not matter how
//! they came or in which segments they lie: a compaction brings nothing, a replacement brings the rows that differ.
//!
//! Only segments that are live at one of the two versions alone are read. Where nothing went, nothing is compared. Both are read with the
//! columns of the later version, whatever these were called; the earlier one may have had wider types (`gone.rs`).

pub mod changed;
mod gone;
pub mod new_rows;

use std::{collections::HashSet, sync::Arc};

use arrow::{
    array::RecordBatch,
    row::{RowConverter, SortField},
};
use xxhash_rust::xxh3::xxh3_128;

use crate::{
    error::{Error, Result},
    log::{Version, segment::Segment},
    schema::Strings,
    segment::{SegmentFile, WriteColumn, rewrite::TableRows},
    table::{
        cache::Cache,
        handle::{At, Snapshot, Table},
        target::{Target, write_columns},
        write::within::{range_filter, row_groups},
    },
    time::IndexRange,
};

/// Rows whose hashes are held at once, of some 50 bytes each.
const ROWS_AT_ONCE: u64 = 1 << 21;

/// A version, and what it has not in common with an earlier one.
#[derive(Debug)]
pub struct Since {
    now: Snapshot,
    target: Target,
    cache: Arc<Cache>,
    /// Segments of the earlier version alone.
    gone: Vec<Arc<Segment>>,
    /// Segments of the later version alone.
    come: Vec<Arc<Segment>>,
    rows_at_once: u64,
}

impl Since {
    /// Compares `now` with the version `then` of the table; version 0 is that before there was anything.
    ///
    /// # Errors
    /// `InvalidArgument` when `then` is after `now`, `NotFound` when its files have been vacuumed; as [`Snapshot::schema`].
    pub fn new(table: &Table, now: &Snapshot, then: Version, cache: &Arc<Cache>) -> Result<Self> {
        if then > now.state.version {
            return Err(Error::invalid_argument(format!(
                "version {then} is after version {}, which is to be compared with it",
                now.state.version
            )));
        }
        let target = Target::of_table(now.definition())?;
        let then = if then.0 == 0 { None } else { Some(table.at(&At::Version(then), now)?) };
        let come = now.state.segments.all()?;
        let gone = then.as_ref().map_or_else(|| Ok(Vec::new()), |then| then.state.segments.all())?;
        let only = |of: &[&Arc<Segment>], not: &[&Arc<Segment>]| {
            let there: HashSet<&str> = not.iter().map(|segment| segment.record.id.as_str()).collect();
            let own = of.iter().filter(|segment| !there.contains(segment.record.id.as_str()));
            own.map(|segment| Arc::clone(segment)).collect::<Vec<_>>()
        };
        Ok(Self {
            target,
            cache: Arc::clone(cache),
            gone: only(&gone, &come),
            come: only(&come, &gone),
            now: now.clone(),
            rows_at_once: ROWS_AT_ONCE,
        })
    }

    /// The same, with at most about that many rows held at once.
    #[must_use]
    pub fn holding(mut self, rows_at_once: u64) -> Self {
        self.rows_at_once = rows_at_once.max(1);
        self
    }

    /// The rows of a segment of the later version in a range.
    fn rows(&self, segment: &Segment, range: &IndexRange) -> Result<TableRows> {
        let file = self.open(segment)?;
        self.read(segment, &file, &write_columns(&self.target), range)
    }

    fn open(&self, segment: &Segment) -> Result<SegmentFile> {
        self.cache.segment(self.now.storage(), segment, self.now.definition())
    }

    fn read(
        &self,
        segment: &Segment,
        file: &SegmentFile,
        columns: &[WriteColumn],
        range: &IndexRange,
    ) -> Result<TableRows> {
        let whole = range.contains_all(segment.record.index_min, segment.record.index_max);
        let range = if whole { &IndexRange::ALL } else { range };
        let (groups, filter) = (row_groups(file, &self.target, range), range_filter(file, &self.target, range)?);
        // Not what it had to live with: the columns that the later version knows of.
        let has = |id| segment.has_field(id) && self.target.definition.knows(id, &segment.record);
        TableRows::known(file, columns, groups, filter, &has).map_err(|e| e.with("version", segment.added))
    }

    /// What turns rows into hashes of all their values.
    fn hasher(&self) -> Result<Hasher> {
        let columns = write_columns(&self.target);
        let fields = columns.iter().map(|column| SortField::new(column.ty.arrow(Strings::Plain)));
        let converter = RowConverter::new(fields.collect()).map_err(incomparable)?;
        Ok(Hasher { converter })
    }
}

impl Drop for Since {
    fn drop(&mut self) {
        self.now.storage().release();
    }
}

#[derive(Debug)]
struct Hasher {
    converter: RowConverter,
}

impl Hasher {
    fn hashes(&self, batch: &RecordBatch) -> Result<Vec<u128>> {
        let rows = self.converter.convert_columns(batch.columns()).map_err(incomparable)?;
        Ok(rows.iter().map(|row| xxh3_128(row.as_ref())).collect())
    }
}

fn incomparable(e: arrow::error::ArrowError) -> Error {
    Error::invalid_argument(
        "segments were replaced between the two versions, and rows with these columns cannot be compared",
    )
    .caused_by(e)
}
