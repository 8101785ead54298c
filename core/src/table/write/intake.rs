//! The way of an append up to its first staged file: every source is looked at, one after the other, and what shall become of
//! it is decided against the table and the files before it. Preview goes the same way and stops here. Nothing here writes.

use std::{path::Path, sync::Arc};

use super::{
    folders::{
        Folders,
        delivery::{Delivered, Delivery},
    },
    incoming::{Arrival, Incoming},
    keys::{Holder, Keys, Shared},
    loaded::LiveSources,
    moved::Around,
    overlap::{self, Advice, Covering},
    policy::{AppendRequest, Confirms, Mode, NewColumns, OnError, OnOverlap, Status},
    same,
};
use crate::table::write::planned::{Confirmation, Planned};
use crate::{
    coverage::{BucketSet, Coverage, Entity},
    error::{Error, ErrorKind, Result},
    log::{
        definition::{Definition, Uniqueness},
        renames::Renames,
        segment::Segment,
        state::TableState,
    },
    storage::Storage,
    table::{
        monitor::{Monitor, check_cancelled},
        rows::RowSet,
        target::Target,
    },
    time::{IndexRange, format_value},
};

/// Looks at files and decides.
#[derive(Debug)]
pub struct Intake<'a> {
    storage: &'a Arc<dyn Storage>,
    request: &'a AppendRequest,
    /// The columns that files have by their folders' names.
    folders: Folders,
    /// What files are checked against; none when no file gives columns to a table that has none.
    pub target: Option<Target>,
    /// Whether overlaps are told and not raised.
    rehearsal: bool,
}

impl<'a> Intake<'a> {
    /// Gets ready for the files of `request`; the first with rows gives columns to a table that has none.
    ///
    /// # Errors
    /// As [`Target::of`].
    pub fn new(
        storage: &'a Arc<dyn Storage>,
        definition: &Definition,
        request: &'a AppendRequest,
        rehearsal: bool,
    ) -> Result<Self> {
        if request.files.is_empty() {
            return Err(Error::invalid_argument("no file was given to append"));
        }
        if request.mode == Mode::Move && request.new_columns == NewColumns::Ignore {
            return Err(Error::invalid_argument(
                "mode := 'move' with new_columns := 'ignore' would remove files whose columns did not all go in; use mode := 'copy', \
                 or new_columns := 'add'",
            ));
        }
        let (files, skip) = (&request.files, request.on_error == OnError::SkipFile);
        let folders = Folders::of(definition, files, storage.root(), &request.naming, request.new_columns)?;
        let target = Target::of_files(definition, files, &folders, skip, request.new_columns)?;
        Ok(Self { storage, request, folders, target, rehearsal })
    }

    /// Looks at every file. Each is closed again before the next is opened.
    ///
    /// # Errors
    /// What is wrong with a file, unless such files are to be skipped; `Cancelled`.
    pub fn look(&self, state: &TableState, monitor: &dyn Monitor) -> Result<Vec<Arrival>> {
        let files = &self.request.files;
        let (mut around, mut arrivals) = (Around::default(), Vec::with_capacity(files.len()));
        for (i, path) in files.iter().enumerate() {
            check_cancelled(monitor)?;
            let found = around
                .check_source(path, self.storage.root(), self.request.mode)
                .and_then(|()| self.look_at(path, state, monitor));
            arrivals.push(match found {
                Err(reason) if self.request.on_error == OnError::SkipFile && reason.kind() != ErrorKind::Cancelled => {
                    Arrival::Refused { path: path.clone(), reason }
                }
                found => found?,
            });
            #[expect(clippy::cast_precision_loss, reason = "progress is approximate")]
            monitor.progress((i + 1) as f64 / files.len() as f64 * 0.5);
        }
        Ok(arrivals)
    }

    fn look_at(&self, path: &Path, state: &TableState, monitor: &dyn Monitor) -> Result<Arrival> {
        let mut arrival = Arrival::read(path, self.target.as_ref(), &self.folders, monitor)?;
        if let (Arrival::Rows(file), Some(target)) = (&mut arrival, &self.target) {
            file.check(target, &state.properties, self.request.on_violation)?;
            // What goes away is decoded before, since afterwards nothing else is left of it.
            if self.request.mode == Mode::Move || self.request.verify {
                file.decode(target)?;
            }
        }
        Ok(arrival)
    }

    /// Decides for each file, in order, against the table and the files before it.
    ///
    /// # Errors
    /// `Overlap`, unless such files are to be skipped; as reading what the table has; `Cancelled`.
    pub fn plan(&self, state: &Arc<TableState>, arrivals: Vec<Arrival>, monitor: &dyn Monitor) -> Result<Vec<Planned>> {
        let mut planning = Planning {
            intake: self,
            state,
            loaded: LiveSources::of(state),
            coverage: state.coverage(self.storage.as_ref())?,
            renames: Renames::of(&state.properties)?,
            before: Coverage::default(),
            planned: Vec::new(),
            monitor,
        };
        for arrival in arrivals {
            planning.add(arrival)?;
        }
        let mut planned = planning.planned;
        for planned in planned.iter_mut().filter(|planned| planned.status == Status::Empty) {
            match self.confirmation(state, &planned.arrival) {
                Ok(confirmation) => (planned.confirms, planned.note) = confirmation.unzip(),
                Err(e) if self.request.on_error == OnError::SkipFile => {
                    (planned.status, planned.note) = (Status::Refused, Some(e.to_string()));
                }
                Err(e) => return Err(e),
            }
        }
        Ok(planned)
    }

    /// The buckets that a file without rows confirms to be empty, and whose, with words for it.
    ///
    /// # Errors
    /// `InvalidArgument` when that was asked of a table without columns, or of a range without end or bucket, or when a name does not say it.
    fn confirmation(&self, state: &TableState, file: &Arrival) -> Result<Option<(Confirmation, String)>> {
        let definition = self.target.as_ref().map_or(state.definition.as_ref(), |target| &target.definition);
        let name = file.shown();
        let Delivered { range, entity } = match &self.request.confirms {
            Confirms::Nothing => return Ok(None),
            Confirms::Range(range) => Delivered { range: *range, entity: None },
            Confirms::Named(pattern) => Delivery::parse(pattern, definition)?
                .of(Path::new(&name), definition)
                .map_err(|e| e.with("file", &name))?,
        };
        let index = definition.index_type().ok_or_else(|| {
            Error::invalid_argument("the table has no columns yet, so that a file without rows confirms nothing")
        })?;
        let grid = definition.grid(index)?;
        let whole = range.start.is_some() && range.until.is_some();
        let run = grid.buckets_in(&range).filter(|_| whole).ok_or_else(|| {
            Error::invalid_argument("the range that a file without rows confirms to be empty has no end or no bucket")
        })?;
        let of = entity.as_ref().map(|entity| format!(" of {}", entity.as_condition(&definition.entity_columns)));
        let note = format!(
            "what is not covered{} from {} until {} is confirmed empty",
            of.unwrap_or_default(),
            format_value(grid.start_of(run.first), index),
            format_value(grid.end_of(run.last), index)
        );
        Ok(Some((Confirmation { run, entity }, note)))
    }
}

struct Planning<'a> {
    intake: &'a Intake<'a>,
    state: &'a Arc<TableState>,
    loaded: LiveSources,
    coverage: Arc<Coverage>,
    renames: Renames,
    /// What earlier files of the call add.
    before: Coverage,
    planned: Vec<Planned>,
    monitor: &'a dyn Monitor,
}

/// What is decided on a file.
struct Decision {
    status: Status,
    left_out: RowSet,
    note: Option<String>,
}

impl Decision {
    fn of(status: Status) -> Self {
        Self { status, left_out: RowSet::default(), note: None }
    }

    fn refused(reason: &Error) -> Self {
        Self { note: Some(reason.to_string()), ..Self::of(Status::Refused) }
    }
}

impl Planning<'_> {
    fn add(&mut self, arrival: Arrival) -> Result<()> {
        let decision = match &arrival {
            Arrival::Empty(_) => Decision::of(Status::Empty),
            Arrival::Refused { reason, .. } => Decision::refused(reason),
            Arrival::Rows(file) => self.decide_or_refuse(file)?,
        };
        let mut buckets_added = 0;
        let mut already_loaded = decision.status == Status::AlreadyLoaded;
        if let Arrival::Rows(file) = &arrival {
            already_loaded = already_loaded || self.intake.rehearsal && self.is_whole(file) && self.is_loaded(file)?;
            if decision.status.adds_rows() {
                let mut fresh = file.coverage.clone();
                fresh.subtract(&self.coverage);
                fresh.subtract(&self.before);
                buckets_added = fresh.buckets();
                self.before.union_with(&file.coverage);
            }
        }
        let Decision { status, left_out, note } = decision;
        self.planned.push(Planned {
            arrival,
            status,
            already_loaded,
            note,
            left_out,
            buckets_added,
            confirms: None,
            staged: None,
        });
        Ok(())
    }

    fn decide_or_refuse(&self, file: &Incoming) -> Result<Decision> {
        let told = self.intake.rehearsal || self.intake.request.on_error == OnError::SkipFile;
        match self.decide(file) {
            Err(e) if told && e.kind() == ErrorKind::Overlap => Ok(Decision::refused(&e)),
            decided => decided,
        }
    }

    fn decide(&self, file: &Incoming) -> Result<Decision> {
        let policy = self.intake.request.on_overlap;
        let anything = self.state.definition.uniqueness == Uniqueness::None;
        let covered = !file.coverage.is_disjoint(&self.coverage);
        let twice = !file.coverage.is_disjoint(&self.before);
        let skips = matches!(policy, OnOverlap::SkipFile | OnOverlap::SkipRows);
        if skips && self.is_whole(file) && self.is_loaded(file)? {
            if self.comes_again(file)? || self.is_complete(file)? {
                return Ok(Decision::of(Status::AlreadyLoaded));
            }
            // Of a file that came in part, or of which buckets were deleted, rows may be lacking.
            if policy == OnOverlap::SkipFile {
                return self.decide_covered(file, Status::AlreadyLoaded);
            }
        }
        let asks = policy != OnOverlap::Allow && (skips || !anything);
        if asks && let Some((old, new)) = self.renamed_since(file)? {
            if policy != OnOverlap::Error && self.is_complete(file)? {
                return Ok(Decision::of(Status::AlreadyLoaded));
            }
            return Err(overlap::renamed(self.target()?, &old, &new).with("file", file.shown()));
        }
        match policy {
            OnOverlap::Allow => Ok(Decision::of(Status::Appended)),
            OnOverlap::Error | OnOverlap::SkipFile if anything => Ok(Decision::of(Status::Appended)),
            _ if !covered && !twice => Ok(Decision::of(Status::Appended)),
            OnOverlap::SkipFile if self.is_whole(file) => self.decide_covered(file, Status::AlreadyCovered),
            OnOverlap::SkipRows => self.decide_rows(file),
            OnOverlap::Replace | OnOverlap::Merge => self.decide_change(file, covered, twice),
            OnOverlap::Error | OnOverlap::SkipFile => Err(self.overlap_error(file, covered)),
        }
    }

    /// A file of which every bucket is covered is passed over only when its rows are there.
    fn decide_covered(&self, file: &Incoming, status: Status) -> Result<Decision> {
        let shared = self.shared(file, &self.all())?;
        if shared.lacking == 0 {
            return Ok(Decision::of(status));
        }
        let target = self.target()?;
        Err(overlap::absent(target, file.kept_rows(), &shared).with("file", file.shown()))
    }

    /// Leaves out the rows that are there.
    fn decide_rows(&self, file: &Incoming) -> Result<Decision> {
        let shared = self.shared(file, &file.coverage.intersect(&self.all()))?;
        if shared.surplus > 0 {
            return Err(overlap::ambiguous(self.target()?, &shared).with("file", file.shown()));
        }
        if shared.rows.len() == file.kept_rows() {
            // Of a file that shares a segment with others nobody knows whether all of it came from there; its rows are there.
            let loaded = self.loaded.is_among_others(file.fingerprint()?)?;
            return Ok(Decision::of(if loaded { Status::AlreadyLoaded } else { Status::AlreadyCovered }));
        }
        Ok(Decision { left_out: shared.rows, ..Decision::of(Status::Appended) })
    }

    /// Puts rows in the place of others, unless they are the same.
    fn decide_change(&self, file: &Incoming, covered: bool, twice: bool) -> Result<Decision> {
        let merges = self.intake.request.on_overlap == OnOverlap::Merge;
        if twice {
            if self.comes_again(file)? {
                return Ok(Decision::of(Status::AlreadyLoaded));
            }
            // Which of two files of one call is right is not for us to say.
            if !merges || !self.shared_with_files(file)?.rows.is_empty() {
                return Err(self.overlap_error(file, false));
            }
        } else if self.is_in_table(file)? && self.is_unchanged(file, merges)? {
            return Ok(Decision::of(Status::AlreadyLoaded));
        }
        Ok(Decision::of(match (covered, merges) {
            (false, _) => Status::Appended,
            (true, true) => Status::Merged,
            (true, false) => Status::Replaced,
        }))
    }

    fn is_unchanged(&self, file: &Incoming, by_key: bool) -> Result<bool> {
        let segments = self.segments(&file.coverage)?;
        let keys = by_key.then(|| self.keys()).transpose()?;
        let storage = self.intake.storage.as_ref();
        same::is_unchanged(storage, self.target()?, file, &segments, keys.as_ref(), self.monitor)
    }

    fn target(&self) -> Result<&Target> {
        let missing = || Error::corrupt("a file was looked at without a target");
        self.intake.target.as_ref().ok_or_else(missing)
    }

    fn keys(&self) -> Result<Keys<'_>> {
        Keys::new(self.intake.storage.as_ref(), self.target()?, &self.state.properties)
    }

    /// What the table and the files before cover.
    fn all(&self) -> Coverage {
        let mut all = Coverage::clone(&self.coverage);
        all.union_with(&self.before);
        all
    }

    /// Whether every bucket is covered. Buckets of a file that was loaded may have been deleted since.
    fn is_whole(&self, file: &Incoming) -> bool {
        let overlaps = || !file.coverage.is_disjoint(&self.coverage) || !file.coverage.is_disjoint(&self.before);
        (file.coverage.is_empty() || overlaps()) && file.coverage.is_subset_of(&self.all())
    }

    /// The segments that may have rows in these buckets.
    fn segments(&self, within: &Coverage) -> Result<Vec<Arc<Segment>>> {
        let Some(extent) = within.extent() else { return Ok(Vec::new()) };
        let grid = &self.target()?.grid;
        let range = IndexRange::new(grid.start_of(extent.first), grid.end_of(extent.last));
        let mut segments = Vec::new();
        for segment in self.state.segments.all()? {
            if segment.meets(&range) && !segment.coverage(self.intake.storage.as_ref())?.is_disjoint(within) {
                segments.push(Arc::clone(segment));
            }
        }
        Ok(segments)
    }

    fn files_before(&self, file: &Incoming) -> impl Iterator<Item = &Incoming> {
        let overlapping = |other: &&Incoming| !other.coverage.is_disjoint(&file.coverage);
        self.planned.iter().filter_map(Planned::added).filter(overlapping).collect::<Vec<_>>().into_iter()
    }

    fn shared(&self, file: &Incoming, within: &Coverage) -> Result<Shared> {
        let segments = self.segments(within)?;
        let others: Vec<_> = segments
            .iter()
            .map(|segment| Holder::Segment(segment))
            .chain(self.files_before(file).map(Holder::File))
            .collect();
        self.keys()?.shared(Holder::File(file), &others, within, self.monitor)
    }

    fn shared_with_files(&self, file: &Incoming) -> Result<Shared> {
        let others: Vec<_> = self.files_before(file).map(Holder::File).collect();
        self.keys()?.shared(Holder::File(file), &others, &file.coverage, self.monitor)
    }

    fn is_loaded(&self, file: &Incoming) -> Result<bool> {
        Ok(self.is_in_table(file)? || self.comes_again(file)?)
    }

    /// Whether the number of rows tells that all rows of a file that was loaded are there still. That of segments that have rows of
    /// other files too tells nothing.
    fn is_complete(&self, file: &Incoming) -> Result<bool> {
        Ok(self.loaded.rows_alone(file.fingerprint()?)? >= file.rows)
    }

    /// Whether the very same content is a source of a live segment.
    fn is_in_table(&self, file: &Incoming) -> Result<bool> {
        let Some(same_size) = self.loaded.get(file.outside.stat.bytes)? else { return Ok(false) };
        Ok(same_size.contains(&file.fingerprint()?))
    }

    /// An entity of a loaded file whose rows are in the table under another name, and that name.
    fn renamed_since(&self, file: &Incoming) -> Result<Option<(Entity, Entity)>> {
        let moved = |(entity, set): (&Entity, &BucketSet)| {
            let now = self.renames.now_called(entity)?;
            let here = self.coverage.get(entity).is_some_and(|own| set.is_subset_of(own));
            let there = self.coverage.get(now).is_some_and(|other| !set.is_disjoint(other));
            (!here && there).then(|| (entity.clone(), now.clone()))
        };
        let found = file.coverage.iter().find_map(moved);
        Ok(if found.is_some() && self.is_in_table(file)? { found } else { None })
    }

    /// Whether the very same content goes in with an earlier file.
    fn comes_again(&self, file: &Incoming) -> Result<bool> {
        for earlier in self.planned.iter().filter_map(Planned::added) {
            if earlier.outside.stat.bytes == file.outside.stat.bytes && earlier.fingerprint()? == file.fingerprint()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn overlap_error(&self, file: &Incoming, covered: bool) -> Error {
        let target = match self.target() {
            Ok(target) => target,
            Err(e) => return e,
        };
        let covering = if covered {
            Covering::Table { state: self.state, storage: self.intake.storage.as_ref() }
        } else {
            let files = self.planned.iter().filter_map(Planned::added);
            Covering::Files(files.map(|file| (file.shown(), &file.coverage)).collect())
        };
        let with = if covered { self.coverage.as_ref() } else { &self.before };
        let policy = self.intake.request.on_overlap;
        let changes = matches!(policy, OnOverlap::Replace | OnOverlap::Merge);
        let advice = match !changes && self.is_loaded(file).unwrap_or(false) {
            true => Advice::Loaded,
            false => Advice::File(policy),
        };
        overlap::error(target, &file.coverage, with, &covering, advice).with("file", file.shown())
    }
}
