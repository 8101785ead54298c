//! A table: creating and opening it, and the snapshots that every question is asked of. Appending is in [`append`],
//! questions about coverage in [`subject`].

use std::sync::Arc;

use serde_json::Map;

use crate::{
    coverage::Coverage,
    error::{Error, ErrorKind, Result},
    log::{
        Version,
        commit::{Action, Instant},
        definition::{Definition, Uniqueness},
        state::TableState,
        store::Log,
    },
    schema::{Column, ColumnType, Schema},
    storage::Storage,
    time::{BucketWidth, Grid},
};

pub mod amend;
pub mod ask;
pub mod cache;
pub mod clock;
pub mod commit;
pub mod monitor;
pub mod opened;
pub mod read;
pub mod report;
pub mod rows;
pub mod upkeep;
pub mod write;

pub use self::{
    amend::{columns, expect, restore, tags_and_properties, windows_file},
    ask::{backfill, choice, common_windows, differences, fragmentation, require, shares, subject, summary},
    read::{bucket_starts, fill, latest, numbers, scan, select},
    upkeep::{checkpoint, files, repair, vacuum, verify},
    write::{
        append, builder, carve, checks, compact, delete, duplicates, fit, incoming, intake, integers, keys, load,
        moved, overlap, policy, preview, same, sieve, slices, sorter, stage,
    },
};

/// The program and version that commits name as their writer.
pub const WRITER: &str = concat!("tstable ", env!("CARGO_PKG_VERSION"));

/// A table on a storage.
#[derive(Debug, Clone)]
pub struct Table {
    log: Log,
    /// What a change expects to find; see [`Table::expecting`].
    expected: Option<Version>,
}

/// A table at one version.
#[derive(Debug, Clone)]
pub struct Snapshot {
    storage: Arc<dyn Storage>,
    /// The state of that version.
    pub state: Arc<TableState>,
}

/// Which version a question is asked of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum At {
    /// The newest.
    #[default]
    Latest,
    /// This one.
    Version(Version),
    /// The last one committed at or before this instant.
    AsOf(Instant),
    /// The one that this tag names.
    Tag(String),
}

/// What became of a creation.
#[derive(Debug, Clone)]
pub struct Created {
    /// The table after it.
    pub snapshot: Snapshot,
    /// False when an equal table was there already.
    pub created: bool,
}

impl Table {
    /// The table on `storage`, whether or not there is one yet.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>) -> Self {
        Self { log: Log::new(storage), expected: None }
    }

    /// The table in a directory, whether or not there is one yet.
    #[must_use]
    pub fn at_directory(root: &str) -> Self {
        Self::new(Arc::new(crate::storage::local::LocalStorage::new(root)))
    }

    /// The same table, whose changes are made only while this version is the newest: with another one they end in a `Conflict`
    /// that says who came between, and nothing is changed. None expects nothing.
    #[must_use]
    pub fn expecting(self, version: Option<Version>) -> Self {
        Self { expected: version, ..self }
    }

    /// The log below.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Creates the table with `definition`.
    ///
    /// # Errors
    /// `AlreadyExists` when there is a table, unless `if_not_exists` and the definitions are equal; then the error names each
    /// field that differs.
    pub fn create(&self, definition: Definition, if_not_exists: bool) -> Result<Created> {
        match self.log.latest(None) {
            Ok(state) => return self.created_before(state, &definition, if_not_exists),
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
        match commit::begin(self, "create", None, vec![Action::DefineTable(Box::new(definition.clone()))])? {
            Some((state, _)) => Ok(Created { snapshot: self.snapshot_of(state), created: true }),
            None => self.created_before(self.log.latest(None)?, &definition, if_not_exists),
        }
    }

    fn created_before(&self, state: Arc<TableState>, wanted: &Definition, if_not_exists: bool) -> Result<Created> {
        let root = self.log.storage().root();
        if !if_not_exists {
            return Err(Error::already_exists(format!(
                "there is a table at '{root}' already; use if_not_exists := true to accept it when it is the same"
            )));
        }
        refuse_differences(root, &state.definition, wanted)?;
        Ok(Created { snapshot: self.snapshot_of(state), created: false })
    }

    /// The newest snapshot, going on from `known` where that is given.
    ///
    /// # Errors
    /// As [`Log::latest`].
    pub fn latest(&self, known: Option<&Arc<TableState>>) -> Result<Snapshot> {
        Ok(self.snapshot_of(self.log.latest(known)?))
    }

    /// The snapshot that `at` names, given the newest.
    ///
    /// # Errors
    /// `NotFound` when there is no such version or tag.
    pub fn at(&self, at: &At, latest: &Snapshot) -> Result<Snapshot> {
        let version = match at {
            At::Latest => return Ok(latest.clone()),
            At::Version(version) => *version,
            At::AsOf(instant) => self.log.version_as_of(*instant, &latest.state)?,
            At::Tag(name) => *latest.state.tags.get(name).ok_or_else(|| unknown_tag(name, &latest.state))?,
        };
        Ok(self.snapshot_of(self.log.at(version, &latest.state)?))
    }

    pub(crate) fn snapshot_of(&self, state: Arc<TableState>) -> Snapshot {
        Snapshot { storage: Arc::clone(self.log.storage()), state }
    }
}

/// Refuses a table that is defined differently from what is wanted, naming each difference.
pub(crate) fn refuse_differences(root: &str, definition: &Definition, wanted: &Definition) -> Result<()> {
    let differences = definition.differences(wanted);
    if differences.is_empty() {
        return Ok(());
    }
    let list: Vec<_> = differences.iter().map(|(name, is, wanted)| format!("{name} is {is}, not {wanted}")).collect();
    Err(Error::already_exists(format!("the table at '{root}' is defined differently: {}", list.join("; "))))
}

fn unknown_tag(name: &str, state: &TableState) -> Error {
    let known: Vec<_> = state.tags.keys().map(String::as_str).collect();
    let known =
        if known.is_empty() { "it has no tags".to_owned() } else { format!("its tags are {}", known.join(", ")) };
    Error::not_found(format!("the table has no tag '{name}'; {known}"))
}

impl Snapshot {
    /// The storage below.
    #[must_use]
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    /// The table's definition.
    #[must_use]
    pub fn definition(&self) -> &Definition {
        &self.state.definition
    }

    /// The table's columns.
    ///
    /// # Errors
    /// `InvalidArgument` before the first append, when no file has given the columns yet.
    pub fn schema(&self) -> Result<&Schema> {
        self.definition().schema.as_ref().ok_or_else(|| {
            Error::invalid_argument(
                "the table has no columns yet; append a file, or create the table with schema_from := 'file.parquet'",
            )
            .with("root", self.storage.root())
        })
    }

    /// The position of the index column.
    ///
    /// # Errors
    /// As [`Snapshot::schema`].
    pub fn index_position(&self) -> Result<usize> {
        let name = &self.definition().index_column;
        self.schema()?.position(name).ok_or_else(|| {
            Error::corrupt(format!("the index column '{name}' is not among the columns"))
                .with("root", self.storage.root())
        })
    }

    /// The index column's type.
    ///
    /// # Errors
    /// As [`Snapshot::schema`].
    pub fn index_type(&self) -> Result<&ColumnType> {
        let position = self.index_position()?;
        self.schema()?
            .columns
            .get(position)
            .map(|column| &column.ty)
            .ok_or_else(|| Error::corrupt("the index column has no type"))
    }

    /// The entity columns in order.
    ///
    /// # Errors
    /// As [`Snapshot::schema`].
    pub fn entity_columns(&self) -> Result<Vec<&Column>> {
        self.schema()?;
        self.definition().entity_schema().ok_or_else(|| Error::corrupt("an entity column is not among the columns"))
    }

    /// The grid of buckets.
    ///
    /// # Errors
    /// As [`Snapshot::schema`].
    pub fn grid(&self) -> Result<Grid> {
        self.definition().grid(self.index_type()?)
    }

    /// The coverage of all segments together.
    ///
    /// # Errors
    /// As [`TableState::coverage`].
    pub fn coverage(&self) -> Result<Arc<Coverage>> {
        self.state.coverage(self.storage.as_ref()).map_err(|e| self.unless_vacuumed(e))
    }
}

/// What a creation asks for.
#[derive(Debug, Clone)]
pub struct CreateRequest {
    /// The index column.
    pub index_column: String,
    /// The width of a bucket, as in `'1h'`.
    pub bucket: String,
    /// The zone of local days and longer buckets.
    pub timezone: Option<String>,
    /// A bucket start to align the grid to.
    pub origin: Option<i64>,
    /// Whether the origin is an instant or a time without zone; none where either will do, as for integers.
    pub origin_zoned: Option<bool>,
    /// The columns that identify an entity.
    pub entity_columns: Vec<String>,
    /// What may share a bucket.
    pub uniqueness: String,
    /// The columns, where a file has given them.
    pub schema: Option<Schema>,
}

impl CreateRequest {
    /// A table in the order of `index_column`, with buckets of this width and nothing else said.
    #[must_use]
    pub fn new(index_column: &str, bucket: &str) -> Self {
        Self {
            index_column: index_column.to_owned(),
            bucket: bucket.to_owned(),
            timezone: None,
            origin: None,
            origin_zoned: None,
            entity_columns: Vec::new(),
            uniqueness: Uniqueness::Bucket.word().to_owned(),
            schema: None,
        }
    }

    /// The definition asked for, checked as far as that goes without a schema.
    ///
    /// # Errors
    /// `InvalidArgument` naming the argument; `SchemaMismatch` when the schema lacks a named column.
    pub fn definition(self) -> Result<Definition> {
        if self.index_column.is_empty() {
            return Err(Error::invalid_argument("time_column is empty; name the column that orders the rows"));
        }
        check_entity_columns(&self.index_column, &self.entity_columns)?;
        let bucket = BucketWidth::parse(&self.bucket)?;
        let zone_data = self.timezone.as_ref().map(|_| crate::time::zone_data_version().to_owned());
        if let Some(zone) = &self.timezone {
            crate::time::check_zone(zone)?;
        }
        let zone_rules = self.timezone.as_deref().map(crate::time::zone_rules).transpose()?;
        let mut definition = Definition {
            table_id: random_id(),
            index_column: self.index_column,
            bucket,
            timezone: self.timezone,
            zone_data,
            zone_rules,
            origin: self.origin,
            origin_zoned: self.origin_zoned,
            entity_columns: self.entity_columns,
            uniqueness: Uniqueness::parse(&self.uniqueness)?,
            schema: None,
            last_field_id: 0,
            extra: Map::new(),
        };
        if let Some(schema) = self.schema {
            definition.adopt_schema(schema)?;
        }
        Ok(definition)
    }
}

fn check_entity_columns(index: &str, entities: &[String]) -> Result<()> {
    for (i, name) in entities.iter().enumerate() {
        let before = entities.iter().take(i).any(|other| crate::schema::same_name(other, name));
        if name.is_empty() || before || crate::schema::same_name(name, index) {
            return Err(Error::invalid_argument(format!(
                "entity_columns names '{name}', which is empty, named twice or the index column"
            )));
        }
    }
    Ok(())
}

/// A random name for segments and tables: 16 hexadecimal digits.
#[must_use]
pub fn random_id() -> String {
    use std::hash::{BuildHasher, Hasher};
    // The standard library's hasher keys come from the operating system's randomness.
    let mut hasher = std::hash::RandomState::new().build_hasher();
    hasher.write_i64(Instant::now().0);
    hasher.write_u32(std::process::id());
    format!("{:016x}", hasher.finish())
}
