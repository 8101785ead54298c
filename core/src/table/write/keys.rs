//! Which rows are in the table already, by entity and index value: read from the index and entity columns of what may hold
//! them, never concluded from buckets.
//!
//! Memory is bounded by [`KEYS_AT_ONCE`] keys, whatever the number of rows: more keys are compared in several passes, each
//! over the keys of one part of all hashes. The result is one bit a row.

use std::collections::{BTreeMap, HashMap};

use arrow::array::{BooleanArray, RecordBatch};

use super::{
    checks::{Checks, needed},
    incoming::Incoming,
};
use crate::{
    coverage::{BucketSet, Coverage, Entity},
    error::{Error, Result},
    log::segment::Segment,
    segment::{
        SegmentFile, WriteColumn,
        look::RowLook,
        rewrite::TableRows,
        visit::{EntityBatch, IndexValues, RowVisitor},
    },
    storage::Storage,
    table::{
        monitor::{Monitor, check_cancelled},
        opened,
        rows::RowSet,
        target::{KeyColumns, Target},
    },
    time::IndexValue,
};

/// Keys held in memory at once, of some 100 bytes each.
const KEYS_AT_ONCE: u64 = 1 << 20;

/// Something that holds rows.
#[derive(Debug, Clone, Copy)]
pub enum Holder<'a> {
    /// A segment, live or staged.
    Segment(&'a Segment),
    /// A file that is to be loaded.
    File(&'a Incoming),
}

impl Holder<'_> {
    fn open(&self, storage: &dyn Storage, target: &Target) -> Result<SegmentFile> {
        match self {
            Self::Segment(segment) => opened::open(storage, segment, &target.definition),
            Self::File(file) => file.reopen(),
        }
    }

    fn rows(&self) -> u64 {
        match self {
            Self::Segment(segment) => segment.record.rows,
            Self::File(file) => file.rows,
        }
    }

    /// Whether rows that violate a check are not to be counted.
    fn is_checked(&self) -> bool {
        matches!(self, Self::File(file) if file.checked_out)
    }

    fn named(&self, e: Error) -> Error {
        match self {
            Self::Segment(segment) => e.with("version", segment.added),
            Self::File(file) => e.with("file", file.shown()),
        }
    }
}

/// What is needed to read keys of a table.
#[derive(Debug)]
pub struct Keys<'a> {
    storage: &'a dyn Storage,
    target: &'a Target,
    all: KeyReader,
    checked: KeyReader,
}

/// Which rows share entity and index with a row of others.
#[derive(Debug, Default)]
pub struct Shared {
    /// Those rows.
    pub rows: RowSet,
    /// Rows that the others lack: for each key, as many as there are more than in the others.
    pub lacking: u64,
    /// Those of them whose key the others have, in fewer rows.
    pub surplus: u64,
    /// The first key that the others lack, or have in fewer rows.
    pub example: Option<(Entity, IndexValue)>,
}

#[derive(Debug)]
struct KeyReader {
    columns: Vec<WriteColumn>,
    keys: KeyColumns,
    checks: Checks,
}

impl KeyReader {
    fn new(target: &Target, properties: &BTreeMap<String, String>) -> Result<Self> {
        let checks = Checks::of(properties, &target.schema)?;
        let (narrow, checks, columns) = needed(properties, &checks, target)?;
        Ok(Self { columns, keys: KeyColumns::of(&narrow)?, checks })
    }
}

/// A row's number, its entity's code, and its index value.
type Key = (u64, u32, i128);
/// Takes a key, and the entities so far by their codes.
type EachRow<'a> = dyn FnMut(Key, &[Entity]) -> Result<()> + 'a;

impl<'a> Keys<'a> {
    /// Reads keys of the table's segments and of files for it.
    ///
    /// # Errors
    /// As [`Checks::of`].
    pub fn new(storage: &'a dyn Storage, target: &'a Target, properties: &BTreeMap<String, String>) -> Result<Self> {
        let all = KeyReader::new(target, &BTreeMap::new())?;
        Ok(Self { storage, target, all, checked: KeyReader::new(target, properties)? })
    }

    /// The rows of `of` in buckets of `within` that share entity and index with a row of `others`.
    ///
    /// # Errors
    /// As opening and reading what holds the rows, and `Cancelled`.
    pub fn shared(
        &self,
        of: Holder<'_>,
        others: &[Holder<'_>],
        within: &Coverage,
        monitor: &dyn Monitor,
    ) -> Result<Shared> {
        self.shared_at_once(of, others, within, KEYS_AT_ONCE, monitor)
    }

    /// As [`Keys::shared`], with at most `keys_at_once` keys in memory.
    ///
    /// # Errors
    /// As [`Keys::shared`].
    pub fn shared_at_once(
        &self,
        of: Holder<'_>,
        others: &[Holder<'_>],
        within: &Coverage,
        keys_at_once: u64,
        monitor: &dyn Monitor,
    ) -> Result<Shared> {
        let mut shared = Shared { rows: RowSet::none(of.rows()), ..Shared::default() };
        let parts = of.rows() / keys_at_once.max(1) + 1;
        let own = of.open(self.storage, self.target)?;
        for part in 0..parts {
            let mut counts = self.gather(of, &own, within, (part, parts), monitor)?;
            if counts.is_empty() {
                continue;
            }
            for other in others {
                let file = other.open(self.storage, self.target)?;
                let mut codes = Codes::new(|entity: &Entity| counts.codes.get(entity).copied());
                self.walk(*other, &file, monitor, &mut |(_, code, value), entities| {
                    if let Some(code) = codes.of(code, entities)
                        && let Some(count) = counts.by_key.get_mut(&(code, value))
                    {
                        count.others = count.others.saturating_add(1);
                    }
                    Ok(())
                })?;
            }
            counts.add_to(&mut shared);
            self.walk(of, &own, monitor, &mut |(row, code, value), _| {
                if counts.by_key.get(&(code, value)).is_some_and(|count| count.others > 0) {
                    shared.rows.insert(row);
                }
                Ok(())
            })?;
        }
        Ok(shared)
    }

    /// The keys of one part.
    fn gather(
        &self,
        of: Holder<'_>,
        file: &SegmentFile,
        within: &Coverage,
        (part, parts): (u64, u64),
        monitor: &dyn Monitor,
    ) -> Result<Counts> {
        let mut counts = Counts::default();
        let mut cursor = self.target.grid.cursor();
        let mut sets: Codes<_, std::sync::Arc<BucketSet>> = Codes::new(|entity: &Entity| within.set_of(entity));
        self.walk(of, file, monitor, &mut |(_, code, value), entities| {
            if part_of(code, value, parts) != part {
                return Ok(());
            }
            let Some(set) = sets.of(code, entities) else { return Ok(()) };
            if !set.contains(cursor.bucket_of(IndexValue(value))?) {
                return Ok(());
            }
            let count = counts.by_key.entry((code, value)).or_default();
            count.own = count.own.saturating_add(1);
            if count.own == 1
                && let Some(values) = usize::try_from(code).ok().and_then(|code| entities.get(code))
            {
                counts.codes.entry(values.clone()).or_insert(code);
            }
            Ok(())
        })?;
        Ok(counts)
    }

    fn walk(
        &self,
        holder: Holder<'_>,
        file: &SegmentFile,
        monitor: &dyn Monitor,
        each: &mut EachRow<'_>,
    ) -> Result<()> {
        let reader = if holder.is_checked() { &self.checked } else { &self.all };
        let mut look = RowLook::new(reader.keys.entities.len());
        let mut walk = Walk { row: 0, passed: None, each };
        for batch in TableRows::new(file, &reader.columns).map_err(|e| holder.named(e))? {
            check_cancelled(monitor)?;
            let batch: RecordBatch = batch.map_err(|e| holder.named(e))?;
            walk.passed = reader.checks.passed(&batch)?;
            let (index, entities) = reader.keys.arrays(&batch)?;
            look.batch(index, &entities, &mut walk)?;
        }
        Ok(())
    }
}

/// Which part of all keys one is in.
fn part_of(code: u32, value: i128, parts: u64) -> u64 {
    if parts == 1 {
        return 0;
    }
    let mut bytes = [0; 20];
    let (left, right) = bytes.split_at_mut(4);
    left.copy_from_slice(&code.to_le_bytes());
    right.copy_from_slice(&value.to_le_bytes());
    xxhash_rust::xxh3::xxh3_64(&bytes) % parts
}

#[derive(Debug, Default)]
struct Count {
    own: u32,
    others: u32,
}

#[derive(Debug, Default)]
struct Counts {
    by_key: HashMap<(u32, i128), Count>,
    /// The code of each entity that has a key here.
    codes: HashMap<Entity, u32>,
}

impl Counts {
    fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    fn add_to(&self, shared: &mut Shared) {
        let mut first: Option<(i128, u32)> = None;
        for ((code, value), count) in &self.by_key {
            let lacking = u64::from(count.own.saturating_sub(count.others));
            if lacking == 0 {
                continue;
            }
            shared.lacking = shared.lacking.saturating_add(lacking);
            if count.others > 0 {
                shared.surplus = shared.surplus.saturating_add(lacking);
            }
            first = Some(first.map_or((*value, *code), |first| first.min((*value, *code))));
        }
        let Some((value, code)) = first else { return };
        let entity = self.codes.iter().find(|(_, own)| **own == code).map(|(entity, _)| entity.clone());
        if let Some(entity) = entity
            && shared.example.as_ref().is_none_or(|(_, known)| known.0 > value)
        {
            shared.example = Some((entity, IndexValue(value)));
        }
    }
}

/// Something for each entity, by its code in one pass.
struct Codes<F, T> {
    find: F,
    known: Vec<Option<T>>,
}

impl<F: Fn(&Entity) -> Option<T>, T: Clone> Codes<F, T> {
    fn new(find: F) -> Self {
        Self { find, known: Vec::new() }
    }

    fn of(&mut self, code: u32, entities: &[Entity]) -> Option<T> {
        for values in entities.iter().skip(self.known.len()) {
            self.known.push((self.find)(values));
        }
        usize::try_from(code).ok().and_then(|code| self.known.get(code)).cloned().flatten()
    }
}

struct Walk<'a> {
    row: u64,
    /// The rows of the next batch that count; all when none.
    passed: Option<BooleanArray>,
    each: &'a mut EachRow<'a>,
}

impl Walk<'_> {
    fn rows(&mut self, values: impl Iterator<Item = i128>, entities: &EntityBatch<'_>) -> Result<()> {
        for (at, (value, code)) in values.zip(entities.codes).enumerate() {
            let counts = self.passed.as_ref().is_none_or(|passed| at < passed.len() && passed.value(at));
            if counts {
                (self.each)((self.row, *code, value), entities.entities)?;
            }
            self.row += 1;
        }
        Ok(())
    }
}

impl RowVisitor for Walk<'_> {
    fn batch(&mut self, index: IndexValues<'_>, entities: &EntityBatch<'_>) -> Result<()> {
        match index {
            IndexValues::Signed(values) => self.rows(values.iter().map(|v| i128::from(*v)), entities),
            IndexValues::Unsigned(values) => self.rows(values.iter().map(|v| i128::from(*v)), entities),
        }
    }
}
