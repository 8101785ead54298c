//! Where a table lives: a tree of named files with a stated durability. The log and the table reach files through
//! [`Storage`] only, so that the same code runs on a disk, in memory and under injected faults. Nothing here knows what
//! the files mean; only [`local`] touches the file system.

use std::sync::Arc;

pub mod access;
mod contract;
pub mod faulty;
pub mod local;
pub mod memory;
pub mod outside;
#[cfg(feature = "remote")]
pub mod remote;
mod scratch;
pub mod source;

pub use contract::{Creation, Entry, Staged, Stat, Storage, TEMPORARY_PREFIX, check_path};
pub use scratch::Scratch;

/// The storage of the table at `root`: the address of an object store, or a directory. Nothing is looked at yet.
#[must_use]
pub fn open(root: &str) -> Arc<dyn Storage> {
    #[cfg(feature = "remote")]
    if remote::is_address(root) {
        return Arc::new(remote::RemoteStorage::new(root));
    }
    Arc::new(local::LocalStorage::new(root))
}

/// Whether this is the address of an object store, not a path.
#[must_use]
pub fn is_remote(address: &str) -> bool {
    #[cfg(feature = "remote")]
    return remote::is_address(address);
    #[cfg(not(feature = "remote"))]
    {
        _ = address;
        false
    }
}

/// Whether this is the address of a file that may be loaded, in an object store or on the web, and not a path.
#[must_use]
pub fn is_remote_file(address: &str) -> bool {
    #[cfg(feature = "remote")]
    return remote::is_source(address);
    #[cfg(not(feature = "remote"))]
    {
        _ = address;
        false
    }
}
