//! Looking for damage: every commit, the hint, checkpoints, segments, coverage, and files that nothing names. Reads only.

use std::collections::HashSet;

use crate::{
    coverage::Coverage,
    delta,
    error::{Error, Result},
    log::{
        LOG_DIRECTORY, Version,
        checkpoint::checkpoint_path,
        commit::{Action, Commit, CoverageRecord, Instant, SegmentRecord},
        hint::HINT_PATH,
        segment::Segment,
        state::TableState,
        steps::{Step, Steps},
    },
    schema::Strings,
    segment::{ReadRequest, audit},
    table::{
        clock,
        derived::{Derived, derive},
        files,
        handle::Table,
        monitor::{Monitor, check_cancelled},
        opened,
        target::Target,
        write::lives::lives,
    },
};

/// What was looked at and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `table`, `commit`, `hint`, `checkpoint`, `segment`, `coverage`, `counts` (when they are damaged), `statistics` (found when looking deep only), `delta`, `zone` or
    /// `file`.
    pub what: &'static str,
    /// Where it is.
    pub path: String,
    /// What is wrong; none when nothing is.
    pub problem: Option<String>,
}

/// What the log says, as far as it can be read.
struct Replayed {
    /// The state after the last version that could be followed from the first; none without one.
    state: Option<TableState>,
    /// The states at versions that have a checkpoint.
    at_checkpoints: Vec<(Version, TableState)>,
    /// Files of every segment that any readable commit adds.
    named: HashSet<String>,
}

struct Verify<'a> {
    table: &'a Table,
    deep: bool,
    monitor: &'a dyn Monitor,
    findings: Vec<Finding>,
}

impl Table {
    /// Looks at everything under the root. Without `deep` it reads the log, and of every segment size, checksum and footer, and its
    /// coverage; with it, every row too, whose coverage must be what the log says.
    ///
    /// # Errors
    /// `NotFound` when there is no table, `Cancelled`, and what the storage refuses. Damage is a finding, not an error.
    pub fn verify(&self, deep: bool, monitor: &dyn Monitor) -> Result<Vec<Finding>> {
        let mut verify = Verify { table: self, deep, monitor, findings: Vec::new() };
        verify.run()?;
        Ok(verify.findings)
    }
}

impl Verify<'_> {
    fn found(&mut self, what: &'static str, path: impl Into<String>, problem: Option<String>) {
        self.findings.push(Finding { what, path: path.into(), problem });
    }

    fn run(&mut self) -> Result<()> {
        let Steps { steps, checkpoints, last } = self.table.log().steps()?;
        if steps.is_empty() {
            // There is no table; this says so.
            return self.table.log().latest(None).map(drop);
        }
        let replayed = self.commits(&steps, &checkpoints)?;
        self.hint(last, &checkpoints);
        self.checkpoints(&checkpoints, &replayed)?;
        let latest = self.table.log().latest(None);
        let latest = match latest.and_then(|latest| latest.segments.all().map(drop).map(|()| latest)) {
            Ok(latest) => latest,
            Err(e) => {
                self.found("table", self.table.log().storage().root().to_owned(), Some(e.to_string()));
                return self.leftovers(&replayed.named);
            }
        };
        let mut named = replayed.named;
        // Nothing in another program's log says which old versions it has cleaned up.
        let lives = latest.foreign.is_none().then(|| lives(self.table, &latest));
        match lives {
            Some(Ok((lives, unreadable))) => {
                // What only versions that cannot be read any more have named is a leftover.
                named = HashSet::new();
                for (tag, e) in unreadable {
                    self.found("table", format!("tag {tag}"), Some(e.to_string()));
                }
                for life in lives {
                    check_cancelled(self.monitor)?;
                    named.extend(life.segment.record.files().map(str::to_owned));
                    let target = Target::of_table_columns(&life.definition)?;
                    self.segment(
                        &life.segment,
                        target.as_ref().filter(|_| life.is_of(latest.version)),
                        &life.needed_by(),
                    );
                }
            }
            // The commits that are to blame are named above; what the newest version needs is known all the same.
            Some(Err(_)) | None => {
                let target = Target::of_table_columns(&latest.definition)?;
                for segment in latest.segments.all()? {
                    check_cancelled(self.monitor)?;
                    self.segment(segment, target.as_ref(), &format!("version {}", latest.version));
                }
            }
        }
        for looked in delta::upkeep::look(self.table.log(), &latest)? {
            self.found("delta", looked.path, looked.problem);
        }
        if let Some(zone) = &latest.definition.timezone {
            self.found("zone", zone.clone(), latest.definition.zone_rules_changed());
        }
        named.extend(latest.segments.all()?.into_iter().flat_map(|s| s.record.files()).map(str::to_owned));
        self.leftovers(&named)
    }

    fn commits(&mut self, steps: &[Step], checkpoints: &[Version]) -> Result<Replayed> {
        let mut replayed = Replayed { state: None, at_checkpoints: Vec::new(), named: HashSet::new() };
        let mut broken = false;
        let mut future = clock::Future::new(Instant::now());
        for step in steps {
            check_cancelled(self.monitor)?;
            let (version, problem) = match *step {
                Step::Missing { first, .. } => (first, Some(step.words())),
                Step::Commit(version) => (version, self.commit(version, broken, &mut replayed)),
            };
            broken |= problem.is_some();
            let problem = problem.or_else(|| future.first(replayed.state.as_ref().filter(|s| s.version == version)));
            self.found("commit", version.commit_path(), problem);
            if let Some(state) =
                replayed.state.as_ref().filter(|s| s.version == version && checkpoints.contains(&version))
            {
                replayed.at_checkpoints.push((version, state.clone()));
            }
        }
        Ok(replayed)
    }

    /// What is wrong with a commit.
    fn commit(&self, version: Version, broken: bool, replayed: &mut Replayed) -> Option<String> {
        match self.table.log().read(version) {
            Ok(Some(commit)) => self.follow(&commit, broken, replayed).err().map(|e| e.to_string()),
            Ok(None) => Some(Step::Commit(version).words()),
            Err(e) => Some(e.to_string()),
        }
    }

    fn follow(&self, commit: &Commit, broken: bool, replayed: &mut Replayed) -> Result<()> {
        for action in &commit.actions {
            if let Action::AddSegment(record) = action {
                replayed.named.extend(record.files().map(str::to_owned));
            }
        }
        if broken {
            return Ok(());
        }
        match &mut replayed.state {
            None => replayed.state = Some(TableState::first(commit)?),
            Some(state) if commit.timestamp < state.committed_at => {
                return Err(Error::corrupt(format!(
                    "the commit is of {}, before the one it follows",
                    commit.timestamp
                )));
            }
            Some(state) => state.apply(commit)?,
        }
        Ok(())
    }

    fn hint(&mut self, last: Version, checkpoints: &[Version]) {
        let problem = match self.table.log().read_hint() {
            Ok(Some(hint)) if hint.version > last => {
                Some(format!("it names version {}; the newest that is there is {last}", hint.version))
            }
            Ok(Some(hint)) if hint.checkpoint.0 > 0 && !checkpoints.contains(&hint.checkpoint) => {
                Some(format!("it names the checkpoint of version {}, which is not there", hint.checkpoint))
            }
            Ok(Some(_)) => None,
            Ok(None) => Some("it is missing; the table works without, but opens slower".to_owned()),
            Err(e) => Some(e.to_string()),
        };
        self.found("hint", HINT_PATH, problem);
    }

    fn checkpoints(&mut self, checkpoints: &[Version], replayed: &Replayed) -> Result<()> {
        for version in checkpoints {
            check_cancelled(self.monitor)?;
            let state = replayed.at_checkpoints.iter().find(|(at, _)| at == version).map(|(_, state)| state);
            let problem = self.check_checkpoint(*version, state).err().map(|e| e.to_string());
            self.found("checkpoint", checkpoint_path(*version), problem);
        }
        Ok(())
    }

    fn check_checkpoint(&self, version: Version, replayed: Option<&TableState>) -> Result<()> {
        let storage = self.table.log().storage().as_ref();
        let missing = || Error::corrupt("the checkpoint is missing");
        let stored = crate::log::checkpoint::read(storage, version)?.ok_or_else(missing)?;
        stored.segments.all()?;
        let coverage = stored.stored_coverage()?;
        if !replayed.map_or(Ok(true), |replayed| stored.says_the_same(replayed))? {
            return Err(Error::corrupt("the checkpoint says something else than the commits"));
        }
        if self.deep && coverage.is_some_and(|coverage| stored.union_of_segments(storage).is_ok_and(|u| u != coverage))
        {
            return Err(Error::corrupt("the checkpoint's coverage is not that of its segments"));
        }
        Ok(())
    }

    /// Looks at the files of a segment that `needed_by` cannot be read without.
    fn segment(&mut self, segment: &Segment, target: Option<&Target>, needed_by: &str) {
        let in_words = |e: Error| format!("{e}; without it {needed_by} cannot be read");
        let problem = self.check_file(segment).err().map(in_words);
        let readable = problem.is_none();
        self.found("segment", segment.record.path.clone(), problem);
        // A fresh look: what was read before does not say what is there now.
        let fresh = Segment::new(segment.record.clone(), segment.added);
        let path = match &segment.record.coverage {
            CoverageRecord::File(path) => path.clone(),
            CoverageRecord::Inline(_) => segment.added.commit_path(),
        };
        let problem = match (fresh.coverage(self.table.log().storage().as_ref()), target) {
            (Err(e), _) => Some(in_words(e)),
            (Ok(coverage), Some(target)) if self.deep && readable => {
                self.check_rows(&fresh, &coverage, target).err().map(|e| e.to_string())
            }
            (Ok(_), _) => None,
        };
        self.found("coverage", path, problem);
        let problem = fresh.counts(self.table.log().storage().as_ref()).err();
        if let Some(problem) = problem {
            let path = fresh.record.counts_path().map_or_else(|| fresh.added.commit_path(), str::to_owned);
            let problem = format!("{problem}; min_rows reads the rows instead; tstable_repair writes it again");
            self.found("counts", path, Some(problem));
        }
        if self.deep && readable {
            self.statistics(segment);
        }
    }

    /// Says what the file says of its values and pages that is not so. Scans find out by themselves where it is about pages, the index
    /// or entities; for the footer's bounds of other columns they take its word, as DuckDB does.
    fn statistics(&mut self, segment: &Segment) {
        let storage = self.table.log().storage();
        let record = &segment.record;
        let problem = match opened::open_as_written(storage.as_ref(), segment).and_then(|file| audit::problems(&file)) {
            Ok(problems) if problems.is_empty() => return,
            Ok(problems) => format!(
                "{}; no row is damaged, but a WHERE on such a column may miss rows, as in read_parquet: append the file again \
                 with on_overlap := 'replace', mode := 'rewrite'",
                problems.join("; ")
            ),
            Err(e) => e.with("path", &record.path).with("version", segment.added).to_string(),
        };
        self.found("statistics", record.path.clone(), Some(problem));
    }

    fn check_file(&self, segment: &Segment) -> Result<()> {
        let storage = self.table.log().storage();
        let file = opened::open_as_written(storage.as_ref(), segment)?;
        opened::check_bytes(segment, storage.open(&segment.record.path)?.as_ref())?;
        let named = |e: Error| e.with("path", &segment.record.path).with("version", segment.added);
        if self.deep {
            file.read(ReadRequest { strings: Strings::Plain, ..ReadRequest::all(&file) })
                .and_then(|mut batches| batches.try_for_each(|batch| batch.map(drop)))
                .map_err(named)?;
        }
        Ok(())
    }

    fn check_rows(&self, segment: &Segment, stated: &Coverage, target: &Target) -> Result<()> {
        let Derived { coverage, counts, bounds } = derive(self.table.log().storage().as_ref(), segment, target)?;
        let record: &SegmentRecord = &segment.record;
        let wrong = |what: &str| Err(Error::corrupt(what).with("path", &record.path).with("version", segment.added));
        if coverage != *stated {
            return wrong("the coverage of a segment is not that of its rows");
        }
        if let Ok(Some(stated)) = segment.counts(self.table.log().storage().as_ref())
            && counts.is_some_and(|counts| counts != stated)
        {
            return wrong("the counts of a segment are not those of its rows");
        }
        if bounds != (record.index_min, record.index_max) {
            return wrong("the bounds of a segment are not those of its rows");
        }
        Ok(())
    }

    fn leftovers(&mut self, named: &HashSet<String>) -> Result<()> {
        for directory in files::FILE_DIRECTORIES.into_iter().chain([LOG_DIRECTORY]) {
            for entry in self.table.log().storage().list(directory)? {
                let path = format!("{directory}/{}", entry.name);
                let known = if directory == LOG_DIRECTORY { is_of_the_log(&entry.name) } else { named.contains(&path) };
                if !known {
                    let problem = "no version names this file: a writer is at work, or one was interrupted";
                    self.found("file", path, Some(problem.to_owned()));
                }
            }
        }
        Ok(())
    }
}

fn is_of_the_log(name: &str) -> bool {
    name == "CURRENT"
        || Version::of_commit_name(name).is_some()
        || crate::log::checkpoint::of_checkpoint_name(name).is_some()
}
