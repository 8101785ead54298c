//! Loads rows that do not come from a file, such as the result of a query. They are gathered in the order of the index, cut into periods and written as
//! segments (see [`super::slices`]), all in one commit at the end. Until then nothing of them is visible, and nothing is left
//! behind when the loader is dropped before.
//!
//! Memory is bounded by [`MEMORY_BYTES`] of rows, twice that while they are sorted, and what merging takes (see
//! [`super::sorter`]), whatever the number of rows.

use std::{collections::BTreeMap, sync::Arc};

use arrow::array::{Array, RecordBatch};

use super::{
    builder::SegmentBuilder,
    carve::{Away, Carving},
    checks::{Checks, Violations, decisive},
    compact::{
        Counter,
        plan::{Histogram, TARGET_ROWS},
    },
    contents::{IMPORT, whole},
    fit::fit,
    integers::{self, Integers},
    keys::{Holder, Keys},
    overlap::{self, Advice, Covering},
    pending::Pending,
    policy::{OnOverlap, OnViolation},
    slices::Slices,
    sorter::{MEMORY_BYTES, Sorter, periods},
};
use crate::{
    error::{Error, ErrorKind, Result},
    log::{
        COVERAGE_DIRECTORY, DATA_DIRECTORY, Version,
        commit::Action,
        definition::{Definition, Uniqueness},
        state::TableState,
    },
    schema::{ColumnType, Schema},
    segment::{FileColumn, admit::check_instants, look::RowLook, rewrite::as_columns, schema::position},
    table::{
        commit::{Amendment, Changed, Plan, begin},
        handle::{Nest, OWN_DIRECTORIES, Table},
        monitor::{Monitor, check_cancelled},
        target::{KeyColumns, Target, check_finite, write_columns},
    },
};

/// What to do with the rows.
#[derive(Debug, Clone, Default)]
pub struct LoadRequest {
    /// The table to make when there is none; one that is there must be equal.
    pub create: Option<Definition>,
    /// What to do with covered buckets.
    pub on_overlap: OnOverlap,
    /// What to do with rows that violate a check.
    pub on_violation: OnViolation,
    /// The user's words, kept in the log.
    pub message: Option<String>,
    /// The rows become the whole contents of the table, in a commit that does this as well.
    pub whole: Option<Vec<Action>>,
}

/// What a load did.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The table after it.
    pub changed: Changed,
    /// Rows that are in the table now.
    pub rows: u64,
    /// Rows that were left out.
    pub rows_skipped: u64,
}

/// Takes rows and makes a commit of them.
#[derive(Debug)]
pub struct Loader {
    table: Table,
    request: LoadRequest,
    target: Arc<Target>,
    /// The newest version when it began; 0 when there was no table.
    since: Version,
    /// Properties when the load began, which hold the checks.
    properties: BTreeMap<String, String>,
    checks: Checks,
    keys: KeyColumns,
    /// For each column of the table its place among those that come.
    places: Vec<Option<usize>>,
    /// Columns whose integers decide between the types that hold them.
    integers: Vec<Integers>,
    sorter: Sorter,
    rows_by_bucket: Histogram,
    rows: u64,
    /// Goes last, once what the sorter has written is gone.
    _nest: Option<Nest>,
}

impl Table {
    /// Gets ready for rows with these columns. Makes directories only.
    ///
    /// # Errors
    /// `NotFound` when there is no table and none is to be made, `AlreadyExists` when it differs from what is to be made,
    /// `SchemaMismatch` when the columns do not fit, `InvalidArgument` for `skip_file`, which is about files.
    pub fn loader(&self, columns: &[(String, ColumnType)], request: LoadRequest) -> Result<Loader> {
        if request.on_overlap == OnOverlap::SkipFile {
            return Err(Error::invalid_argument(
                "on_overlap := 'skip_file' is about files; use 'error', 'skip_rows', 'replace', 'merge' or 'allow'",
            ));
        }
        let (mut target, properties, since) = self.load_target(columns, &request)?;
        let integers = integers::open(&mut target)?;
        let checks = Checks::of(&properties, &target.schema)?;
        let target = Arc::new(target);
        let found: Vec<_> = columns.iter().map(file_column).collect();
        fit(&found, &target).map_err(|e| e.with("source", "query"))?;
        let places = target.schema.columns.iter().map(|column| position(&found, &column.name)).collect();
        let keys = KeyColumns::of(&target)?;
        let storage = self.log().storage();
        // The log's own comes with the commit where that makes the table: until then there is none, nor half of one.
        let whole = request.whole.is_some();
        let directories = if whole { &OWN_DIRECTORIES[..] } else { &[DATA_DIRECTORY, COVERAGE_DIRECTORY] };
        let nest = (since == Version(0)).then(|| self.nest(directories)).transpose()?;
        let sorter = Sorter::new(storage, &target, vec![keys.index], MEMORY_BYTES);
        let (rows_by_bucket, table) = (Histogram::new(), self.clone());
        let rows = 0;
        Ok(Loader {
            table,
            request,
            target,
            since,
            properties,
            checks,
            keys,
            places,
            integers,
            sorter,
            rows_by_bucket,
            rows,
            _nest: nest,
        })
    }

    fn load_target(
        &self,
        columns: &[(String, ColumnType)],
        request: &LoadRequest,
    ) -> Result<(Target, BTreeMap<String, String>, Version)> {
        let (mut properties, mut since) = (BTreeMap::new(), Version(0));
        let mut definition = match self.log().latest(None) {
            Ok(state) => {
                state.check_writable(self.log().storage().as_ref())?;
                if let Some(wanted) = &request.create {
                    state.definition.refuse_differences(self.log().storage().root(), wanted)?;
                }
                properties.clone_from(&state.properties);
                self.check_expected(state.version)?;
                since = state.version;
                state.definition.as_ref().clone()
            }
            Err(e) if e.kind() == ErrorKind::NotFound => {
                let definition = request.create.clone().ok_or(e)?;
                self.check_nothing_expected()?;
                definition
            }
            Err(e) => return Err(e),
        };
        let offered = Schema::new(columns.iter().cloned())?;
        if definition.schema.is_none() {
            definition.adopt_schema(offered)?;
        } else if let Some(settled) = definition.settled_by(&offered) {
            definition = settled;
        }
        Ok((Target::of_table(&definition)?, properties, since))
    }
}

fn file_column((name, ty): &(String, ColumnType)) -> FileColumn {
    FileColumn { name: name.clone(), ty: ty.clone(), nullable: true, field_id: None, constant: false }
}

impl Loader {
    /// Adds rows with the columns that were named, in their order and types.
    ///
    /// # Errors
    /// `InvalidArgument` for rows without index or entity, `SchemaMismatch` for values that do not fit, `Io`.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = write_columns(&self.target);
        let batch = as_columns(batch, &self.places, &columns, "the query", self.rows)?;
        check_instants(&batch, &columns)?;
        self.integers.iter_mut().try_for_each(|column| column.see(&batch, &self.target, self.rows))?;
        self.rows = self.rows.saturating_add(batch.num_rows() as u64);
        let batch = self.checked(batch)?;
        let (index, entities) = self.keys.arrays(&batch)?;
        let names = std::iter::once(&self.target.definition.index_column).chain(&self.target.definition.entity_columns);
        for (name, column) in names.zip(std::iter::once(index).chain(&entities)) {
            if column.logical_null_count() > 0 {
                return Err(Error::invalid_argument(format!(
                    "the query has rows in which \"{name}\" is NULL; leave those rows out or give them values"
                )));
            }
        }
        let mut counter = Counter { cursor: self.target.grid.cursor(), rows: &mut self.rows_by_bucket };
        RowLook::new(0).batch(index, &[], &mut counter)?;
        self.sorter.push(batch)
    }

    /// The rows that violate no check, or a refusal.
    fn checked(&self, batch: RecordBatch) -> Result<RecordBatch> {
        if self.checks.is_empty() {
            return Ok(batch);
        }
        if self.request.on_violation == OnViolation::Error {
            let before = self.rows.saturating_sub(batch.num_rows() as u64);
            let mut violations = Violations::new(&self.checks).after(before);
            violations.look(&batch, &self.keys)?;
            violations.refuse()?;
        }
        self.checks.pass(&batch)
    }

    /// Writes the segments and commits: one version, which makes the table too where there is none. No rows make no version of a table
    /// that is there.
    ///
    /// # Errors
    /// `Overlap` when buckets are covered and the policy does not allow for it, `InvalidArgument` when rows share entity and index in
    /// a table that forbids it, `Conflict` when the table's definition changed meanwhile. Nothing is changed then.
    pub fn finish(mut self, monitor: &dyn Monitor) -> Result<Loaded> {
        if !self.integers.is_empty() {
            let mut target = self.target.as_ref().clone();
            self.integers.iter().for_each(|column| column.settle(&mut target));
            self.target = Arc::new(target);
        }
        let mut pending = Pending {
            storage: Arc::clone(self.table.log().storage()),
            target: Arc::clone(&self.target),
            records: Vec::new(),
        };
        let result = self.write(&mut pending, monitor).and_then(|()| self.commit(&mut pending, monitor));
        if result.as_ref().is_err_and(|e| e.kind() != ErrorKind::CommitUnknown) {
            pending.discard();
        }
        result
    }

    fn write(&mut self, pending: &mut Pending, monitor: &dyn Monitor) -> Result<()> {
        let storage = Arc::clone(self.table.log().storage());
        let columns = write_columns(&self.target);
        let own: Vec<_> = (0..columns.len()).map(Some).collect();
        let settled = |batch: &RecordBatch| match self.integers.is_empty() {
            true => Ok(batch.clone()),
            false => as_columns(batch, &own, &columns, "the query", 0),
        };
        for period in periods(&self.rows_by_bucket, &self.target, TARGET_ROWS) {
            let mut builder = SegmentBuilder::create(storage.as_ref(), &self.target, true)?;
            if self.target.definition.uniqueness == Uniqueness::Row {
                builder = builder.unique();
            }
            let mut slices = Slices::new(builder, &self.keys, true);
            self.sorter.each(&period, monitor, |batch| slices.push(&settled(batch)?))?;
            if let Some(record) = slices.finish()?.finish(Vec::new())? {
                check_finite(record.index_min.0, record.index_max.0, &self.target)?;
                pending.records.push(record);
            }
        }
        Ok(())
    }

    /// Makes the rows the whole contents of the table.
    fn commit_whole(&self, pending: &Pending, also: &[Action], monitor: &dyn Monitor) -> Result<Loaded> {
        let definition = &self.target.definition;
        let base = match self.table.log().latest(None) {
            Ok(state) => state,
            Err(e) if e.kind() == ErrorKind::NotFound => self.table.unborn(definition.clone()).state,
            Err(e) => return Err(e),
        };
        let changed = Amendment::new(&self.table, &base, IMPORT).run(|state, _| {
            check_cancelled(monitor)?;
            whole(state, definition, pending.records.clone(), also)
        })?;
        Ok(self.loaded(changed, pending))
    }

    fn commit(&self, pending: &mut Pending, monitor: &dyn Monitor) -> Result<Loaded> {
        if let Some(also) = &self.request.whole {
            return self.commit_whole(pending, also, monitor);
        }
        let state = match self.table.log().latest(None) {
            Ok(state) => state,
            Err(e) if e.kind() == ErrorKind::NotFound && self.request.create.is_some() => {
                if let Some(changed) = self.begin(pending, monitor)? {
                    return Ok(self.loaded(changed, pending));
                }
                self.table.log().latest(None)?
            }
            Err(e) => return Err(e),
        };
        if let Some(wanted) = &self.request.create {
            state.definition.refuse_differences(self.table.log().storage().root(), wanted)?;
        }
        let snapshot = self.table.snapshot_of(state);
        self.table.work_on(&snapshot, |snapshot| self.commit_on(&snapshot.state, pending, monitor))
    }

    fn commit_on(&self, state: &Arc<TableState>, pending: &mut Pending, monitor: &dyn Monitor) -> Result<Loaded> {
        let mut carving = Carving::new(Arc::clone(self.table.log().storage()));
        let message = self.request.message.as_deref();
        let amendment = Amendment { since: self.since, message, ..Amendment::new(&self.table, state, "copy") };
        let changed = amendment.run(|state, condemned| {
            check_cancelled(monitor)?;
            carving.forget(condemned);
            self.check_definition(state)?;
            let mut plan = self.decide(state, pending, &mut carving, monitor)?;
            if state.definition.schema.is_none() && !pending.records.is_empty() {
                let mut definition = self.target.definition.clone();
                definition.table_id.clone_from(&state.definition.table_id);
                plan.actions.insert(0, Action::DefineTable(Box::new(definition)));
            } else if let Some(settled) = state.definition.settled_by(&self.target.schema)
                && !pending.records.is_empty()
            {
                plan.actions.insert(0, Action::DefineTable(Box::new(settled)));
            }
            Ok(plan)
        });
        if changed.as_ref().is_err_and(|e| e.kind() != ErrorKind::CommitUnknown) {
            carving.discard();
        }
        Ok(self.loaded(changed?, pending))
    }

    /// Makes the table and fills it, in its first version; none when another writer makes a table meanwhile.
    fn begin(&self, pending: &Pending, monitor: &dyn Monitor) -> Result<Option<Changed>> {
        check_cancelled(monitor)?;
        let definition = Action::DefineTable(Box::new(self.target.definition.clone()));
        let actions = std::iter::once(definition).chain(pending.actions()).collect();
        let begun = begin(&self.table, "copy", self.request.message.clone(), actions)?;
        Ok(begun.map(|(state, warnings)| Changed {
            snapshot: self.table.snapshot_of(state),
            committed: true,
            warnings,
        }))
    }

    fn loaded(&self, changed: Changed, pending: &Pending) -> Loaded {
        let rows = pending.records.iter().map(|record| record.rows).sum();
        Loaded { changed, rows, rows_skipped: self.rows.saturating_sub(rows) }
    }

    /// The columns that rows were made for must be the table's still.
    fn check_definition(&self, state: &TableState) -> Result<()> {
        let (mut ours, mut theirs) = (self.target.definition.clone(), state.definition.as_ref().clone());
        if theirs.schema.is_none() {
            ours.schema = None;
        } else if let Some(settled) = theirs.settled_by(&self.target.schema) {
            theirs = settled;
        }
        for definition in [&mut ours, &mut theirs] {
            definition.table_id = String::new();
            definition.last_field_id = 0;
        }
        if ours == theirs && decisive(&self.properties) == decisive(&state.properties) {
            return Ok(());
        }
        Err(Error::conflict(
            "another writer changed the table's definition or checks meanwhile; nothing was loaded: load again",
        ))
    }

    /// What the policy makes of the segments against what is covered.
    fn decide(
        &self,
        state: &Arc<TableState>,
        pending: &mut Pending,
        carving: &mut Carving,
        monitor: &dyn Monitor,
    ) -> Result<Plan> {
        let storage = self.table.log().storage().as_ref();
        let own = pending.coverage()?;
        let covered = state.coverage(storage)?;
        let both = own.intersect(&covered);
        let mut plan = Plan::default();
        match self.request.on_overlap {
            OnOverlap::Allow => {}
            OnOverlap::SkipRows => pending.leave_out(state, &both, &self.properties, monitor)?,
            OnOverlap::Replace | OnOverlap::Merge if !both.is_empty() => {
                let segments = pending.segments();
                let away = if self.request.on_overlap == OnOverlap::Replace {
                    Away::Buckets(both)
                } else {
                    let keys = Box::new(Keys::new(storage, &self.target, &self.properties)?);
                    let of = segments.iter().map(Holder::Segment).collect();
                    Away::Keys { within: both, keys, of }
                };
                let (actions, loss) = carving.actions(state, &away, monitor)?;
                plan = Plan { actions, rows_rewritten: loss.rows_rewritten, ..Plan::default() };
            }
            OnOverlap::Error | OnOverlap::SkipFile
                if !both.is_empty() && state.definition.uniqueness != Uniqueness::None =>
            {
                let by = Covering::Table { state, storage };
                return Err(overlap::error(&self.target, &own, &covered, &by, Advice::Query));
            }
            _ => {}
        }
        plan.actions.extend(pending.actions());
        Ok(plan)
    }
}
