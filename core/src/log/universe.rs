//! The entities that a table should have, whether or not anything of them has come, and when. Kept as a property, in JSON: it
//! is said once and asked of every version that comes after, and it changes what is expected, never rows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    coverage::Entity,
    error::{Error, Result},
    time::{Grid, IndexRange, Run},
};

/// The property that holds it.
pub const UNIVERSE_PROPERTY: &str = "tstable.expected_entities";

/// No universe is longer as JSON, in bytes.
const MAX_BYTES: usize = 64 << 20;

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Universe {
    /// For each entity the ranges in which it should deliver, in the order of their starts.
    entities: BTreeMap<Entity, Vec<IndexRange>>,
}

/// An entity and a range as they are written.
#[derive(Serialize, Deserialize)]
struct Listed {
    entity: Entity,
    #[serde(default, skip_serializing_if = "is_all")]
    range: IndexRange,
}

fn is_all(range: &IndexRange) -> bool {
    *range == IndexRange::ALL
}

impl FromIterator<(Entity, IndexRange)> for Universe {
    fn from_iter<I: IntoIterator<Item = (Entity, IndexRange)>>(expected: I) -> Self {
        let mut entities: BTreeMap<Entity, Vec<IndexRange>> = BTreeMap::new();
        for (entity, range) in expected {
            let ranges = entities.entry(entity).or_default();
            if !ranges.contains(&range) {
                ranges.push(range);
            }
        }
        entities.values_mut().for_each(|ranges| ranges.sort_by_key(|range| range.start));
        Self { entities }
    }
}

impl Universe {
    /// Whether nothing is said of any entity.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entities.is_empty()
    }

    /// How many entities it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entities.len()
    }

    /// The entities in order.
    pub fn entities(&self) -> impl Iterator<Item = &Entity> {
        self.entities.keys()
    }

    /// The ranges in which the entity should deliver; none for an entity of which nothing is said.
    #[must_use]
    pub fn ranges_of(&self, entity: &Entity) -> Option<&[IndexRange]> {
        self.entities.get(entity).map(Vec::as_slice)
    }

    /// The buckets in which the entity should deliver, in ascending runs that do not touch; none when those are all.
    #[must_use]
    pub fn runs_of(&self, entity: &Entity, grid: &Grid) -> Option<Vec<Run>> {
        let ranges = self.ranges_of(entity)?;
        if ranges.contains(&IndexRange::ALL) {
            return None;
        }
        let mut runs: Vec<Run> = ranges.iter().filter_map(|range| grid.buckets_in(range)).collect();
        runs.sort_by_key(|run| run.first);
        let mut joined: Vec<Run> = Vec::with_capacity(runs.len());
        for run in runs {
            match joined.last_mut() {
                Some(last) if run.first.0 <= last.last.0.saturating_add(1) => last.last = last.last.max(run.last),
                _ => joined.push(run),
            }
        }
        Some(joined)
    }

    /// The same with `to` in the place of `from`, or beside what is said of it.
    #[must_use]
    pub fn renamed(&self, from: &Entity, to: &Entity) -> Self {
        let name = |entity: &Entity| if entity == from { to.clone() } else { entity.clone() };
        let each =
            self.entities.iter().flat_map(|(entity, ranges)| ranges.iter().map(move |range| (name(entity), *range)));
        each.collect()
    }

    /// The property's value.
    ///
    /// # Errors
    /// `LimitExceeded` when there are too many entities.
    pub fn encode(&self) -> Result<String> {
        let ranges = |(entity, ranges): (&Entity, &Vec<IndexRange>)| {
            let entity = entity.clone();
            ranges.clone().into_iter().map(move |range| Listed { entity: entity.clone(), range })
        };
        let listed: Vec<_> = self.entities.iter().flat_map(ranges).collect();
        let text = serde_json::to_string(&listed)
            .map_err(|e| Error::invalid_argument("the entities cannot be written down").caused_by(e))?;
        if text.len() > MAX_BYTES {
            return Err(Error::limit_exceeded(format!(
                "the entities take {} bytes to write down; {MAX_BYTES} are the most",
                text.len()
            )));
        }
        Ok(text)
    }

    /// What the properties of a table say.
    ///
    /// # Errors
    /// `Corrupt` when it cannot be read.
    pub fn of(properties: &BTreeMap<String, String>) -> Result<Self> {
        let Some(text) = properties.get(UNIVERSE_PROPERTY) else { return Ok(Self::default()) };
        let listed: Vec<Listed> = serde_json::from_str(text).map_err(|e| {
            Error::corrupt(format!("the table's property '{UNIVERSE_PROPERTY}' cannot be read")).caused_by(e)
        })?;
        Ok(listed.into_iter().map(|listed| (listed.entity, listed.range)).collect())
    }
}

#[cfg(test)]
#[path = "universe_tests.rs"]
mod tests;
