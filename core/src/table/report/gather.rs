//! Looking at a table for the report.

use std::cmp::Reverse;

use super::{
    advice,
    contents::{GapLine, Line, Report, Totals},
    periods::Periods,
    segments,
};
use crate::{
    coverage::{Entity, EntityPart},
    error::{Error, Result},
    schema::ColumnType,
    table::{
        ask::{
            stretch::{Position, Stretch},
            subject::Subject,
            summary::Summary,
        },
        handle::Snapshot,
    },
    time::{Grid, IndexRange, IndexValue, Run, format_value},
};

/// Gaps that are listed.
const LISTED_GAPS: usize = 50;
/// Entities that are listed as late.
const LISTED_LATE: usize = 20;

impl Totals {
    fn add(&mut self, summary: &Summary) {
        self.expected = self.expected.saturating_add(summary.expected);
        self.covered = self.covered.saturating_add(summary.covered);
        self.missing = self.missing.saturating_add(summary.missing);
        self.confirmed_empty = self.confirmed_empty.saturating_add(summary.confirmed_empty);
        self.gaps = self.gaps.saturating_add(summary.gaps);
    }
}

impl Report {
    /// Looks at a table: in `range`, and where that is open, from the first to the last covered bucket of any entity.
    ///
    /// # Errors
    /// `InvalidArgument` when nothing is covered and the range is open; what coverage and calendars say.
    pub fn of(snapshot: &Snapshot, range: &IndexRange) -> Result<Self> {
        let grid = snapshot.grid()?;
        let index = snapshot.index_type()?.clone();
        let extent = extent(snapshot, &grid, range)?;
        let whole = IndexRange::new(grid.start_of(extent.first), grid.end_of(extent.last));
        let subjects = snapshot.subjects(&grid, &whole)?;
        let periods = Periods::new(snapshot, &grid, extent)?;
        let newest = subjects.iter().filter_map(|subject| subject.covered().last()).max();
        let show = |value: IndexValue| format_value(value, &index);
        let mut totals = Totals::default();
        let mut lines = Vec::with_capacity(subjects.len());
        for subject in &subjects {
            let summary = subject.summary(extent);
            totals.add(&summary);
            let lag = newest.zip(subject.covered().last()).map_or(0, |(newest, last)| newest.0.abs_diff(last.0));
            lines.push(Line {
                name: name(&subject.entity),
                letters: periods.runs.iter().map(|run| letter(subject, *run)).collect(),
                expected: summary.expected,
                missing: summary.missing,
                gaps: summary.gaps,
                longest: summary.max_gap.map_or(0, |gap| gap.buckets),
                lag_buckets: lag,
                lag: buckets(lag, &grid, &index),
            });
        }
        let state = &snapshot.state;
        let definition = snapshot.definition();
        let mut report = Self {
            root: snapshot.storage().root().to_owned(),
            version: state.version.0,
            created: state.created_at.to_string(),
            committed: state.committed_at.to_string(),
            bucket: definition.bucket.to_string(),
            timezone: definition.timezone.clone(),
            index_column: definition.index_column.clone(),
            rows: state.rows(),
            bytes: state.bytes(),
            segments: state.segments.len() as u64,
            start: show(grid.start_of(extent.first)),
            until: show(grid.end_of(extent.last)),
            totals,
            periods: periods.shown(&grid, &index),
            period: periods.width.clone(),
            gaps: largest_gaps(&subjects, extent, &grid, &index),
            late: late(&lines, &subjects, &grid, &index),
            lines,
            bins: segments::bins(&state.segments.all()?, &index),
            advice: Vec::new(),
        };
        report.advice = advice::of(&report, snapshot)?;
        Ok(report)
    }
}

fn extent(snapshot: &Snapshot, grid: &Grid, range: &IndexRange) -> Result<Run> {
    let covered = snapshot.coverage()?.extent();
    let asked = grid.buckets_in(range);
    let first = if range.start.is_some() { asked.map(|run| run.first) } else { covered.map(|run| run.first) };
    let last = if range.until.is_some() { asked.map(|run| run.last) } else { covered.map(|run| run.last) };
    first.zip(last).and_then(|(first, last)| Run::new(first, last)).ok_or_else(|| {
        Error::invalid_argument(
            "there is nothing to report: the table holds no rows, or none in that range; give start and until",
        )
    })
}

/// What an entity has in a period: `f`ull, `1` to `9` tenths at most, `0` none, `e` confirmed empty, `c` closed.
fn letter(subject: &Subject, period: Run) -> char {
    let (covered, missing) = subject.counts(period);
    let expected = covered.saturating_add(missing);
    match (expected, covered) {
        (0, _) if subject.confirmed_empty_in(period) > 0 => 'e',
        (0, _) => 'c',
        (_, 0) => '0',
        (expected, covered) if covered >= expected => 'f',
        (expected, covered) => {
            let tenths = u128::from(covered) * 10 / u128::from(expected);
            u32::try_from(tenths.clamp(1, 9)).ok().and_then(|tenths| char::from_digit(tenths, 10)).unwrap_or('9')
        }
    }
}

/// The values of an entity's columns; `all rows` for a table without.
fn name(entity: &Entity) -> String {
    if entity.parts().is_empty() {
        return "all rows".to_owned();
    }
    entity.parts().iter().map(EntityPart::to_string).collect::<Vec<_>>().join(" / ")
}

fn largest_gaps(subjects: &[Subject], extent: Run, grid: &Grid, index: &ColumnType) -> Vec<GapLine> {
    let mut largest: Vec<(&Subject, Stretch)> = Vec::new();
    let mut least = 0;
    for subject in subjects {
        for gap in subject.gaps(extent) {
            if gap.buckets <= least {
                continue;
            }
            largest.push((subject, gap));
            if largest.len() >= LISTED_GAPS * 4 {
                largest.sort_by_key(|(_, gap)| Reverse(gap.buckets));
                largest.truncate(LISTED_GAPS);
                least = largest.last().map_or(0, |(_, gap)| gap.buckets);
            }
        }
    }
    largest.sort_by_key(|(_, gap)| Reverse(gap.buckets));
    largest.truncate(LISTED_GAPS);
    let line = |(subject, gap): (&Subject, Stretch)| GapLine {
        entity: name(&subject.entity),
        start: format_value(grid.start_of(gap.run.first), index),
        end: format_value(grid.end_of(gap.run.last), index),
        buckets: gap.buckets,
        position: match subject.position(&gap, extent) {
            Position::Leading => "before its first data",
            Position::Inner => "inside",
            Position::Trailing => "after its last data",
        },
    };
    largest.into_iter().map(line).collect()
}

/// The entities furthest behind: name, last bucket and by how much.
fn late(lines: &[Line], subjects: &[Subject], grid: &Grid, index: &ColumnType) -> Vec<(String, String, String)> {
    let mut order: Vec<_> = lines.iter().zip(subjects).filter(|(line, _)| line.lag_buckets > 0).collect();
    order.sort_by_key(|(line, _)| Reverse(line.lag_buckets));
    let shown = |(line, subject): (&Line, &Subject)| {
        let last = subject.covered().last().map(|last| format_value(grid.start_of(last), index));
        (line.name.clone(), last.unwrap_or_default(), line.lag.clone())
    };
    order.into_iter().take(LISTED_LATE).map(shown).collect()
}

/// A number of buckets as a length of time, in the largest unit that is whole or nearly so.
fn buckets(count: u64, grid: &Grid, index: &ColumnType) -> String {
    let nanos = match index {
        ColumnType::Date => 86_400_000_000_000,
        ColumnType::Timestamp(unit) | ColumnType::TimestampTz(unit) => i128::from(unit.nanos()),
        _ => 0,
    };
    let Some(width) = grid.fixed_width().filter(|_| nanos > 0) else { return format!("{count} buckets") };
    let seconds = width.saturating_mul(count.into()).saturating_mul(nanos) / 1_000_000_000;
    match seconds {
        0 => "none".to_owned(),
        1..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
