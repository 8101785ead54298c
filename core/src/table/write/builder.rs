//! Writing a segment row by row: what passes through is written, hashed and looked at, so that the record for the log is
//! complete with the last row. Where the rows come from is the caller's.

use arrow::array::RecordBatch;
use xxhash_rust::xxh3::Xxh3Default;

use super::{
    duplicates::{self, Ordered},
    record,
};
use crate::{
    error::Result,
    log::commit::{Fingerprint, FooterChecksum, SegmentRecord, SourceRecord},
    segment::{
        SegmentFile, SegmentWriter, WriteOptions,
        look::RowLook,
        visit::{EntityBatch, IndexValues, RowVisitor},
    },
    storage::Storage,
    table::{
        collector::{Collector, sort_order},
        fingerprint::Hashing,
        names::{random_id, segment_path},
        target::{KeyColumns, Target, write_columns, write_options},
    },
    time::IndexValue,
};

/// A segment that is being written. Dropped without [`SegmentBuilder::finish`], it leaves nothing behind.
pub struct SegmentBuilder<'a> {
    storage: &'a dyn Storage,
    target: &'a Target,
    id: String,
    keys: KeyColumns,
    writer: SegmentWriter<Hashing>,
    look: RowLook,
    collector: Collector<'a>,
    /// Compares the rows of each entity, which come by index, where no two may share both.
    unique: Option<Ordered>,
}

impl std::fmt::Debug for SegmentBuilder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SegmentBuilder").field("id", &self.id).finish_non_exhaustive()
    }
}

impl<'a> SegmentBuilder<'a> {
    /// Begins a segment with the target's columns; `sorted` says that the rows of each row group will come by entity and index.
    ///
    /// # Errors
    /// `Io` when the file cannot be made.
    pub fn create(storage: &'a dyn Storage, target: &'a Target, sorted: bool) -> Result<Self> {
        let id = random_id();
        let path = segment_path(&id);
        let keys = KeyColumns::of(target)?;
        let options = match sorted {
            true => write_options(target),
            false => WriteOptions::default(),
        };
        let hashing = Hashing { staged: storage.stage(&path)?, hasher: Xxh3Default::new() };
        let writer = SegmentWriter::create(path, hashing, &write_columns(target), &options)?;
        let look = RowLook::new(keys.entities.len());
        let collector = Collector::of(target);
        Ok(Self { storage, target, id, keys, writer, look, collector, unique: None })
    }

    /// Refuses, at the end, rows that share entity and index. The rows of each entity must come in the order of the index.
    #[must_use]
    pub fn unique(self) -> Self {
        Self { unique: Some(Ordered::default()), ..self }
    }

    /// Adds rows, which have the target's columns in order.
    ///
    /// # Errors
    /// `InvalidArgument` for rows without index or entity, `Io` when they cannot be written.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let (index, entities) = self.keys.arrays(batch)?;
        match &mut self.unique {
            None => self.look.batch(index, &entities, &mut self.collector)?,
            Some(unique) => self.look.batch(index, &entities, &mut Both(&mut self.collector, unique))?,
        }
        self.writer.write(batch)
    }

    /// Begins a new row group with the next row. The order of the segment is that of the rows within each.
    ///
    /// # Errors
    /// `Io` when the row group cannot be written.
    pub fn begin_group(&mut self) -> Result<()> {
        self.look.begin_group();
        self.writer.finish_group()
    }

    /// Makes the segment durable and describes it; none when it has no rows, and then there is no file either.
    ///
    /// # Errors
    /// `Io` when it cannot be written; nothing is left behind then.
    pub fn finish(self, sources: Vec<SourceRecord>) -> Result<Option<SegmentRecord>> {
        let inspection = self.look.finish();
        let Some((min, max)) = inspection.index else { return Ok(None) };
        if let Some(found) = self.unique.map(|unique| unique.found).filter(|found| found.count > 0) {
            let entities = inspection.entities.clone();
            return Err(duplicates::refusal(self.target, &found, &entities));
        }
        let (coverage, counts) = self.collector.finish_counted()?;
        let (written, hashing) = self.writer.finish()?;
        let checksum = Fingerprint(hashing.hasher.digest128());
        let bytes = hashing.staged.finish()?;
        let path = segment_path(&self.id);
        let footer_checksum = SegmentFile::open(self.storage.open(&path)?)?.footer_checksum();
        let told = record::coverage(self.storage, &coverage, &self.id)
            .and_then(|covers| Ok((covers, record::counts(self.storage, counts.as_ref(), &self.id)?)));
        let (coverage_record, counts_record) = told.inspect_err(|_| {
            // The leftover is vacuum's when it cannot be removed.
            let _ = self.storage.remove(&path);
        })?;
        let mut record = SegmentRecord {
            id: self.id,
            path,
            rows: written.rows,
            row_groups: written.row_groups as u64,
            bytes,
            checksum,
            footer_checksum: Some(FooterChecksum(footer_checksum)),
            index_min: IndexValue(min),
            index_max: IndexValue(max),
            sorted_by: sort_order(&inspection, !self.keys.entities.is_empty()),
            last_field_id: self.target.definition.last_field_id,
            missing_fields: Vec::new(),
            entities: coverage.entity_count() as u64,
            buckets: coverage.buckets(),
            coverage: coverage_record,
            sources,
            extra: serde_json::Map::new(),
        };
        record.set_counts(counts_record.as_ref());
        Ok(Some(record))
    }
}

/// Shows the same rows to two visitors.
struct Both<'a, 'b>(&'a mut Collector<'b>, &'a mut Ordered);

impl RowVisitor for Both<'_, '_> {
    fn batch(&mut self, index: IndexValues<'_>, entities: &EntityBatch<'_>) -> Result<()> {
        self.0.batch(index, entities)?;
        self.1.batch(index, entities)
    }
}
