//! Entities as arguments: a struct of the entity columns' values, a list of such structs, or the plain value (or values) where the
//! table has one entity column.

use tstable_core::{
    Error, Result,
    coverage::{Entity, EntityPart},
    table::{Snapshot, choice::Choice},
};

use super::literal::{max_units, show};
use crate::host::{Arg, Args};

/// Named values of an entity, before they are checked against a table. A plain value has no name: it is that of the one column.
pub(crate) type Named = Vec<(String, EntityPart)>;

impl Args {
    /// The entities of the argument `entity`; none when it was not given.
    pub(crate) fn entities(&self) -> Result<Vec<Named>> {
        match self.named("entity") {
            None => Ok(Vec::new()),
            Some(Arg::List(items)) if !items.is_empty() => items.iter().map(named).collect(),
            Some(arg) => Ok(vec![named(arg)?]),
        }
    }
}

/// The entities of a table that have these values.
///
/// # Errors
/// `InvalidArgument` when they do not name each entity column of the table once, or a plain value is given where there is not
/// one such column.
pub(crate) fn resolve(snapshot: &Snapshot, entities: &[Named]) -> Result<Vec<Entity>> {
    with_names(snapshot, entities)?.iter().map(|entity| snapshot.entity(entity)).collect()
}

/// The same values by the names of the table's columns: a plain value is that of its one entity column.
///
/// # Errors
/// `InvalidArgument` for a plain value where there is not one such column.
pub(crate) fn with_names(snapshot: &Snapshot, entities: &[Named]) -> Result<Vec<Named>> {
    let name = |entity: &Named| match entity.as_slice() {
        [(name, part)] if name.is_empty() => Ok(vec![(only_column(snapshot)?, part.clone())]),
        _ => Ok(entity.clone()),
    };
    entities.iter().map(name).collect()
}

fn only_column(snapshot: &Snapshot) -> Result<String> {
    let columns = &snapshot.definition().entity_columns;
    let [only] = columns.as_slice() else {
        return Err(Error::invalid_argument(format!(
            "a plain value names an entity only where there is one entity column; this table has {}: give a struct with \
             the value of each",
            if columns.is_empty() { "none".to_owned() } else { columns.join(", ") }
        )));
    };
    Ok(only.clone())
}

/// Which entities a call is about, and what counts as covered, as they are given: checked against the table whenever it runs.
#[derive(Debug, Clone)]
pub(crate) struct Chosen {
    entities: Vec<Named>,
    hold: Option<i128>,
    min_rows: Option<u64>,
}

impl Chosen {
    /// What the arguments `entity`, `hold` and `min_rows` say, if the table has such entity columns.
    pub(crate) fn of(args: &Args, snapshot: &Snapshot) -> Result<Self> {
        let entities = args.entities()?;
        resolve(snapshot, &entities)?;
        let hold = args.named("hold").map(|arg| max_units("hold", arg, snapshot.index_type()?)).transpose()?;
        Ok(Self { entities, hold, min_rows: args.count("min_rows")? })
    }

    pub(crate) fn choice(&self, snapshot: &Snapshot) -> Result<Choice> {
        Ok(Choice { entities: resolve(snapshot, &self.entities)?, hold: self.hold, min_rows: self.min_rows })
    }
}

pub(super) fn named(arg: &Arg) -> Result<Named> {
    let unfit = |value: &Arg| {
        Error::invalid_argument(format!(
            "entity := {} is not an entity; give a struct of the entity columns, as in entity := {{'symbol': 'NVDA'}}",
            show(value)
        ))
    };
    let part = |value: &Arg| if let Arg::Scalar(constant) = value { constant.entity_part() } else { None };
    let Arg::Struct(fields) = arg else {
        return Ok(vec![(String::new(), part(arg).ok_or_else(|| unfit(arg))?)]);
    };
    fields.iter().map(|(name, value)| Ok((name.clone(), part(value).ok_or_else(|| unfit(value))?))).collect()
}
