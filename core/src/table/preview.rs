//! What an append would find, without appending.

use std::path::PathBuf;

use super::{
    Snapshot,
    append::{Monitor, check_cancelled},
    incoming::{Incoming, Target},
    loaded::Loaded,
};
use crate::{
    coverage::{BucketSet, Entity},
    error::{Error, Result},
};

/// One entity of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityPreview {
    /// The entity.
    pub entity: Entity,
    /// Its rows in the file.
    pub rows: u64,
    /// Its buckets in the file that are not covered, neither by the table nor by a file before this one.
    pub new_buckets: u64,
    /// Its other buckets in the file.
    pub covered_buckets: u64,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePreview {
    /// The file as its pattern found it.
    pub file: String,
    /// Whether the very same file is loaded.
    pub already_loaded: bool,
    /// Its entities in order.
    pub entities: Vec<EntityPreview>,
}

/// Looks at files as an append to `snapshot` would.
///
/// # Errors
/// As an append, overlap excepted.
pub fn preview(snapshot: &Snapshot, files: &[PathBuf], monitor: &dyn Monitor) -> Result<Vec<FilePreview>> {
    if files.is_empty() {
        return Err(Error::invalid_argument("no file was given"));
    }
    let target = Target::of(snapshot.definition(), files)?;
    let mut covered = snapshot.coverage()?.as_ref().clone();
    let loaded = Loaded::of(&snapshot.state);
    let mut previews = Vec::new();
    for path in files {
        check_cancelled(monitor)?;
        let file = Incoming::read(path, &target, monitor)?;
        let already_loaded = match loaded.get(file.outside.stat.bytes)? {
            Some(fingerprints) if file.coverage.is_subset_of(&covered) => fingerprints.contains(&file.fingerprint()?),
            _ => false,
        };
        let nothing = BucketSet::new();
        let entities = file.coverage.iter().map(|(entity, set)| {
            let covered_buckets = set.intersection_len(covered.get(entity).unwrap_or(&nothing));
            EntityPreview {
                entity: entity.clone(),
                rows: file.rows_by_entity.get(entity).copied().unwrap_or(0),
                new_buckets: set.len().saturating_sub(covered_buckets),
                covered_buckets,
            }
        });
        previews.push(FilePreview { file: file.shown(), already_loaded, entities: entities.collect() });
        covered.union_with(&file.coverage);
    }
    Ok(previews)
}
