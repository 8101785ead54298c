//! The frame of the functions that ask about coverage: they bind to the table's shape and range, and look at the newest
//! (or the chosen) version each time they run.

use std::sync::Arc;

use tstable_core::{
    Result,
    coverage::{BucketSet, Coverage, Entity},
    table::{Snapshot, query::extents},
    time::{IndexRange, Run},
};

use super::{
    Shared,
    report::{Report, RowStream},
    shape::Shape,
};
use crate::host::{Args, Bound, OutColumn, Session};

/// What a run of such a function has at hand.
pub(crate) struct Asked {
    pub(crate) snapshot: Snapshot,
    pub(crate) shape: Shape,
    pub(crate) range: IndexRange,
    coverage: Arc<Coverage>,
}

impl Asked {
    /// Every entity with its buckets and the extent that the question is about.
    pub(crate) fn extents(&self) -> Vec<(Entity, Arc<BucketSet>, Run)> {
        extents(&self.coverage, &self.shape.grid, &self.range, !self.shape.entities.is_empty())
            .into_iter()
            .map(|(entity, extent)| {
                let set = self.coverage.shared(&entity).unwrap_or_default();
                (entity, set, extent)
            })
            .collect()
    }
}

/// Binds such a function: `columns` from the table's shape, `rows` at each run.
pub(crate) fn ask(
    shared: &Arc<Shared>,
    session: &dyn Session,
    args: &Args,
    columns: impl FnOnce(&Shape) -> Vec<OutColumn>,
    rows: impl Fn(Asked) -> Result<RowStream> + Send + Sync + 'static,
) -> Result<Arc<dyn Bound>> {
    let root = args.root()?;
    let at = args.at()?;
    let shared = Arc::clone(shared);
    let (_, snapshot) = shared.snapshot(&root, &at, session)?;
    let shape = Shape::of(&snapshot)?;
    let range = args.range(&shape.index)?;
    Ok(Report::bound(columns(&shape), move |session| {
        let (_, snapshot) = shared.snapshot(&root, &at, session)?;
        let coverage = snapshot.coverage()?;
        rows(Asked { shape: Shape::of(&snapshot)?, snapshot, range, coverage })
    }))
}
