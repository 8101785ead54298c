//! Appending files: each is looked at, checked against what the table has, staged under the root, and then all become one
//! commit or none does. A commit lost to another writer is checked against what that one added and tried again.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    adopt,
    carve::{Away, Carving, Loss, is_condemned},
    checks::{Checks, decisive},
    contents::{IMPORT, whole},
    incoming::{Arrival, Incoming},
    intake::Intake,
    keys::{Holder, Keys},
    moved,
    planned::{Confirmation, Planned},
    policy::AppendRequest,
    record, stage,
};
use crate::{
    coverage::{Coverage, Entity},
    error::{Error, ErrorKind, Result},
    log::{
        Version,
        commit::{Action, SegmentRecord},
        definition::{Definition, agree, first_columns},
        state::TableState,
    },
    storage::Storage,
    table::{
        commit::{Amendment, Condemned, Plan},
        handle::{OWN_DIRECTORIES, Snapshot, Table},
        names::random_id,
        target::Target,
    },
};

pub use super::policy::{Mode, OnError, OnOverlap, Status};
pub use crate::table::monitor::{Monitor, Unwatched, check_cancelled};

/// The optional field of a commit that names the files of an append that had no rows.
pub const EMPTY_SOURCES: &str = "empty_sources";

/// What is said of a file that was to be adopted and could not be.
const WRITTEN_ANEW: &str = "rewritten under data/ and not adopted: its columns are not the table's in order and type";

/// The report on one file.
#[derive(Debug, Clone)]
pub struct FileReport {
    /// The file as its pattern found it.
    pub file: String,
    /// What became of it.
    pub status: Status,
    /// The version that has its rows.
    pub version: Version,
    /// The segment that has its rows, where one was added.
    pub segment: Option<String>,
    /// Rows appended.
    pub rows: u64,
    /// Rows left out.
    pub rows_skipped: u64,
    /// Pairs of entity and bucket that were not covered before.
    pub buckets_added: u64,
    /// Entities in the file.
    pub entities: u64,
    /// Why it was refused, what else there is to say, or the user's words.
    pub message: Option<String>,
}

/// What an append did.
#[derive(Debug, Clone)]
pub struct Appended {
    /// The table after it.
    pub snapshot: Snapshot,
    /// One report for each file, in order.
    pub files: Vec<FileReport>,
    /// What went wrong without harm.
    pub warnings: Vec<String>,
}

impl Table {
    /// Appends files in one commit, going on from `snapshot`. When a vacuum ends the version that the files were compared with,
    /// all of it begins again with the newest.
    ///
    /// # Errors
    /// `Overlap` when rows come to covered buckets and the policy does not allow for it, `SchemaMismatch` when columns do not fit,
    /// `InvalidArgument` for rows without index or entity, `Conflict` when the newest version is not the expected one. Whatever the
    /// error, unless it is `CommitUnknown`, nothing was appended and the files are as they were.
    pub fn append(&self, snapshot: &Snapshot, request: &AppendRequest, monitor: &dyn Monitor) -> Result<Appended> {
        self.work_on(snapshot, |snapshot| self.append_to(snapshot, request, monitor))
    }

    fn append_to(&self, snapshot: &Snapshot, request: &AppendRequest, monitor: &dyn Monitor) -> Result<Appended> {
        let storage = self.log().storage();
        snapshot.state.check_writable(storage.as_ref())?;
        self.check_expected(snapshot.state.version)?;
        let intake = Intake::new(storage, snapshot.definition(), request, false)?;
        Append::new(self, snapshot, request, intake, None, monitor).finish()
    }

    /// Makes files the whole contents of the table, in one commit that does `also` as well. It makes the table too where `snapshot` is
    /// an [unborn](Table::unborn) one. The files may share buckets as far as `on_overlap` allows.
    ///
    /// # Errors
    /// As [`Table::append`].
    pub fn fill_with(
        &self,
        snapshot: &Snapshot,
        also: &[Action],
        request: &AppendRequest,
        monitor: &dyn Monitor,
    ) -> Result<Appended> {
        let storage = self.log().storage();
        snapshot.state.check_writable(storage.as_ref())?;
        let _nest = self.nest(&OWN_DIRECTORIES)?;
        if request.files.is_empty() {
            let filled = Amendment::new(self, &snapshot.state, IMPORT)
                .run(|state, _| whole(state, state.definition.as_ref(), Vec::new(), also))?;
            return Ok(Appended { snapshot: filled.snapshot, files: Vec::new(), warnings: Vec::new() });
        }
        let empty = self.unborn(snapshot.definition().clone());
        let intake = Intake::new(storage, snapshot.definition(), request, false)?;
        let append = Append::new(self, snapshot, request, intake, Some(also), monitor);
        // What the table holds goes, so nothing that it covers stands in the way.
        Append { against: empty.state, ..append }.finish()
    }
}

struct Append<'a> {
    table: &'a Table,
    request: &'a AppendRequest,
    intake: Intake<'a>,
    planned: Vec<Planned>,
    state: Arc<TableState>,
    /// What the files are checked against: the state, or an empty one when they take the place of everything.
    against: Arc<TableState>,
    /// What the commit does as well, when the files become the whole contents.
    also: Option<&'a [Action]>,
    carving: Carving,
    monitor: &'a dyn Monitor,
}

impl<'a> Append<'a> {
    fn new(
        table: &'a Table,
        snapshot: &Snapshot,
        request: &'a AppendRequest,
        intake: Intake<'a>,
        also: Option<&'a [Action]>,
        monitor: &'a dyn Monitor,
    ) -> Self {
        let carving = Carving::new(Arc::clone(table.log().storage()));
        let state = Arc::clone(&snapshot.state);
        let against = Arc::clone(&state);
        Self { table, request, intake, planned: Vec::new(), state, against, also, carving, monitor }
    }

    fn finish(mut self) -> Result<Appended> {
        let arrivals = self.intake.look(&self.against, self.monitor)?;
        let result = self.run(arrivals);
        if result.as_ref().is_err_and(|e| e.kind() != ErrorKind::CommitUnknown) {
            self.discard();
        }
        result
    }
}

impl Append<'_> {
    fn storage(&self) -> &Arc<dyn Storage> {
        self.table.log().storage()
    }

    fn run(&mut self, arrivals: Vec<Arrival>) -> Result<Appended> {
        self.planned = self.intake.plan(&self.against, arrivals, self.monitor)?;
        self.check_any()?;
        let base = Arc::clone(&self.state);
        let message = self.request.message.as_deref();
        let amendment = Amendment {
            message,
            ..Amendment::new(self.table, &base, if self.also.is_some() { IMPORT } else { "append" })
        };
        let changed = amendment.run(|state, condemned| {
            if state.version != self.state.version {
                self.rebase(state)?;
            }
            self.forget(condemned);
            self.stage()?;
            let plan = self.actions()?;
            check_cancelled(self.monitor)?;
            Ok(plan)
        })?;
        self.state = Arc::clone(&changed.snapshot.state);
        let mut warnings = changed.warnings;
        if changed.committed && self.request.mode == Mode::Move {
            warnings.extend(self.planned.iter_mut().filter_map(moved::remove));
        }
        Ok(self.report(warnings))
    }

    /// Forgets what was staged and is condemned, so that it is staged again.
    fn forget(&mut self, condemned: &Condemned) {
        self.carving.forget(condemned);
        for planned in &mut self.planned {
            if let Some(record) = planned.staged.take_if(|record| is_condemned(record, condemned)) {
                record::discard(self.table.log().storage().as_ref(), &record);
            }
        }
    }

    fn stage(&mut self) -> Result<()> {
        let storage = Arc::clone(self.table.log().storage());
        let Some(target) = &self.intake.target else { return Ok(()) };
        let checks = Checks::of(&self.state.properties, &target.schema)?;
        let total = self.planned.len();
        for (i, planned) in self.planned.iter_mut().enumerate() {
            check_cancelled(self.monitor)?;
            if planned.staged.is_none()
                && let Some(file) = planned.added()
            {
                let mode = self.request.mode;
                let staged = stage_one(storage.as_ref(), planned, file, target, &checks, mode, self.monitor);
                match staged {
                    Err(reason) if self.request.on_error == OnError::SkipFile && is_the_files(&reason) => {
                        refuse(planned, reason);
                    }
                    staged => (planned.staged, planned.note) = staged?,
                }
            }
            #[expect(clippy::cast_precision_loss, reason = "progress is approximate")]
            self.monitor.progress(0.5 + (i + 1) as f64 / total as f64 * 0.5);
        }
        let adopted = self.planned.iter().filter_map(|planned| planned.staged.as_ref());
        let adopted: Vec<&str> =
            adopted.filter(|record| !adopt::is_own(record)).map(|record| record.path.as_str()).collect();
        storage.keep(&adopted)
    }

    fn actions(&mut self) -> Result<Plan> {
        let staged: Vec<_> = self.planned.iter().filter_map(|p| p.staged.clone()).collect();
        if let Some(also) = self.also {
            let definition = self.intake.target.as_ref().map_or(self.state.definition.as_ref(), |t| &t.definition);
            return Ok(whole(&self.state, definition, staged, also)?.into());
        }
        let mut derived = self.derived()?;
        derived.extend(self.confirmed());
        let Some(target) = self.intake.target.as_ref().filter(|_| !staged.is_empty()) else {
            return Ok(Plan { actions: derived, extra: self.empty_sources()?, ..Plan::default() });
        };
        let mut actions = Vec::with_capacity(staged.len() + 1);
        let width = |definition: &Definition| definition.schema.as_ref().map_or(0, |schema| schema.columns.len());
        if width(&target.definition) > width(&self.state.definition) {
            actions.push(Action::DefineTable(Box::new(target.definition.clone())));
        } else if let Some(settled) = self.state.definition.settled_by(&target.schema) {
            actions.push(Action::DefineTable(Box::new(settled)));
        }
        let (replaced, loss) = self.replaced()?;
        actions.extend(replaced);
        actions.extend(staged.into_iter().map(|record| Action::AddSegment(Box::new(record))));
        actions.extend(derived);
        Ok(Plan { actions, rows_rewritten: loss.rows_rewritten, extra: self.empty_sources()? })
    }

    /// Refuses to make a table of files none of which can be taken.
    fn check_any(&self) -> Result<()> {
        let refused = |planned: &Planned| planned.status == Status::Refused;
        match self.planned.first() {
            Some(first) if self.also.is_some() && self.planned.iter().all(refused) => {
                let (count, reason) = (self.planned.len(), first.note.as_deref().unwrap_or_default());
                let message = format!("none of the {count} files can be imported; of the first: {reason}");
                Err(Error::invalid_argument(message).with("file", first.arrival.shown()))
            }
            _ => Ok(()),
        }
    }

    /// Records what the files were made of, once all of that is there.
    fn derived(&self) -> Result<Vec<Action>> {
        if self.planned.iter().any(|planned| planned.status == Status::Refused) {
            return Ok(Vec::new());
        }
        let actions = self.request.derived_from.iter().map(|derivation| derivation.action(&self.state));
        Ok(actions.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
    }

    /// What files without rows confirm to be empty, where that is not known.
    fn confirmed(&self) -> Vec<Action> {
        let mut confirmed: Vec<(&Confirmation, Vec<String>)> = Vec::new();
        for planned in &self.planned {
            let Some(confirms) = &planned.confirms else { continue };
            let name = planned.arrival.shown();
            match confirmed.iter_mut().find(|(known, _)| *known == confirms) {
                Some((_, names)) => names.push(name),
                None => confirmed.push((confirms, vec![name])),
            }
        }
        let action = |(Confirmation { run, entity }, names): (&Confirmation, Vec<String>)| {
            let whose = entity.clone().unwrap_or_else(Entity::none);
            let known = self.state.expectations.confirmed_of(&whose);
            if known.is_some_and(|known| known.count_in(run.first, run.last) == run.buckets()) {
                return None;
            }
            let more = if names.len() > 1 { format!(" and {} others", names.len() - 1) } else { String::new() };
            let reason = Some(format!("delivered without rows: {}{more}", names.first()?));
            Some(Action::MarkEmpty { entity: entity.clone(), first: run.first, last: run.last, reason, undo: false })
        };
        confirmed.into_iter().filter_map(action).collect()
    }

    /// Files without rows have no segment to be remembered by.
    fn empty_sources(&self) -> Result<Map<String, Value>> {
        let mut extra = Map::new();
        let empty: Vec<_> =
            self.planned.iter().filter(|p| p.status == Status::Empty).filter_map(|p| p.arrival.empty()).collect();
        if !empty.is_empty() {
            let sources = serde_json::to_value(empty);
            let sources = sources.map_err(|e| Error::corrupt("sources cannot be written down").caused_by(e))?;
            extra.insert(EMPTY_SOURCES.to_owned(), sources);
        }
        Ok(extra)
    }

    /// Takes out what is replaced.
    fn replaced(&mut self) -> Result<(Vec<Action>, Loss)> {
        let with = |status| move |planned: &&Planned| planned.status == status;
        let of = |status| self.planned.iter().filter(with(status)).filter_map(Planned::added);
        let (replaced, merged): (Vec<_>, Vec<_>) = (of(Status::Replaced).collect(), of(Status::Merged).collect());
        let union = |files: &[&Incoming]| {
            let mut all = Coverage::new();
            files.iter().for_each(|file| all.union_with(&file.coverage));
            all
        };
        let storage = self.table.log().storage().as_ref();
        let away = match (&self.intake.target, merged.is_empty(), replaced.is_empty()) {
            (Some(target), false, _) => Away::Keys {
                within: union(&merged),
                keys: Box::new(Keys::new(storage, target, &self.state.properties)?),
                of: merged.into_iter().map(Holder::File).collect(),
            },
            (_, _, false) => Away::Buckets(union(&replaced)),
            _ => return Ok((Vec::new(), Loss::default())),
        };
        self.carving.actions(&self.state, &away, self.monitor)
    }

    /// Follows the versions that others made meanwhile and decides again; what is staged is used again.
    fn rebase(&mut self, state: &Arc<TableState>) -> Result<()> {
        self.check_definition(&state.definition)?;
        if decisive(&self.state.properties) != decisive(&state.properties) {
            return Err(Error::conflict(
                "another writer changed the table's checks meanwhile; nothing was appended: append again",
            ));
        }
        self.state = Arc::clone(state);
        if self.also.is_none() {
            self.against = Arc::clone(state);
        }
        let mut staged = Vec::new();
        let mut arrivals = Vec::new();
        for planned in std::mem::take(&mut self.planned) {
            staged.push(planned.staged.map(|record| (record, planned.left_out, planned.note)));
            arrivals.push(planned.arrival);
        }
        let decided = self.intake.plan(&self.against, arrivals, self.monitor).map(|planned| self.planned = planned);
        for (i, staged) in staged.into_iter().enumerate() {
            let Some((record, left_out, note)) = staged else { continue };
            let wanted = |p: &&mut Planned| p.status.adds_rows() && p.left_out == left_out;
            match self.planned.get_mut(i).filter(wanted) {
                Some(planned) => (planned.staged, planned.note) = (Some(record), note),
                None => record::discard(self.table.log().storage().as_ref(), &record),
            }
        }
        decided
    }

    /// A definition that changed meanwhile is accepted when the columns that the files were checked against are the same.
    fn check_definition(&mut self, current: &Definition) -> Result<()> {
        let Some(target) = &mut self.intake.target else { return Ok(()) };
        if self.state.definition.as_ref() == current {
            return Ok(());
        }
        if is_compatible(&target.definition, current) {
            if current.schema == target.definition.schema {
                target.definition = current.clone();
            }
            return Ok(());
        }
        Err(Error::conflict(
            "another writer changed the table's definition meanwhile; nothing was appended: append again",
        ))
    }

    fn discard(&mut self) {
        self.carving.discard();
        for record in self.planned.iter().filter_map(|p| p.staged.as_ref()) {
            record::discard(self.storage().as_ref(), record);
        }
    }

    fn report(&self, warnings: Vec<String>) -> Appended {
        let files = self.planned.iter().map(|planned| self.report_file(planned)).collect();
        Appended { snapshot: self.table.snapshot_of(Arc::clone(&self.state)), files, warnings }
    }

    fn report_file(&self, planned: &Planned) -> FileReport {
        let rows = planned.staged.as_ref().map_or(0, |record| record.rows);
        let file = planned.arrival.rows();
        FileReport {
            file: planned.arrival.shown(),
            status: planned.status,
            version: self.state.version,
            segment: planned.staged.as_ref().map(|record| record.id.clone()),
            rows,
            rows_skipped: file.map_or(0, |file| file.rows.saturating_sub(rows)),
            buckets_added: planned.buckets_added,
            entities: file.map_or(0, |file| file.coverage.entity_count() as u64),
            message: planned.note.clone().or_else(|| self.request.message.clone()),
        }
    }
}

/// Whether files checked against `ours` suit a table defined as `current`.
fn is_compatible(ours: &Definition, current: &Definition) -> bool {
    let same = match (&ours.schema, &current.schema) {
        // Columns added meanwhile are as good as missing in what was staged before.
        // A column that took the name of one that was dropped is another one.
        (Some(a), Some(b)) => {
            agree(a, &first_columns(b, a.columns.len())) && a.columns.iter().zip(&b.columns).all(|(a, b)| a.id == b.id)
        }
        (_, None) => true,
        (None, Some(_)) => false,
    };
    let (mut a, mut b) = (ours.clone(), current.clone());
    (a.schema, b.schema) = (None, None);
    same && a.differences(&b).is_empty()
}

/// Whether it is the file that is wrong, and not the table or the system.
fn is_the_files(reason: &Error) -> bool {
    matches!(
        reason.kind(),
        ErrorKind::Corrupt | ErrorKind::Conflict | ErrorKind::InvalidArgument | ErrorKind::SchemaMismatch
    )
}

fn refuse(planned: &mut Planned, reason: Error) {
    planned.status = Status::Refused;
    planned.note = Some(reason.to_string());
    planned.buckets_added = 0;
    if let Arrival::Rows(file) = &planned.arrival {
        planned.arrival = Arrival::Refused { path: file.outside.path.clone(), reason };
    }
}

/// The segment made of a file, none when all of its rows are left out, and what there is to say about it.
fn stage_one(
    storage: &dyn Storage,
    planned: &Planned,
    file: &Incoming,
    target: &Target,
    checks: &Checks,
    mode: Mode,
    monitor: &dyn Monitor,
) -> Result<(Option<SegmentRecord>, Option<String>)> {
    if !planned.left_out.is_empty() || file.checked_out {
        let record = stage::without(storage, file, target, mode, checks, &planned.left_out, monitor)?;
        return Ok((record, planned.note.clone()));
    }
    if mode == Mode::Move && file.outside.links > 1 {
        // A segment must not change through another name of the file.
        let record = stage::file(storage, file, target, Mode::Copy, &random_id(), monitor)?;
        return Ok((
            Some(record),
            Some(
                if cfg!(unix) {
                    "copied and then removed: the file has other hard links, or was reached through a symbolic link"
                } else {
                    "copied and then removed: this system does not tell whether the file has other hard links"
                }
                .to_owned(),
            ),
        ));
    }
    let record = stage::file(storage, file, target, mode, &random_id(), monitor)?;
    let note = (mode == Mode::Adopt && adopt::is_own(&record)).then(|| WRITTEN_ANEW.to_owned());
    Ok((Some(record), note.or_else(|| planned.note.clone())))
}
