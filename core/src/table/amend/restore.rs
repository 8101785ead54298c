//! Going back: a new version whose rows and columns are those of an old one. Nothing is lost by it, the versions between
//! stay; properties and tags stay as they are, since they say what the table is for and not what is in it. What rows were derived
//! from is said of the rows, and goes back with them.

use std::{collections::HashSet, sync::Arc};

use crate::{
    error::{Error, Result},
    log::{Version, commit::Action, definition::Definition, segment::Segment, state::TableState},
    storage::Storage,
    table::{
        commit::{Changed, amend},
        handle::{Snapshot, Table},
        origins::as_of_old,
        write::checks::altered,
    },
};

/// What a restoration did.
#[derive(Debug, Clone)]
pub struct Restored {
    /// The table after it.
    pub changed: Changed,
    /// Segments of the old version that came back.
    pub segments_added: u64,
    /// Segments that the old version did not have.
    pub segments_removed: u64,
    /// Rows of the former.
    pub rows_added: u64,
    /// Rows of the latter.
    pub rows_removed: u64,
}

impl Table {
    /// Makes a version with the rows and columns of `version`. What others commit meanwhile is undone as well.
    ///
    /// # Errors
    /// `NotFound` when there is no such version, or when files of it have been vacuumed.
    pub fn restore(&self, latest: &Snapshot, version: Version) -> Result<Restored> {
        let old = self.log().at(version, &latest.state)?;
        let mut counts = Counts::default();
        let changed = amend(self, &latest.state, "restore", None, |state| {
            // A vacuum that came between removes files of the old version.
            state.check_kept(version)?;
            let (actions, found) = difference(state, &old)?;
            counts = found;
            check_files(self.log().storage().as_ref(), &actions, version)?;
            Ok(actions)
        })?;
        let Counts { segments_added, segments_removed, rows_added, rows_removed } = counts;
        Ok(Restored { changed, segments_added, segments_removed, rows_added, rows_removed })
    }
}

#[derive(Default)]
struct Counts {
    segments_added: u64,
    segments_removed: u64,
    rows_added: u64,
    rows_removed: u64,
}

fn difference(state: &TableState, old: &TableState) -> Result<(Vec<Action>, Counts)> {
    let (now, then) = (state.segments.all()?, old.segments.all()?);
    let ids = |segments: &[&Arc<Segment>]| segments.iter().map(|s| s.record.id.clone()).collect::<HashSet<_>>();
    let (now_ids, then_ids) = (ids(&now), ids(&then));
    let mut counts = Counts::default();
    let mut actions = Vec::new();
    let mut definition = old.definition.as_ref().clone();
    // Ids of columns are never used again, not even for columns that are undone.
    definition.last_field_id = definition.last_field_id.max(state.definition.last_field_id);
    let checks = as_they_were(state, &mut definition)?;
    if definition != *state.definition {
        actions.push(Action::DefineTable(Box::new(definition)));
    }
    actions.extend(checks);
    // What the old rows were made of comes back with them.
    actions.extend(as_of_old(state, old));
    let mut sum = |segment: &Segment, added: bool| {
        let (segments, rows) = match added {
            true => (&mut counts.segments_added, &mut counts.rows_added),
            false => (&mut counts.segments_removed, &mut counts.rows_removed),
        };
        *segments += 1;
        *rows = rows.saturating_add(segment.record.rows);
    };
    for segment in now.into_iter().filter(|s| !then_ids.contains(&s.record.id)) {
        sum(segment, false);
        actions.push(Action::RemoveSegment { id: segment.record.id.clone() });
    }
    for segment in then.into_iter().filter(|s| !now_ids.contains(&s.record.id)) {
        sum(segment, true);
        actions.push(Action::AddSegment(Box::new(segment.record.clone())));
    }
    Ok((actions, counts))
}

/// Gives the old columns what is known of all that they ever were; also the checks, in the old names where those differ.
fn as_they_were(state: &TableState, definition: &mut Definition) -> Result<Vec<Action>> {
    let present = &state.definition;
    definition.former_columns.clone_from(&present.former_columns);
    let (Some(now), Some(then)) = (&present.schema, definition.schema.clone()) else { return Ok(Vec::new()) };
    // A check of a column that is gone is for the next writer to tell of.
    let checks = altered(&state.properties, now, &then).unwrap_or_default();
    definition.schema = Some(now.clone());
    definition.alter(then)?;
    Ok(checks)
}

/// Refuses to bring segments back whose files are gone.
fn check_files(storage: &dyn Storage, actions: &[Action], version: Version) -> Result<()> {
    for action in actions {
        let Action::AddSegment(record) = action else { continue };
        if storage.stat(&record.path)?.is_none_or(|stat| stat.bytes != record.bytes) {
            return Err(Error::not_found(format!(
                "version {version} cannot be restored: a file of it has been vacuumed or damaged; nothing was changed"
            ))
            .with("path", &record.path));
        }
    }
    Ok(())
}
