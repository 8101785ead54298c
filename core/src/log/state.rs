//! The table after a version: what replaying its commits leaves. Keeps the table's coverage lazily, since most readers
//! never ask for it.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, OnceLock},
};

pub use super::segment::Segment;
use super::{
    Version,
    block::check_record,
    commit::{Action, Commit, Instant, SegmentRecord},
    definition::Definition,
    expectations::Expectations,
    foreign,
    segment::{MAX_COVERAGE_BYTES, MAX_TABLE_BUCKETS},
    segments::Segments,
};
use crate::{
    coverage::Coverage,
    error::{Error, Result},
    storage::{Storage, source::Part},
    time::{IndexValue, Run},
};

/// The state of a table after [`TableState::version`].
#[derive(Debug, Clone)]
pub struct TableState {
    /// The last commit in it.
    pub version: Version,
    /// When that was made.
    pub committed_at: Instant,
    /// When the table was created.
    pub created_at: Instant,
    /// What the table is.
    pub definition: Arc<Definition>,
    /// The live segments.
    pub segments: Segments,
    /// Properties by name.
    pub properties: BTreeMap<String, String>,
    /// Tags by name.
    pub tags: BTreeMap<String, Version>,
    /// Older versions cannot be read, unless a tag names them: vacuum may have removed their files.
    pub oldest: Version,
    /// The newest checkpoint that is known of; zero without one.
    pub checkpoint: Version,
    /// What is expected.
    pub expectations: Arc<Expectations>,
    /// The program whose table it is, and its format, when that is another than this one: such a table is read only.
    pub foreign: Option<Arc<str>>,
    /// Whether any version up to this one had columns that are not in the files of their segments.
    pub has_constants: bool,
    /// What went wrong, but harmlessly, while the state was loaded.
    pub warnings: Vec<String>,
    coverage: CoverageCell,
}

/// The table's coverage: what a checkpoint stored, if there is one, and the segments added since.
#[derive(Debug, Clone, Default)]
struct CoverageCell {
    ready: OnceLock<Arc<Coverage>>,
    base: Option<Part>,
    since: Vec<Arc<Segment>>,
}

impl TableState {
    /// The state after the first commit.
    ///
    /// # Errors
    /// `Corrupt` when that commit does not define a table.
    pub fn first(commit: &Commit) -> Result<Self> {
        let definition = commit.actions.iter().find_map(|action| match action {
            Action::DefineTable(definition) => Some(definition),
            _ => None,
        });
        let Some(definition) = definition else {
            return Err(Error::corrupt("the first commit does not define a table").with("version", commit.version));
        };
        let mut state = Self::bare(Version(0), commit.timestamp, commit.timestamp, definition.as_ref().clone());
        state.foreign.clone_from(&commit.foreign);
        state.apply(commit)?;
        Ok(state)
    }

    /// The state before the first commit: a table that is still to be made.
    #[must_use]
    pub fn unborn(definition: Definition) -> Self {
        let now = Instant::now();
        Self::bare(Version(0), now, now, definition)
    }

    /// A state read from a checkpoint, which stores its coverage.
    #[must_use]
    pub(super) fn with_coverage(mut self, stored: Part) -> Self {
        self.coverage = CoverageCell { ready: OnceLock::new(), base: Some(stored), since: Vec::new() };
        self
    }

    /// A state without segments, to be filled by commits or a checkpoint.
    pub(super) fn bare(version: Version, committed_at: Instant, created_at: Instant, definition: Definition) -> Self {
        Self {
            version,
            committed_at,
            created_at,
            definition: Arc::new(definition),
            segments: Segments::default(),
            properties: BTreeMap::new(),
            tags: BTreeMap::new(),
            oldest: Version(1),
            checkpoint: Version(0),
            expectations: Arc::default(),
            foreign: None,
            has_constants: false,
            warnings: Vec::new(),
            coverage: CoverageCell::default(),
        }
    }

    /// Follows the next commit.
    ///
    /// # Errors
    /// `Corrupt` when the commit does not follow this version or removes what is not there.
    pub fn apply(&mut self, commit: &Commit) -> Result<()> {
        self.apply_adding(commit).map(drop)
    }

    /// As [`TableState::apply`]; gives the segments that it adds.
    fn apply_adding(&mut self, commit: &Commit) -> Result<Vec<Arc<Segment>>> {
        let corrupt = |why: String| Error::corrupt(why).with("path", commit.version.commit_path());
        if commit.version != self.version.next() {
            return Err(corrupt(format!("version {} does not follow version {}", commit.version, self.version)));
        }
        let mut added = Vec::new();
        let mut removed = HashSet::new();
        for action in &commit.actions {
            match action {
                Action::DefineTable(definition) => self.definition = Arc::new(definition.as_ref().clone()),
                Action::AddSegment(record) => {
                    check_record(record).map_err(|e| e.with("version", commit.version))?;
                    added.push(self.add(record.as_ref().clone(), commit.version)?);
                }
                Action::RemoveSegment { id } => _ = removed.insert(id.as_str()),
                Action::SetProperty { key, value: Some(value) } => {
                    self.properties.insert(key.clone(), value.clone());
                }
                Action::SetProperty { key, value: None } => _ = self.properties.remove(key),
                Action::SetTag { name, version } => _ = self.tags.insert(name.clone(), *version),
                Action::RemoveTag { name } => _ = self.tags.remove(name),
                Action::Vacuum { oldest, .. } => self.oldest = self.oldest.max(*oldest),
                Action::SetCalendar { entities, calendar } => {
                    Arc::make_mut(&mut self.expectations).set_calendar(entities, calendar.as_deref());
                }
                Action::MarkEmpty { entity, first, last, undo, .. } => {
                    let run = Run::new(*first, *last)
                        .ok_or_else(|| corrupt("a marked run ends before it begins".to_owned()))?;
                    Arc::make_mut(&mut self.expectations).mark_empty(entity.as_ref(), run, *undo)?;
                }
            }
        }
        let of_its_own = added.iter().any(|segment| removed.contains(segment.record.id.as_str()));
        if of_its_own || self.remove(&removed)? != removed.len() {
            return Err(corrupt("the commit removes a segment that is not in the table".to_owned()));
        }
        self.version = commit.version;
        self.committed_at = commit.timestamp;
        Ok(added)
    }

    fn add(&mut self, record: SegmentRecord, version: Version) -> Result<Arc<Segment>> {
        self.has_constants |= record.has_constants();
        let segment = Arc::new(Segment::new(record, version));
        self.segments.insert(Arc::clone(&segment))?;
        self.coverage.ready = OnceLock::new();
        if self.coverage.base.is_some() {
            self.coverage.since.push(Arc::clone(&segment));
        }
        Ok(segment)
    }

    fn remove(&mut self, ids: &HashSet<&str>) -> Result<usize> {
        if ids.is_empty() {
            return Ok(0);
        }
        // What a removed segment covered alone is not known without looking at all others.
        self.coverage = CoverageCell::default();
        self.segments.remove(ids)
    }

    /// The coverage of all live segments together, put together once.
    ///
    /// # Errors
    /// `Corrupt`, `NotFound` or `Io` when a segment's coverage cannot be had.
    pub fn coverage(&self, storage: &dyn Storage) -> Result<Arc<Coverage>> {
        if let Some(coverage) = self.coverage.ready.get() {
            return Ok(Arc::clone(coverage));
        }
        let buckets = self.segments.buckets();
        if buckets > MAX_TABLE_BUCKETS {
            return Err(Error::limit_exceeded(format!(
                "the table covers {buckets} buckets; at most {MAX_TABLE_BUCKETS} can be worked with: use wider buckets"
            )));
        }
        let base = self.coverage.base.as_ref().and_then(|base| read_base(base).ok());
        let (mut coverage, rest) = match base {
            Some(coverage) => (coverage, self.coverage.since.iter().collect()),
            None => (Coverage::default(), self.segments.all()?),
        };
        for segment in rest {
            segment.add_coverage(storage, &mut coverage)?;
        }
        coverage.optimize();
        Ok(Arc::clone(self.coverage.ready.get_or_init(|| Arc::new(coverage))))
    }

    /// The coverage that the checkpoint stored from which this state was read; none when it was not read from one.
    ///
    /// # Errors
    /// `Corrupt` when it is damaged.
    pub fn stored_coverage(&self) -> Result<Option<Coverage>> {
        self.coverage.base.as_ref().map(read_base).transpose()
    }

    /// The coverage of all live segments together, put together from theirs alone.
    ///
    /// # Errors
    /// As [`Segment::coverage`].
    pub fn union_of_segments(&self, storage: &dyn Storage) -> Result<Coverage> {
        let mut union = Coverage::default();
        for segment in self.segments.all()? {
            union.union_with(segment.coverage(storage)?.as_ref());
        }
        Ok(union)
    }

    /// Whether the other state is of the same version and says the same.
    ///
    /// # Errors
    /// As [`Segments::all`].
    pub fn says_the_same(&self, other: &Self) -> Result<bool> {
        let same = |(a, b): (&Arc<Segment>, &Arc<Segment>)| a.record == b.record && a.added == b.added;
        let (own, others) = (self.segments.all()?, other.segments.all()?);
        Ok((self.version, self.committed_at, self.created_at) == (other.version, other.committed_at, other.created_at)
            && self.definition == other.definition
            && (&self.properties, &self.tags, self.oldest) == (&other.properties, &other.tags, other.oldest)
            && self.expectations == other.expectations
            && own.len() == others.len()
            && own.into_iter().zip(others).all(same))
    }

    /// Follows `commit` as [`TableState::apply`] does, and hands on the coverage, which `before` may have at hand.
    ///
    /// # Errors
    /// As [`TableState::apply`].
    pub fn followed_by(&self, commit: &Commit, storage: &dyn Storage) -> Result<Self> {
        let mut next = self.clone();
        let ready = self.coverage.ready.get().cloned();
        let added = next.apply_adding(commit)?;
        let only_adds = !commit.actions.iter().any(|a| matches!(a, Action::RemoveSegment { .. }));
        if let (Some(mut coverage), true) = (ready, only_adds) {
            // Coverage that cannot be read is missed by whoever asks for it, not by those who follow the log.
            if let Ok(added) = added.iter().map(|s| s.coverage(storage)).collect::<Result<Vec<_>>>() {
                let union = Arc::make_mut(&mut coverage);
                added.iter().for_each(|added| union.union_with(added));
                // What the checkpoint stored is not needed any more.
                next.coverage = CoverageCell { ready: OnceLock::from(coverage), ..CoverageCell::default() };
            }
        }
        Ok(next)
    }

    /// Refuses to write to a table of another program.
    ///
    /// # Errors
    /// `UnsupportedFormat` with the call that makes a table of ours of it.
    pub fn check_writable(&self, storage: &dyn Storage) -> Result<()> {
        self.foreign.as_ref().map_or(Ok(()), |program| Err(foreign::read_only(program, storage.root())))
    }

    /// Whether vacuum has left the files of `version` alone.
    #[must_use]
    pub fn keeps(&self, version: Version) -> bool {
        version >= self.oldest || self.tags.values().any(|tagged| *tagged == version)
    }

    /// Refuses a version whose files vacuum may have removed.
    ///
    /// # Errors
    /// `NotFound` naming the oldest version that can be read.
    pub fn check_kept(&self, version: Version) -> Result<()> {
        if self.keeps(version) {
            return Ok(());
        }
        let oldest = self.oldest;
        Err(Error::not_found(format!(
            "version {version} has been vacuumed; the oldest version that can be read is {oldest}"
        )))
    }
    /// Rows of all live segments.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.segments.rows()
    }

    /// Bytes of all live segments.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.segments.bytes()
    }

    /// The least and greatest index value; none in an empty table.
    #[must_use]
    pub fn index_bounds(&self) -> Option<(IndexValue, IndexValue)> {
        self.segments.index_bounds()
    }
}

fn read_base(base: &Part) -> Result<Coverage> {
    let bounded = Part { length: base.length.min(MAX_COVERAGE_BYTES), ..base.clone() };
    Coverage::from_bytes(&bounded.bytes()?, MAX_TABLE_BUCKETS)
}
