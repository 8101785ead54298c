//! Deleting buckets: of a range, of some entities or all. Coverage forgets them, so that other rows may come in their place;
//! old versions keep them.

use super::carve::{Away, Carving, Loss};
use crate::{
    coverage::{Coverage, Entity, EntityPart},
    error::{Error, ErrorKind, Result},
    schema::{ColumnType, same_name},
    segment::values::fitted_to,
    table::{
        commit::{Amendment, Changed, Plan},
        handle::{Snapshot, Table},
        monitor::{Monitor, check_cancelled},
    },
    time::{Grid, IndexRange, IndexValue, Run, format_value},
};

/// What to delete.
#[derive(Debug, Clone, Default)]
pub struct DeleteRequest {
    /// The range; both ends on the bounds of buckets, or open.
    pub range: IndexRange,
    /// Only entities that have all of the values of one of these, in the entity columns that it names; all entities when empty.
    pub entities: Vec<Vec<(String, EntityPart)>>,
}

/// What a deletion did.
#[derive(Debug, Clone)]
pub struct Deleted {
    /// The table after it.
    pub changed: Changed,
    /// Pairs of entity and bucket that are no longer covered.
    pub buckets: u64,
    /// Rows and segments that went.
    pub loss: Loss,
}

impl Table {
    /// Deletes the rows of the range in one commit; nothing to delete makes none. Rows of the range that others append meanwhile
    /// are deleted as well.
    ///
    /// # Errors
    /// `InvalidArgument` when an end of the range is inside a bucket, naming the bounds around it, or when `entity` names what
    /// is not an entity column. Nothing is changed then.
    pub fn delete(&self, latest: &Snapshot, request: &DeleteRequest, monitor: &dyn Monitor) -> Result<Deleted> {
        self.work_on(latest, |latest| self.delete_from(latest, request, monitor))
    }

    fn delete_from(&self, latest: &Snapshot, request: &DeleteRequest, monitor: &dyn Monitor) -> Result<Deleted> {
        let run = aligned(&latest.grid()?, latest.index_type()?, &request.range)?;
        let filters =
            request.entities.iter().map(|entity| entity_filter(latest, entity)).collect::<Result<Vec<_>>>()?;
        let mut carving = Carving::new(self.log().storage().clone());
        let (mut buckets, mut loss) = (0, Loss::default());
        let changed = Amendment::new(self, &latest.state, "delete").run(|state, condemned| {
            check_cancelled(monitor)?;
            carving.forget(condemned);
            let coverage = state.coverage(self.log().storage().as_ref())?;
            let away = chosen(&coverage, run, &filters);
            buckets = away.buckets();
            let (actions, found) = carving.actions(state, &Away::Buckets(away), monitor)?;
            loss = found;
            Ok(Plan { actions, rows_rewritten: found.rows_rewritten, ..Plan::default() })
        });
        if changed.as_ref().is_err_and(|e| e.kind() != ErrorKind::CommitUnknown) {
            carving.discard();
        }
        Ok(Deleted { changed: changed?, buckets, loss })
    }
}

/// Values by their places among the entity columns.
type Filter = Vec<(usize, EntityPart)>;

/// The covered buckets that are meant.
fn chosen(coverage: &Coverage, run: Option<Run>, filters: &[Filter]) -> Coverage {
    let mut chosen = Coverage::new();
    let Some(run) = run else { return chosen };
    let meets =
        |entity: &Entity, filter: &Filter| filter.iter().all(|(at, part)| entity.parts().get(*at) == Some(part));
    let wanted = |entity: &Entity| filters.is_empty() || filters.iter().any(|filter| meets(entity, filter));
    for (entity, set) in coverage.iter().filter(|(entity, _)| wanted(entity)) {
        let mut set = set.clone();
        set.keep_run(run.first, run.last);
        chosen.insert_set(entity, set);
    }
    chosen
}

/// The buckets of the range, which must begin and end with one.
fn aligned(grid: &Grid, ty: &ColumnType, range: &IndexRange) -> Result<Option<Run>> {
    for (name, value) in [("start", range.start), ("until", range.until)] {
        let Some(value) = value else { continue };
        let bucket = grid.bucket_of(value)?;
        if grid.start_of(bucket) != value {
            let bound = |value: IndexValue| {
                if ty.holds(value.0) { format_value(value, ty) } else { "NULL, for an open end".to_owned() }
            };
            return Err(Error::invalid_argument(format!(
                "{name} {} lies inside a bucket, and only whole buckets can be deleted; the nearest bounds are {} and {}",
                format_value(value, ty),
                bound(grid.start_of(bucket)),
                bound(grid.end_of(bucket))
            )));
        }
    }
    Ok(grid.buckets_in(range))
}

/// The filter with positions among the entity columns.
fn entity_filter(snapshot: &Snapshot, entity: &[(String, EntityPart)]) -> Result<Filter> {
    let columns = snapshot.entity_columns()?;
    let position = |(name, part): &(String, EntityPart)| {
        let at = columns.iter().position(|column| same_name(&column.name, name)).ok_or_else(|| {
            let known: Vec<_> = columns.iter().map(|c| c.name.as_str()).collect();
            let known =
                if known.is_empty() { "there are none".to_owned() } else { format!("those are {}", known.join(", ")) };
            Error::invalid_argument(format!("entity names '{name}', which is not an entity column; {known}"))
        })?;
        let column = columns.get(at).ok_or_else(|| Error::internal("an entity column has no place"))?;
        Ok((at, fitted_to(&column.name, part, &column.ty)?))
    };
    entity.iter().map(position).collect()
}
