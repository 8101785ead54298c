//! A file on its way in and what shall become of it: what intake decides, staging fulfils and the report tells.

use super::{
    incoming::{Arrival, Incoming},
    policy::Status,
};
use crate::{coverage::Entity, log::commit::SegmentRecord, table::rows::RowSet, time::Run};

/// What a file without rows confirms to be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// These buckets.
    pub run: Run,
    /// Whose; those of all when none.
    pub entity: Option<Entity>,
}

/// A file that was looked at and what shall become of it.
#[derive(Debug)]
pub struct Planned {
    /// What was found.
    pub arrival: Arrival,
    /// What becomes of it.
    pub status: Status,
    /// Whether the very same content is in the table, or comes with an earlier file.
    pub already_loaded: bool,
    /// What there is to say about it.
    pub note: Option<String>,
    /// Its rows that are left out because the table has them.
    pub left_out: RowSet,
    /// Pairs of entity and bucket that were not covered before.
    pub buckets_added: u64,
    /// What it confirms to be empty, as it has no rows.
    pub confirms: Option<Confirmation>,
    /// The segment that was made of it.
    pub staged: Option<SegmentRecord>,
}

impl Planned {
    /// The file, where it has rows and goes into the table.
    #[must_use]
    pub fn added(&self) -> Option<&Incoming> {
        self.arrival.rows().filter(|_| self.status.adds_rows())
    }
}
