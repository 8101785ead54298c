//! Where several entities, of one table or of several, are covered together: in one walk over the runs of all of them.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{stretch::Stretch, subject::Subject};
use crate::{
    error::{Error, Result},
    log::definition::Definition,
    time::{BucketId, Run},
};

/// How many of the entities must be covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// All of them.
    All,
    /// At least this many.
    AtLeast(u64),
}

/// Refuses tables whose bucket numbers do not mean the same.
///
/// # Errors
/// `InvalidArgument` naming the field that differs.
pub fn check_same_grid(first: (&str, &Definition), other: (&str, &Definition)) -> Result<()> {
    let ((a, first), (b, other)) = (first, other);
    let differs =
        first.differences(other).into_iter().find(|(name, ..)| ["bucket", "timezone", "origin"].contains(name));
    if let Some((name, this, that)) = differs {
        return Err(Error::invalid_argument(format!(
            "the tables '{a}' and '{b}' have different buckets: {name} is {this} and {that}; only tables of the same buckets \
             have common windows"
        )));
    }
    let is_zoned = |definition: &Definition| {
        definition.index_type().map(|ty| matches!(ty, crate::schema::ColumnType::TimestampTz(_)))
    };
    if definition_has_zone(first) && is_zoned(first) != is_zoned(other) {
        return Err(Error::invalid_argument(format!(
            "one of the tables '{a}' and '{b}' has an index with a time zone and the other has not, so their days differ"
        )));
    }
    Ok(())
}

fn definition_has_zone(definition: &Definition) -> bool {
    definition.timezone.is_some()
}

/// The windows in which enough of the subjects are covered, ascending. A bucket that none of them expects breaks none.
#[must_use]
pub fn common_windows(subjects: &[Subject], need: Need) -> Vec<Stretch> {
    let most = subjects.len() as u64;
    let least = match need {
        Need::All => most,
        Need::AtLeast(least) => least,
    };
    if least == 0 || least > most {
        return Vec::new();
    }
    let mut windows: Vec<Stretch> = Vec::new();
    let mut open = false;
    for (run, covered) in Sweep::over(subjects) {
        match windows.last_mut().filter(|_| open) {
            _ if covered < least => open = false,
            Some(window) => {
                window.run.last = run.last;
                window.buckets = window.buckets.saturating_add(run.buckets());
            }
            None => {
                windows.push(Stretch { run, buckets: run.buckets() });
                open = true;
            }
        }
    }
    windows
}

/// Walks over the buckets that any of the subjects expects, in runs, each with the number of subjects that it is covered of. Holds
/// where each subject is, and no set of buckets.
struct Sweep<'a> {
    /// The covered runs of each subject, then the missing ones of each.
    runs: Vec<Box<dyn Iterator<Item = Run> + Send + 'a>>,
    covered_of: usize,
    /// Where the next runs begin, and those that are being walked over end: the bucket, the place in `runs`, and the end of a run
    /// that begins.
    ends: BinaryHeap<Reverse<(i128, usize, Option<i128>)>>,
    covered: u64,
    expected: u64,
}

impl<'a> Sweep<'a> {
    fn over(subjects: &'a [Subject]) -> Self {
        let covered = subjects.iter().map(|subject| subject.covered_runs(subject.extent));
        let missing = subjects.iter().map(|subject| subject.missing_runs(subject.extent));
        let runs: Vec<_> = covered.chain(missing).collect();
        let ends = BinaryHeap::with_capacity(runs.len());
        let mut sweep = Self { covered_of: subjects.len(), ends, covered: 0, expected: 0, runs };
        (0..sweep.runs.len()).for_each(|at| sweep.enter(at));
        sweep
    }

    fn enter(&mut self, at: usize) {
        if let Some(run) = self.runs.get_mut(at).and_then(Iterator::next) {
            self.ends.push(Reverse((run.first.0.into(), at, Some(i128::from(run.last.0) + 1))));
        }
    }

    fn count(&mut self, at: usize, opens: bool) {
        let step = |number: u64| if opens { number.saturating_add(1) } else { number.saturating_sub(1) };
        self.expected = step(self.expected);
        if at < self.covered_of {
            self.covered = step(self.covered);
        }
    }

    /// Passes all that begins or ends at the next bucket where anything does; that bucket.
    fn pass(&mut self) -> Option<i128> {
        let Reverse((here, ..)) = *self.ends.peek()?;
        while self.ends.peek().is_some_and(|Reverse((at, ..))| *at == here) {
            let Some(Reverse((_, at, end))) = self.ends.pop() else { break };
            self.count(at, end.is_some());
            match end {
                Some(end) => self.ends.push(Reverse((end, at, None))),
                None => self.enter(at),
            }
        }
        Some(here)
    }
}

impl Iterator for Sweep<'_> {
    type Item = (Run, u64);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let first = self.pass()?;
            let Reverse((next, ..)) = *self.ends.peek()?;
            if self.expected > 0 {
                let bucket = |number: i128| i64::try_from(number).map(BucketId).ok();
                return Run::new(bucket(first)?, bucket(next - 1)?).map(|run| (run, self.covered));
            }
        }
    }
}

#[cfg(test)]
#[path = "common_windows_tests.rs"]
mod tests;
