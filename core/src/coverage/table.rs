//! The coverage of a table, a segment or a batch: a set of buckets for every entity. No bytes on disk.

use std::{collections::BTreeMap, sync::Arc};

use crate::time::{BucketId, Run};

use super::{BucketSet, Entity};

/// The covered buckets of every entity.
///
/// Invariant: no set is empty; an entity without buckets is absent. A clone costs nothing until one of the two is
/// changed, and then shares the sets of all entities that are not touched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    sets: Arc<BTreeMap<Entity, Arc<BucketSet>>>,
}

/// What two coverages have in common.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overlap {
    /// Buckets in both, over all entities.
    pub count: u64,
    /// Entities that have such buckets.
    pub entities: u64,
    /// The first bucket in both of the first entity that has one.
    pub first: Option<(Entity, BucketId)>,
}

impl Coverage {
    /// Coverage of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn from_sets(sets: BTreeMap<Entity, Arc<BucketSet>>) -> Self {
        Self { sets: Arc::new(sets) }
    }

    /// The set of an entity, made if there is none. It must not be left empty.
    pub(super) fn set_mut(&mut self, entity: &Entity) -> &mut BucketSet {
        let sets = Arc::make_mut(&mut self.sets);
        Arc::make_mut(sets.entry(entity.clone()).or_default())
    }

    /// Takes less memory where buckets follow each other.
    pub fn optimize(&mut self) {
        Arc::make_mut(&mut self.sets).values_mut().for_each(|set| Arc::make_mut(set).optimize());
    }

    /// Adds one bucket of an entity; false when it was there.
    pub fn insert(&mut self, entity: &Entity, id: BucketId) -> bool {
        let sets = Arc::make_mut(&mut self.sets);
        match sets.get_mut(entity) {
            Some(set) => Arc::make_mut(set).insert(id),
            None => {
                sets.insert(entity.clone(), Arc::new(BucketSet::from_iter([id])));
                true
            }
        }
    }

    /// Adds the buckets of an entity.
    pub fn insert_set(&mut self, entity: &Entity, set: BucketSet) {
        self.add(entity, &Arc::new(set));
    }

    fn add(&mut self, entity: &Entity, set: &Arc<BucketSet>) {
        if set.is_empty() {
            return;
        }
        let sets = Arc::make_mut(&mut self.sets);
        match sets.get_mut(entity) {
            Some(own) => Arc::make_mut(own).union_with(set),
            None => drop(sets.insert(entity.clone(), Arc::clone(set))),
        }
    }

    /// The buckets of an entity; none when it has none.
    #[must_use]
    pub fn get(&self, entity: &Entity) -> Option<&BucketSet> {
        self.sets.get(entity).map(AsRef::as_ref)
    }

    /// The buckets of an entity, shared rather than copied; none when it has none.
    #[must_use]
    pub fn set_of(&self, entity: &Entity) -> Option<Arc<BucketSet>> {
        self.sets.get(entity).cloned()
    }

    /// The entities that have buckets, ascending.
    pub fn entities(&self) -> impl ExactSizeIterator<Item = &Entity> + '_ {
        self.sets.keys()
    }

    /// The entities that have buckets, and these; ascending.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Entity, &BucketSet)> + '_ {
        self.sets.iter().map(|(entity, set)| (entity, set.as_ref()))
    }

    /// How many entities have buckets.
    #[must_use]
    pub fn entity_count(&self) -> usize {
        self.sets.len()
    }

    /// How many buckets all entities have together.
    #[must_use]
    pub fn buckets(&self) -> u64 {
        self.sets.values().fold(0, |sum, set| sum.saturating_add(set.len()))
    }

    /// Whether no entity has a bucket.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// From the first to the last bucket of any entity.
    #[must_use]
    pub fn extent(&self) -> Option<Run> {
        let first = self.sets.values().filter_map(|set| set.first()).min()?;
        let last = self.sets.values().filter_map(|set| set.last()).max()?;
        Run::new(first, last)
    }

    /// Whether some entity has a bucket from `first` to `last`, both included.
    #[must_use]
    pub fn meets(&self, first: BucketId, last: BucketId) -> bool {
        self.sets.values().any(|set| set.runs_in(first, last).next().is_some())
    }

    /// Adds the buckets of `other`.
    pub fn union_with(&mut self, other: &Self) {
        if self.is_empty() {
            return self.clone_from(other);
        }
        for (entity, set) in other.sets.iter() {
            self.add(entity, set);
        }
    }

    /// What this and `other` have in common, in short.
    #[must_use]
    pub fn overlap(&self, other: &Self) -> Overlap {
        let mut overlap = Overlap::default();
        for (entity, ours, theirs) in self.shared(other) {
            let count = ours.intersection_len(theirs);
            if count == 0 {
                continue;
            }
            overlap.count = overlap.count.saturating_add(count);
            overlap.entities = overlap.entities.saturating_add(1);
            if overlap.first.is_none() {
                overlap.first = ours.intersect(theirs).first().map(|id| (entity.clone(), id));
            }
        }
        overlap
    }

    /// Whether this and `other` have no bucket in common.
    #[must_use]
    pub fn is_disjoint(&self, other: &Self) -> bool {
        self.shared(other).all(|(_, ours, theirs)| ours.is_disjoint(theirs))
    }

    /// The buckets that are in both.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let common = self.shared(other).map(|(entity, ours, theirs)| (entity, ours.intersect(theirs)));
        let sets = common.filter(|(_, set)| !set.is_empty());
        Self::from_sets(sets.map(|(entity, set)| (entity.clone(), Arc::new(set))).collect())
    }

    /// Removes the buckets of `other`.
    pub fn subtract(&mut self, other: &Self) {
        for (entity, theirs) in other.sets.iter() {
            self.change(entity, |set| set.subtract(theirs));
        }
    }

    /// Removes the buckets from `first` to `last`, both included: of one entity, or of all.
    pub fn remove_run(&mut self, entity: Option<&Entity>, first: BucketId, last: BucketId) {
        if let Some(entity) = entity {
            return self.change(entity, |set| set.remove_run(first, last));
        }
        Arc::make_mut(&mut self.sets).retain(|_, set| {
            if set.runs_in(first, last).next().is_some() {
                Arc::make_mut(set).remove_run(first, last);
            }
            !set.is_empty()
        });
    }

    fn change(&mut self, entity: &Entity, change: impl FnOnce(&mut BucketSet)) {
        if !self.sets.contains_key(entity) {
            return;
        }
        let sets = Arc::make_mut(&mut self.sets);
        if let Some(set) = sets.get_mut(entity) {
            change(Arc::make_mut(set));
            if set.is_empty() {
                sets.remove(entity);
            }
        }
    }

    /// Whether every bucket is in `other` as well.
    #[must_use]
    pub fn is_subset_of(&self, other: &Self) -> bool {
        self.iter().all(|(entity, set)| other.get(entity).is_some_and(|theirs| set.is_subset_of(theirs)))
    }

    /// The entities of both in ascending order, with the sets of this and of `other`.
    fn shared<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (&'a Entity, &'a BucketSet, &'a BucketSet)> {
        // Looks the few up in the many: a segment has few of the entities of its table.
        let swapped = other.entity_count() < self.entity_count();
        let (few, many) = if swapped { (other, self) } else { (self, other) };
        few.iter().filter_map(move |(entity, set)| {
            let found = many.get(entity)?;
            Some(if swapped { (entity, found, set) } else { (entity, set, found) })
        })
    }
}
