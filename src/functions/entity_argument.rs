//! Entities as arguments: a struct of the entity columns' values, a list of such structs, or the plain value (or values) where the
//! table has one entity column.

use tstable_core::{
    Error, Result,
    coverage::{Entity, EntityPart},
    prune::expr::Constant,
    table::Snapshot,
};

use super::literal::show;
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
    let columns = &snapshot.definition().entity_columns;
    let resolved = |entity: &Named| match entity.as_slice() {
        [(name, part)] if name.is_empty() => match columns.as_slice() {
            [only] => snapshot.entity(&[(only.clone(), part.clone())]),
            _ => Err(Error::invalid_argument(format!(
                "a plain value names an entity only where there is one entity column; this table has {}: give a struct with \
                 the value of each",
                if columns.is_empty() { "none".to_owned() } else { columns.join(", ") }
            ))),
        },
        values => snapshot.entity(values),
    };
    entities.iter().map(resolved).collect()
}

fn named(arg: &Arg) -> Result<Named> {
    let unfit = |value: &Arg| {
        Error::invalid_argument(format!(
            "entity := {} is no entity; give a struct of the entity columns, as in entity := {{'symbol': 'NVDA'}}",
            show(value)
        ))
    };
    let part = |value: &Arg| match value {
        Arg::Scalar(Constant::Text(text)) => Some(EntityPart::from(text.as_str())),
        Arg::Scalar(Constant::Int(number)) => Some(EntityPart::Int(*number)),
        _ => None,
    };
    let Arg::Struct(fields) = arg else {
        return Ok(vec![(String::new(), part(arg).ok_or_else(|| unfit(arg))?)]);
    };
    fields.iter().map(|(name, value)| Ok((name.clone(), part(value).ok_or_else(|| unfit(value))?))).collect()
}
