//! Compacting: small segments are merged into sorted ones, in one commit. Coverage, sources, tags and properties stay as they are, and
//! old versions keep their own files.
//!
//! Memory is bounded by [`MEMORY_BYTES`] of rows, and what merging takes (see [`crate::table::write::sorter`]), whatever the size of the table.

pub mod plan;

use std::{collections::HashSet, sync::Arc};

use arrow::array::RecordBatch;

use self::plan::{Histogram, Job, plan};
use super::{
    builder::SegmentBuilder,
    carve::is_condemned,
    record,
    slices::Slices,
    sorter::{MEMORY_BYTES, Sorter},
};
use crate::{
    error::{Error, ErrorKind, Result},
    log::{
        commit::{Action, SegmentRecord, SourceRecord},
        segment::Segment,
        state::TableState,
    },
    segment::{
        inspect::{InspectRequest, inspect},
        visit::{EntityBatch, IndexValues, RowVisitor},
    },
    storage::Storage,
    table::{
        commit::{Amendment, Changed, Condemned, Plan},
        handle::{Snapshot, Table},
        monitor::{Monitor, check_cancelled},
        opened,
        target::{KeyColumns, Target, read_column, segment_rows},
    },
    time::{Cursor, IndexRange, IndexValue},
};

/// What the rows of new segments are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Within each row group entities, then the index (see [`crate::table::write::slices`]): quick for one entity's history, and small.
    #[default]
    Entity,
    /// The index alone.
    Index,
}

impl Order {
    /// # Errors
    /// `InvalidArgument` for an unknown word.
    pub fn parse(word: &str) -> Result<Self> {
        match word {
            "entity" => Ok(Self::Entity),
            "index" => Ok(Self::Index),
            _ => Err(Error::invalid_argument(format!("layout := '{word}' is not known; use 'entity' or 'index'"))),
        }
    }
}

/// What to compact.
#[derive(Debug, Clone)]
pub struct CompactRequest {
    /// Segments that lie wholly in it.
    pub range: IndexRange,
    /// Rows that a segment should have.
    pub target_rows: u64,
    /// What its rows are sorted by.
    pub order: Order,
    /// Whether to find out only what would be done.
    pub dry_run: bool,
}

/// What a compaction did, or would do.
#[derive(Debug, Clone)]
pub struct Compacted {
    /// The table after it.
    pub changed: Changed,
    /// Live segments before.
    pub segments_before: u64,
    /// Live segments after.
    pub segments_after: u64,
    /// Rows rewritten.
    pub rows: u64,
    /// Bytes of live segments before.
    pub bytes_before: u64,
    /// Bytes of live segments after; none for what was not done.
    pub bytes_after: Option<u64>,
}

impl Table {
    /// Merges small segments. What others append meanwhile is left alone; when they remove a segment that was to be merged, or a
    /// vacuum condemns what was made or takes what was read, the work starts over. Nothing to merge makes no version.
    ///
    /// # Errors
    /// What reading and writing segments gives, and `Cancelled`; nothing is left behind then.
    pub fn compact(&self, latest: &Snapshot, request: &CompactRequest, monitor: &dyn Monitor) -> Result<Compacted> {
        if request.target_rows < 2 {
            return Err(Error::invalid_argument("target_rows is less than 2; a segment should have many rows"));
        }
        self.work_on(latest, |latest| self.compact_at(latest, request, monitor))
    }

    fn compact_at(&self, latest: &Snapshot, request: &CompactRequest, monitor: &dyn Monitor) -> Result<Compacted> {
        let (mut before, mut rehearsed, mut work) = (Arc::clone(&latest.state), Vec::new(), None);
        let changed = Amendment::new(self, &latest.state, "compact").run(|state, condemned| {
            before = Arc::clone(state);
            if let Some(unfit) = work.take_if(|work: &mut Work| !work.suits(state, condemned)) {
                unfit.discard();
            }
            if work.is_none() {
                let Some(target) = Target::of_table_columns(&state.definition)? else { return Ok(Plan::default()) };
                let storage = self.log().storage();
                let jobs = jobs(storage.as_ref(), state, &target, request, monitor)?;
                if jobs.is_empty() || request.dry_run {
                    rehearsed = jobs;
                    return Ok(Plan::default());
                }
                let (storage, target) = (Arc::clone(storage), Arc::new(target));
                let begun = work.insert(Work { storage, target, order: request.order, jobs, made: Vec::new() });
                begun.merge_all(monitor)?;
            }
            check_cancelled(monitor)?;
            Ok(work.as_ref().map(Work::plan).unwrap_or_default())
        });
        if let (Err(e), Some(work)) = (&changed, &work)
            && e.kind() != ErrorKind::CommitUnknown
        {
            work.discard();
        }
        let changed = changed?;
        Ok(match work.filter(|_| changed.committed) {
            Some(work) => compacted(&before, &work.jobs, changed),
            None => unchanged(&before, &rehearsed, changed),
        })
    }
}

fn compacted(before: &TableState, jobs: &[Job], changed: Changed) -> Compacted {
    let after = &changed.snapshot.state;
    Compacted {
        segments_before: before.segments.len() as u64,
        segments_after: after.segments.len() as u64,
        rows: rows(jobs),
        bytes_before: before.bytes(),
        bytes_after: Some(after.bytes()),
        changed,
    }
}

fn jobs(
    storage: &dyn Storage,
    state: &TableState,
    target: &Target,
    request: &CompactRequest,
    monitor: &dyn Monitor,
) -> Result<Vec<Job>> {
    let inside = |s: &&Arc<Segment>| request.range.contains_all(s.record.index_min, s.record.index_max);
    let segments: Vec<_> = state.segments.all()?.into_iter().filter(inside).cloned().collect();
    let rows_by_bucket = |segments: &[Arc<Segment>]| histogram(storage, target, segments, monitor);
    plan(&segments, request.target_rows, rows_by_bucket, |bucket| target.grid.start_of(bucket))
}

fn unchanged(state: &TableState, jobs: &[Job], changed: Changed) -> Compacted {
    let segments_before = state.segments.len() as u64;
    let inputs = jobs.iter().map(|job| job.inputs.len() as u64).sum::<u64>();
    let outputs = jobs.iter().map(|job| job.periods.len() as u64).sum::<u64>();
    let bytes = state.bytes();
    Compacted {
        segments_before,
        segments_after: segments_before.saturating_sub(inputs).saturating_add(outputs),
        rows: rows(jobs),
        bytes_before: bytes,
        bytes_after: jobs.is_empty().then_some(bytes),
        changed,
    }
}

fn rows(jobs: &[Job]) -> u64 {
    jobs.iter().flat_map(|job| &job.inputs).map(|s| s.record.rows).fold(0, u64::saturating_add)
}

/// The rows by bucket of segments, read from their index columns.
fn histogram(
    storage: &dyn Storage,
    target: &Target,
    segments: &[Arc<Segment>],
    monitor: &dyn Monitor,
) -> Result<Histogram> {
    let mut rows = Histogram::new();
    for segment in segments {
        check_cancelled(monitor)?;
        let file = opened::open(storage, segment, &target.definition)?;
        let index = read_column(&file, &target.definition.index_column, &target.schema)?;
        let mut counter = Counter { cursor: target.grid.cursor(), rows: &mut rows };
        inspect(&file, &InspectRequest { index, entities: Vec::new() }, &mut counter)?;
    }
    Ok(rows)
}

/// Counts rows by bucket.
pub(super) struct Counter<'a> {
    pub(super) cursor: Cursor<'a>,
    pub(super) rows: &'a mut Histogram,
}

impl Counter<'_> {
    fn count(&mut self, values: impl Iterator<Item = i128>) -> Result<()> {
        for value in values {
            *self.rows.entry(self.cursor.bucket_of(IndexValue(value))?).or_default() += 1;
        }
        Ok(())
    }
}

impl RowVisitor for Counter<'_> {
    fn batch(&mut self, index: IndexValues<'_>, _entities: &EntityBatch<'_>) -> Result<()> {
        match index {
            IndexValues::Signed(values) => self.count(values.iter().map(|v| i128::from(*v))),
            IndexValues::Unsigned(values) => self.count(values.iter().map(|v| i128::from(*v))),
        }
    }
}

/// The segments made for one try.
struct Work {
    storage: Arc<dyn Storage>,
    target: Arc<Target>,
    order: Order,
    jobs: Vec<Job>,
    made: Vec<SegmentRecord>,
}

impl Work {
    fn merge_all(&mut self, monitor: &dyn Monitor) -> Result<()> {
        let total = rows(&self.jobs).max(1);
        let mut done = 0;
        for job in std::mem::take(&mut self.jobs) {
            let merged = self.merge(&job, &Part { monitor, done, total });
            done += rows(std::slice::from_ref(&job));
            self.jobs.push(job);
            merged?;
        }
        Ok(())
    }

    /// Whether what was merged may take the place of its inputs still.
    fn suits(&self, state: &TableState, condemned: &Condemned) -> bool {
        let Ok(segments) = state.segments.all() else { return false };
        let live: HashSet<_> = segments.into_iter().map(|segment| segment.record.id.as_str()).collect();
        *state.definition == self.target.definition
            && self.inputs().all(|segment| live.contains(segment.record.id.as_str()))
            && self.made.iter().all(|record| !is_condemned(record, condemned))
    }

    fn inputs(&self) -> impl Iterator<Item = &Arc<Segment>> {
        self.jobs.iter().flat_map(|job| &job.inputs)
    }

    fn plan(&self) -> Plan {
        let gone = self.inputs().map(|segment| Action::RemoveSegment { id: segment.record.id.clone() });
        let made = self.made.iter().map(|record| Action::AddSegment(Box::new(record.clone())));
        Plan { actions: gone.chain(made).collect(), rows_rewritten: rows(&self.jobs), ..Plan::default() }
    }

    fn merge(&mut self, job: &Job, part: &Part<'_>) -> Result<()> {
        let keys = KeyColumns::of(&self.target)?;
        let sources = sources(&job.inputs);
        let mut sorter = Sorter::new(&self.storage, &self.target, vec![keys.index], MEMORY_BYTES);
        self.feed(job, part, |batch| sorter.push(batch))?;
        let by_entity = self.order == Order::Entity;
        let (read, mut written) = (rows(std::slice::from_ref(job)), 0);
        for period in &job.periods {
            let builder = SegmentBuilder::create(self.storage.as_ref(), &self.target, by_entity)?;
            let mut slices = Slices::new(builder, &keys, by_entity);
            sorter.each(period, part.monitor, |batch| {
                written += batch.num_rows() as u64;
                part.tell(read, written);
                slices.push(batch)
            })?;
            self.made.extend(slices.finish()?.finish(sources.clone())?);
        }
        Ok(())
    }

    /// The rows of all inputs, one after the other.
    fn feed(&self, job: &Job, part: &Part<'_>, mut sink: impl FnMut(RecordBatch) -> Result<()>) -> Result<()> {
        let mut seen = 0;
        for segment in &job.inputs {
            let named = |e: Error| e.with("version", segment.added);
            let file = opened::open_whole(self.storage.as_ref(), segment, &self.target.definition)?;
            for batch in segment_rows(&file, segment, &self.target).map_err(named)? {
                check_cancelled(part.monitor)?;
                sink(batch.map_err(named)?)?;
            }
            seen += segment.record.rows;
            part.tell(seen, 0);
        }
        Ok(())
    }

    fn discard(&self) {
        self.made.iter().for_each(|record| record::discard(self.storage.as_ref(), record));
    }
}

/// Where in the whole work a job is.
struct Part<'a> {
    monitor: &'a dyn Monitor,
    done: u64,
    total: u64,
}

impl Part<'_> {
    /// How far the job is, from the rows read and written: each is half of the work.
    #[expect(clippy::cast_precision_loss, reason = "progress is approximate")]
    fn tell(&self, read: u64, written: u64) {
        let half = read.saturating_add(written) as f64 / 2.0;
        self.monitor.progress((self.done as f64 + half) / self.total as f64);
    }
}

/// The sources of all inputs, each once, whatever part of them is in which of the new segments: a file is loaded when all
/// of its rows are.
fn sources(inputs: &[Arc<Segment>]) -> Vec<SourceRecord> {
    let mut seen = HashSet::new();
    let sources = inputs.iter().flat_map(|segment| &segment.record.sources);
    sources.filter(|source| seen.insert((source.path.as_str(), source.fingerprint))).cloned().collect()
}
