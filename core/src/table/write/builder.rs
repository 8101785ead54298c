//! Writing a segment row by row: what passes through is written, hashed and looked at, so that the record for the log is
//! complete with the last row. Where the rows come from is the caller's.

use std::io::{self, Write};

use arrow::array::{ArrayRef, RecordBatch};
use xxhash_rust::xxh3::Xxh3Default;

use super::{
    duplicates::{self, Ordered},
    incoming::{Collector, Target, entity},
    stage,
};
use crate::{
    error::{Error, Result},
    log::commit::{Fingerprint, FooterChecksum, SegmentRecord, SortOrder, SourceRecord},
    schema::same_name,
    segment::{
        SegmentFile, SegmentWriter, WriteOptions,
        inspect::{EntityBatch, IndexValues, Inspection, RowVisitor},
        look::RowLook,
    },
    storage::{Staged, Storage},
    table::random_id,
    time::IndexValue,
};

/// Where index and entities stand among a table's columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyColumns {
    /// The index column.
    pub index: usize,
    /// The entity columns in order.
    pub entities: Vec<usize>,
}

impl KeyColumns {
    /// # Errors
    /// `Corrupt` when the definition names a column that is not there.
    pub fn of(target: &Target) -> Result<Self> {
        let position = |name: &String| {
            let found = target.schema.columns.iter().position(|c| same_name(&c.name, name));
            found.ok_or_else(|| Error::corrupt(format!("the column '{name}' is not among the table's columns")))
        };
        let definition = &target.definition;
        let entities = definition.entity_columns.iter().map(position).collect::<Result<_>>()?;
        Ok(Self { index: position(&definition.index_column)?, entities })
    }

    /// The columns that rows are sorted by: entities, then index.
    #[must_use]
    pub fn sort_order(&self) -> Vec<usize> {
        self.entities.iter().copied().chain([self.index]).collect()
    }

    /// The index and the entities of a batch with the table's columns.
    ///
    /// # Errors
    /// `Corrupt` when the batch has fewer columns.
    pub fn arrays<'a>(&self, batch: &'a RecordBatch) -> Result<(&'a ArrayRef, Vec<ArrayRef>)> {
        let column = |at: usize| batch.columns().get(at).ok_or_else(|| Error::corrupt("a batch lacks a column"));
        let entities = self.entities.iter().map(|at| column(*at).cloned()).collect::<Result<_>>()?;
        Ok((column(self.index)?, entities))
    }
}

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
        let path = stage::segment_path(&id);
        let keys = KeyColumns::of(target)?;
        let options = match sorted {
            true => stage::write_options(target),
            false => WriteOptions::default(),
        };
        let hashing = Hashing { staged: storage.stage(&path)?, hasher: Xxh3Default::new() };
        let writer = SegmentWriter::create(path, hashing, &stage::write_columns(target), &options)?;
        let look = RowLook::new(keys.entities.len());
        let collector = Collector::new(&target.grid);
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
            let entities: Vec<_> = inspection.entities.iter().map(|values| entity(values)).collect();
            return Err(duplicates::refusal(self.target, &found, &entities));
        }
        let coverage = self.collector.finish()?;
        let (written, hashing) = self.writer.finish()?;
        let checksum = Fingerprint(hashing.hasher.digest128());
        let bytes = hashing.staged.finish()?;
        let path = stage::segment_path(&self.id);
        let footer_checksum = SegmentFile::open(self.storage.open(&path)?)?.footer_checksum();
        let coverage_record = stage::coverage(self.storage, &coverage, &self.id).inspect_err(|_| {
            // The leftover is vacuum's when it cannot be removed.
            let _ = self.storage.remove(&path);
        })?;
        Ok(Some(SegmentRecord {
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
        }))
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

/// The order that rows were found in.
#[must_use]
pub fn sort_order(inspection: &Inspection, has_entities: bool) -> Option<SortOrder> {
    match (inspection.sorted_by_entity_and_index, inspection.sorted_by_index) {
        (true, _) if has_entities => Some(SortOrder::EntityIndex),
        (_, true) => Some(SortOrder::Index),
        _ => None,
    }
}

/// A staged file that hashes what is written to it.
pub(crate) struct Hashing {
    pub(crate) staged: Box<dyn Staged>,
    pub(crate) hasher: Xxh3Default,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.staged.write(bytes)?;
        self.hasher.update(bytes.get(..written).unwrap_or(bytes));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.staged.flush()
    }
}
