//! Giving up the versions after one, when commits have vanished or are damaged and there is no copy to restore them from. Only ever
//! to the last version that the log still leads to, and only when that version is named: nobody loses rows by a default. Nothing is
//! deleted: what is given up is put aside, and the log says so.

use std::sync::Arc;

use super::repair::{Repaired, overwrite, quarantine};
use crate::{
    delta,
    error::{Error, Result},
    log::{
        Version,
        checkpoint::checkpoint_path,
        hint::{HINT_PATH, Hint},
        state::TableState,
        steps::Step,
    },
    table::{commit, handle::Table},
};

impl Table {
    /// Makes `to` the newest version again, followed by one that says so; with `dry_run` only says what would be done.
    ///
    /// # Errors
    /// `NotFound` when there is no table; `InvalidArgument` when nothing is missing or another version is the last that can be followed to.
    pub fn go_back(&self, to: Version, dry_run: bool) -> Result<Vec<Repaired>> {
        self.log().check_ours()?;
        let state = self.check_way_back(to)?;
        let steps = self.log().steps()?;
        let commits = steps.steps.iter().filter_map(|step| match step {
            Step::Commit(version) if *version > to => Some(("commit", version.commit_path())),
            Step::Commit(_) | Step::Missing { .. } => None,
        });
        let checkpoints = steps.checkpoints.iter().filter(|version| **version > to);
        let later: Vec<_> = commits.chain(checkpoints.map(|v| ("checkpoint", checkpoint_path(*v)))).collect();
        let deltas = delta::later_files(self.log(), to)?.into_iter().map(|path| ("delta", path));
        let later: Vec<_> = later.into_iter().chain(deltas).collect();
        let last = steps.steps.iter().map(|step| step.last()).max().unwrap_or(to);
        let mut rows = Vec::new();
        let mut done = |what, path: &str, action: String| {
            rows.push(Repaired { what, path: path.to_owned(), action, done: !dry_run });
        };
        // From the last to the first: an interruption leaves a log that is as broken as before.
        for (what, path) in later.iter().rev() {
            if !dry_run {
                quarantine(self.log().storage().as_ref(), path)?;
            }
            done(what, path, format!("moved to _quarantine: it is of a version after {to}"));
        }
        let given_up = match to.next() {
            first if first < last => format!("the versions {first} to {last} are given up"),
            first => format!("version {first} is given up"),
        };
        let message = format!("went back to version {to}: {given_up}");
        if !dry_run {
            let checkpoint = steps.checkpoints.iter().copied().filter(|v| *v <= to).max().unwrap_or_default();
            overwrite(self.log().storage().as_ref(), HINT_PATH, &Hint { version: to, checkpoint }.encode())?;
            let commit = commit::commit(&state, "repair", Some(message.clone()), Vec::new());
            if let commit::Published::Lost = commit::publish(self, &state, &commit)? {
                return Err(Error::conflict("another writer made a version meanwhile; look at the table again"));
            }
        }
        done("commit", &to.next().commit_path(), message);
        Ok(rows)
    }

    fn check_way_back(&self, to: Version) -> Result<Arc<TableState>> {
        let broken = match self.log().latest(None) {
            Ok(newest) => {
                return Err(Error::invalid_argument(format!(
                    "nothing is missing from the log, whose newest version is {}; tstable_restore makes an older version the newest",
                    newest.version
                )));
            }
            Err(e) => e,
        };
        match self.log().newest_intact() {
            Some(state) if state.version == to => Ok(Arc::new(state)),
            Some(state) => Err(Error::invalid_argument(format!(
                "back_to is {to}, and the version that the table can go back to is {}",
                state.version
            ))),
            None => Err(broken),
        }
    }
}
