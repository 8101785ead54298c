//! The filters that a host has offered to one bound scan. They narrow what is read: DuckDB may share a bound call between copies of
//! a plan and may offer filters several times or never, and may put one scan in the place of several ([`super::siblings`]). Where one
//! of the table can be told from every other, those that are offered first and can be applied exactly are accepted, and DuckDB
//! does not look at the rows again.

use std::sync::Arc;

use tstable_core::{
    Result,
    prune::expr::Expr,
    table::{
        Snapshot,
        scan::{Appliable, Applied},
    },
};

use super::siblings::Sibling;
use crate::host::Reference;

/// Values are looked for in a segment's rows where it has at least this many entities for each; where it has fewer, DuckDB is faster.
const ENTITIES_PER_VALUE: u64 = 16;

/// See the module.
#[derive(Debug)]
pub(super) struct Filters {
    /// Has those that only advise.
    sibling: Sibling,
    /// What all calls of this mention of the table have accepted; none where mentions cannot be told apart. Columns are field ids.
    reference: Option<Arc<Reference>>,
    appliable: Appliable,
    /// The field id of each bound column that is the table's.
    ids: Vec<Option<usize>>,
    /// The fewest entities that a segment has which has more than one.
    fewest_entities: Option<u64>,
}

impl Filters {
    /// For a call that is being bound; `ids` has the field id of each of its columns that is the table's.
    pub(super) fn new(
        snapshot: &Snapshot,
        sibling: Sibling,
        reference: Option<Arc<Reference>>,
        ids: Vec<Option<usize>>,
    ) -> Result<Self> {
        let entities = match &reference {
            Some(_) => snapshot.state.segments.all()?.iter().map(|segment| segment.record.entities).collect(),
            None => Vec::new(),
        };
        let fewest_entities = entities.into_iter().filter(|entities| *entities > 1).min();
        Ok(Self { sibling, reference, appliable: Appliable::to(snapshot)?, ids, fewest_entities })
    }

    /// Remembers filters and says which of them are applied exactly.
    pub(super) fn record(&self, filters: &[Expr]) -> Vec<bool> {
        let accepted = self.accept(filters);
        for (filter, _) in filters.iter().zip(&accepted).filter(|(_, accepted)| !**accepted) {
            self.sibling.offer(renumber(filter, &self.ids));
        }
        accepted
    }

    /// Which of the filters are accepted.
    fn accept(&self, filters: &[Expr]) -> Vec<bool> {
        let can: Vec<bool> = filters.iter().map(|filter| self.can_accept(filter)).collect();
        let chosen = filters.iter().zip(&can).filter(|(_, can)| **can).map(|(filter, _)| renumber(filter, &self.ids));
        match &self.reference {
            Some(reference) if reference.accept(chosen.collect()) => can,
            _ => vec![false; filters.len()],
        }
    }

    /// Whether a filter can be applied and it pays.
    fn can_accept(&self, filter: &Expr) -> bool {
        match self.appliable.read(filter) {
            Some(Applied::Range(_)) => true,
            Some(Applied::Values(values)) => {
                let most = self.fewest_entities.map_or(u64::MAX, |entities| entities / ENTITIES_PER_VALUE);
                values.len() as u64 <= most
            }
            None => false,
        }
    }

    /// The filters that only advise, with their columns counted as the snapshot's schema counts them. A column that is not there
    /// any more makes its expression opaque.
    pub(super) fn advice(&self, snapshot: &Snapshot) -> Result<Vec<Expr>> {
        let places = places(snapshot)?;
        Ok(renumbered(&self.sibling.advice(), &places))
    }

    /// The filters that were accepted, with their columns counted the same. A column that is not there any more makes its filter
    /// one that cannot be applied, which is an error of the scan.
    pub(super) fn accepted(&self, snapshot: &Snapshot) -> Result<Vec<Expr>> {
        let Some(reference) = &self.reference else { return Ok(Vec::new()) };
        let places = places(snapshot)?;
        Ok(renumbered(&reference.accepted(), &places))
    }
}

/// The position in the schema of each field id.
fn places(snapshot: &Snapshot) -> Result<Vec<Option<usize>>> {
    let columns = &snapshot.schema()?.columns;
    let last = columns.iter().map(|column| column.id as usize).max().unwrap_or(0);
    Ok((0..=last).map(|id| columns.iter().position(|column| column.id as usize == id)).collect())
}

/// Filters with their columns counted otherwise: `positions` says where each stands. One that stands nowhere makes its expression
/// opaque.
pub(super) fn renumbered(filters: &[Expr], positions: &[Option<usize>]) -> Vec<Expr> {
    filters.iter().map(|filter| renumber(filter, positions)).collect()
}

fn renumber(expr: &Expr, positions: &[Option<usize>]) -> Expr {
    match expr {
        Expr::Column(at) => positions.get(*at).copied().flatten().map_or(Expr::Opaque, Expr::Column),
        other => other.with_parts(|part| renumber(part, positions)),
    }
}
