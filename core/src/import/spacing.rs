//! Proposing a width of bucket where none was given: the usual distance from row to row.

use std::path::{Path, PathBuf};

use crate::{
    error::{Error, Result},
    segment::ReadColumn,
    segment::{
        inspect::{InspectRequest, inspect},
        visit::{EntityBatch, IndexValues, RowVisitor},
    },
    table::incoming,
};

/// Widths that people use, in nanoseconds, narrowest first.
const WIDTHS: [(&str, i128); 14] = [
    ("1us", 1_000),
    ("1ms", 1_000_000),
    ("100ms", 100_000_000),
    ("1s", 1_000_000_000),
    ("5s", 5_000_000_000),
    ("15s", 15_000_000_000),
    ("1m", 60_000_000_000),
    ("5m", 300_000_000_000),
    ("15m", 900_000_000_000),
    ("30m", 1_800_000_000_000),
    ("1h", 3_600_000_000_000),
    ("4h", 14_400_000_000_000),
    ("1d", 86_400_000_000_000),
    ("1w", 604_800_000_000_000),
];
/// The shortest month: what lies at least so far apart has a month of its own.
const MONTH_NANOS: i128 = 28 * 86_400_000_000_000;
/// How many distances are looked at to tell what is usual.
const MOST_DISTANCES: usize = 100_000;

fn lacks(path: &Path, index: &str) -> Error {
    Error::schema_mismatch(format!(
        "'{}' has no column \"{index}\" whose rows would tell a bucket; give one, as in bucket := '1d'",
        path.display()
    ))
}

/// The widest of the common widths that is not wider than the median distance between neighbouring rows.
///
/// # Errors
/// `InvalidArgument` when the index cannot be one, or when there are too few rows to tell.
pub(super) fn propose(files: &[PathBuf], index: &str) -> Result<String> {
    let mut seen = Distances::default();
    let mut unit = None;
    for path in files {
        let (_, file) = incoming::open(path)?;
        let found = file.position(index).and_then(|position| {
            let ty = file.columns().get(position)?.ty.clone();
            Some(ReadColumn { position, ty })
        });
        let column = found.ok_or_else(|| lacks(path, index))?;
        unit = column.ty.unit_nanos();
        let request = InspectRequest { index: column, entities: Vec::new() };
        inspect(&file, &request, &mut seen)?;
    }
    let mut distances = seen.distances;
    distances.sort_unstable();
    let Some(median) = distances.get(distances.len() / 2) else {
        return Err(Error::invalid_argument(
            "there are too few rows to propose a bucket; give one, as in bucket := '1d'",
        ));
    };
    let Some(unit) = unit else { return Ok(median.to_string()) };
    let median = median.saturating_mul(unit);
    if median >= MONTH_NANOS {
        return Ok("1mo".to_owned());
    }
    let widest = WIDTHS.iter().rev().find(|(_, nanos)| *nanos <= median).or_else(|| WIDTHS.first());
    Ok(widest.map_or("1us", |(name, _)| name).to_owned())
}

#[derive(Debug, Default)]
struct Distances {
    last: Option<i128>,
    distances: Vec<i128>,
}

impl Distances {
    fn take(&mut self, values: impl Iterator<Item = i128>) {
        for value in values {
            let distance = self.last.map(|last| value.saturating_sub(last)).filter(|distance| *distance > 0);
            if let Some(distance) = distance.filter(|_| self.distances.len() < MOST_DISTANCES) {
                self.distances.push(distance);
            }
            self.last = Some(value);
        }
    }
}

impl RowVisitor for Distances {
    fn batch(&mut self, index: IndexValues<'_>, _entities: &EntityBatch<'_>) -> Result<()> {
        match index {
            IndexValues::Signed(values) => self.take(values.iter().map(|value| i128::from(*value))),
            IndexValues::Unsigned(values) => self.take(values.iter().map(|value| i128::from(*value))),
        }
        Ok(())
    }
}
