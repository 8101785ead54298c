//! Appending files: each is looked at, checked against what is covered, staged under the root, and then all become one
//! commit or none does. A commit lost to another writer is checked against what that one added and tried again.

use std::{path::PathBuf, sync::Arc};

use super::{
    Snapshot, Table,
    carve::{Carving, Loss, is_condemned},
    change::{self, Amendment, Condemned},
    checks::{Checks, OnViolation},
    incoming::{Incoming, Target},
    loaded::Loaded,
    marks::RESERVED_PREFIX,
    overlap::{self, Advice, Covering},
    random_id, stage,
};
use crate::{
    coverage::Coverage,
    error::{Error, ErrorKind, Result},
    log::{
        commit::{Action, SegmentRecord},
        definition::{Definition, Uniqueness, agree, first_columns},
        state::TableState,
    },
    storage::Storage,
};

/// What to do with buckets that are covered already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnOverlap {
    /// Refuse everything.
    #[default]
    Error,
    /// Skip a file that is already loaded or wholly covered; refuse a partly covered one.
    SkipFile,
    /// Leave out the rows of covered buckets.
    SkipRows,
    /// Put the new rows in the place of the old.
    Replace,
    /// Append all the same.
    Allow,
}

impl OnOverlap {
    /// # Errors
    /// `InvalidArgument` for an unknown word.
    pub fn parse(word: &str) -> Result<Self> {
        Ok(match word {
            "error" => Self::Error,
            "skip_file" => Self::SkipFile,
            "skip_rows" => Self::SkipRows,
            "replace" => Self::Replace,
            "allow" => Self::Allow,
            _ => {
                return Err(Error::invalid_argument(format!(
                    "on_overlap := '{word}' is not known; use 'error', 'skip_file', 'skip_rows', 'replace' or 'allow'"
                )));
            }
        })
    }
}

/// How a file's bytes come under the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Copied as they are.
    #[default]
    Copy,
    /// As a hard link: the file must never be changed afterwards.
    Link,
    /// As a hard link or copy, and the file is removed once the commit is durable.
    Move,
    /// Written anew, sorted by entity and index.
    Rewrite,
}

impl Mode {
    /// # Errors
    /// `InvalidArgument` for an unknown word.
    pub fn parse(word: &str) -> Result<Self> {
        Ok(match word {
            "copy" => Self::Copy,
            "link" => Self::Link,
            "move" => Self::Move,
            "rewrite" => Self::Rewrite,
            _ => {
                return Err(Error::invalid_argument(format!(
                    "mode := '{word}' is not known; use 'copy', 'link', 'move' or 'rewrite'"
                )));
            }
        })
    }
}

/// Watches over long work: hears how far it is and may stop it.
pub trait Monitor {
    /// Whether to stop, leaving nothing visible.
    fn cancelled(&self) -> bool;
    /// So much of the work is done, 0 to 1.
    fn progress(&self, done: f64);
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Monitor for Unwatched {
    fn cancelled(&self) -> bool {
        false
    }
    fn progress(&self, _done: f64) {}
}

/// Fails when the work is to stop.
///
/// # Errors
/// `Cancelled`.
pub fn check_cancelled(monitor: &dyn Monitor) -> Result<()> {
    if monitor.cancelled() {
        return Err(Error::cancelled("the work was interrupted; nothing was changed"));
    }
    Ok(())
}

/// What to append and how.
#[derive(Debug, Clone, Default)]
pub struct AppendRequest {
    /// The files, each once, in order.
    pub files: Vec<PathBuf>,
    /// What to do with covered buckets.
    pub on_overlap: OnOverlap,
    /// How the bytes come under the root.
    pub mode: Mode,
    /// What to do with rows that violate a check.
    pub on_violation: OnViolation,
    /// Whether every page of a file is decoded before it becomes a segment as it is. `Move` and `Rewrite` always do.
    pub verify: bool,
    /// The user's words, kept in the log.
    pub message: Option<String>,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Its rows are in the table.
    Appended,
    /// The very same file was loaded before.
    AlreadyLoaded,
    /// All its buckets were covered before.
    AlreadyCovered,
    /// Its rows are in the table in the place of older ones.
    Replaced,
}

impl Status {
    /// The word in SQL.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Appended => "appended",
            Self::AlreadyLoaded => "already_loaded",
            Self::AlreadyCovered => "already_covered",
            Self::Replaced => "replaced",
        }
    }
}

/// The report on one file.
#[derive(Debug, Clone)]
pub struct FileReport {
    /// The file as its pattern found it.
    pub file: String,
    /// What became of it.
    pub status: Status,
    /// The version that has its rows.
    pub version: crate::log::Version,
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
    /// What else there is to say.
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

/// A file that was looked at and what shall become of it.
struct Planned {
    incoming: Incoming,
    status: Status,
    staged: Option<SegmentRecord>,
    /// Its rows in these buckets are left out.
    skip: Coverage,
    buckets_added: u64,
}

/// What is decided on a file.
struct Decision {
    status: Status,
    skip: Coverage,
}

impl Decision {
    fn of(status: Status) -> Self {
        Self { status, skip: Coverage::new() }
    }
}

impl Table {
    /// Appends files in one commit, going on from `snapshot`.
    ///
    /// # Errors
    /// `Overlap` when buckets are covered and the policy does not allow for it, `SchemaMismatch` when columns do not fit,
    /// `InvalidArgument` for rows without index or entity. Whatever the error, unless it is `CommitUnknown`, nothing was appended
    /// and the files are as they were.
    pub fn append(&self, snapshot: &Snapshot, request: &AppendRequest, monitor: &dyn Monitor) -> Result<Appended> {
        if request.files.is_empty() {
            return Err(Error::invalid_argument("no file was given to append"));
        }
        let target = Target::of(snapshot.definition(), &request.files)?;
        let incoming = look_at(&target, snapshot, request, monitor)?;
        let carving = Carving::new(Arc::clone(self.log().storage()));
        let state = Arc::clone(&snapshot.state);
        let mut append = Append { table: self, request, target, planned: Vec::new(), state, carving };
        let result = append.run(incoming, monitor);
        match result {
            Ok(appended) => Ok(appended),
            Err(e) => {
                if e.kind() != ErrorKind::CommitUnknown {
                    append.discard();
                }
                Err(e)
            }
        }
    }
}

fn look_at(
    target: &Target,
    snapshot: &Snapshot,
    request: &AppendRequest,
    monitor: &dyn Monitor,
) -> Result<Vec<Incoming>> {
    let mut incoming = Vec::with_capacity(request.files.len());
    for (i, path) in request.files.iter().enumerate() {
        check_cancelled(monitor)?;
        let mut file = Incoming::read(path, target, monitor)?;
        file.verify = request.verify;
        file.check(target, &snapshot.state.properties, request.on_violation)?;
        incoming.push(file);
        #[expect(clippy::cast_precision_loss, reason = "progress is approximate")]
        monitor.progress((i + 1) as f64 / request.files.len() as f64 * 0.5);
    }
    Ok(incoming)
}

struct Append<'a> {
    table: &'a Table,
    request: &'a AppendRequest,
    target: Target,
    planned: Vec<Planned>,
    state: Arc<TableState>,
    carving: Carving,
}

impl Append<'_> {
    fn storage(&self) -> &Arc<dyn Storage> {
        self.table.log().storage()
    }

    fn run(&mut self, incoming: Vec<Incoming>, monitor: &dyn Monitor) -> Result<Appended> {
        self.plan(incoming)?;
        let base = Arc::clone(&self.state);
        let message = self.request.message.as_deref();
        let changed =
            Amendment { message, ..Amendment::new(self.table, &base, "append") }.run(|state, condemned| {
                if state.version != self.state.version {
                    self.rebase(state)?;
                }
                self.forget(condemned);
                self.stage(monitor)?;
                let plan = self.actions(monitor)?;
                check_cancelled(monitor)?;
                Ok(plan)
            })?;
        self.state = Arc::clone(&changed.snapshot.state);
        let moved = if changed.committed { self.remove_moved() } else { Vec::new() };
        Ok(self.report([changed.warnings, moved].concat()))
    }

    /// Forgets what was staged and is condemned, so that it is staged anew.
    fn forget(&mut self, condemned: &Condemned) {
        self.carving.forget(condemned);
        for planned in &mut self.planned {
            if let Some(record) = planned.staged.take_if(|record| is_condemned(record, condemned)) {
                stage::discard(self.table.log().storage().as_ref(), &record);
            }
        }
    }

    /// Decides for each file, in order, against the table and the files before it.
    fn plan(&mut self, incoming: Vec<Incoming>) -> Result<()> {
        let loaded = Loaded::of(&self.state);
        let coverage = self.state.coverage(self.storage().as_ref())?;
        let mut before = Coverage::default();
        for file in incoming {
            let Decision { status, skip } = self.decide(&file, &loaded, &coverage, &before)?;
            let mut buckets_added = 0;
            if matches!(status, Status::Appended | Status::Replaced) {
                let mut fresh = file.coverage.clone();
                fresh.subtract(&coverage);
                fresh.subtract(&before);
                buckets_added = fresh.buckets();
                before.union_with(&file.coverage);
            }
            self.planned.push(Planned { incoming: file, status, staged: None, skip, buckets_added });
        }
        Ok(())
    }

    fn decide(
        &self,
        file: &Incoming,
        loaded: &Loaded,
        coverage: &Arc<Coverage>,
        before: &Coverage,
    ) -> Result<Decision> {
        let policy = self.request.on_overlap;
        let anything = self.state.definition.uniqueness == Uniqueness::None;
        let covered = !file.coverage.is_disjoint(coverage);
        let twice = !file.coverage.is_disjoint(before);
        // Most files overlap nothing, and never ask.
        let all = || {
            let mut all = Coverage::clone(coverage);
            all.union_with(before);
            all
        };
        // Buckets of a file that was loaded may have been deleted since.
        let overlaps = covered || twice || file.coverage.is_empty();
        let whole = || overlaps && file.coverage.is_subset_of(&all());
        if policy == OnOverlap::SkipFile && whole() && self.is_loaded(file, loaded)? {
            return Ok(Decision::of(Status::AlreadyLoaded));
        }
        match policy {
            OnOverlap::Allow => Ok(Decision::of(Status::Appended)),
            OnOverlap::Error | OnOverlap::SkipFile if anything => Ok(Decision::of(Status::Appended)),
            _ if !covered && !twice => Ok(Decision::of(Status::Appended)),
            OnOverlap::SkipFile | OnOverlap::SkipRows if whole() => Ok(Decision::of(Status::AlreadyCovered)),
            OnOverlap::SkipRows => Ok(Decision { status: Status::Appended, skip: file.coverage.intersect(&all()) }),
            OnOverlap::Replace if !twice => Ok(Decision::of(Status::Replaced)),
            // Which of two files of one call is right is not for us to say.
            OnOverlap::Replace => Err(self.overlap_error(file, coverage, false, before, loaded)),
            OnOverlap::Error | OnOverlap::SkipFile => Err(self.overlap_error(file, coverage, covered, before, loaded)),
        }
    }

    fn is_loaded(&self, file: &Incoming, loaded: &Loaded) -> Result<bool> {
        let same_size = loaded.get(file.outside.stat.bytes)?;
        let earlier: Vec<_> =
            self.planned.iter().filter(|p| p.incoming.outside.stat.bytes == file.outside.stat.bytes).collect();
        if same_size.is_none() && earlier.is_empty() {
            return Ok(false);
        }
        let fingerprint = file.fingerprint()?;
        if same_size.is_some_and(|fingerprints| fingerprints.contains(&fingerprint)) {
            return Ok(true);
        }
        for planned in earlier {
            if planned.incoming.fingerprint()? == fingerprint {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn overlap_error(
        &self,
        file: &Incoming,
        coverage: &Arc<Coverage>,
        covered: bool,
        before: &Coverage,
        loaded: &Loaded,
    ) -> Error {
        let covering = if covered {
            Covering::Table { state: &self.state, storage: self.storage().as_ref() }
        } else {
            Covering::Files(self.planned.iter().map(|p| (p.incoming.shown(), &p.incoming.coverage)).collect())
        };
        let with = if covered { coverage.as_ref() } else { before };
        let policy = self.request.on_overlap;
        let advice = match policy != OnOverlap::Replace && self.is_loaded(file, loaded).unwrap_or(false) {
            true => Advice::Loaded,
            false => Advice::File(policy),
        };
        overlap::error(&self.target, &file.coverage, with, &covering, advice).with("file", file.shown())
    }

    fn stage(&mut self, monitor: &dyn Monitor) -> Result<()> {
        let storage = Arc::clone(self.table.log().storage());
        let total = self.planned.len();
        let checks = Checks::of(&self.state.properties, &self.target.schema)?;
        for (i, planned) in self.planned.iter_mut().enumerate() {
            check_cancelled(monitor)?;
            let wanted = matches!(planned.status, Status::Appended | Status::Replaced);
            if wanted && planned.staged.is_none() {
                planned.staged =
                    stage_one(storage.as_ref(), planned, &self.target, &checks, self.request.mode, monitor)?;
            }
            #[expect(clippy::cast_precision_loss, reason = "progress is approximate")]
            monitor.progress(0.5 + (i + 1) as f64 / total as f64 * 0.5);
        }
        Ok(())
    }

    fn actions(&mut self, monitor: &dyn Monitor) -> Result<change::Plan> {
        let staged: Vec<_> = self.planned.iter().filter_map(|p| p.staged.clone()).collect();
        if staged.is_empty() {
            return Ok(change::Plan::default());
        }
        let mut actions = Vec::with_capacity(staged.len() + 1);
        if self.state.definition.schema.is_none() {
            actions.push(Action::DefineTable(Box::new(self.target.definition.clone())));
        } else if let Some(settled) = self.state.definition.settled_by(&self.target.schema) {
            actions.push(Action::DefineTable(Box::new(settled)));
        }
        let (replaced, loss) = self.replaced(monitor)?;
        actions.extend(replaced);
        actions.extend(staged.into_iter().map(|record| Action::AddSegment(Box::new(record))));
        Ok(change::Plan { actions, rows_rewritten: loss.rows_rewritten, ..change::Plan::default() })
    }

    /// Takes out what is replaced.
    fn replaced(&mut self, monitor: &dyn Monitor) -> Result<(Vec<Action>, Loss)> {
        let mut away = Coverage::new();
        for planned in self.planned.iter().filter(|p| p.status == Status::Replaced) {
            away.union_with(&planned.incoming.coverage);
        }
        if away.is_empty() {
            return Ok((Vec::new(), Loss::default()));
        }
        self.carving.actions(&self.state, &away, monitor)
    }

    /// Follows the versions that others made meanwhile and decides anew; what is staged is used again.
    fn rebase(&mut self, state: &Arc<TableState>) -> Result<()> {
        self.check_definition(&state.definition)?;
        let reserved = |state: &TableState| {
            let own = state.properties.iter().filter(|(key, _)| key.starts_with(RESERVED_PREFIX));
            own.map(|(key, value)| (key.clone(), value.clone())).collect::<Vec<_>>()
        };
        if reserved(&self.state) != reserved(state) {
            return Err(Error::conflict(
                "another writer changed the table's checks meanwhile; nothing was appended: append again",
            ));
        }
        self.state = Arc::clone(state);
        let planned = std::mem::take(&mut self.planned);
        let (incoming, staged): (Vec<_>, Vec<_>) =
            planned.into_iter().map(|p| (p.incoming, p.staged.map(|record| (record, p.skip)))).unzip();
        let decided = self.plan(incoming);
        for (i, staged) in staged.into_iter().enumerate() {
            let Some((record, skip)) = staged else { continue };
            let wanted = |p: &&mut Planned| matches!(p.status, Status::Appended | Status::Replaced) && p.skip == skip;
            match self.planned.get_mut(i).filter(wanted) {
                Some(planned) => planned.staged = Some(record),
                None => stage::discard(self.table.log().storage().as_ref(), &record),
            }
        }
        decided
    }

    /// A definition that changed meanwhile is accepted when the columns that the files were checked against are the same.
    fn check_definition(&mut self, current: &Definition) -> Result<()> {
        let ours = &self.target.definition;
        let same = match (&ours.schema, &current.schema) {
            // Columns added meanwhile are as good as missing in what was staged before.
            (Some(a), Some(b)) => agree(a, &first_columns(b, a.columns.len())),
            (_, None) => true,
            (None, Some(_)) => false,
        };
        let (mut a, mut b) = (ours.clone(), current.clone());
        (a.schema, b.schema) = (None, None);
        if !same || !a.differences(&b).is_empty() {
            return Err(Error::conflict(
                "another writer changed the table's definition meanwhile; nothing was appended: append again",
            ));
        }
        if current.schema == ours.schema {
            self.target.definition = current.clone();
        }
        Ok(())
    }

    fn discard(&mut self) {
        self.carving.discard();
        for record in self.planned.iter().filter_map(|p| p.staged.as_ref()) {
            stage::discard(self.storage().as_ref(), record);
        }
    }

    fn remove_moved(&self) -> Vec<String> {
        if self.request.mode != Mode::Move {
            return Vec::new();
        }
        let appended = self.planned.iter().filter(|p| p.staged.is_some());
        appended.filter_map(|p| p.incoming.outside.remove().err()).map(|e| e.to_string()).collect()
    }

    fn report(&self, warnings: Vec<String>) -> Appended {
        let files = self.planned.iter().map(|planned| self.report_file(planned)).collect();
        Appended { snapshot: self.table.snapshot_of(Arc::clone(&self.state)), files, warnings }
    }

    fn report_file(&self, planned: &Planned) -> FileReport {
        let rows = planned.staged.as_ref().map_or(0, |record| record.rows);
        FileReport {
            file: planned.incoming.shown(),
            status: planned.status,
            version: self.state.version,
            segment: planned.staged.as_ref().map(|record| record.id.clone()),
            rows,
            rows_skipped: planned.incoming.rows.saturating_sub(rows),
            buckets_added: planned.buckets_added,
            entities: planned.incoming.coverage.entity_count() as u64,
            message: self.request.message.clone(),
        }
    }
}

fn stage_one(
    storage: &dyn Storage,
    planned: &Planned,
    target: &Target,
    checks: &Checks,
    mode: Mode,
    monitor: &dyn Monitor,
) -> Result<Option<SegmentRecord>> {
    if planned.skip.is_empty() && !planned.incoming.checked_out {
        return stage::file(storage, &planned.incoming, target, mode, &random_id(), monitor).map(Some);
    }
    stage::without(storage, &planned.incoming, target, mode, checks, &planned.skip, monitor)
}
