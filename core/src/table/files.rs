//! Which files under the root the versions of a table name, and what the others are. Removes nothing.

use std::{collections::HashSet, sync::Arc};

use crate::{
    error::Result,
    log::{
        COVERAGE_DIRECTORY, DATA_DIRECTORY, Version,
        commit::{Action, Instant, SegmentRecord},
        state::TableState,
    },
    storage::{Entry, TEMPORARY_PREFIX, local::guard::is_guard},
    table::handle::Table,
};

/// A file that no version names is left alone for this long after it last changed: a writer may be about to name it.
const GRACE_US: i64 = 24 * 3600 * 1_000_000;

/// The directories whose files segments are made of.
pub const FILE_DIRECTORIES: [&str; 2] = [DATA_DIRECTORY, COVERAGE_DIRECTORY];

/// The files that a version from `oldest` on names, or one that a tag names.
///
/// # Errors
/// As [`crate::log::store::Log::at`].
pub fn named(table: &Table, latest: &Arc<TableState>, oldest: Version) -> Result<HashSet<String>> {
    let mut named = HashSet::new();
    let mut take = |record: &SegmentRecord| named.extend(record.files().map(str::to_owned));
    let tagged = latest.tags.values().copied().filter(|version| *version < oldest);
    for version in tagged.chain([oldest.min(latest.version)]) {
        table.log().at(version, latest)?.segments.all()?.into_iter().for_each(|segment| take(&segment.record));
    }
    table.log().each_commit(oldest, latest.version, |commit| {
        for action in &commit.actions {
            if let Action::AddSegment(record) = action {
                take(record);
            }
        }
        Ok(())
    })?;
    Ok(named)
}

/// Whether a file last changed so long ago that no writer can still be at work on it.
#[must_use]
pub fn is_old(entry: &Entry, now: Instant) -> bool {
    i128::from(now.0).saturating_sub(entry.changed_ns / 1000) >= i128::from(GRACE_US)
}

/// Whether the name is one that a writer gives to a file before it is complete, or to a guard.
#[must_use]
pub fn is_temporary(name: &str) -> bool {
    name.starts_with(TEMPORARY_PREFIX) || is_guard(name)
}

/// Whether the name is one that a writer may have given to a file of a segment.
#[must_use]
pub fn is_of_a_segment(name: &str) -> bool {
    let id = name.strip_suffix(".parquet").or_else(|| name.strip_suffix(".cov")).or_else(|| name.strip_suffix(".cnt"));
    id.is_some_and(|id| id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit()))
}
