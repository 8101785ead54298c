//! Names and notes on a table: tags, which name versions, and properties. Neither touches a row.

use crate::table::names::RESERVED_PREFIX;
use crate::table::names::check_name;
use crate::{
    delta::DELTA_PROPERTY,
    error::{Error, Result},
    log::{Version, commit::Action},
    table::{
        commit::{Changed, amend},
        handle::{Snapshot, Table},
    },
};

/// No value of a property is longer, in bytes.
const MAX_VALUE_BYTES: usize = 1 << 20;

impl Table {
    /// Names a version; the newest when none is given. Naming it so again changes nothing.
    ///
    /// # Errors
    /// `NotFound` when there is no such version, `AlreadyExists` when the name stands for another one, `InvalidArgument` for a name
    /// that is empty or too long.
    pub fn tag(&self, latest: &Snapshot, name: &str, version: Option<Version>) -> Result<(Version, Changed)> {
        check_name("the tag's name", name)?;
        match version {
            Some(version) => self.tag_version(latest, name, version),
            // Whichever is the newest by then: a vacuum may end the one that was.
            None => self.work_on(latest, |latest| self.tag_version(latest, name, latest.state.version)),
        }
    }

    fn tag_version(&self, latest: &Snapshot, name: &str, version: Version) -> Result<(Version, Changed)> {
        self.log().at(version, &latest.state)?;
        let changed = amend(self, &latest.state, "tag", None, |state| match state.tags.get(name) {
            Some(tagged) if *tagged == version => Ok(Vec::new()),
            Some(other) => Err(Error::already_exists(format!(
                "the tag '{name}' names version {other} already; untag it first to name version {version} so"
            ))),
            // A vacuum that came between removes files of an old version that no tag names yet.
            None => {
                state.check_kept(version)?;
                Ok(vec![Action::SetTag { name: name.to_owned(), version }])
            }
        })?;
        Ok((version, changed))
    }

    /// Forgets a name and says what it named.
    ///
    /// # Errors
    /// `NotFound` when there is no such tag.
    pub fn untag(&self, latest: &Snapshot, name: &str) -> Result<(Version, Changed)> {
        let mut named = Version::default();
        let changed = amend(self, &latest.state, "untag", None, |state| {
            named = *state.tags.get(name).ok_or_else(|| crate::table::handle::unknown_tag(name, state))?;
            Ok(vec![Action::RemoveTag { name: name.to_owned() }])
        })?;
        Ok((named, changed))
    }

    /// Sets a property, or removes it. Setting it to what it is changes nothing.
    ///
    /// # Errors
    /// `InvalidArgument` for a key that is empty, too long or the table's own, and for a value that is too long.
    pub fn set(&self, latest: &Snapshot, key: &str, value: Option<&str>) -> Result<Changed> {
        self.set_all(latest, &[(key.to_owned(), value.map(str::to_owned))])
    }

    /// Sets or removes several properties in one commit, all of them or none.
    ///
    /// # Errors
    /// As [`Table::set`].
    pub fn set_all(&self, latest: &Snapshot, properties: &[(String, Option<String>)]) -> Result<Changed> {
        properties.iter().try_for_each(|(key, value)| check_property(key, value.as_deref()))?;
        amend(self, &latest.state, "set", None, |state| {
            let differs = |(key, value): &&(String, Option<String>)| state.properties.get(key) != value.as_ref();
            let action = |(key, value): &(String, Option<String>)| Action::SetProperty {
                key: key.clone(),
                value: value.clone(),
            };
            Ok::<_, Error>(properties.iter().filter(differs).map(action).collect::<Vec<_>>())
        })
    }
}

/// Refuses what cannot be a property that a user sets.
///
/// # Errors
/// `InvalidArgument` for a key that is empty, too long or the table's own, and for a value that is too long.
pub(crate) fn check_property(key: &str, value: Option<&str>) -> Result<()> {
    check_name("the property's key", key)?;
    if key == DELTA_PROPERTY && value.is_none_or(|value| matches!(value, "true" | "false")) {
        // The one key of the table's own that is the user's to set.
    } else if key.starts_with(RESERVED_PREFIX) {
        return Err(Error::invalid_argument(format!(
            "keys of properties that begin with '{RESERVED_PREFIX}' are tstable's own; choose another than '{key}'"
        )));
    }
    if value.is_some_and(|value| value.len() > MAX_VALUE_BYTES) {
        return Err(Error::invalid_argument(format!("the value of '{key}' is longer than {MAX_VALUE_BYTES} bytes")));
    }
    Ok(())
}
