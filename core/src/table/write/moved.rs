//! What must be so before a file may be moved into a table, and that nothing but what was loaded is removed afterwards.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{planned::Planned, policy::Mode};
use crate::{
    error::{Error, Result},
    log::{COVERAGE_DIRECTORY, DATA_DIRECTORY, LOG_DIRECTORY, store::Log},
    storage::{
        is_remote,
        local::LocalStorage,
        outside::{directory_around, real_path},
    },
};

/// Which directories around sources are tables whose files are all in the directories that writers here use, looked at once each.
#[derive(Debug, Default)]
pub struct Around(HashMap<PathBuf, bool>);

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
        if let Some(address) = path.to_str().filter(|address| is_remote(address)) {
            return check_remote_source(address, root, mode);
        }
        let Some((around, inside)) = directory_around(path, LOG_DIRECTORY) else { return Ok(()) };
        let own = real_path(Path::new(root)).is_some_and(|root| root == around);
        if own && inside.starts_with(DATA_DIRECTORY) {
            return Err(Error::invalid_argument("a segment of the table cannot be appended to the table itself")
                .with("file", path.display()));
        }
        if mode == Mode::Move && (is_a_tables(&inside) || !own && !self.is_ours(&around)) {
            return Err(Error::invalid_argument(format!(
                "the file belongs to the table at '{}', from which nothing may be moved; use mode := 'copy' or 'link'",
                around.display()
            ))
            .with("file", path.display()));
        }
        Ok(())
    }

    /// Whether the log there can be followed. The files of another format's table may be anywhere below it.
    fn is_ours(&mut self, root: &Path) -> bool {
        if let Some(known) = self.0.get(root) {
            return *known;
        }
        let ours = root.to_str().is_some_and(|root| Log::new(Arc::new(LocalStorage::new(root))).latest(None).is_ok());
        self.0.insert(root.to_owned(), ours);
        ours
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
        Mode::Link | Mode::Move => Err(Error::invalid_argument(
            "an object in a store is neither linked nor moved into a table; use mode := 'copy', and remove the object when it is no \
             longer needed",
        )
        .with("file", address)),
        _ => Ok(()),
    }
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
