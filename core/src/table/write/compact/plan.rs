//! Which segments to merge, decided from the log, and for those that overlap each other from their index columns.
//!
//! Segments of fewer than half the target's rows are small; all others are left alone. Small segments are taken in the order
//! of the index, segments that overlap in time together. Neighbours are put together as long as they stay within the target.
//! Segments that overlap and are too many rows together are cut again, into periods on the bounds of buckets. A large segment that
//! lies wholly between two small ones keeps them apart: a segment around another would make ranges harder to skip.
//!
//! Of two segments that such a run makes one after the other, the second begins with what did not fit into the first, so both cannot
//! be small: a second run finds nothing to do.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    error::Result,
    log::segment::Segment,
    time::{BucketId, IndexRange, IndexValue},
};

/// Rows in a segment that scans like best: enough to amortise a footer, few enough to skip well.
pub const TARGET_ROWS: u64 = 1_000_000;

/// Segments that are replaced together, and the periods of the segments that take their place.
#[derive(Debug, Clone)]
pub struct Job {
    /// What is merged.
    pub inputs: Vec<Arc<Segment>>,
    /// One for each segment that is made.
    pub periods: Vec<IndexRange>,
}

/// The number of rows by bucket of some segments.
pub type Histogram = BTreeMap<BucketId, u64>;

/// Segments that overlap, directly or over others.
struct Cluster {
    segments: Vec<Arc<Segment>>,
    rows: u64,
    max: IndexValue,
}

/// Finds what to merge among `segments`, which are in the order of their least index value. `histogram` tells the rows by bucket of
/// segments that overlap; `start_of` the first value of a bucket.
///
/// # Errors
/// As `histogram`.
pub fn plan(
    segments: &[Arc<Segment>],
    target_rows: u64,
    mut histogram: impl FnMut(&[Arc<Segment>]) -> Result<Histogram>,
    start_of: impl Fn(BucketId) -> IndexValue,
) -> Result<Vec<Job>> {
    let is_large = |segment: &Segment| segment.record.rows >= target_rows.div_ceil(2);
    let large: Vec<&Segment> = segments.iter().map(AsRef::as_ref).filter(|s| is_large(s)).collect();
    let small = segments.iter().filter(|segment| !is_large(segment));
    let mut packing = Packing { target_rows, jobs: Vec::new(), open: None };
    for cluster in clusters(small) {
        let from = cluster.segments.first().map_or(cluster.max, |s| s.record.index_min);
        packing.part(|max| large.iter().any(|l| l.record.index_min > max && l.record.index_max < from));
        if cluster.rows <= target_rows || cluster.segments.len() < 2 {
            packing.whole(cluster);
        } else {
            let rows = histogram(&cluster.segments)?;
            packing.cut(cluster, &rows, &start_of);
        }
    }
    packing.close();
    Ok(packing.jobs)
}

fn clusters<'a>(segments: impl Iterator<Item = &'a Arc<Segment>>) -> Vec<Cluster> {
    let mut clusters: Vec<Cluster> = Vec::new();
    for segment in segments {
        let record = &segment.record;
        match clusters.last_mut().filter(|cluster| record.index_min <= cluster.max) {
            Some(cluster) => {
                cluster.segments.push(Arc::clone(segment));
                cluster.rows = cluster.rows.saturating_add(record.rows);
                cluster.max = cluster.max.max(record.index_max);
            }
            None => {
                clusters.push(Cluster { segments: vec![Arc::clone(segment)], rows: record.rows, max: record.index_max })
            }
        }
    }
    clusters
}

/// What is being put together.
struct Packing {
    target_rows: u64,
    jobs: Vec<Job>,
    open: Option<Open>,
}

struct Open {
    job: Job,
    /// Rows of the last period.
    rows: u64,
    max: IndexValue,
}

impl Packing {
    /// Ends what is open when something keeps it apart from what comes.
    fn part(&mut self, apart: impl Fn(IndexValue) -> bool) {
        if self.open.as_ref().is_some_and(|open| apart(open.max)) {
            self.close();
        }
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take().filter(|open| open.job.inputs.len() > 1) {
            self.jobs.push(open.job);
        }
    }

    fn whole(&mut self, cluster: Cluster) {
        if self.open.as_ref().is_some_and(|open| open.rows.saturating_add(cluster.rows) > self.target_rows) {
            self.close();
        }
        self.add(cluster);
    }

    fn add(&mut self, cluster: Cluster) -> &mut Open {
        let open = self.open.get_or_insert_with(|| Open {
            job: Job { inputs: Vec::new(), periods: vec![IndexRange::ALL] },
            rows: 0,
            max: cluster.max,
        });
        open.job.inputs.extend(cluster.segments);
        open.rows = open.rows.saturating_add(cluster.rows);
        open.max = open.max.max(cluster.max);
        open
    }

    /// Adds buckets one after the other, beginning a new period wherever the next does not fit.
    fn cut(&mut self, cluster: Cluster, rows: &Histogram, start_of: &impl Fn(BucketId) -> IndexValue) {
        let first = rows.values().next().copied().unwrap_or(0);
        if self.open.as_ref().is_some_and(|open| open.rows.saturating_add(first) > self.target_rows) {
            self.close();
        }
        let mut sum = self.open.as_ref().map_or(0, |open| open.rows);
        let target_rows = self.target_rows;
        let open = self.add(cluster);
        for (bucket, count) in rows {
            if sum > 0 && sum.saturating_add(*count) > target_rows {
                let start = start_of(*bucket);
                if let Some(last) = open.job.periods.last_mut() {
                    last.until = Some(start);
                }
                open.job.periods.push(IndexRange { start: Some(start), until: None });
                sum = 0;
            }
            sum = sum.saturating_add(*count);
        }
        open.rows = sum;
    }
}
