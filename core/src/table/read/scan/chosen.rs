//! A scan of some entities only. Unlike a predicate, which only advises what may be left out, this is exact: no row of another
//! entity is delivered.

use std::collections::BTreeSet;

use crate::{
    coverage::{Entity, EntityPart},
    error::{Error, Result},
    log::segment::Segment,
    prune::expr::Expr,
    storage::Storage,
};

/// See the module.
#[derive(Debug)]
pub(super) struct Chosen {
    entities: BTreeSet<Entity>,
    /// For each entity column its position and the values that those entities have.
    columns: Vec<(usize, Vec<EntityPart>)>,
}

impl Chosen {
    /// The choice of `entities`, whose values are in the columns at `positions`; none when all are meant.
    ///
    /// # Errors
    /// `InvalidArgument` when they are not all the combinations of some values of each column: rows are chosen column by column.
    pub(super) fn of(entities: &[Entity], positions: &[usize]) -> Result<Option<Self>> {
        if entities.is_empty() {
            return Ok(None);
        }
        let entities: BTreeSet<_> = entities.iter().cloned().collect();
        let mut columns = Vec::new();
        for (part, position) in positions.iter().enumerate() {
            let values: BTreeSet<_> = entities.iter().filter_map(|entity| entity.parts().get(part)).cloned().collect();
            columns.push((*position, values.into_iter().collect::<Vec<_>>()));
        }
        let combinations = columns.iter().map(|(_, values)| values.len()).fold(1, usize::saturating_mul);
        if combinations != entities.len() {
            return Err(Error::invalid_argument(format!(
                "entity names {} entities out of the {combinations} that their values make; a scan takes all combinations of some \
                 values of each entity column: scan the others apart, with UNION ALL",
                entities.len()
            )));
        }
        Ok(Some(Self { entities, columns }))
    }

    /// For each entity column its position and the values with which alone rows are delivered.
    pub(super) fn columns(&self) -> impl Iterator<Item = (usize, &[EntityPart])> {
        self.columns.iter().map(|(position, values)| (*position, values.as_slice()))
    }

    /// The same as predicates, by which segments and row groups are skipped.
    pub(super) fn predicates(&self) -> impl Iterator<Item = Expr> {
        self.columns().map(|(position, values)| {
            let constants = values.iter().map(|part| Expr::Constant(part.into())).collect();
            Expr::In(Box::new(Expr::Column(position)), constants)
        })
    }

    /// Whether every row of the segment is of one of the entities, so that none need be looked at.
    pub(super) fn has_all_of(&self, segment: &Segment, storage: &dyn Storage) -> bool {
        segment.record.entities <= self.entities.len() as u64
            && segment.coverage(storage).is_ok_and(|has| has.entities().all(|entity| self.entities.contains(entity)))
    }
}
