//! What an append would do, without doing it: the same looks and decisions, and nothing staged.

use super::{
    compare::{Comparison, Counts},
    intake::Intake,
    planned::Planned,
    policy::{AppendRequest, Status},
};
use crate::{
    coverage::{BucketSet, Coverage, Entity},
    error::Result,
    table::{handle::Snapshot, monitor::Monitor},
};

/// One entity of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityPreview {
    /// The entity.
    pub entity: Entity,
    /// Its rows in the file, less those that are left out for a check.
    pub rows: u64,
    /// Its buckets in the file that are not covered, neither by the table nor by a file before this one.
    pub new_buckets: u64,
    /// Its other buckets in the file.
    pub covered_buckets: u64,
    /// How its rows compare with the table's, where that was asked.
    pub compared: Option<Counts>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePreview {
    /// The file as its pattern found it.
    pub file: String,
    /// What would become of it.
    pub status: Status,
    /// Whether the very same content is loaded, or comes with an earlier file.
    pub already_loaded: bool,
    /// Its entities in order; none when it has no rows or cannot be read.
    pub entities: Vec<EntityPreview>,
    /// Why it would be refused.
    pub message: Option<String>,
}

/// Looks at files as an append to `snapshot` would.
///
/// # Errors
/// As an append, overlap excepted: a file that would be refused for it is told as such.
pub fn preview(snapshot: &Snapshot, request: &AppendRequest, monitor: &dyn Monitor) -> Result<Vec<FilePreview>> {
    look(snapshot, request, false, monitor)
}

/// The same, and every row compared with those of the table.
///
/// # Errors
/// As [`preview`] and [`Comparison::new`].
pub fn compared(snapshot: &Snapshot, request: &AppendRequest, monitor: &dyn Monitor) -> Result<Vec<FilePreview>> {
    look(snapshot, request, true, monitor)
}

fn look(
    snapshot: &Snapshot,
    request: &AppendRequest,
    compare: bool,
    monitor: &dyn Monitor,
) -> Result<Vec<FilePreview>> {
    let intake = Intake::new(snapshot.storage(), snapshot.definition(), request, true)?;
    let arrivals = intake.look(&snapshot.state, monitor)?;
    let planned = intake.plan(&snapshot.state, arrivals, monitor)?;
    let mut covered = snapshot.coverage()?.as_ref().clone();
    let mut files = Vec::with_capacity(planned.len());
    for planned in &planned {
        let mut file = preview_of(planned, &mut covered);
        if let (true, Some(rows), Some(target)) = (compare, planned.arrival.rows(), &intake.target) {
            let compared = Comparison::new(snapshot.storage(), &snapshot.state, target, rows, false, monitor)?;
            let counts = compared.counts().map_err(|e| e.with("file", rows.shown()))?;
            for found in &mut file.entities {
                found.compared = Some(counts.get(&found.entity).copied().unwrap_or_default());
            }
        }
        files.push(file);
    }
    Ok(files)
}

fn preview_of(planned: &Planned, covered: &mut Coverage) -> FilePreview {
    let nothing = BucketSet::new();
    let mut entities = Vec::new();
    if let Some(file) = planned.arrival.rows() {
        entities.extend(file.coverage.iter().map(|(entity, set)| {
            let covered_buckets = set.intersection_len(covered.get(entity).unwrap_or(&nothing));
            EntityPreview {
                entity: entity.clone(),
                rows: file.rows_by_entity.get(entity).copied().unwrap_or(0),
                new_buckets: set.len().saturating_sub(covered_buckets),
                covered_buckets,
                compared: None,
            }
        }));
        covered.union_with(&file.coverage);
    }
    FilePreview {
        file: planned.arrival.shown(),
        status: planned.status,
        already_loaded: planned.already_loaded,
        entities,
        message: planned.note.clone(),
    }
}
