//! What to do next, from what the report found.

use super::{
    contents::{Advice, Report},
    page::number,
};
use crate::{
    error::Result,
    table::{ask::fragmentation, handle::Snapshot},
};

/// An entity is called late when it is behind by more than this share of the range's periods...
const LATE_SHARE: u64 = 20;
/// ... and by more than this many buckets.
const LATE_BUCKETS: u64 = 3;

/// Where more than this share of what is expected is missing, closed hours are a likely reason.
const CLOSED_SHARE: u64 = 4;

pub(super) fn of(report: &Report, snapshot: &Snapshot) -> Result<Vec<Advice>> {
    let mut advice = Vec::new();
    let root = report.root.replace('\'', "''");
    if let Some(problem) = snapshot.definition().zone_rules_changed() {
        advice.push(Advice { text: problem, sql: None });
    }
    if report.totals.missing > 0 {
        let (missing, gaps) = (number(report.totals.missing), number(report.totals.gaps));
        advice.push(Advice {
            text: format!("{missing} expected buckets are missing in {gaps} gaps: fetch them, the oldest first"),
            sql: Some(format!("FROM tstable_backfill('{root}', '{}', '{}');", report.start, report.until)),
        });
    }
    let mostly_absent = report.totals.missing.saturating_mul(CLOSED_SHARE) > report.totals.expected;
    if mostly_absent && snapshot.state.expectations.calendars().next().is_none() {
        advice.push(Advice {
            text: "much is missing and no calendar is set: if nights, weekends or holidays bring no data, say so"
                .to_owned(),
            sql: Some(format!("CALL tstable_set_calendar('{root}', sessions := 'Mon-Fri 09:30-16:00');")),
        });
    }
    let least = (report.periods.len() as u64 / LATE_SHARE).max(LATE_BUCKETS);
    let late = report.lines.iter().filter(|line| line.lag_buckets > least).count();
    if late > 0 {
        advice.push(Advice {
            text: format!(
                "{late} of {} entities are behind the newest: see whether they still deliver",
                report.lines.len()
            ),
            sql: Some(format!("FROM tstable_entities('{root}') ORDER BY lag DESC;")),
        });
    }
    if let Some(text) = fragmentation::assess(&snapshot.state)?.recommendation {
        advice.push(Advice { text, sql: Some(format!("CALL tstable_compact('{root}');")) });
    }
    if advice.is_empty() {
        advice.push(Advice { text: "nothing: everything that is expected is there".to_owned(), sql: None });
    }
    Ok(advice)
}
