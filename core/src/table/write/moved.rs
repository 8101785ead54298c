//! What must be so before a file may be moved into a table, and that nothing but what was loaded is removed afterwards.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

use super::{adopt::path_inside, planned::Planned, policy::Mode};
use crate::{
    error::{Error, Result},
    log::{COVERAGE_DIRECTORY, DATA_DIRECTORY, LOG_DIRECTORY},
    storage::{
        is_remote, is_remote_file,
        outside::{directory_around, real_path},
    },
    table::{files, handle::Table},
};

/// Of the tables around sources the files that they name outside of the directories that writers here use, looked at once each; none
/// where the log cannot be followed.
#[derive(Debug, Default)]
pub struct Around(HashMap<PathBuf, Option<HashSet<String>>>);

impl Around {
    /// Refuses a source that is part of a table: moving it would destroy that table, and a table's own segments are in it already.
    ///
    /// # Errors
    /// `InvalidArgument` naming the table.
    pub fn check_source(&mut self, path: &Path, root: &str, mode: Mode) -> Result<()> {
        if is_remote(root) && mode == Mode::Link {
            return Err(Error::invalid_argument(format!(
                "mode := 'link' gives a file a second name in the table's directory, and '{root}' is in an object store; use mode := \
                 'copy', which uploads it"
            )));
        }
        if is_remote(root) && mode == Mode::Adopt {
            return Err(Error::invalid_argument(format!(
                "mode := 'adopt' takes files of a local table's directory, and '{root}' is in an object store; use mode := 'copy'"
            )));
        }
        if let Some(address) = path.to_str().filter(|address| is_remote_file(address)) {
            return check_remote_source(address, root, mode);
        }
        if mode == Mode::Adopt {
            return path_inside(path, root).map(drop).map_err(|e| e.with("file", path.display()));
        }
        let Some((around, inside)) = directory_around(path, LOG_DIRECTORY) else { return Ok(()) };
        let own = real_path(Path::new(root)).is_some_and(|root| root == around);
        if own && inside.starts_with(DATA_DIRECTORY) {
            return Err(Error::invalid_argument("a segment of the table cannot be appended to the table itself")
                .with("file", path.display()));
        }
        if mode == Mode::Move && (is_a_tables(&inside) || self.names(&around, &inside)) {
            return Err(Error::invalid_argument(format!(
                "the file belongs to the table at '{}', from which nothing may be moved; use mode := 'copy' or 'link'",
                around.display()
            ))
            .with("file", path.display()));
        }
        Ok(())
    }

    /// Whether a file below a table's root is one of the table's. The files of another format's table may be anywhere below it.
    fn names(&mut self, root: &Path, inside: &Path) -> bool {
        let named = self.0.entry(root.to_owned()).or_insert_with(|| adopted_by(root));
        named.as_ref().is_none_or(|named| inside.to_str().is_none_or(|inside| named.contains(inside)))
    }
}

/// An object can be copied into a table, and nothing else: it has one name, and stores tell nobody who else is reading it.
fn check_remote_source(address: &str, root: &str, mode: Mode) -> Result<()> {
    let inside = address.strip_prefix(root).and_then(|rest| rest.strip_prefix('/'));
    if inside.is_some_and(|inside| Path::new(inside).starts_with(DATA_DIRECTORY)) {
        return Err(Error::invalid_argument("a segment of the table cannot be appended to the table itself")
            .with("file", address));
    }
    match mode {
        Mode::Link | Mode::Move | Mode::Adopt => Err(Error::invalid_argument(
            "an object in a store or a file on the web is neither linked nor moved into a table, nor adopted; use mode := 'copy', and remove the object when it is no \
             longer needed",
        )
        .with("file", address)),
        _ => Ok(()),
    }
}

/// The files that readable versions of a table name and that lie outside of its own directories; none when the log cannot be followed.
fn adopted_by(root: &Path) -> Option<HashSet<String>> {
    let table = Table::at_directory(root.to_str()?);
    // What another program keeps where is not for us to say.
    let latest = table.log().latest(None).ok().filter(|latest| latest.foreign.is_none())?;
    let mut named = files::named(&table, &latest, latest.oldest).ok()?;
    named.retain(|path| !is_a_tables(Path::new(path)));
    Some(named)
}

/// Whether a path below a table's root leads to where tables have their files.
fn is_a_tables(inside: &Path) -> bool {
    [DATA_DIRECTORY, COVERAGE_DIRECTORY, LOG_DIRECTORY].iter().any(|directory| inside.starts_with(directory))
}

/// Removes the source of a file whose rows are all in the table, durably. Says what it did not do, and why.
pub fn remove(planned: &mut Planned) -> Option<String> {
    planned.staged.as_ref()?;
    let file = planned.arrival.rows()?;
    let loaded = planned.staged.as_ref().map_or(0, |record| record.rows);
    let left_out = file.rows.saturating_sub(loaded);
    if left_out > 0 {
        planned.note = Some(format!("the file was kept: {left_out} of its {} rows were left out", file.rows));
        return None;
    }
    let warning = file.outside.remove().err()?.to_string();
    planned.note = Some(warning.clone());
    Some(warning)
}
