//! Opening a table by what is given: a storage, or where it is.

use std::sync::Arc;

use super::{foreign::ForeignTables, handle::Table};
use crate::storage::Storage;

impl Table {
    /// The table on `storage`, whether or not there is one yet.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>) -> Self {
        Self::reading(storage, Arc::new(ForeignTables::default()))
    }

    /// The table in a directory or at the address of an object store, whether or not there is one yet.
    #[must_use]
    pub fn at_directory(root: &str) -> Self {
        Self::new(crate::storage::open(root))
    }
}
