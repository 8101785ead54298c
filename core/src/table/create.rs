//! Creating a table.

use std::sync::Arc;

use serde_json::Map;

use super::{
    commit,
    handle::{Snapshot, Table},
    names::random_id,
};
use crate::{
    error::{Error, ErrorKind, Result},
    log::{
        commit::Action,
        definition::{Definition, Uniqueness},
        state::TableState,
    },
    schema::Schema,
    time::BucketWidth,
};

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
    /// Whether to tell the rows of each bucket beside the coverage of each segment.
    pub counts: bool,
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
            counts: false,
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
            counts: self.counts,
            schema: None,
            last_field_id: 0,
            former_columns: Vec::new(),
            extra: Map::new(),
        };
        if let Some(schema) = self.schema {
            definition.adopt_schema(schema)?;
        }
        Ok(definition)
    }
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
    /// Creates the table with `definition`.
    ///
    /// # Errors
    /// `AlreadyExists` when there is a table, unless `if_not_exists` and the definitions are equal; then the error names each
    /// field that differs.
    pub fn create(&self, definition: Definition, if_not_exists: bool) -> Result<Created> {
        match self.log().latest(None) {
            Ok(state) => return self.created_before(state, &definition, if_not_exists),
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
        match commit::begin(self, "create", None, vec![Action::DefineTable(Box::new(definition.clone()))])? {
            Some((state, _)) => Ok(Created { snapshot: self.snapshot_of(state), created: true }),
            None => self.created_before(self.log().latest(None)?, &definition, if_not_exists),
        }
    }

    fn created_before(&self, state: Arc<TableState>, wanted: &Definition, if_not_exists: bool) -> Result<Created> {
        let root = self.log().storage().root();
        state.check_writable(self.log().storage().as_ref())?;
        if !if_not_exists {
            return Err(Error::already_exists(format!(
                "there is a table at '{root}' already; use if_not_exists := true to accept it when it is the same"
            )));
        }
        state.definition.refuse_differences(root, wanted)?;
        Ok(Created { snapshot: self.snapshot_of(state), created: false })
    }
}

/// More columns than this make no entity; each is compared with all others.
const MAX_ENTITY_COLUMNS: usize = 1000;

fn check_entity_columns(index: &str, entities: &[String]) -> Result<()> {
    if entities.len() > MAX_ENTITY_COLUMNS {
        let message = format!("entity_columns has {} names; {MAX_ENTITY_COLUMNS} are the most", entities.len());
        return Err(Error::limit_exceeded(message));
    }
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
