//! A place for files that serve one call alone.

use std::sync::Arc;

use super::{Storage, local::LocalStorage};

/// A directory of this machine, removed when dropped.
#[derive(Debug)]
pub struct Scratch {
    storage: Arc<dyn Storage>,
}

impl Scratch {
    /// A new one where this machine keeps its temporary files, for a table that another machine keeps; none when the table's own
    /// place will do. It is made when something is put into it.
    #[must_use]
    pub fn beside(table: &dyn Storage) -> Option<Self> {
        table.is_remote().then(Self::on_this_machine)
    }

    fn on_this_machine() -> Self {
        let directory = super::local::temporary_beside(&std::env::temp_dir().join("tstable"));
        Self { storage: Arc::new(LocalStorage::new(&directory.to_string_lossy())) }
    }

    /// The place.
    #[must_use]
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        super::local::roots::discard_tree(self.storage.root().as_ref());
    }
}
