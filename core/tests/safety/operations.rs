//! Everything that changes a table, one line each: crash tests interrupt every one of them everywhere.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use tstable_core::{
    Result,
    coverage::{Entity, EntityPart},
    log::{
        Version,
        commit::{Action, Instant},
    },
    schema::ColumnType,
    storage::Storage,
    table::{
        Snapshot,
        amend::alter::Alteration,
        compact::{CompactRequest, Order},
        delete::DeleteRequest,
        expect::EmptyRequest,
        load::LoadRequest,
        monitor::Unwatched,
        vacuum::VacuumRequest,
        write::policy::{AppendRequest, Confirms, Mode, Naming, NewColumns, OnOverlap},
    },
    time::{IndexRange, IndexValue},
};

use super::{
    upkeep::change,
    world::{Files, HOUR_US, append, append_as, columns, created, definition, table},
};

/// A change to a table: what comes before it, and the change itself.
pub struct Operation {
    pub name: &'static str,
    pub before: fn(&Arc<dyn Storage>, &Files),
    pub run: fn(&Arc<dyn Storage>, &Files) -> Result<()>,
}

pub const OPERATIONS: &[Operation] = &[
    Operation { name: "create", before: |_, _| {}, run: |s, _| table(s).create(definition(), false).map(drop) },
    Operation { name: "first append", before: empty, run: |s, f| append(&table(s), &[&f.first]).map(drop) },
    Operation { name: "append", before: filled, run: |s, f| append(&table(s), &[&f.later]).map(drop) },
    Operation { name: "append many", before: filled, run: |s, f| append(&table(s), &[&f.later, &f.second]).map(drop) },
    Operation {
        name: "append with a sidecar",
        before: filled,
        run: |s, f| append(&table(s), &[&f.scattered]).map(drop),
    },
    Operation { name: "append with a column of folders", before: filled, run: |s, f| with_folders(s, f) },
    Operation { name: "rewrite", before: filled, run: |s, f| with_mode(s, f, Mode::Rewrite) },
    Operation {
        name: "append at a checkpoint",
        before: filled_to_99,
        run: |s, f| append(&table(s), &[&f.scattered]).map(drop),
    },
    Operation {
        name: "replace",
        before: filled,
        run: |s, f| append_as(&table(s), &[&f.overlapping], OnOverlap::Replace).map(drop),
    },
    Operation {
        name: "merge",
        before: filled,
        run: |s, f| append_as(&table(s), &[&f.overlapping], OnOverlap::Merge).map(drop),
    },
    Operation {
        name: "skip rows",
        before: filled,
        run: |s, f| append_as(&table(s), &[&f.overlapping], OnOverlap::SkipRows).map(drop),
    },
    Operation {
        name: "append rows that are counted",
        before: filled,
        run: |s, f| append(&table(s), &[&f.dense]).map(drop),
    },
    Operation {
        name: "merge rows that are counted",
        before: counted,
        run: |s, f| append_as(&table(s), &[&f.denser], OnOverlap::Merge).map(drop),
    },
    Operation {
        name: "replace rows that are counted",
        before: counted,
        run: |s, f| append_as(&table(s), &[&f.denser], OnOverlap::Replace).map(drop),
    },
    Operation { name: "compact rows that are counted", before: counted, run: |s, _| compact(s) },
    Operation { name: "confirm by a file without rows", before: filled, run: |s, f| confirm(s, f) },
    Operation { name: "delete", before: filled, run: |s, _| delete(s) },
    Operation { name: "rename entity", before: said_of, run: |s, _| rename(s) },
    Operation { name: "compact", before: fragmented, run: |s, _| compact(s) },
    Operation { name: "restore", before: fragmented, run: |s, _| table(s).restore(&latest(s)?, Version(2)).map(drop) },
    Operation { name: "tag", before: filled, run: |s, _| table(s).tag(&latest(s)?, "t", None).map(drop) },
    Operation { name: "set", before: filled, run: |s, _| table(s).set(&latest(s)?, "k", Some("v")).map(drop) },
    Operation {
        name: "add columns",
        before: filled,
        run: |s, _| table(s).add_columns(&latest(s)?, &[("volume".to_owned(), ColumnType::BigInt)]).map(drop),
    },
    Operation { name: "alter", before: widened, run: |s, _| alter(s) },
    Operation { name: "drop a column", before: altered, run: |s, _| drop_column(s) },
    Operation {
        name: "restore before an alteration",
        before: altered,
        run: |s, _| table(s).restore(&latest(s)?, Version(2)).map(drop),
    },
    Operation {
        name: "check",
        before: filled,
        run: |s, _| table(s).check(&latest(s)?, "positive", Some("price > 0")).map(drop),
    },
    Operation { name: "load", before: fragmented, run: |s, _| load(s, LoadRequest::default()) },
    Operation { name: "load into a new table", before: |_, _| {}, run: |s, _| load(s, new_table()) },
    Operation { name: "mark empty", before: filled, run: |s, _| mark_empty(s) },
    Operation { name: "expect", before: filled, run: |s, _| expect(s) },
    Operation { name: "checkpoint", before: filled, run: |s, _| table(s).checkpoint().map(drop) },
    Operation { name: "vacuum", before: with_a_removed_segment, run: |s, _| vacuum(s) },
    Operation { name: "repair", before: damaged, run: |s, _| table(s).repair(false, Instant::now()).map(drop) },
];

fn latest(storage: &Arc<dyn Storage>) -> Result<Snapshot> {
    table(storage).latest(None)
}

/// Several segments that compaction would make into one.
fn fragmented(storage: &Arc<dyn Storage>, files: &Files) {
    filled(storage, files);
    append(&table(storage), &[&files.second, &files.later]).unwrap();
}

fn hours(from: i64, until: i64) -> IndexRange {
    let at = |hour: i64| Some(IndexValue::from(hour * HOUR_US));
    IndexRange { start: at(from), until: at(until) }
}

/// Half of a segment, so that the rest is rewritten.
fn delete(storage: &Arc<dyn Storage>) -> Result<()> {
    let request = DeleteRequest { range: hours(0, 5), entities: Vec::new() };
    table(storage).delete(&latest(storage)?, &request, &Unwatched).map(drop)
}

/// All that is known of an entity, which a rename takes along.
fn said_of(storage: &Arc<dyn Storage>, files: &Files) {
    filled(storage, files);
    expect(storage).unwrap();
    let nvda = Entity::from(vec![EntityPart::from("NVDA")]);
    let request = EmptyRequest { range: hours(50, 60), entities: vec![nvda], reason: None, undo: false };
    table(storage).mark_empty(&latest(storage).unwrap(), &request).unwrap();
}

fn rename(storage: &Arc<dyn Storage>) -> Result<()> {
    let entity = |name: &str| Entity::from(vec![EntityPart::from(name)]);
    table(storage).rename_entity(&latest(storage)?, &entity("NVDA"), &entity("AARD"), &Unwatched).map(drop)
}

/// A column besides those of the files.
fn widened(storage: &Arc<dyn Storage>, files: &Files) {
    filled(storage, files);
    let volume = ("volume".to_owned(), ColumnType::BigInt);
    table(storage).add_columns(&latest(storage).unwrap(), &[volume]).unwrap();
}

/// A name and a type at once, with a look at the values.
fn alter(storage: &Arc<dyn Storage>) -> Result<()> {
    let alteration = Alteration {
        rename: vec![("volume".to_owned(), "size".to_owned())],
        types: vec![("volume".to_owned(), ColumnType::Double)],
        ..Alteration::default()
    };
    table(storage).alter(&latest(storage)?, &alteration, &Unwatched).map(drop)
}

fn drop_column(storage: &Arc<dyn Storage>) -> Result<()> {
    let alteration = Alteration { drop: vec!["size".to_owned()], ..Alteration::default() };
    table(storage).alter(&latest(storage)?, &alteration, &Unwatched).map(drop)
}

/// Buckets of several rows, whose numbers the log keeps.
fn counted(storage: &Arc<dyn Storage>, files: &Files) {
    filled(storage, files);
    append(&table(storage), &[&files.dense]).unwrap();
}

/// A delivery of nothing.
fn confirm(storage: &Arc<dyn Storage>, files: &Files) -> Result<()> {
    let table = table(storage);
    let request = AppendRequest {
        files: vec![files.empty.clone(), files.later.clone()],
        confirms: Confirms::Range(hours(50, 60)),
        ..AppendRequest::default()
    };
    table.append(&table.latest(None)?, &request, &Unwatched).map(drop)
}

fn altered(storage: &Arc<dyn Storage>, files: &Files) {
    widened(storage, files);
    alter(storage).unwrap();
}

fn compact(storage: &Arc<dyn Storage>) -> Result<()> {
    let request = CompactRequest { range: IndexRange::ALL, target_rows: 1000, order: Order::default(), dry_run: false };
    let compacted = table(storage).compact(&latest(storage)?, &request, &Unwatched)?;
    assert!(compacted.segments_after < compacted.segments_before);
    Ok(())
}

/// Rows that do not come from a file: two hours of a new symbol.
fn load(storage: &Arc<dyn Storage>, request: LoadRequest) -> Result<()> {
    let columns: Vec<_> = columns().into_iter().map(|column| (column.name, column.ty)).collect();
    let mut loader = table(storage).loader(&columns, request)?;
    let arrays: [(&str, ArrayRef); 3] = [
        ("ts", Arc::new(TimestampMicrosecondArray::from(vec![HOUR_US, 0]))),
        ("symbol", Arc::new(StringArray::from(vec!["LOADED", "LOADED"]))),
        ("price", Arc::new(Float64Array::from(vec![1.0, 2.0]))),
    ];
    loader.push(&RecordBatch::try_from_iter(arrays).unwrap())?;
    loader.finish(&Unwatched).map(drop)
}

fn new_table() -> LoadRequest {
    LoadRequest { create: Some(definition()), ..LoadRequest::default() }
}

fn mark_empty(storage: &Arc<dyn Storage>) -> Result<()> {
    let request = EmptyRequest { range: hours(50, 60), entities: Vec::new(), reason: None, undo: false };
    table(storage).mark_empty(&latest(storage)?, &request).map(drop)
}

fn expect(storage: &Arc<dyn Storage>) -> Result<()> {
    let entity = |name: &str| Entity::from(vec![EntityPart::from(name)]);
    let expected = [(entity("NVDA"), IndexRange::ALL), (entity("NEVER"), hours(0, 20))];
    table(storage).expect_entities(&latest(storage)?, &expected.into_iter().collect()).map(drop)
}

fn with_a_removed_segment(storage: &Arc<dyn Storage>, files: &Files) {
    filled(storage, files);
    append(&table(storage), &[&files.scattered]).unwrap();
    let id = table(storage).latest(None).unwrap().state.segments.all().unwrap()[0].record.id.clone();
    change(&table(storage), "delete", &[Action::RemoveSegment { id }]);
}

fn vacuum(storage: &Arc<dyn Storage>) -> Result<()> {
    table(storage).vacuum(&VacuumRequest { keep_us: 0, dry_run: false, now: Instant::now() }).map(drop)
}

/// Damaged where no answer suffers.
fn damaged(storage: &Arc<dyn Storage>, files: &Files) {
    filled(storage, files);
    storage.replace("_timeseries_log/CURRENT", b"garbage").unwrap();
    storage.replace("_timeseries_log/0000000002.checkpoint", b"garbage").unwrap();
    storage.replace("data/stray.parquet", b"garbage").unwrap();
}

fn empty(storage: &Arc<dyn Storage>, _: &Files) {
    created(storage);
}

fn filled(storage: &Arc<dyn Storage>, files: &Files) {
    append(&created(storage), &[&files.first]).unwrap();
}

/// The next commit is the one that a checkpoint follows.
fn filled_to_99(storage: &Arc<dyn Storage>, files: &Files) {
    filled(storage, files);
    let table = table(storage);
    for i in 3..=99 {
        let key = format!("key{}", i % 3);
        change(&table, "set", &[Action::SetProperty { key, value: Some(i.to_string()) }]);
    }
}

fn with_folders(storage: &Arc<dyn Storage>, files: &Files) -> Result<()> {
    let table = table(storage);
    let naming = Naming { hive: None, pattern: Some("{venue}.parquet".to_owned()) };
    let request = AppendRequest {
        files: vec![files.later.clone()],
        new_columns: NewColumns::Add,
        naming,
        ..AppendRequest::default()
    };
    table.append(&table.latest(None)?, &request, &Unwatched).map(drop)
}

fn with_mode(storage: &Arc<dyn Storage>, files: &Files, mode: Mode) -> Result<()> {
    let table = table(storage);
    let request = AppendRequest { files: vec![files.later.clone()], mode, ..AppendRequest::default() };
    table.append(&table.latest(None)?, &request, &Unwatched).map(drop)
}
