//! Entities as arguments: a struct of the entity columns' values, or a list of such structs.

use tstable_core::{
    Error, Result,
    coverage::{Entity, EntityPart},
    prune::expr::Constant,
    table::Snapshot,
};

use super::literal::show;
use crate::host::{Arg, Args};

/// Named values of an entity, before they are checked against a table.
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
pub(crate) fn resolve(snapshot: &Snapshot, entities: &[Named]) -> Result<Vec<Entity>> {
    entities.iter().map(|entity| snapshot.entity(entity)).collect()
}

fn named(arg: &Arg) -> Result<Named> {
    let unfit = |value: &Arg| {
        Error::invalid_argument(format!(
            "entity := {} is no entity; give a struct of the entity columns, as in entity := {{'symbol': 'NVDA'}}",
            show(value)
        ))
    };
    let Arg::Struct(fields) = arg else { return Err(unfit(arg)) };
    fields
        .iter()
        .map(|(name, value)| {
            let part = match value {
                Arg::Scalar(Constant::Text(text)) => EntityPart::from(text.as_str()),
                Arg::Scalar(Constant::Int(number)) => EntityPart::Int(*number),
                other => return Err(unfit(other)),
            };
            Ok((name.clone(), part))
        })
        .collect()
}
