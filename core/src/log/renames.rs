//! Entities that are called otherwise than in the files that brought them. Kept as a property, in JSON, so that such a file is still
//! known as loaded when it comes again; decides nothing about rows that are there.

use std::collections::BTreeMap;

use super::commit::Action;
use crate::{
    coverage::Entity,
    error::{Error, Result},
};

/// The property that holds it: pairs of the old name and the present one.
pub const RENAMES_PROPERTY: &str = "tstable.renamed_entities";

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renames {
    now: BTreeMap<Entity, Entity>,
}

impl Renames {
    /// What the properties of a table say.
    ///
    /// # Errors
    /// `Corrupt` when it cannot be read.
    pub fn of(properties: &BTreeMap<String, String>) -> Result<Self> {
        let Some(text) = properties.get(RENAMES_PROPERTY) else { return Ok(Self::default()) };
        let pairs: Vec<(Entity, Entity)> = serde_json::from_str(text).map_err(|e| {
            Error::corrupt(format!("the table's property '{RENAMES_PROPERTY}' cannot be read")).caused_by(e)
        })?;
        Ok(Self { now: pairs.into_iter().collect() })
    }

    /// What an entity that files call so is called now; none when that is its name.
    #[must_use]
    pub fn now_called(&self, entity: &Entity) -> Option<&Entity> {
        self.now.get(entity)
    }

    /// Renames `from`, and what had been renamed to it.
    pub fn add(&mut self, from: &Entity, to: &Entity) {
        self.now.values_mut().filter(|now| *now == from).for_each(|now| *now = to.clone());
        self.now.insert(from.clone(), to.clone());
        self.now.retain(|old, now| old != now);
    }

    /// What records it in a table.
    ///
    /// # Errors
    /// `InvalidArgument` when it cannot be written down.
    pub fn action(&self) -> Result<Action> {
        let pairs: Vec<_> = self.now.iter().collect();
        let text = serde_json::to_string(&pairs)
            .map_err(|e| Error::invalid_argument("the new name cannot be written down").caused_by(e))?;
        let value = (!pairs.is_empty()).then_some(text);
        Ok(Action::SetProperty { key: RENAMES_PROPERTY.to_owned(), value })
    }
}

#[cfg(test)]
#[path = "renames_tests.rs"]
mod tests;
