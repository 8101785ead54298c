//! A file on its way in: opened, its columns compared with the table's, its rows looked at once for bounds, order and
//! coverage. Nothing here writes.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::OnceLock,
};

use xxhash_rust::xxh3::Xxh3Default;

pub use super::outside::open;
use super::{
    checks::{Checks, Violations, needed},
    duplicates,
    fit::{Fit, by_value, fit},
    folders::Folders,
    policy::OnViolation,
};
use crate::table::collector::Collector;
use crate::table::fingerprint::hash;
use crate::table::target::{Target, check_finite, field_ids, read_column};
use crate::{
    coverage::{Counts, Coverage, Entity},
    error::{Error, ErrorKind, Result},
    log::{
        commit::{Fingerprint, SortOrder, SourceRecord},
        definition::Uniqueness,
    },
    segment::{
        SegmentFile,
        admit::check_values,
        audit,
        constants::ConstantColumn,
        inspect::{InspectRequest, inspect},
        look::RowLook,
        rewrite::TableRows,
        visit::{EntityBatch, IndexValues, RowVisitor},
    },
    storage::outside::OutsideFile,
    table::{
        collector::sort_order,
        monitor::{Monitor, check_cancelled},
        target::KeyColumns,
    },
    time::IndexValue,
};

/// What a look at a file found.
#[derive(Debug)]
pub enum Arrival {
    /// Rows.
    Rows(Box<Incoming>),
    /// A file without rows, whatever its columns.
    Empty(SourceRecord),
    /// A file that cannot be loaded.
    Refused {
        /// The file as its pattern found it.
        path: PathBuf,
        /// What is wrong with it.
        reason: Error,
    },
}

impl Arrival {
    /// Looks at the file at `path`, which has the columns that its folders name too; without a target nothing but files without rows can
    /// come.
    ///
    /// # Errors
    /// As [`Incoming::look`]; all name the file.
    pub fn read(path: &Path, target: Option<&Target>, folders: &Folders, monitor: &dyn Monitor) -> Result<Self> {
        let (outside, file) = folders.open(path)?;
        let named = |e: Error| match e.kind() {
            ErrorKind::Corrupt | ErrorKind::Cancelled => e,
            _ => e.with("file", path.display()),
        };
        if file.rows() == 0 {
            let fingerprint = hash(outside.reopen()?.as_ref(), |_| Ok(()))?;
            let (path, bytes) = (path.display().to_string(), outside.stat.bytes);
            return Ok(Self::Empty(SourceRecord { path, bytes, fingerprint }));
        }
        folders.check_own(path, &file).map_err(named)?;
        let missing = || Error::invalid_argument("the table has no columns yet, and no file gives it some");
        let incoming = target.ok_or_else(missing).and_then(|target| Incoming::look(outside, &file, target, monitor));
        Ok(Self::Rows(Box::new(incoming.map_err(named)?)))
    }

    /// The file where it has rows.
    #[must_use]
    pub fn rows(&self) -> Option<&Incoming> {
        match self {
            Self::Rows(file) => Some(file),
            _ => None,
        }
    }

    /// The file where it has none.
    #[must_use]
    pub fn empty(&self) -> Option<&SourceRecord> {
        match self {
            Self::Empty(source) => Some(source),
            _ => None,
        }
    }

    /// The file's name as the user's pattern found it.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Rows(file) => file.shown(),
            Self::Empty(source) => source.path.clone(),
            Self::Refused { path, .. } => path.display().to_string(),
        }
    }
}

/// See the module. The file is not held open: it is opened again, and found to be the same, whenever its rows are needed.
#[derive(Debug)]
pub struct Incoming {
    /// The file outside the table.
    pub outside: OutsideFile,
    /// Its row groups.
    pub row_groups: u64,
    /// The checksum of its footer.
    pub footer_checksum: u64,
    /// The columns that it has by its folders' names.
    pub constants: Vec<ConstantColumn>,
    /// How its columns fit the table's.
    pub fit: Fit,
    /// Its rows.
    pub rows: u64,
    /// Its least and greatest index value.
    pub bounds: (IndexValue, IndexValue),
    /// The order of its rows.
    pub sorted_by: Option<SortOrder>,
    /// The buckets of each entity in it.
    pub coverage: Coverage,
    /// How many rows each of them has, where the table keeps that.
    pub counts: Option<Counts>,
    /// How many rows each entity has in it.
    pub rows_by_entity: BTreeMap<Entity, u64>,
    /// Field ids of the index and entity columns of which the file says what its rows do not.
    pub misstated: Vec<u32>,
    /// Field ids of all columns of which the file says what its rows do not, where every page was decoded.
    pub decoded: Option<Vec<u32>>,
    /// Whether some rows violate a check and are to be left out.
    pub checked_out: bool,
    checksum: OnceLock<Fingerprint>,
}

impl Incoming {
    /// Looks at an open file.
    ///
    /// # Errors
    /// `SchemaMismatch` when its columns do not fit; `InvalidArgument` when it has rows without index or entity; `LimitExceeded`
    /// when a bucket's number is out of bounds; `Cancelled`.
    pub fn look(outside: OutsideFile, file: &SegmentFile, target: &Target, monitor: &dyn Monitor) -> Result<Self> {
        let fit = fit(file.columns(), target)?;
        check_values(file, &by_value(file.columns(), target))?;
        let request = InspectRequest {
            index: read_column(file, &target.definition.index_column, &target.schema)?,
            entities: target
                .definition
                .entity_columns
                .iter()
                .map(|name| read_column(file, name, &target.schema))
                .collect::<Result<_>>()?,
        };
        let mut collector = Collector::of(target);
        let inspection = inspect(file, &request, &mut Watched { visitor: &mut collector, monitor })?;
        if target.definition.uniqueness == Uniqueness::Row {
            duplicates::refuse(file, &request, target)?;
        }
        let rows_by_entity = inspection
            .entities
            .iter()
            .zip(&collector.slots)
            .map(|(values, (_, rows))| (values.clone(), *rows))
            .collect();
        let (coverage, counts) = collector.finish_counted()?;
        let (min, max) = inspection.index.ok_or_else(|| Error::invalid_argument("the file has no rows"))?;
        check_finite(min, max, target)?;
        let sorted_by = sort_order(&inspection, !request.entities.is_empty());
        let misstated = field_ids(file, &inspection.misstated, target);
        Ok(Self {
            outside,
            row_groups: file.row_group_count() as u64,
            footer_checksum: file.footer_checksum(),
            constants: file.constants().to_vec(),
            fit,
            rows: inspection.rows,
            bounds: (IndexValue(min), IndexValue(max)),
            sorted_by,
            coverage,
            counts,
            rows_by_entity,
            misstated,
            decoded: None,
            checked_out: false,
            checksum: OnceLock::new(),
        })
    }

    /// Asks the table's checks of every row. Rows that violate one are refused, or no longer counted: they will be left out.
    ///
    /// # Errors
    /// `InvalidArgument` naming the check, the number of rows that violate it and the first of them; as reading the file otherwise.
    pub fn check(
        &mut self,
        target: &Target,
        properties: &BTreeMap<String, String>,
        on_violation: OnViolation,
    ) -> Result<()> {
        let checks = Checks::of(properties, &target.schema)?;
        if checks.is_empty() {
            return Ok(());
        }
        let (target, checks, columns) = needed(properties, &checks, target)?;
        let keys = KeyColumns::of(&target)?;
        let mut violations = Violations::new(&checks);
        let file = self.reopen()?;
        for batch in TableRows::new(&file, &columns)? {
            violations.look(&batch?, &keys)?;
        }
        if !violations.any() {
            return Ok(());
        }
        if on_violation == OnViolation::Error {
            return violations.refuse().map_err(|e| e.with("file", self.shown()));
        }
        let mut collector = Collector::new(&target.grid);
        let mut look = RowLook::new(keys.entities.len());
        for batch in TableRows::new(&file, &columns)? {
            let batch = checks.pass(&batch?)?;
            let (index, entities) = keys.arrays(&batch)?;
            look.batch(index, &entities, &mut collector)?;
        }
        let found = look.finish().entities;
        self.rows_by_entity =
            found.iter().zip(&collector.slots).map(|(values, (_, rows))| (values.clone(), *rows)).collect();
        self.coverage = collector.finish()?;
        self.checked_out = true;
        Ok(())
    }

    /// The file, opened again.
    ///
    /// # Errors
    /// As [`open`]; `Conflict` when it is another one by now.
    pub fn reopen(&self) -> Result<SegmentFile> {
        Ok(SegmentFile::open(self.outside.reopen()?)?.with_constants(self.constants.clone()))
    }

    /// Decodes every page of every column: what cannot be decoded is not a segment.
    ///
    /// # Errors
    /// `Corrupt` and others that name the column that cannot be decoded; as [`Incoming::reopen`].
    pub fn decode(&mut self, target: &Target) -> Result<()> {
        let file = self.reopen()?;
        let lies = audit::lies(&file).map_err(|e| e.with("file", self.shown()))?;
        let positions: BTreeSet<usize> = lies.into_iter().map(|lie| lie.position).collect();
        self.decoded = Some(field_ids(&file, &positions.into_iter().collect::<Vec<_>>(), target));
        Ok(())
    }

    /// The rows that violate no check, all of them where there is none.
    #[must_use]
    pub fn kept_rows(&self) -> u64 {
        self.rows_by_entity.values().fold(0, |sum, rows| sum.saturating_add(*rows))
    }

    /// The file's name as the user's pattern found it.
    #[must_use]
    pub fn shown(&self) -> String {
        self.outside.path.display().to_string()
    }

    /// XXH3-128 of the file, computed once.
    ///
    /// # Errors
    /// As reading the file.
    pub fn checksum(&self) -> Result<Fingerprint> {
        if let Some(checksum) = self.checksum.get() {
            return Ok(*checksum);
        }
        let checksum = hash(self.outside.reopen()?.as_ref(), |_| Ok(()))?;
        Ok(*self.checksum.get_or_init(|| checksum))
    }

    /// What tells the file's rows from those of others.
    ///
    /// # Errors
    /// As reading the file.
    pub fn fingerprint(&self) -> Result<Fingerprint> {
        self.checksum().map(|checksum| self.identity(checksum))
    }

    /// The same, given the file's checksum: files of equal bytes in folders of other names have other rows.
    #[must_use]
    pub fn identity(&self, checksum: Fingerprint) -> Fingerprint {
        if self.constants.is_empty() {
            return checksum;
        }
        let mut hasher = Xxh3Default::new();
        hasher.update(&checksum.0.to_be_bytes());
        for field in self.constants.iter().map(ConstantColumn::field) {
            // NULL is none of the texts, each of which a zero byte ends.
            for text in [Some(field.name), field.value].into_iter().flatten() {
                hasher.update(text.as_bytes());
                hasher.update(&[0]);
            }
            hasher.update(&[1]);
        }
        Fingerprint(hasher.digest128())
    }
}

/// A visitor whose work is watched over, batch by batch.
struct Watched<'a> {
    visitor: &'a mut dyn RowVisitor,
    monitor: &'a dyn Monitor,
}

impl RowVisitor for Watched<'_> {
    fn batch(&mut self, index: IndexValues<'_>, entities: &EntityBatch<'_>) -> Result<()> {
        check_cancelled(self.monitor)?;
        self.visitor.batch(index, entities)
    }
}
