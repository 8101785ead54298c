//! Versions that a vacuum ends while somebody works on them. Its commit says so before the first file goes, so whoever misses
//! a file can look whether the version was still promised: if not, the loss is that of a race and no damage.

use crate::{
    error::{Error, ErrorKind, Result},
    table::{Snapshot, Table},
};

impl Table {
    /// Does `work` on a snapshot, and again on the newest whenever a vacuum has ended the version that it was done on: files
    /// that it needed are gone then, and their rows are in others. Each turn needs one more vacuum, so this ends.
    ///
    /// # Errors
    /// As `work`.
    pub(crate) fn work_on<T>(&self, latest: &Snapshot, mut work: impl FnMut(&Snapshot) -> Result<T>) -> Result<T> {
        let mut snapshot = latest.clone();
        loop {
            match work(&snapshot) {
                Err(e) => snapshot = self.after_vacuum(&snapshot, &e).ok_or(e)?,
                done => return done,
            }
        }
    }

    /// The newest snapshot, where `e` may be the work of a vacuum that has ended the version of `snapshot`.
    fn after_vacuum(&self, snapshot: &Snapshot, e: &Error) -> Option<Snapshot> {
        if !matches!(e.kind(), ErrorKind::NotFound | ErrorKind::Corrupt) {
            return None;
        }
        let newest = self.latest(Some(&snapshot.state)).ok()?;
        let same = newest.definition().table_id == snapshot.definition().table_id;
        (same && !newest.state.keeps(snapshot.state.version)).then_some(newest)
    }
}

impl Snapshot {
    /// What a reader of this snapshot is told instead of `e`, where a vacuum has taken what it missed. A reader cannot go on with
    /// another version: other parts of its statement may have read this one.
    pub(crate) fn unless_vacuumed(&self, e: Error) -> Error {
        let table = Table::new(self.storage().clone());
        match table.after_vacuum(self, &e) {
            Some(newest) => Error::not_found(format!(
                "version {} was vacuumed while it was read, and the oldest version that can be read is {}; run the statement \
                 again, and give tstable_vacuum a longer keep than statements take",
                self.state.version, newest.state.oldest
            ))
            .with("root", self.storage().root())
            .caused_by(e),
            None => e,
        }
    }
}
