//! A table with as many commits as are asked for: one real append, and then the log as further hourly appends would have made it, written
//! without syncing.

use std::{fs, path::Path, sync::Arc};

use tstable_core::{
    coverage::{BucketId, Coverage},
    log::commit::{Action, CoverageRecord},
    storage::local::LocalStorage,
    table::{Table, commit, monitor::Unwatched, random_id, write::policy::AppendRequest},
    time::IndexValue,
};

use super::{
    Anything, SYMBOLS,
    prices::{HOUR_US, request, write_file},
};

/// Makes the table, or grows the one that is there, up to `commits` versions.
pub(super) fn grow(root: &str, commits: u64) -> Anything<()> {
    let table = Table::new(Arc::new(LocalStorage::new(root)));
    if !Path::new(root).exists() {
        table.create(request().definition()?, false)?;
        let file = write_file(&Path::new(root).with_extension("parquet"), &SYMBOLS, 0..1);
        table.append(
            &table.latest(None)?,
            &AppendRequest { files: vec![file], ..AppendRequest::default() },
            &Unwatched,
        )?;
    }
    let mut state = table.latest(None)?.state;
    let template = state.segments.all()?.first().ok_or("the table is empty")?.record.clone();
    while state.version.0 < commits {
        let hour = i64::try_from(state.version.0)?;
        let mut record = template.clone();
        record.id = random_id();
        let at = IndexValue::from(hour * HOUR_US + 60_000_000);
        (record.index_min, record.index_max) = (at, at);
        let mut coverage = Coverage::default();
        for symbol in SYMBOLS {
            coverage.insert(&vec![symbol.into()].into(), BucketId(hour));
        }
        record.coverage = CoverageRecord::Inline(coverage.to_bytes());
        let commit = commit::commit(&state, "append", None, vec![Action::AddSegment(Box::new(record))]);
        fs::write(Path::new(root).join(commit.version.commit_path()), commit.encode()?)?;
        state = Arc::new(state.followed_by(&commit, table.log().storage().as_ref())?);
        table.log().after_commit(&state).into_iter().for_each(drop);
    }
    Ok(())
}
