//! Where several entities, of one table or of several, are covered together: by bitmap algebra over their buckets.

use super::query::{Stretch, Subject, stretches};
use crate::{
    coverage::BucketSet,
    error::{Error, Result},
    log::definition::Definition,
    time::{BucketId, Run},
};

/// How many of the entities must be covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// All of them.
    All,
    /// At least so many.
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
///
/// # Errors
/// `LimitExceeded` when an extent is longer than a run may be.
pub fn common_windows(subjects: &[Subject], need: Need) -> Result<Vec<Stretch>> {
    let most = subjects.len() as u64;
    let least = match need {
        Need::All => most,
        Need::AtLeast(least) => least,
    };
    if least == 0 || least > most {
        return Ok(Vec::new());
    }
    let covered = if least == most { covered_by_all(subjects)? } else { covered_by_some(subjects, least)? };
    let mut others = BucketSet::new();
    for subject in subjects {
        others.union_with(&set_of(subject.covered_runs(subject.extent))?);
        others.union_with(&set_of(subject.missing_runs(subject.extent))?);
    }
    others.subtract(&covered);
    let all = (BucketId(i64::MIN), BucketId(i64::MAX));
    Ok(stretches(covered.runs_in(all.0, all.1), others.runs_in(all.0, all.1)).collect())
}

fn set_of(runs: impl Iterator<Item = Run>) -> Result<BucketSet> {
    let mut set = BucketSet::new();
    for run in runs {
        set.insert_run(run.first, run.last)?;
    }
    Ok(set)
}

fn covered_by_all(subjects: &[Subject]) -> Result<BucketSet> {
    let mut common: Option<BucketSet> = None;
    for subject in subjects {
        let own = set_of(subject.covered_runs(subject.extent))?;
        common = Some(common.map_or_else(|| own.clone(), |common| common.intersect(&own)));
        if common.as_ref().is_some_and(BucketSet::is_empty) {
            break;
        }
    }
    Ok(common.unwrap_or_default())
}

/// Counts how many runs are open from each of their ends to the next.
fn covered_by_some(subjects: &[Subject], least: u64) -> Result<BucketSet> {
    let mut ends: Vec<(i128, bool)> = Vec::new();
    for run in subjects.iter().flat_map(|subject| subject.covered_runs(subject.extent)) {
        ends.push((i128::from(run.first.0), true));
        ends.push((i128::from(run.last.0) + 1, false));
    }
    ends.sort_unstable();
    let mut set = BucketSet::new();
    let (mut open, mut since) = (0_u64, None);
    for (at, opens) in ends {
        if let Some(from) = since
            && at > from
        {
            let bucket = |number: i128| BucketId(i64::try_from(number).unwrap_or(i64::MAX));
            set.insert_run(bucket(from), bucket(at - 1))?;
        }
        open = if opens { open.saturating_add(1) } else { open.saturating_sub(1) };
        since = (open >= least).then_some(at);
    }
    Ok(set)
}

#[cfg(test)]
#[path = "common_tests.rs"]
mod tests;
