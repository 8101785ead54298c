//! Tagging several tables at one moment.

use tstable_core::{
    Error, ErrorKind, Result,
    log::Version,
    table::{Snapshot, Table},
};

use super::{Shared, tag::Tagged};
use crate::host::Session;

/// So often are all tables looked at until none has changed while the others were looked at.
const LOOKS: usize = 32;

/// Gives each table's newest version the name: those versions that were the newest ones of all at one moment. All are named or, as far
/// as the system allows, none.
///
/// # Errors
/// `AlreadyExists` when the name stands for another version in one of them; `Conflict` when they never stood still; as opening and
/// tagging each, naming the table.
pub(super) fn tag_all(
    shared: &Shared,
    session: &dyn Session,
    roots: &[String],
    name: &str,
) -> Result<Vec<(String, Tagged)>> {
    let moment = moment(shared, session, roots)?;
    for (root, _, snapshot) in &moment {
        let other = snapshot.state.tags.get(name).filter(|tagged| **tagged != snapshot.state.version);
        if let Some(other) = other {
            return Err(Error::already_exists(format!(
                "the tag '{name}' names version {other} already, and no table was tagged; untag it first, or choose another name"
            ))
            .with("root", root));
        }
    }
    let mut rows = Vec::new();
    let mut done: Vec<(&str, &Table)> = Vec::new();
    for (root, table, snapshot) in &moment {
        match table.tag(snapshot, name, Some(snapshot.state.version)) {
            Ok((tagged, changed)) => {
                shared.changed(root, table, &changed, session);
                if changed.committed {
                    done.push((root, table));
                }
                let version = changed.snapshot.state.version;
                rows.push((root.clone(), Tagged { name: name.to_owned(), tagged, version }));
            }
            Err(e) => return Err(undone(&done, name, e.with("root", root))),
        }
    }
    Ok(rows)
}

/// Takes back what was done; the error says what could not be.
fn undone(done: &[(&str, &Table)], name: &str, cause: Error) -> Error {
    let undo = |(_, table): &&(&str, &Table)| table.latest(None).and_then(|now| table.untag(&now, name)).is_err();
    let left: Vec<_> = done.iter().filter(undo).map(|(root, _)| *root).collect();
    if left.is_empty() { cause } else { cause.with("tagged all the same", left.join(", ")) }
}

/// All tables with their newest versions at one moment: nobody changed any of them from the end of one look at all to the beginning
/// of the next.
fn moment(shared: &Shared, session: &dyn Session, roots: &[String]) -> Result<Vec<(String, Table, Snapshot)>> {
    let look = || -> Result<Vec<(String, Table, Snapshot)>> {
        let one = |root: &String| {
            let (table, snapshot) = shared.cache.latest(root).map_err(|e| e.with("root", root))?;
            Ok((root.clone(), table, snapshot))
        };
        roots.iter().map(one).collect()
    };
    let versions =
        |all: &[(String, Table, Snapshot)]| all.iter().map(|(.., s)| s.state.version).collect::<Vec<Version>>();
    let mut before = look()?;
    for _ in 0..LOOKS {
        if session.interrupted() {
            return Err(Error::new(ErrorKind::Cancelled, "the query was interrupted"));
        }
        let now = look()?;
        if versions(&now) == versions(&before) {
            return Ok(now);
        }
        before = now;
    }
    Err(Error::conflict(
        "the tables are changed so often that there is no moment at which all of them stand still; nothing was tagged: try again",
    ))
}
