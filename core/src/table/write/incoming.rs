//! A file on its way in: opened, its columns compared with the table's, its rows looked at once for bounds, order and
//! coverage. Nothing here writes.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::OnceLock,
};

use xxhash_rust::xxh3::Xxh3Default;

use super::{
    append::{Monitor, check_cancelled},
    builder::{KeyColumns, sort_order},
    checks::{Checks, OnViolation, Violations, needed},
    duplicates,
    fit::{Fit, by_value, fit},
};
use crate::{
    coverage::{Coverage, CoverageBuilder, Entity, EntityPart, Slot},
    error::{Error, ErrorKind, Result},
    log::{
        commit::{Fingerprint, SortOrder, SourceRecord},
        definition::{Definition, Uniqueness},
    },
    schema::{Column, ColumnType, Schema},
    segment::{
        FileColumn, ReadColumn, SegmentFile,
        admit::{admit, check_values},
        audit,
        inspect::{EntityBatch, EntityValue, IndexValues, InspectRequest, RowVisitor, inspect},
        look::RowLook,
        rewrite::TableRows,
        schema::{Widening, position, widening},
    },
    storage::{outside::OutsideFile, source::Source},
    time::{Cursor, Grid, IndexValue},
};

/// What files are checked against: a definition with columns, and its grid.
#[derive(Debug, Clone)]
pub struct Target {
    /// The definition; its schema is set.
    pub definition: Definition,
    /// The columns.
    pub schema: Schema,
    /// The buckets.
    pub grid: Grid,
    /// The index column's type.
    pub index_type: ColumnType,
    /// Whether columns that the table does not have are passed over.
    pub ignores_new_columns: bool,
}

/// What to do with a file's columns that the table does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NewColumns {
    /// Refuse the file.
    #[default]
    Refuse,
    /// Add them to the table, in the same commit.
    Add,
    /// Load the file without them.
    Ignore,
}

impl NewColumns {
    /// The word in SQL.
    ///
    /// # Errors
    /// `InvalidArgument` for a word that is none.
    pub fn parse(word: &str) -> Result<Self> {
        match word {
            "refuse" => Ok(Self::Refuse),
            "add" => Ok(Self::Add),
            "ignore" => Ok(Self::Ignore),
            _ => Err(Error::invalid_argument(format!(
                "new_columns := '{word}' is not known; use 'refuse', 'add' or 'ignore'"
            ))),
        }
    }
}

impl Target {
    /// The target of a table with `definition` for these files. When it has no columns yet, all files together give them; a type
    /// that is still open is as they have it.
    ///
    /// # Errors
    /// As opening a file, when none can be opened, and as [`Definition::adopt_schema`].
    pub fn of(definition: &Definition, files: &[PathBuf]) -> Result<Self> {
        Self::taking(definition, files, NewColumns::Refuse)
    }

    /// The same, doing with columns that a table does not have what `new_columns` says.
    ///
    /// # Errors
    /// As [`Target::of`].
    pub fn taking(definition: &Definition, files: &[PathBuf], new_columns: NewColumns) -> Result<Self> {
        let mut definition = definition.clone();
        if new_columns == NewColumns::Add
            && let Some(schema) = &mut definition.schema
        {
            // What is wrong with a file is for the one who reads it to say.
            for column in columns_of(files).unwrap_or_default() {
                if schema.find(&column.name).is_none() {
                    let next = definition.last_field_id.checked_add(1);
                    definition.last_field_id =
                        next.ok_or_else(|| Error::limit_exceeded("the table has had too many columns"))?;
                    schema.columns.push(Column { id: definition.last_field_id, name: column.name, ty: column.ty });
                }
            }
        }
        if definition.schema.as_ref().is_none_or(Schema::is_open) {
            let found = columns_of(files)?;
            match &definition.schema {
                None => definition.adopt_schema(schema_of(&found)?).map_err(|e| match files {
                    [file] => e.with("file", file.display()),
                    _ => e,
                })?,
                Some(schema) => {
                    let settled =
                        schema.settled_by(|name| position(&found, name).and_then(|at| found.get(at)).map(|c| &c.ty));
                    definition.schema = Some(settled);
                }
            }
        }
        let target = Self::with_columns(definition)?;
        Ok(Self { ignores_new_columns: new_columns == NewColumns::Ignore, ..target })
    }

    /// As [`Target::taking`]; none when no file gives columns to a table that has none. With `skip`, files that cannot be loaded give none,
    /// and are told of by who looks at them.
    ///
    /// # Errors
    /// As [`Target::of`].
    pub fn of_files(
        definition: &Definition,
        files: &[PathBuf],
        skip: bool,
        new_columns: NewColumns,
    ) -> Result<Option<Self>> {
        if definition.schema.is_some() {
            return Self::taking(definition, files, new_columns).map(Some);
        }
        let names: Vec<_> = definition.entity_columns.iter().chain([&definition.index_column]).collect();
        let mut giving = Vec::new();
        for path in files {
            match open(path) {
                Ok((_, file)) if file.rows() == 0 => {}
                Ok((_, file)) if skip && names.iter().any(|name| file.position(name).is_none()) => {}
                Ok(_) => giving.push(path.clone()),
                Err(_) if skip => {}
                Err(e) => return Err(e),
            }
        }
        if giving.is_empty() { Ok(None) } else { Self::of(definition, &giving).map(Some) }
    }

    /// The target of a table that has columns.
    ///
    /// # Errors
    /// `InvalidArgument` when it has none yet.
    pub fn of_table(definition: &Definition) -> Result<Self> {
        if definition.schema.is_none() {
            return Err(Error::invalid_argument("the table has no columns yet; append a file to give it some"));
        }
        Self::with_columns(definition.clone())
    }

    fn with_columns(definition: Definition) -> Result<Self> {
        let corrupt = || Error::corrupt("the table's definition names a column that its schema does not have");
        let schema = definition.schema.clone().ok_or_else(corrupt)?;
        let index_type = definition.index_type().cloned().ok_or_else(corrupt)?;
        let grid = definition.grid(&index_type)?;
        Ok(Self { definition, schema, grid, index_type, ignores_new_columns: false })
    }
}

impl Target {
    /// The target of a table with `definition`; none when it has no columns yet.
    ///
    /// # Errors
    /// `Corrupt` when the definition contradicts itself.
    pub fn of_table_columns(definition: &Definition) -> Result<Option<Self>> {
        definition.schema.is_some().then(|| Self::with_columns(definition.clone())).transpose()
    }
}

/// The columns of all files, in the order in which they are met; of two types that a column has the wider. A file that cannot be opened is
/// left for the one who reads it to say so.
fn columns_of(files: &[PathBuf]) -> Result<Vec<FileColumn>> {
    let mut columns: Vec<FileColumn> = Vec::new();
    let mut failure = None;
    for path in files {
        let file = match open(path) {
            Ok((_, file)) => file,
            Err(e) => {
                failure = failure.or(Some(e));
                continue;
            }
        };
        for column in file.columns() {
            match position(&columns, &column.name).and_then(|at| columns.get_mut(at)) {
                None => columns.push(column.clone()),
                Some(known) => {
                    known.ty = known.ty.settled_by(&column.ty);
                    if widening(&known.ty, &column.ty) == Some(Widening::Always) {
                        known.ty = column.ty.clone();
                    }
                }
            }
        }
    }
    match failure {
        Some(failure) if columns.is_empty() => Err(failure),
        _ => Ok(columns),
    }
}

/// The schema that a file's columns make.
///
/// # Errors
/// As [`Schema::new`].
pub fn schema_of(columns: &[FileColumn]) -> Result<Schema> {
    Schema::new(columns.iter().map(|column| (column.name.clone(), column.ty.clone())))
}

/// Opens a file and reads its footer.
///
/// # Errors
/// `NotFound`, `Io`, or what [`SegmentFile::open`] says of the contents.
pub fn open(path: &Path) -> Result<(OutsideFile, SegmentFile)> {
    let (outside, source) = OutsideFile::open(path)?;
    let file = SegmentFile::open(source)?;
    admit(&file).map_err(|e| e.with("file", path.display()))?;
    Ok((outside, file))
}

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
    /// Looks at the file at `path`; without a target nothing but files without rows can come.
    ///
    /// # Errors
    /// As [`Incoming::look`]; all name the file.
    pub fn read(path: &Path, target: Option<&Target>, monitor: &dyn Monitor) -> Result<Self> {
        let (outside, file) = open(path)?;
        let named = |e: Error| match e.kind() {
            ErrorKind::Corrupt | ErrorKind::Cancelled => e,
            _ => e.with("file", path.display()),
        };
        if file.rows() == 0 {
            let fingerprint = hash(outside.reopen()?.as_ref(), |_| Ok(()))?;
            let (path, bytes) = (path.display().to_string(), outside.stat.bytes);
            return Ok(Self::Empty(SourceRecord { path, bytes, fingerprint }));
        }
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
    /// How many rows each entity has in it.
    pub rows_by_entity: BTreeMap<Entity, u64>,
    /// Field ids of the index and entity columns of which the file says what its rows do not.
    pub misstated: Vec<u32>,
    /// Field ids of all columns of which the file says what its rows do not, where every page was decoded.
    pub decoded: Option<Vec<u32>>,
    /// Whether some rows violate a check and are to be left out.
    pub checked_out: bool,
    fingerprint: OnceLock<Fingerprint>,
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
        let mut collector = Collector::new(&target.grid);
        let inspection = inspect(file, &request, &mut Watched { visitor: &mut collector, monitor })?;
        if target.definition.uniqueness == Uniqueness::Row {
            duplicates::refuse(file, &request, target)?;
        }
        let rows_by_entity = inspection
            .entities
            .iter()
            .zip(&collector.slots)
            .map(|(values, (_, rows))| (entity(values), *rows))
            .collect();
        let coverage = collector.finish()?;
        let (min, max) = inspection.index.ok_or_else(|| Error::invalid_argument("the file has no rows"))?;
        check_finite(min, max, target)?;
        let sorted_by = sort_order(&inspection, !request.entities.is_empty());
        let misstated = field_ids(file, &inspection.misstated, target);
        Ok(Self {
            outside,
            row_groups: file.row_group_count() as u64,
            footer_checksum: file.footer_checksum(),
            fit,
            rows: inspection.rows,
            bounds: (IndexValue(min), IndexValue(max)),
            sorted_by,
            coverage,
            rows_by_entity,
            misstated,
            decoded: None,
            checked_out: false,
            fingerprint: OnceLock::new(),
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
            found.iter().zip(&collector.slots).map(|(values, (_, rows))| (entity(values), *rows)).collect();
        self.coverage = collector.finish()?;
        self.checked_out = true;
        Ok(())
    }

    /// The file, opened again.
    ///
    /// # Errors
    /// As [`open`]; `Conflict` when it is another one by now.
    pub fn reopen(&self) -> Result<SegmentFile> {
        SegmentFile::open(self.outside.reopen()?)
    }

    /// Decodes every page of every column: what cannot be decoded is no segment.
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
    pub fn fingerprint(&self) -> Result<Fingerprint> {
        if let Some(fingerprint) = self.fingerprint.get() {
            return Ok(*fingerprint);
        }
        let fingerprint = hash(self.outside.reopen()?.as_ref(), |_| Ok(()))?;
        Ok(*self.fingerprint.get_or_init(|| fingerprint))
    }
}

/// The field ids of the file's columns at these positions.
fn field_ids(file: &SegmentFile, positions: &[usize], target: &Target) -> Vec<u32> {
    let columns = positions.iter().filter_map(|position| file.columns().get(*position));
    columns.filter_map(|column| target.schema.find(&column.name)).map(|column| column.id).collect()
}

/// Refuses DuckDB's infinite dates and timestamps, which are the ends of the stored integer and lie in no bucket, and instants that DuckDB
/// cannot show.
pub(crate) fn check_finite(min: i128, max: i128, target: &Target) -> Result<()> {
    let name = &target.definition.index_column;
    if let ColumnType::Timestamp(unit) | ColumnType::TimestampTz(unit) = &target.index_type {
        for end in [min, max] {
            if i64::try_from(end).is_ok_and(|end| !unit.shows(end)) {
                return Err(Error::invalid_argument(format!(
                    "the index column '{name}' holds {end} {unit} since 1970, which is outside the range of DuckDB's {}; remove those rows",
                    target.index_type
                )));
            }
        }
    }
    let end = match &target.index_type {
        ColumnType::Date => i128::from(i32::MAX),
        ColumnType::Timestamp(_) | ColumnType::TimestampTz(_) => i128::from(i64::MAX),
        _ => return Ok(()),
    };
    if min <= -end || max >= end {
        return Err(Error::invalid_argument(format!(
            "the index column '{name}' holds an infinite value, which lies in no bucket; remove those rows"
        )));
    }
    Ok(())
}

/// Reads a source from end to end, handing each piece to `sink`, and returns the XXH3-128 of all of it.
///
/// # Errors
/// As the source and `sink`.
pub fn hash(source: &dyn Source, mut sink: impl FnMut(&[u8]) -> Result<()>) -> Result<Fingerprint> {
    const PIECE_BYTES: usize = 1 << 20;
    let mut hasher = Xxh3Default::new();
    let mut buffer = vec![0; PIECE_BYTES.min(usize::try_from(source.len()).unwrap_or(PIECE_BYTES)).max(1)];
    let mut offset = 0_u64;
    while offset < source.len() {
        let piece = usize::try_from(source.len() - offset).unwrap_or(usize::MAX).min(buffer.len());
        let bytes = buffer.get_mut(..piece).unwrap_or_default();
        source.read_at(offset, bytes)?;
        hasher.update(bytes);
        sink(bytes)?;
        offset += piece as u64;
    }
    Ok(Fingerprint(hasher.digest128()))
}

/// The file's column of that name, to be read as the table's type.
pub(crate) fn read_column(file: &SegmentFile, name: &str, schema: &Schema) -> Result<ReadColumn> {
    let position = file.position(name);
    let column = schema.find(name);
    match (position, column) {
        (Some(position), Some(column)) => Ok(ReadColumn { position, ty: column.ty.clone() }),
        _ => Err(Error::schema_mismatch(format!("the file has no column '{name}'"))),
    }
}

/// Turns rows into coverage.
pub(crate) struct Collector<'a> {
    cursor: Cursor<'a>,
    builder: CoverageBuilder,
    /// By the entity's code in the inspection.
    slots: Vec<(Slot, u64)>,
}

impl<'a> Collector<'a> {
    /// Nothing yet.
    pub(crate) fn new(grid: &'a Grid) -> Self {
        Self { cursor: grid.cursor(), builder: CoverageBuilder::new(), slots: Vec::new() }
    }

    /// The coverage of all rows.
    pub(crate) fn finish(self) -> Result<Coverage> {
        self.builder.finish()
    }

    fn rows(&mut self, values: impl Iterator<Item = i128>, codes: &[u32]) -> Result<()> {
        for (value, code) in values.zip(codes) {
            let bucket = self.cursor.bucket_of(IndexValue(value))?;
            let at = usize::try_from(*code).unwrap_or(usize::MAX);
            let Some((slot, rows)) = self.slots.get_mut(at) else {
                return Err(Error::corrupt("a row's entity is not among those seen"));
            };
            *rows += 1;
            self.builder.cover(*slot, bucket)?;
        }
        Ok(())
    }
}

impl RowVisitor for Collector<'_> {
    fn batch(&mut self, index: IndexValues<'_>, entities: &EntityBatch<'_>) -> Result<()> {
        for values in entities.entities.iter().skip(self.slots.len()) {
            self.slots.push((self.builder.slot(&entity(values)), 0));
        }
        match index {
            IndexValues::Signed(values) => self.rows(values.iter().map(|v| i128::from(*v)), entities.codes),
            IndexValues::Unsigned(values) => self.rows(values.iter().map(|v| i128::from(*v)), entities.codes),
        }
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

/// The entity of a file's values.
#[must_use]
pub fn entity(values: &[EntityValue]) -> Entity {
    values
        .iter()
        .map(|value| match value {
            EntityValue::Text(text) => EntityPart::Text(text.clone()),
            EntityValue::Int(number) => EntityPart::Int(*number),
        })
        .collect()
}
