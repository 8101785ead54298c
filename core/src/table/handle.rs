//! The handle of a table, and its snapshots, of which every question is asked.

use std::sync::Arc;

use crate::{
    coverage::Coverage,
    error::{Error, ErrorKind, Result},
    log::{
        COVERAGE_DIRECTORY, DATA_DIRECTORY, LOG_DIRECTORY, Version, commit::Instant, definition::Definition,
        foreign::ReadForeign, state::TableState, store::Log,
    },
    schema::{Column, ColumnType, Schema},
    storage::Storage,
    time::Grid,
};

/// What a table cannot be made without.
pub(crate) const OWN_DIRECTORIES: [&str; 3] = [LOG_DIRECTORY, COVERAGE_DIRECTORY, DATA_DIRECTORY];

/// A table on a storage.
#[derive(Debug, Clone)]
pub struct Table {
    log: Log,
    /// What a change expects to find; see [`Table::expecting`].
    pub(crate) expected: Option<Version>,
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

/// The directories of a table that is being made: they go again, as far as they are new and empty, when none has come of it.
#[derive(Debug)]
#[must_use]
pub(crate) struct Nest(Table);

impl Drop for Nest {
    fn drop(&mut self) {
        if matches!(self.0.log.latest(None), Err(e) if e.kind() == ErrorKind::NotFound) {
            self.0.log.storage().withdraw(&OWN_DIRECTORIES);
        }
    }
}

impl Table {
    /// The table on `storage`, whether or not there is one yet, where `foreign` reads the tables of another program.
    #[must_use]
    pub fn reading(storage: Arc<dyn Storage>, foreign: Arc<dyn ReadForeign>) -> Self {
        Self { log: Log::reading(storage, foreign), expected: None }
    }

    /// Whether there is a table, by one look; what cannot be looked at is none.
    #[must_use]
    pub fn is_there(&self) -> bool {
        matches!(self.log.storage().stat(crate::log::hint::HINT_PATH), Ok(Some(_)))
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

    /// A snapshot of a table that is still to be made: no version, no rows.
    #[must_use]
    pub fn unborn(&self, definition: Definition) -> Snapshot {
        self.snapshot_of(Arc::new(TableState::unborn(definition)))
    }

    /// Makes directories of a table that is still to be made, and watches over them.
    pub(crate) fn nest(&self, directories: &[&str]) -> Result<Nest> {
        let nest = Nest(self.clone());
        self.log.storage().prepare(directories)?;
        Ok(nest)
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
            let what = match &self.state.foreign {
                Some(program) => &format!("a table of {program} to which nothing was appended: it has no columns yet"),
                None => "the table has no columns yet; append a file, or create the table with schema_from := 'file.parquet'",
            };
            Error::invalid_argument(what).with("root", self.storage.root())
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

pub(crate) fn unknown_tag(name: &str, state: &TableState) -> Error {
    let known: Vec<_> = state.tags.keys().map(String::as_str).collect();
    let known =
        if known.is_empty() { "it has no tags".to_owned() } else { format!("its tags are {}", known.join(", ")) };
    Error::not_found(format!("the table has no tag '{name}'; {known}"))
}
