//! Renaming an entity: its rows are rewritten under the other name, in the segments that have any, and what is said of it follows:
//! calendar, confirmed-empty buckets, what is expected. Old versions keep the old name.

use std::{collections::HashMap, sync::Arc};

use arrow::{
    array::{ArrayRef, BooleanArray, RecordBatch, Scalar},
    compute::{and, kernels::cmp::eq, kernels::zip::zip},
    error::ArrowError,
};

use super::{
    builder::SegmentBuilder,
    carve::is_condemned,
    record,
    slices::Slices,
    sorter::{MEMORY_BYTES, Sorter},
};
use crate::{
    coverage::{BucketSet, Coverage, Entity, EntityPart},
    error::{Error, ErrorKind, Result},
    log::{
        commit::{Action, SegmentRecord, SortOrder},
        renames::Renames,
        segment::Segment,
        state::TableState,
        universe::{UNIVERSE_PROPERTY, Universe},
    },
    segment::{
        convert::widened_as,
        values::{fitted_to, one},
    },
    storage::Storage,
    table::{
        commit::{Amendment, Changed, Condemned, Plan},
        handle::{Snapshot, Table},
        monitor::{Monitor, check_cancelled},
        opened,
        target::{KeyColumns, Target, segment_rows},
    },
    time::{IndexRange, format_bucket},
};

impl Table {
    /// Calls the entity `from` `to` from now on, in one commit. Where the table has `to` too, the two become one, as long as no
    /// bucket is covered by both. What others append meanwhile under the old name is renamed as well.
    ///
    /// # Errors
    /// `InvalidArgument` when the two are the same, when the table knows nothing of `from`, or when the entity columns cannot hold
    /// `to`; `Overlap` when both cover a bucket; what reading and writing segments gives, and `Cancelled`. Nothing is changed then.
    pub fn rename_entity(
        &self,
        latest: &Snapshot,
        from: &Entity,
        to: &Entity,
        monitor: &dyn Monitor,
    ) -> Result<Changed> {
        if from == to {
            let of = from.as_condition(&latest.definition().entity_columns);
            return Err(Error::invalid_argument(format!("{of} is both the old and the new name; nothing was changed")));
        }
        self.work_on(latest, |latest| self.rename_from(latest, from, to, monitor))
    }

    fn rename_from(&self, latest: &Snapshot, from: &Entity, to: &Entity, monitor: &dyn Monitor) -> Result<Changed> {
        let columns = latest.definition().entity_columns.clone();
        let message = format!("{} is now {}", from.as_condition(&columns), to.as_condition(&columns));
        let mut work =
            Renaming { storage: Arc::clone(self.log().storage()), from, to, target: None, made: HashMap::new() };
        let frame = Amendment { message: Some(&message), ..Amendment::new(self, &latest.state, "rename_entity") };
        let changed = frame.run(|state, condemned| {
            check_cancelled(monitor)?;
            work.plan(state, condemned, monitor)
        });
        if changed.as_ref().is_err_and(|e| e.kind() != ErrorKind::CommitUnknown) {
            work.discard(|_, _| true);
        }
        changed
    }
}

/// What is written for one rename, kept while its commit is tried again, so that it is written once.
struct Renaming<'a> {
    storage: Arc<dyn Storage>,
    from: &'a Entity,
    to: &'a Entity,
    target: Option<Arc<Target>>,
    /// By the id of the segment that it takes the place of.
    made: HashMap<String, SegmentRecord>,
}

impl Renaming<'_> {
    fn plan(&mut self, state: &TableState, condemned: &Condemned, monitor: &dyn Monitor) -> Result<Plan> {
        let target = Target::of_table(&state.definition)?;
        let coverage = state.coverage(self.storage.as_ref())?;
        self.check(state, &target, &coverage)?;
        if self.target.as_ref().is_none_or(|known| known.definition != target.definition) {
            self.discard(|_, _| true);
            self.target = Some(Arc::new(target.clone()));
        }
        let names = Names::new(&target, self.from, self.to)?;
        let (mut gone, mut come, mut rows_rewritten) = (Vec::new(), Vec::new(), 0_u64);
        let segments = state.segments.all()?;
        self.discard(|id, made| is_condemned(made, condemned) || !segments.iter().any(|s| s.record.id == *id));
        for segment in segments {
            if segment.coverage(self.storage.as_ref())?.get(self.from).is_none() {
                continue;
            }
            let Some(made) = self.renamed(segment, &names, monitor)? else { continue };
            rows_rewritten = rows_rewritten.saturating_add(made.rows);
            gone.push(Action::RemoveSegment { id: segment.record.id.clone() });
            come.push(Action::AddSegment(Box::new(made)));
        }
        let mut actions: Vec<_> = gone.into_iter().chain(come).collect();
        actions.extend(self.what_follows(state)?);
        Ok(Plan { actions, rows_rewritten, ..Plan::default() })
    }

    /// Refuses an entity of which nothing is known, and two that share a bucket.
    fn check(&self, state: &TableState, target: &Target, coverage: &Coverage) -> Result<()> {
        let columns = &target.definition.entity_columns;
        let (from, to) = (self.from.as_condition(columns), self.to.as_condition(columns));
        let (expected, said) = (Universe::of(&state.properties)?, &state.expectations);
        let known = coverage.get(self.from).is_some()
            || expected.ranges_of(self.from).is_some()
            || said.confirmed_entities().any(|entity| entity == self.from)
            || said.calendars().any(|(entity, _)| entity == self.from);
        if !known {
            return Err(Error::invalid_argument(format!(
                "the table has nothing of {from} that could be renamed to {to}; tstable_entities(root) lists what it has"
            )));
        }
        let (Some(old), Some(new)) = (coverage.get(self.from), coverage.get(self.to)) else { return Ok(()) };
        let both = old.intersect(new);
        let Some(first) = both.first() else { return Ok(()) };
        Err(Error::overlap(format!(
            "{} buckets are covered by {from} and by {to}, first {}; nothing was changed: one name cannot hold both; delete those \
             buckets of one of them (tstable_delete), then rename",
            both.len(),
            format_bucket(&target.grid, first, &target.index_type)
        )))
    }

    /// The segment with the new name, rewritten unless that is done.
    fn renamed(&mut self, segment: &Segment, names: &Names, monitor: &dyn Monitor) -> Result<Option<SegmentRecord>> {
        if let Some(made) = self.made.get(&segment.record.id) {
            return Ok(Some(made.clone()));
        }
        let Some(target) = &self.target else { return Ok(None) };
        let made = write(&self.storage, target, segment, names, monitor)?;
        if let Some(made) = &made {
            self.made.insert(segment.record.id.clone(), made.clone());
        }
        Ok(made)
    }

    /// What was said of the old name is said of the new one.
    fn what_follows(&self, state: &TableState) -> Result<Vec<Action>> {
        let (from, to) = (self.from, self.to);
        let mut actions = Vec::new();
        let calendar = |of: &Entity| state.expectations.calendars().find(|(entity, _)| *entity == of);
        if let Some((_, own)) = calendar(from) {
            // A name that has a calendar keeps it.
            if calendar(to).is_none() {
                let own = Box::new(own.as_ref().clone());
                actions.push(Action::SetCalendar { entities: vec![to.clone()], calendar: Some(own) });
            }
            actions.push(Action::SetCalendar { entities: vec![from.clone()], calendar: None });
        }
        if let Some(confirmed) = state.expectations.confirmed_alone(from) {
            actions.extend(confirmed_again(&confirmed, from, true));
            actions.extend(confirmed_again(&confirmed, to, false));
        }
        let expected = Universe::of(&state.properties)?;
        if expected.ranges_of(from).is_some() {
            let value = Some(expected.renamed(from, to).encode()?);
            actions.push(Action::SetProperty { key: UNIVERSE_PROPERTY.to_owned(), value });
        }
        let mut renames = Renames::of(&state.properties)?;
        renames.add(from, to);
        actions.push(renames.action()?);
        Ok(actions)
    }

    /// Removes what was written and is not to be used.
    fn discard(&mut self, unfit: impl Fn(&String, &SegmentRecord) -> bool) {
        let storage = &self.storage;
        self.made.retain(|id, made| {
            let unfit = unfit(id, made);
            if unfit {
                record::discard(storage.as_ref(), made);
            }
            !unfit
        });
    }
}

fn confirmed_again(confirmed: &BucketSet, entity: &Entity, undo: bool) -> Vec<Action> {
    let mark = |run: crate::time::Run| Action::MarkEmpty {
        entity: Some(entity.clone()),
        first: run.first,
        last: run.last,
        reason: None,
        undo,
    };
    confirmed.runs().map(mark).collect()
}

/// The whole segment under the new name. One that is sorted by entity is sorted again, since the other name has another place.
fn write(
    storage: &Arc<dyn Storage>,
    target: &Arc<Target>,
    segment: &Segment,
    names: &Names,
    monitor: &dyn Monitor,
) -> Result<Option<SegmentRecord>> {
    let file = opened::open_whole(storage.as_ref(), segment, &target.definition)?;
    let renamed = |batch: Result<RecordBatch>| {
        check_cancelled(monitor)?;
        names.in_batch(&batch.map_err(|e| e.with("version", segment.added))?)
    };
    let sorted = segment.record.sorted_by == Some(SortOrder::EntityIndex);
    let mut builder = SegmentBuilder::create(storage.as_ref(), target, sorted)?;
    let rows = segment_rows(&file, segment, target)?.map(renamed);
    if sorted {
        let mut sorter = Sorter::new(storage, target, vec![names.keys.index], MEMORY_BYTES);
        for batch in rows {
            sorter.push(batch?)?;
        }
        let mut slices = Slices::new(builder, &names.keys, true);
        sorter.each(&IndexRange::ALL, monitor, |batch| slices.push(batch))?;
        builder = slices.finish()?;
    } else {
        for batch in rows {
            builder.write(&batch?)?;
        }
    }
    builder.finish(segment.record.sources.clone())
}

/// The values of both names, as the entity columns hold them.
struct Names {
    keys: KeyColumns,
    /// By the places of the entity columns: the old value and the new one.
    values: Vec<(usize, ArrayRef, ArrayRef)>,
}

impl Names {
    fn new(target: &Target, from: &Entity, to: &Entity) -> Result<Self> {
        let keys = KeyColumns::of(target)?;
        let mut values = Vec::new();
        for ((at, from), to) in keys.entities.iter().zip(from.parts()).zip(to.parts()) {
            values.push((*at, value(target, *at, from)?, value(target, *at, to)?));
        }
        Ok(Self { keys, values })
    }

    fn in_batch(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        self.replaced(batch).map_err(|e| Error::corrupt("an entity cannot be renamed in its rows").caused_by(e))
    }

    fn replaced(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let mut columns = batch.columns().to_vec();
        let mut whose: Option<BooleanArray> = None;
        for (at, from, _) in &self.values {
            let equal = eq(batch.column(*at), &Scalar::new(Arc::clone(from)))?;
            whose = Some(whose.map_or_else(|| Ok(equal.clone()), |whose| and(&whose, &equal))?);
        }
        let Some(whose) = whose else { return Ok(batch.clone()) };
        for (at, _, to) in &self.values {
            if let Some(column) = columns.get_mut(*at) {
                *column = zip(&whose, &Scalar::new(Arc::clone(to)), column)?;
            }
        }
        RecordBatch::try_new(batch.schema(), columns)
    }
}

/// One value of the type of the table's column at this place.
fn value(target: &Target, at: usize, part: &EntityPart) -> Result<ArrayRef> {
    let lacking = || Error::corrupt("the definition names an entity column that the schema does not have");
    let column = target.schema.columns.get(at).ok_or_else(lacking)?;
    let part = fitted_to(&column.name, part, &column.ty)?;
    let plain = one(&part).ok_or_else(|| Error::internal(format!("{part} has no form in Arrow")))?;
    widened_as(&plain, &column.ty)
}
