//! A commit that gives a table all of its contents at once: what was there goes, what comes is there alone.

use crate::{
    error::Result,
    log::{
        commit::{Action, SegmentRecord},
        definition::Definition,
        state::TableState,
    },
};

/// What the commits of [`whole`] are called.
pub(super) const IMPORT: &str = "import";

/// The actions that make segments the whole contents of a table, and `also`.
///
/// # Errors
/// As reading the segments that the log names.
pub(super) fn whole(
    state: &TableState,
    definition: &Definition,
    added: Vec<SegmentRecord>,
    also: &[Action],
) -> Result<Vec<Action>> {
    let mut actions = Vec::new();
    if state.version.0 == 0 || state.definition.as_ref() != definition {
        actions.push(Action::DefineTable(Box::new(definition.clone())));
    }
    for segment in state.segments.all()? {
        actions.push(Action::RemoveSegment { id: segment.record.id.clone() });
    }
    actions.extend(added.into_iter().map(|record| Action::AddSegment(Box::new(record))));
    actions.extend(also.iter().cloned());
    Ok(actions)
}
