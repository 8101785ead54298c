//! Whether the table holds exactly the rows of a file: compared by every value, as sums of hashes, so that the order of rows does
//! not matter and nothing is held in memory.

use std::sync::Arc;

use arrow::{
    array::RecordBatch,
    error::ArrowError,
    row::{RowConverter, SortField},
};
use xxhash_rust::xxh3::xxh3_128;

use super::{
    incoming::Incoming,
    keys::{Holder, Keys},
    sieve::Sieve,
};
use crate::{
    error::Result,
    log::segment::Segment,
    segment::{SegmentFile, rewrite::TableRows},
    storage::Storage,
    table::{
        monitor::{Monitor, check_cancelled},
        opened,
        target::{Target, segment_rows, write_columns},
    },
};

/// Whether the rows of `segments` in the file's buckets are those of the file, no more and no less; with `keys` only rows
/// that share entity and index with one of the file are compared.
///
/// # Errors
/// As opening and reading the segments and the file, and `Cancelled`.
pub fn is_unchanged(
    storage: &dyn Storage,
    target: &Target,
    file: &Incoming,
    segments: &[Arc<Segment>],
    keys: Option<&Keys<'_>>,
    monitor: &dyn Monitor,
) -> Result<bool> {
    // Rows that are left out for a check were never loaded.
    let live: u64 = segments.iter().map(|segment| segment.record.rows).sum();
    if file.checked_out || live < file.rows {
        return Ok(false);
    }
    let fields = write_columns(target)
        .iter()
        .map(|column| SortField::new(column.ty.arrow(crate::schema::Strings::Plain)))
        .collect();
    // Values of a type that has no such form are not compared, and so not known to be the same.
    let Ok(converter) = RowConverter::new(fields) else { return Ok(false) };
    let compare = Compare { target, converter, monitor };
    let mut found = Digest::default();
    for segment in segments {
        let opened = opened::open(storage, segment, &target.definition)?;
        match keys {
            None => compare.in_buckets(&opened, segment, file, &mut found)?,
            Some(keys) => {
                let rows = keys.shared(Holder::Segment(segment), &[Holder::File(file)], &file.coverage, monitor)?.rows;
                compare.each(&opened, Some(segment), |batch, first, compare| {
                    found.add(&compare.converter, &rows.filter(batch, first, true)?)
                })?;
            }
        }
        if found.unknown || found.rows > file.rows {
            return Ok(false);
        }
    }
    let mut wanted = Digest::default();
    compare.each(&file.reopen()?, None, |batch, _, compare| wanted.add(&compare.converter, batch))?;
    Ok(!wanted.unknown && wanted == found)
}

struct Compare<'a> {
    target: &'a Target,
    converter: RowConverter,
    monitor: &'a dyn Monitor,
}

impl Compare<'_> {
    /// The rows of a segment in the file's buckets: all, less those outside.
    fn in_buckets(&self, opened: &SegmentFile, segment: &Segment, file: &Incoming, found: &mut Digest) -> Result<()> {
        let mut outside = Sieve::new(self.target, &file.coverage)?;
        self.each(opened, Some(segment), |batch, _, compare| {
            found.add(&compare.converter, batch)?;
            found.subtract(&compare.converter, &outside.pass(batch)?)
        })
    }

    fn each(
        &self,
        file: &SegmentFile,
        segment: Option<&Segment>,
        mut take: impl FnMut(&RecordBatch, u64, &Self) -> Result<()>,
    ) -> Result<()> {
        let mut first = 0;
        let rows = match segment {
            Some(segment) => segment_rows(file, segment, self.target)?,
            None => TableRows::new(file, &write_columns(self.target))?,
        };
        for batch in rows {
            check_cancelled(self.monitor)?;
            let batch = batch?;
            take(&batch, first, self)?;
            first += batch.num_rows() as u64;
        }
        Ok(())
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Digest {
    rows: u64,
    sum: u128,
    /// Whether some rows could not be hashed.
    unknown: bool,
}

impl Digest {
    #[expect(clippy::unnecessary_wraps, reason = "what takes batches may fail")]
    fn add(&mut self, converter: &RowConverter, batch: &RecordBatch) -> Result<()> {
        match sum(converter, batch) {
            Ok(sum) => self.sum = self.sum.wrapping_add(sum),
            Err(_) => self.unknown = true,
        }
        self.rows = self.rows.wrapping_add(batch.num_rows() as u64);
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "what takes batches may fail")]
    fn subtract(&mut self, converter: &RowConverter, batch: &RecordBatch) -> Result<()> {
        match sum(converter, batch) {
            Ok(sum) => self.sum = self.sum.wrapping_sub(sum),
            Err(_) => self.unknown = true,
        }
        self.rows = self.rows.wrapping_sub(batch.num_rows() as u64);
        Ok(())
    }
}

fn sum(converter: &RowConverter, batch: &RecordBatch) -> Result<u128, ArrowError> {
    let rows = converter.convert_columns(batch.columns())?;
    Ok(rows.iter().fold(0, |sum: u128, row| sum.wrapping_add(xxh3_128(row.as_ref()))))
}
