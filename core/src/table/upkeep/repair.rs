//! Rebuilding what can be derived: coverage from the rows, checkpoints and the hint from the commits. What nothing explains
//! is put aside. Never removes a row, and never guesses: what cannot be rebuilt is named.

use std::{io::Write, sync::Arc};

use crate::{
    error::{Error, Result},
    log::{
        LOG_DIRECTORY, QUARANTINE_DIRECTORY,
        checkpoint::{COMMITS_PER_CHECKPOINT, checkpoint_path},
        commit::{Action, CoverageRecord, Instant, SegmentRecord},
        hint::{HINT_PATH, Hint},
        segment::Segment,
        state::TableState,
        steps::Step,
    },
    storage::Storage,
    table::{
        commit,
        derived::{Derived, derive},
        files,
        handle::Table,
        names::random_id,
        target::Target,
        write::record,
    },
};

/// What is wrong and what was done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// `commit`, `hint`, `checkpoint`, `segment`, `coverage`, `counts` or `file`.
    pub what: &'static str,
    /// Where it is.
    pub path: String,
    /// What is done about it, or what you can do.
    pub action: String,
    /// Whether it was done.
    pub done: bool,
}

struct Repair<'a> {
    table: &'a Table,
    dry_run: bool,
    now: Instant,
    rows: Vec<Repaired>,
}

impl Table {
    /// Repairs what can be, or with `dry_run` says what would be. `now` decides which leftovers may be a running writer's.
    ///
    /// # Errors
    /// `NotFound` when there is no table, `Io` when something cannot be written.
    pub fn repair(&self, dry_run: bool, now: Instant) -> Result<Vec<Repaired>> {
        self.log().check_ours()?;
        let mut repair = Repair { table: self, dry_run, now, rows: Vec::new() };
        repair.run()?;
        Ok(repair.rows)
    }
}

impl Repair<'_> {
    fn storage(&self) -> &Arc<dyn Storage> {
        self.table.log().storage()
    }

    fn run(&mut self) -> Result<()> {
        let whole = self.commits()?;
        let damaged = self.damaged_checkpoints()?;
        let latest = match self.table.log().latest(None) {
            Ok(latest) => latest,
            // Its commits are named above; nothing else can be told without them.
            Err(_) if !whole => return Ok(()),
            Err(e) => return Err(e),
        };
        self.segments(&latest)?;
        self.checkpoint(damaged)?;
        // Repairing may have made a version.
        let latest = self.table.log().latest(None)?;
        self.hint(&latest)?;
        if whole { self.leftovers(&latest) } else { Ok(()) }
    }

    /// Does `act` unless this is a rehearsal, and reports it.
    fn act(
        &mut self,
        what: &'static str,
        path: &str,
        action: &str,
        act: impl FnOnce(&Self) -> Result<()>,
    ) -> Result<()> {
        if !self.dry_run {
            act(self)?;
        }
        self.rows.push(Repaired { what, path: path.to_owned(), action: action.to_owned(), done: !self.dry_run });
        Ok(())
    }

    fn cannot(&mut self, what: &'static str, path: &str, action: String) {
        self.rows.push(Repaired { what, path: path.to_owned(), action, done: false });
    }

    /// Names damaged and missing commits; whether there are none.
    fn commits(&mut self) -> Result<bool> {
        let steps = self.table.log().steps()?.steps;
        let mut whole = true;
        for step in steps {
            let (version, problem) = match step {
                Step::Missing { first, .. } => (first, step.words()),
                Step::Commit(version) => match self.table.log().read(version) {
                    Ok(Some(_)) => continue,
                    Ok(None) => (version, step.words()),
                    Err(e) => (version, e.to_string()),
                },
            };
            let copy = "cannot be rebuilt: restore it from a copy of the table";
            let action = match whole.then(|| self.way_back()).flatten() {
                Some(way) => format!("{copy}, or {way} ({problem})"),
                None => format!("{copy} ({problem})"),
            };
            whole = false;
            self.cannot("commit", &version.commit_path(), action);
        }
        Ok(whole)
    }

    /// The version that the table can go back to when its log cannot be followed to the end, in words.
    fn way_back(&self) -> Option<String> {
        if self.table.log().latest(None).is_ok() {
            return None;
        }
        let version = self.table.log().newest_intact()?.version;
        Some(format!(
            "go back to version {version}, which gives up every change after it: \
             tstable_repair('{}', back_to := {version}, dry_run := false)",
            self.storage().root()
        ))
    }

    /// Puts damaged checkpoints aside; whether there were any.
    fn damaged_checkpoints(&mut self) -> Result<bool> {
        let (_, checkpoints) = self.table.log().list()?;
        let mut damaged = false;
        for version in &checkpoints {
            let read = crate::log::checkpoint::read(self.storage().as_ref(), *version);
            let intact = read.and_then(|state| {
                let Some(state) = state else { return Ok(None) };
                state.segments.all()?;
                state.stored_coverage()
            });
            if intact.is_err() {
                damaged = true;
                let path = checkpoint_path(*version);
                self.act("checkpoint", &path, "moved to _quarantine: it is damaged", |r| r.quarantine(&path))?;
            }
        }
        Ok(damaged)
    }

    /// Writes a checkpoint where one is wanted; its coverage comes from segments that have been repaired by now.
    fn checkpoint(&mut self, damaged: bool) -> Result<()> {
        let (_, checkpoints) = self.table.log().list()?;
        let latest = self.table.log().latest(None)?;
        if damaged || (checkpoints.is_empty() && latest.version.0 >= COMMITS_PER_CHECKPOINT) {
            let path = checkpoint_path(latest.version);
            self.act("checkpoint", &path, "rebuilt from the commits", |r| {
                let _ = r.table.log().write_checkpoint(&latest)?;
                r.table.log().write_hint_at(latest.version, latest.version)
            })?;
        }
        Ok(())
    }

    fn hint(&mut self, latest: &TableState) -> Result<()> {
        let (_, checkpoints) = self.table.log().list()?;
        let good = |hint: Hint| {
            hint.version <= latest.version && (hint.checkpoint.0 == 0 || checkpoints.contains(&hint.checkpoint))
        };
        if matches!(self.table.log().read_hint(), Ok(Some(hint)) if good(hint)) {
            return Ok(());
        }
        let checkpoint = checkpoints.last().copied().unwrap_or_default();
        self.act("hint", HINT_PATH, "rebuilt", |r| r.table.log().write_hint_at(latest.version, checkpoint))
    }

    fn segments(&mut self, latest: &Arc<TableState>) -> Result<()> {
        let Some(target) = Target::of_table_columns(&latest.definition)? else { return Ok(()) };
        for segment in latest.segments.all()? {
            let record = &segment.record;
            let derived = match derive(self.storage().as_ref(), segment, &target) {
                Ok(derived) => derived,
                Err(e) => {
                    let action = format!("cannot be rebuilt: restore this file from a copy or its source ({e})");
                    self.cannot("segment", &record.path, action);
                    continue;
                }
            };
            let fresh = Segment::new(record.clone(), segment.added);
            let stated = fresh.coverage(self.storage().as_ref());
            let bounds = (record.index_min, record.index_max) == derived.bounds;
            if bounds && stated.is_ok_and(|stated| *stated == derived.coverage) {
                self.counts(&fresh, &derived)?;
                continue;
            }
            match &record.coverage {
                CoverageRecord::File(path) if bounds && derived.coverage.buckets() == record.buckets => {
                    let bytes = derived.coverage.to_bytes();
                    self.act("coverage", path, "rebuilt from the rows", |r| {
                        overwrite(r.storage().as_ref(), path, &bytes)
                    })?;
                    self.counts(&fresh, &derived)?;
                }
                _ => {
                    let action = "recorded again from the rows, in a commit";
                    self.act("coverage", &record.path, action, |r| r.record_anew(record, &derived))?;
                }
            }
        }
        Ok(())
    }

    /// Tells the rows of buckets again where that is damaged.
    fn counts(&mut self, segment: &Segment, derived: &Derived) -> Result<()> {
        let record = &segment.record;
        let stated = segment.counts(self.storage().as_ref());
        let Some(counts) = &derived.counts else { return Ok(()) };
        if stated.is_ok_and(|stated| stated.is_none_or(|stated| stated == *counts)) {
            return Ok(());
        }
        let bytes = counts.to_bytes();
        match record.counts_path() {
            Some(path) => {
                self.act("counts", path, "rebuilt from the rows", |r| overwrite(r.storage().as_ref(), path, &bytes))
            }
            None => {
                let action = "recorded again from the rows, in a commit";
                self.act("counts", &record.path, action, |r| r.record_anew(record, derived))
            }
        }
    }

    /// Puts a record with the derived coverage in the place of one that contradicts the rows.
    fn record_anew(&self, record: &SegmentRecord, derived: &Derived) -> Result<()> {
        let id = random_id();
        let mut corrected = record.clone();
        corrected.coverage = record::coverage(self.storage().as_ref(), &derived.coverage, &id)?;
        let counts = record::counts(self.storage().as_ref(), derived.counts.as_ref(), &id)?;
        corrected.set_counts(counts.as_ref());
        corrected.id = id;
        corrected.entities = derived.coverage.entity_count() as u64;
        corrected.buckets = derived.coverage.buckets();
        (corrected.index_min, corrected.index_max) = derived.bounds;
        let base = self.table.log().latest(None)?;
        commit::amend(self.table, &base, "repair", None, |state| {
            if state.segments.all()?.iter().all(|segment| segment.record.id != record.id) {
                return Ok(Vec::new());
            }
            let remove = Action::RemoveSegment { id: record.id.clone() };
            Ok(vec![remove, Action::AddSegment(Box::new(corrected.clone()))])
        })
        .map(drop)
    }

    /// Puts aside what no version names, unless a running writer may be about to name it. As a vacuum, it says so in the log first:
    /// a writer that slept all day may wake up.
    fn leftovers(&mut self, latest: &Arc<TableState>) -> Result<()> {
        let mut found = self.unnamed(latest)?;
        if !self.dry_run && found.iter().any(|(_, ours)| *ours) {
            commit::amend(self.table, latest, "repair", None, |state| {
                // A commit may have named some since the state was read.
                found = self.unnamed(state)?;
                let removed: Vec<_> = found.iter().filter(|(_, ours)| *ours).map(|(path, _)| path.clone()).collect();
                let action = Action::Vacuum { oldest: state.oldest, removed: removed.clone() };
                Ok(if removed.is_empty() { Vec::new() } else { vec![action] })
            })?;
        }
        for (path, _) in found {
            self.act("file", &path, "moved to _quarantine: no version names it", |r| r.quarantine(&path))?;
        }
        Ok(())
    }

    /// The files that no version names and nobody is at work on, and whether writers give such names.
    fn unnamed(&self, state: &Arc<TableState>) -> Result<Vec<(String, bool)>> {
        let named = files::named(self.table, state, state.oldest)?;
        let mut unnamed = Vec::new();
        for directory in files::FILE_DIRECTORIES {
            for entry in self.storage().list(directory)? {
                let path = format!("{directory}/{}", entry.name);
                let ours = files::is_of_a_segment(&entry.name);
                let in_use = files::is_temporary(&entry.name) || (ours && !files::is_old(&entry, self.now));
                if !named.contains(&path) && !in_use {
                    unnamed.push((path, ours));
                }
            }
        }
        Ok(unnamed)
    }

    fn quarantine(&self, path: &str) -> Result<()> {
        quarantine(self.storage().as_ref(), path)
    }
}

/// Puts a file where no reader looks.
pub(crate) fn quarantine(storage: &dyn Storage, path: &str) -> Result<()> {
    storage.prepare(&[QUARANTINE_DIRECTORY])?;
    let name = path.strip_prefix(LOG_DIRECTORY).unwrap_or(path).trim_start_matches('/').replace('/', "-");
    storage.rename(path, &format!("{QUARANTINE_DIRECTORY}/{}-{name}", random_id())).map(drop)
}

/// Durably puts `bytes` in the place of a damaged file.
pub(crate) fn overwrite(storage: &dyn Storage, path: &str, bytes: &[u8]) -> Result<()> {
    let mut staged = storage.stage(path)?;
    staged.write_all(bytes).map_err(|e| Error::io("write", path, e))?;
    staged.finish().map(drop)
}
