//! What a table was made of: for each source the version up to which it is in the table. Kept as properties, which a program
//! that knows nothing of this keeps too; the source is known by its table's id, wherever it lies.

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    log::{Version, commit::Action, state::TableState},
};

/// Properties that begin so name a source by its table's id.
const DERIVED_PREFIX: &str = "derived_from.";

/// A source and how much of it is in a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derivation {
    /// The source's id.
    pub table_id: String,
    /// Where it lay, for people.
    pub root: String,
    /// The version whose rows the table was made of.
    pub version: Version,
}

#[derive(Serialize, Deserialize)]
struct Recorded {
    root: String,
    version: Version,
}

impl Derivation {
    /// What records it in a table; none when that is recorded already.
    pub(crate) fn action(&self, state: &TableState) -> Result<Option<Action>> {
        let key = format!("{DERIVED_PREFIX}{}", self.table_id);
        let recorded = Recorded { root: self.root.clone(), version: self.version };
        let value = serde_json::to_string(&recorded)
            .map_err(|e| Error::invalid_argument("derived_from cannot be written down").caused_by(e))?;
        let known = state.properties.get(&key) == Some(&value);
        Ok((!known).then_some(Action::SetProperty { key, value: Some(value) }))
    }
}

/// The version of the table with this id that `derived` records; 0, the version before there was anything, when it records none.
///
/// # Errors
/// `InvalidArgument` when somebody has set that property to something else.
pub fn derived_version(derived: &TableState, table_id: &str) -> Result<Version> {
    let key = format!("{DERIVED_PREFIX}{table_id}");
    let Some(value) = derived.properties.get(&key) else { return Ok(Version(0)) };
    let recorded: Recorded = serde_json::from_str(value).map_err(|e| {
        Error::invalid_argument(format!(
            "the property '{key}' of the table is '{value}', which is not what derived_from records; remove it with \
             tstable_set(root, '{key}', NULL) to have everything made again"
        ))
        .caused_by(e)
    })?;
    Ok(recorded.version)
}

/// What makes the sources recorded in `now` those recorded in `old`.
pub(crate) fn as_of_old(now: &TableState, old: &TableState) -> Vec<Action> {
    let keys = now.properties.keys().chain(old.properties.keys()).filter(|key| key.starts_with(DERIVED_PREFIX));
    let differs = keys.filter(|key| now.properties.get(*key) != old.properties.get(*key));
    let unique: std::collections::BTreeSet<_> = differs.collect();
    unique
        .into_iter()
        .map(|key| Action::SetProperty { key: key.clone(), value: old.properties.get(key).cloned() })
        .collect()
}
