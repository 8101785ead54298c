//! Tables of timeseries-table-format, read where they are: each commit of theirs becomes one of ours in memory, whose segments are
//! their files, described by their own rows. What their coverage files say is not looked at. Nothing is written.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::Map;
use xxhash_rust::xxh3::xxh3_64;

use super::{
    collector::{Collector, sort_order},
    target::{Target, check_finite, field_ids, read_column},
};
use crate::{
    error::{Error, ErrorKind, Result},
    log::{
        FORMAT_VERSION, Version,
        adopted::{Adopted, Compared},
        commit::{Action, Commit, CoverageRecord, Fingerprint, FooterChecksum, MAX_COMMIT_BYTES, SegmentRecord},
        definition::{Definition, Uniqueness},
        foreign::{Change, ForeignCommit, Meta, PROGRAM, ReadForeign, current, decode},
    },
    schema::{Column, ColumnType, Schema, same_name},
    segment::{
        SegmentFile,
        admit::admit,
        inspect::{InspectRequest, inspect},
        schema::readable_as,
    },
    storage::{Stat, Storage},
    time::{BucketWidth, IndexValue},
};

/// The property that keeps the zone of a table: its buckets are of UTC whatever the zone.
const TIMEZONE_PROPERTY: &str = "timezone";

/// What was read is kept for this many tables.
const MAX_TABLES: usize = 64;

/// Reads such tables, and keeps what their files were found to hold: commits and segments never change.
#[derive(Debug, Default)]
pub struct ForeignTables {
    tables: Mutex<HashMap<String, Arc<Mutex<Known>>>>,
}

/// What is known of a table.
#[derive(Debug, Default)]
struct Known {
    /// What identified its first commit.
    first: Option<Stat>,
    /// Its commits in our words, from the first on.
    commits: Vec<Commit>,
    /// The definition after the last of them.
    definition: Option<Definition>,
    /// The id of each live segment, by its path.
    live: HashMap<String, String>,
}

impl ReadForeign for ForeignTables {
    fn commit(&self, storage: &Arc<dyn Storage>, version: Version) -> Result<Option<Commit>> {
        // A commit that the program's own `CURRENT` does not reach was never finished.
        if current(storage.as_ref())?.is_some_and(|current| version > current) {
            return Ok(None);
        }
        let known = self.known(storage.root());
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        let first = storage.stat(&Version(1).commit_path())?;
        // A table may have been taken for another's place, or a file that was missing may be back; whoever starts over asks for the first.
        if known.first != first || version == Version(1) && known.may_know_more(storage.as_ref())? {
            *known = Known { first, ..Known::default() };
        }
        while (known.commits.len() as u64) < version.0 {
            if !known.follow(storage.as_ref())? {
                return Ok(None);
            }
        }
        let at = usize::try_from(version.0.saturating_sub(1)).unwrap_or(usize::MAX);
        Ok(known.commits.get(at).cloned())
    }
}

impl ForeignTables {
    fn known(&self, root: &str) -> Arc<Mutex<Known>> {
        let key =
            std::path::absolute(root).map_or_else(|_| root.to_owned(), |path| path.to_string_lossy().into_owned());
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if tables.len() >= MAX_TABLES && !tables.contains_key(&key) {
            tables.clear();
        }
        Arc::clone(tables.entry(key).or_default())
    }
}

impl Known {
    /// Whether a file is there by now that was missing when its segment was described.
    fn may_know_more(&self, storage: &dyn Storage) -> Result<bool> {
        for path in self.commits.iter().flat_map(|commit| &commit.actions).filter_map(absent_path) {
            if storage.stat(path)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Puts the next commit in our words; false when there is none.
    fn follow(&mut self, storage: &dyn Storage) -> Result<bool> {
        let version = Version(self.commits.len() as u64).next();
        let Some(bytes) = storage.read(&version.commit_path(), MAX_COMMIT_BYTES)? else { return Ok(false) };
        let theirs = decode(&bytes, version)?;
        let mut next = Next {
            storage,
            version,
            definition: self.definition.clone(),
            live: self.live.clone(),
            actions: Vec::new(),
        };
        next.define(&theirs, xxh3_64(&bytes))?;
        next.change(&theirs.changes)?;
        let before = self.commits.last();
        let foreign = match (&theirs.meta, before) {
            (Some(meta), _) => Some(Arc::from(format!("{PROGRAM} (format {})", meta.format))),
            (None, before) => before.and_then(|commit| commit.foreign.clone()),
        };
        let Next { actions, definition, live, .. } = next;
        self.commits.push(Commit {
            format_version: FORMAT_VERSION,
            requires: Vec::new(),
            version,
            base_version: Version(version.0.saturating_sub(1)),
            timestamp: before.map_or(theirs.timestamp, |before| before.timestamp.max(theirs.timestamp)),
            operation: operation(version, &theirs).to_owned(),
            writer: foreign.as_deref().unwrap_or(PROGRAM).to_owned(),
            message: None,
            rows_rewritten: 0,
            actions,
            extra: Map::new(),
            foreign,
        });
        (self.definition, self.live) = (definition, live);
        Ok(true)
    }
}

/// The file of a segment that comes, when it was missing.
fn absent_path(action: &Action) -> Option<&str> {
    match action {
        Action::AddSegment(record) if is_absent(record) => Some(&record.path),
        _ => None,
    }
}

/// Whether the record is of a segment whose file was missing.
pub(super) fn is_absent(record: &SegmentRecord) -> bool {
    matches!(&record.coverage, CoverageRecord::File(path) if *path == record.path)
}

/// What made a version, in our words: their log does not say.
fn operation(version: Version, commit: &ForeignCommit) -> &'static str {
    let adds = commit.changes.iter().any(|change| matches!(change, Change::Add { .. }));
    let removes = commit.changes.iter().any(|change| matches!(change, Change::Remove { .. }));
    match (version.0, adds, removes) {
        (1, _, _) => "create",
        (_, true, true) => "rewrite",
        (_, true, false) => "append",
        (_, false, true) => "delete",
        (_, false, false) => "define",
    }
}

/// A commit that is being put in our words.
struct Next<'a> {
    storage: &'a dyn Storage,
    version: Version,
    definition: Option<Definition>,
    live: HashMap<String, String>,
    actions: Vec<Action>,
}

impl Next<'_> {
    /// Says what the table is, where the commit says anything new of it. `identity` becomes part of a new table's id.
    fn define(&mut self, theirs: &ForeignCommit, identity: u64) -> Result<()> {
        let Some(meta) = &theirs.meta else { return Ok(()) };
        let before = self.definition.take();
        let mut definition = Definition {
            table_id: before.as_ref().map_or_else(|| format!("{identity:016x}"), |before| before.table_id.clone()),
            index_column: meta.index_column.clone(),
            bucket: BucketWidth::parse(&meta.bucket)?,
            timezone: None,
            zone_data: None,
            zone_rules: None,
            origin: None,
            origin_zoned: None,
            entity_columns: meta.entity_columns.clone(),
            uniqueness: Uniqueness::Bucket,
            counts: false,
            schema: None,
            last_field_id: 0,
            former_columns: Vec::new(),
            extra: Map::new(),
        };
        let known = before.as_ref().and_then(|before| before.schema.clone()).unwrap_or_default();
        let schema = self.schema(known, meta, &theirs.changes)?;
        if !schema.columns.is_empty() {
            definition.adopt_schema(schema)?;
        }
        if before.as_ref() != Some(&definition) {
            self.actions.push(Action::DefineTable(Box::new(definition.clone())));
        }
        if let Some(zone) = meta.timezone.as_ref().filter(|_| before.is_none()) {
            self.actions.push(Action::SetProperty { key: TIMEZONE_PROPERTY.to_owned(), value: Some(zone.clone()) });
        }
        self.definition = Some(definition);
        Ok(())
    }

    /// The columns after the commit. What old logs leave out of a type, zones above all, is told by the files.
    fn schema(&self, mut schema: Schema, meta: &Meta, changes: &[Change]) -> Result<Schema> {
        let files = self.columns_of_files(changes)?;
        for (name, stated) in &meta.columns {
            let found = files.iter().find(|column| same_name(&column.0, name)).map(|column| &column.1);
            let known = schema.find(name).map(|column| column.ty.clone());
            let ty = column_type(stated.as_ref(), found.or(known.as_ref())).ok_or_else(|| {
                Error::unsupported_format(format!(
                    "the table has a column \"{name}\" of which no file tells the type, and whose type in the log is not known"
                ))
            })?;
            match schema.columns.iter_mut().find(|column| same_name(&column.name, name)) {
                Some(column) => column.ty = ty,
                None => {
                    let id = schema.columns.iter().map(|column| column.id).max().unwrap_or(0).saturating_add(1);
                    schema.columns.push(Column { id, name: name.clone(), ty });
                }
            }
        }
        Ok(schema)
    }

    /// The columns of the first of the commit's files that is there: all of a commit's files have the same.
    fn columns_of_files(&self, changes: &[Change]) -> Result<Vec<(String, ColumnType)>> {
        for change in changes {
            let Change::Add { path, .. } = change else { continue };
            match self.storage.open(path) {
                Ok(source) => {
                    let file = SegmentFile::open(source)?;
                    return Ok(file.columns().iter().map(|column| (column.name.clone(), column.ty.clone())).collect());
                }
                Err(e) if e.kind() == ErrorKind::NotFound => {}
                Err(e) => return Err(e),
            }
        }
        Ok(Vec::new())
    }

    fn change(&mut self, changes: &[Change]) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let undefined =
            || Error::corrupt("segments come before the table has columns").with("path", self.version.commit_path());
        let definition = self.definition.as_ref().ok_or_else(undefined)?;
        let target = Target::of_table_columns(definition)?.ok_or_else(undefined)?;
        for (i, change) in changes.iter().enumerate() {
            let (Change::Add { path, .. } | Change::Remove { path }) = change;
            if let Some(id) = self.live.remove(path) {
                self.actions.push(Action::RemoveSegment { id });
            }
            let Change::Add { .. } = change else { continue };
            let id = format!("{:016x}", xxh3_64(format!("{} {i} {path}", self.version).as_bytes()));
            let described = describe(self.storage, id.clone(), change, &target);
            if let Some(record) = described.map_err(|e| e.with("path", path).with("version", self.version))? {
                self.live.insert(path.clone(), id);
                self.actions.push(Action::AddSegment(Box::new(record)));
            }
        }
        Ok(())
    }
}

/// The type of a column for which the log states one type, and a file has another.
fn column_type(stated: Option<&ColumnType>, found: Option<&ColumnType>) -> Option<ColumnType> {
    let instant = |ty: &ColumnType| matches!(ty, ColumnType::Timestamp(_) | ColumnType::TimestampTz(_));
    match (stated, found) {
        (Some(stated), Some(found)) if instant(stated) && instant(found) => Some(found.clone()),
        (Some(stated), Some(found)) if !readable_as(found, stated) => Some(found.clone()),
        (Some(ty), _) | (None, Some(ty)) => Some(ty.clone()),
        (None, None) => None,
    }
}

/// A segment that comes, as its rows describe it; none when it has no rows. One whose file is not there is known by its log alone: old
/// versions of a table that was cleaned up name such.
fn describe(storage: &dyn Storage, id: String, change: &Change, target: &Target) -> Result<Option<SegmentRecord>> {
    let Change::Add { path, rows, bytes, bounds } = change else { return Ok(None) };
    let source = match storage.open(path) {
        Ok(source) => source,
        Err(e) if e.kind() == ErrorKind::NotFound => {
            return Ok(Some(absent(id, path, (*rows, *bytes), *bounds, target)));
        }
        Err(e) => return Err(e),
    };
    if let Some(stated) = bytes.filter(|stated| *stated != source.len()) {
        return Err(Error::corrupt(format!("a segment has {} bytes; the log says {stated}", source.len())));
    }
    let size = source.len();
    let file = SegmentFile::open(source)?;
    admit(&file)?;
    if let Some(stated) = rows.filter(|stated| *stated != file.rows()) {
        return Err(Error::corrupt(format!("a segment has {} rows; the log says {stated}", file.rows())));
    }
    let missing = missing_fields(&file, target)?;
    let definition = &target.definition;
    let request = InspectRequest {
        index: read_column(&file, &definition.index_column, &target.schema)?,
        entities: definition
            .entity_columns
            .iter()
            .map(|name| read_column(&file, name, &target.schema))
            .collect::<Result<_>>()?,
    };
    let mut collector = Collector::new(&target.grid);
    let inspection = inspect(&file, &request, &mut collector)?;
    let Some((min, max)) = inspection.index else { return Ok(None) };
    check_finite(min, max, target)?;
    let coverage = collector.finish()?;
    let mut record = SegmentRecord {
        id,
        path: path.clone(),
        rows: inspection.rows,
        row_groups: file.row_group_count() as u64,
        bytes: size,
        checksum: Fingerprint::UNKNOWN,
        footer_checksum: Some(FooterChecksum(file.footer_checksum())),
        index_min: IndexValue(min),
        index_max: IndexValue(max),
        sorted_by: sort_order(&inspection, !request.entities.is_empty()),
        last_field_id: definition.last_field_id,
        missing_fields: missing,
        entities: coverage.entity_count() as u64,
        buckets: coverage.buckets(),
        coverage: CoverageRecord::Inline(coverage.to_bytes()),
        sources: Vec::new(),
        extra: Map::new(),
    };
    let distrusted_fields = field_ids(&file, &inspection.misstated, target);
    record.set_adopted(&Adopted { compared: Compared::Keys, distrusted_fields });
    Ok(Some(record))
}

/// Field ids of the table's columns that the file does not have.
fn missing_fields(file: &SegmentFile, target: &Target) -> Result<Vec<u32>> {
    let mut missing = Vec::new();
    for column in &target.schema.columns {
        let found = file.position(&column.name).and_then(|position| file.columns().get(position));
        match found.map(|found| &found.ty) {
            None | Some(ColumnType::Null) => missing.push(column.id),
            Some(ty) if readable_as(ty, &column.ty) => {}
            Some(ty) => {
                return Err(Error::schema_mismatch(format!(
                    "the column \"{}\" is {} in the table and {ty} in a segment",
                    column.name, column.ty
                )));
            }
        }
    }
    Ok(missing)
}

fn absent(
    id: String,
    path: &str,
    (rows, bytes): (Option<u64>, Option<u64>),
    bounds: Option<(i128, i128)>,
    target: &Target,
) -> SegmentRecord {
    let unit = target.index_type.unit_nanos().unwrap_or(1);
    let (min, max) = bounds.unwrap_or((0, 0));
    SegmentRecord {
        id,
        path: path.to_owned(),
        rows: rows.unwrap_or_default(),
        // One, so that whoever wants its rows looks for them.
        row_groups: 1,
        bytes: bytes.unwrap_or_default(),
        checksum: Fingerprint::UNKNOWN,
        footer_checksum: None,
        index_min: IndexValue(min.div_euclid(unit)),
        index_max: IndexValue(max.div_euclid(unit)),
        sorted_by: None,
        last_field_id: target.definition.last_field_id,
        missing_fields: Vec::new(),
        entities: 0,
        buckets: 0,
        // Whoever asks for it hears that the file is missing.
        coverage: CoverageRecord::File(path.to_owned()),
        sources: Vec::new(),
        extra: Map::new(),
    }
}
