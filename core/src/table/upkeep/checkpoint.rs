//! Writing a checkpoint out of turn.

use crate::{
    error::Result,
    log::{Version, checkpoint::checkpoint_path},
    storage::Creation,
    table::handle::Table,
};

/// The report on a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpointed {
    /// The version whose state it holds.
    pub version: Version,
    /// Its file.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// False when there was one already.
    pub created: bool,
}

impl Table {
    /// Writes the checkpoint of the newest version, unless there is one.
    ///
    /// # Errors
    /// As [`Table::latest`] and the storage.
    pub fn checkpoint(&self) -> Result<Checkpointed> {
        let state = self.log().latest(None)?;
        state.check_writable(self.log().storage().as_ref())?;
        let created = self.log().write_checkpoint(&state)? == Creation::Created;
        // It is a hint: without it readers take a moment longer.
        _ = self.log().write_hint_at(state.version, state.version);
        let path = checkpoint_path(state.version);
        let bytes = self.log().storage().stat(&path)?.map_or(0, |stat| stat.bytes);
        Ok(Checkpointed { version: state.version, path, bytes, created })
    }
}
