//! Refusing to answer from data that are not complete: the check behind `require`.

use super::{choice::Choice, subject::Subject};
use crate::{
    coverage::Entity,
    error::{Error, Result},
    table::{handle::Snapshot, monitor::Monitor},
    time::{Grid, IndexRange, format_value},
};

/// Gaps that a message names.
const NAMED_GAPS: usize = 3;

/// Fails unless each entity of `choice` has at least `ratio` of its expected buckets in `range`; where the range is open, of its own
/// extent. A table without any row in the range has nothing to show for it and fails too.
///
/// # Errors
/// `NotFound` naming the first gaps, and how complete the entities are.
pub fn require_covered(
    snapshot: &Snapshot,
    range: &IndexRange,
    ratio: f64,
    choice: &Choice,
    monitor: &dyn Monitor,
) -> Result<()> {
    let grid = snapshot.grid()?;
    let (subjects, _) = snapshot.counted_subjects(&grid, range, choice, monitor)?;
    let lacking: Vec<_> = subjects
        .iter()
        .filter(|subject| subject.summary(subject.extent).ratio().is_some_and(|has| has < ratio))
        .collect();
    if subjects.is_empty() {
        return Err(Error::not_found("the table holds nothing in the range, which does not meet require")
            .with("root", snapshot.storage().root()));
    }
    let Some(first) = lacking.first() else { return Ok(()) };
    let missing = lacking.iter().map(|s| s.summary(s.extent).missing).fold(0, u64::saturating_add);
    let whose = if snapshot.definition().entity_columns.is_empty() {
        String::new()
    } else {
        format!(" in {} of {} entities", lacking.len(), subjects.len())
    };
    let wanted = if ratio < 1.0 { format!("{ratio} of the expected buckets") } else { "full coverage".to_owned() };
    let wanted = choice.min_rows.map_or(wanted.clone(), |least| format!("{wanted} with {least} rows a bucket"));
    let lack = if choice.min_rows.is_some() { "have fewer or none" } else { "are missing" };
    let named = first_gaps(snapshot, &grid, &lacking)?;
    let has = first.summary(first.extent).ratio().unwrap_or(0.0);
    Err(Error::not_found(format!(
        "the range does not have {wanted}: {missing} buckets {lack}{whose}, first {named}; {}has {has:.6}; load them, mark \
         them with tstable_mark_empty, or ask without require",
        shown(snapshot, &first.entity)
    ))
    .with("root", snapshot.storage().root()))
}

fn first_gaps(snapshot: &Snapshot, grid: &Grid, lacking: &[&Subject]) -> Result<String> {
    let index = snapshot.index_type()?;
    let mut named: Vec<String> = Vec::new();
    for subject in lacking {
        for gap in subject.gaps(subject.extent).take(NAMED_GAPS.saturating_sub(named.len())) {
            let (start, end) = (grid.start_of(gap.run.first), grid.end_of(gap.run.last));
            let whose = shown(snapshot, &subject.entity);
            named.push(format!("{whose}[{}, {})", format_value(start, index), format_value(end, index)));
        }
    }
    Ok(named.join(", "))
}

/// `symbol='NVDA' `; nothing for a table without entities.
fn shown(snapshot: &Snapshot, entity: &Entity) -> String {
    let names = &snapshot.definition().entity_columns;
    let condition = entity.as_condition(names);
    if condition.is_empty() { condition } else { format!("{condition} ") }
}
