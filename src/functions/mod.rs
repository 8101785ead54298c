//! The SQL functions, one file each, named like the function. Each is written once against [`crate::host`]; what they
//! share is in the files that are not named after a function: [`access`], [`address`], [`answer`], [`arguments`], [`bound_to`], [`columnar`], [`derived_argument`], [`entity_argument`], [`instant`],
//! [`literal`], [`query_rows`], [`question`], [`report`], [`roots`], [`shape`], [`stretches`].

mod access;
mod add_columns;
mod address;
mod alter;
mod answer;
mod append;
mod arguments;
mod backfill;
mod bound_to;
mod bucket;
mod buckets;
mod changes;
mod check;
mod checkpoint;
mod columnar;
mod common;
mod compact;
mod copy;
mod coverage;
mod create;
mod delete;
mod derived_argument;
mod drop;
mod entities;
mod entity_argument;
mod expect;
mod export_delta;
mod fill;
mod gaps;
mod history;
mod import;
mod info;
mod instant;
mod instant_text;
mod last_window;
mod latest;
mod list;
mod literal;
mod mark_empty;
mod new_rows;
mod plan;
mod preview;
mod query_rows;
mod question;
mod rename_entity;
mod repair;
mod report;
mod report_page;
mod restated;
mod restore;
mod roots;
mod scan;
mod segments;
mod set;
mod set_calendar;
mod set_many;
mod shape;
mod shares;
mod stale;
mod stretches;
mod tag;
mod tag_all;
mod tags;
mod untag;
mod vacuum;
mod verify;
mod version;
mod views;
mod windows;

use std::sync::Arc;

use tstable_core::{
    Result,
    table::{At, Snapshot, Table, cache::Cache, commit::Changed, monitor::Monitor},
};

use self::arguments::Expected;
use crate::host::{LogLevel, Registry, Replacement, Session};

/// Footers of open segments are kept up to this many bytes in all.
const FOOTER_CACHE_BYTES: usize = 256 << 20;

/// What the functions of one database share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) cache: Arc<Cache>,
    /// The scans that statements have been planned with.
    pub(crate) siblings: scan::Siblings,
}

impl Shared {
    /// The table at `root` as of `at`.
    pub(crate) fn snapshot(&self, root: &str, at: &At, session: &dyn Session) -> Result<(Table, Snapshot)> {
        // A statement may have been prepared before its session was shut in.
        access::check_directory(&access::of(session), "root", root)?;
        let find = || self.cache.latest(root);
        let (table, latest) = session.statement().map_or_else(find, |statement| statement.newest(root, find))?;
        for warning in &latest.state.warnings {
            session.log(LogLevel::Warning, warning);
        }
        let snapshot = table.at(at, &latest)?;
        Ok((table, snapshot))
    }

    /// The table at `root`, and its newest snapshot, for a change that `expected_version` may bind to a version.
    pub(crate) fn to_change(&self, root: &str, args: Expected, session: &dyn Session) -> Result<(Table, Snapshot)> {
        let (table, snapshot) = self.snapshot(root, &At::Latest, session)?;
        Ok((table.expecting(args.0), snapshot))
    }

    /// Takes note of a change that this call made.
    pub(crate) fn changed(&self, root: &str, table: &Table, changed: &Changed, session: &dyn Session) {
        for warning in &changed.warnings {
            session.log(LogLevel::Warning, warning);
        }
        self.cache.remember(root, table, &changed.snapshot.state);
    }
}

/// Everything that the extension registers with a database.
pub(crate) fn registry() -> Registry {
    let shared =
        Arc::new(Shared { cache: Arc::new(Cache::new(FOOTER_CACHE_BYTES)), siblings: scan::Siblings::default() });
    let new = || Arc::clone(&shared);
    Registry {
        tables: vec![
            Arc::new(add_columns::AddColumns(new())),
            Arc::new(alter::Alter(new())),
            Arc::new(append::Append(new())),
            Arc::new(backfill::Backfill(new())),
            Arc::new(buckets::Buckets(new())),
            Arc::new(changes::Changes(new())),
            Arc::new(check::Check(new())),
            Arc::new(checkpoint::Checkpoint(new())),
            Arc::new(common::Common(new())),
            Arc::new(compact::Compact(new())),
            Arc::new(coverage::Coverage(new())),
            Arc::new(create::Create(new())),
            Arc::new(delete::Delete(new())),
            Arc::new(drop::Drop(new())),
            Arc::new(entities::Entities(new())),
            Arc::new(expect::Expect(new())),
            Arc::new(export_delta::ExportDelta(new())),
            Arc::new(fill::Fill(new())),
            Arc::new(gaps::Gaps(new())),
            Arc::new(history::History(new())),
            Arc::new(import::Import),
            Arc::new(info::Info(new())),
            Arc::new(last_window::LastWindow(new())),
            Arc::new(latest::Latest(new())),
            Arc::new(list::List(new())),
            Arc::new(mark_empty::MarkEmpty(new())),
            Arc::new(new_rows::NewRowsSince(new())),
            Arc::new(plan::Plan(new())),
            Arc::new(preview::Preview(new())),
            Arc::new(rename_entity::RenameEntity(new())),
            Arc::new(repair::Repair(new())),
            Arc::new(restated::Restated(new())),
            Arc::new(restore::Restore(new())),
            Arc::new(report_page::ReportPage(new())),
            Arc::new(scan::Scan(new())),
            Arc::new(segments::Segments(new())),
            Arc::new(set::Set(new())),
            Arc::new(set_calendar::SetCalendar(new())),
            Arc::new(shares::Shares(new())),
            Arc::new(stale::Stale(new())),
            Arc::new(tag::Tag(new())),
            Arc::new(tags::Tags(new())),
            Arc::new(untag::Untag(new())),
            Arc::new(vacuum::Vacuum(new())),
            Arc::new(verify::Verify(new())),
            Arc::new(windows::Windows(new())),
        ],
        forms: vec![Arc::new(set_many::SetMany(new()))],
        scalars: vec![Arc::new(bucket::Bucket), Arc::new(version::Version)],
        copies: vec![Arc::new(copy::Copy(new()))],
        pragmas: vec![Arc::new(views::Views(new()))],
        replacement: Some(Replacement { function: "tstable_scan", is_table }),
    }
}

/// Whether an address leads to a directory or a place in a store that holds a table, by one look. What is named like a file is another's.
fn is_table(session: &dyn Session, address: &str) -> bool {
    if tstable_core::storage::is_remote(address) {
        let like_a_file = address.rsplit('/').next().is_some_and(|name| name.contains(['.', '*', '?', '[']));
        return !like_a_file && Table::at_directory(address.trim_end_matches('/')).is_there();
    }
    address::local(session, "root", address)
        .is_ok_and(|path| std::path::Path::new(&path).join(tstable_core::log::LOG_DIRECTORY).is_dir())
}

/// Watches long work on behalf of the running query.
pub(crate) struct Watch<'a>(pub(crate) &'a dyn Session);

impl Monitor for Watch<'_> {
    fn cancelled(&self) -> bool {
        self.0.interrupted()
    }
    fn progress(&self, done: f64) {
        self.0.progress(done);
    }
}

#[cfg(test)]
#[path = "documented_tests.rs"]
mod tests;
