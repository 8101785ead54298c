//! What an append would do, without doing it: the same looks and decisions, and nothing staged.

use super::{
    compare::{Comparison, Counts},
    intake::Intake,
    planned::Planned,
    policy::{AppendRequest, OnError, Status},
};
use crate::{
    coverage::{BucketSet, Coverage, Entity},
    error::Result,
    table::{
        handle::Snapshot,
        monitor::{Monitor, check_cancelled},
        target::Target,
    },
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

/// What would become of files, and what the table would then cover.
#[derive(Debug)]
pub struct Preview {
    /// Each file, in order.
    pub files: Vec<FilePreview>,
    /// What would be covered once they are in.
    pub coverage: Coverage,
    /// What they are checked against; none when no file gives columns to a table that has none.
    pub target: Option<Target>,
}

/// Looks at files as an append to `snapshot` would.
///
/// # Errors
/// As an append, overlap excepted: a file that would be refused for it is told as such.
pub fn preview(snapshot: &Snapshot, request: &AppendRequest, monitor: &dyn Monitor) -> Result<Preview> {
    look(snapshot, request, false, monitor)
}

/// The same, and every row compared with those of the table.
///
/// # Errors
/// As [`preview`] and [`Comparison::new`].
pub fn compared(snapshot: &Snapshot, request: &AppendRequest, monitor: &dyn Monitor) -> Result<Preview> {
    look(snapshot, request, true, monitor)
}

fn look(snapshot: &Snapshot, request: &AppendRequest, compare: bool, monitor: &dyn Monitor) -> Result<Preview> {
    let intake = Intake::new(snapshot.storage(), snapshot.definition(), request, true)?;
    let arrivals = intake.look(&snapshot.state, monitor)?;
    let planned = intake.plan(&snapshot.state, arrivals, monitor)?;
    let mut covered = snapshot.coverage()?.as_ref().clone();
    let mut coverage = covered.clone();
    let mut files = Vec::with_capacity(planned.len());
    let parts = planned.len().max(1);
    for (done, planned) in planned.iter().enumerate() {
        check_cancelled(monitor)?;
        if let Some(rows) = planned.added() {
            coverage.union_with(&rows.coverage);
        }
        let mut file = preview_of(planned, &covered);
        // What is refused leaves its buckets to the files after it, where these go in without it.
        let comes = planned.status.adds_rows() || request.on_error == OnError::Fail;
        if let Some(rows) = planned.arrival.rows().filter(|_| comes) {
            covered.union_with(&rows.coverage);
        }
        if let (true, Some(rows), Some(target)) = (compare, planned.arrival.rows(), &intake.target) {
            let compared = Comparison::new(snapshot.storage(), &snapshot.state, target, rows, false, monitor)?;
            let counts = compared.counts().map_err(|e| e.with("file", rows.shown()))?;
            for found in &mut file.entities {
                found.compared = Some(counts.get(&found.entity).copied().unwrap_or_default());
            }
        }
        files.push(file);
        #[expect(clippy::cast_precision_loss, reason = "progress is approximate")]
        monitor.progress(0.5 + (done + 1) as f64 / parts as f64 * 0.5);
    }
    Ok(Preview { files, coverage, target: intake.target })
}

fn preview_of(planned: &Planned, covered: &Coverage) -> FilePreview {
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
    }
    FilePreview {
        file: planned.arrival.shown(),
        status: planned.status,
        already_loaded: planned.already_loaded,
        entities,
        message: planned.note.clone(),
    }
}
