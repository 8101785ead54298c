//! Everything that changes a table, one line each: crash tests interrupt every one of them everywhere.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use tstable_core::{
    Result,
    log::Version,
    schema::ColumnType,
    storage::Storage,
    table::{
        append::{AppendRequest, Mode, OnOverlap, Unwatched},
        compact::{CompactRequest, Order},
        delete::DeleteRequest,
        load::LoadRequest,
    },
    time::{IndexRange, IndexValue},
};

use super::world::{Files, HOUR_US, append, append_as, columns, created, definition, table, write_file};

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
    Operation { name: "rewrite", before: filled, run: |s, f| with_mode(s, f, Mode::Rewrite) },
    Operation {
        name: "append at a checkpoint",
        before: filled_to_99,
        run: |s, f| append(&table(s), &[&f.scattered]).map(drop),
    },
    Operation { name: "skip_rows", before: filled, run: |s, f| append_partly(s, f, OnOverlap::SkipRows) },
    Operation { name: "replace", before: filled_twice, run: |s, f| append_partly(s, f, OnOverlap::Replace) },
    Operation { name: "delete", before: filled_twice, run: |s, _| delete(s) },
    Operation { name: "compact", before: filled_twice, run: |s, _| compact(s) },
    Operation { name: "restore", before: filled_twice, run: |s, _| restore(s) },
    Operation { name: "load", before: filled_twice, run: |s, _| load(s) },
    Operation {
        name: "add columns",
        before: filled,
        run: |s, _| {
            let table = table(s);
            table.add_columns(&table.latest(None)?, &[("volume".to_owned(), ColumnType::BigInt)]).map(drop)
        },
    },
    Operation {
        name: "tag",
        before: filled,
        run: |s, _| {
            let table = table(s);
            table.tag(&table.latest(None)?, "named", None).map(drop)
        },
    },
    Operation {
        name: "check",
        before: filled,
        run: |s, _| {
            let table = table(s);
            table.check(&table.latest(None)?, "positive", Some("price > 0")).map(drop)
        },
    },
];

fn filled_twice(storage: &Arc<dyn Storage>, files: &Files) {
    filled(storage, files);
    append(&table(storage), &[&files.later]).unwrap();
}

/// A file of which some buckets are covered: it covers hours 5 to 24 of the symbol that has 0 to 9 and, after two loads, 20 to 29.
fn append_partly(storage: &Arc<dyn Storage>, files: &Files, on_overlap: OnOverlap) -> Result<()> {
    let path = write_file(&files.first.with_file_name("partly.parquet"), &["NVDA"], 5..25);
    append_as(&table(storage), &[&path], on_overlap).map(drop)
}

fn delete(storage: &Arc<dyn Storage>) -> Result<()> {
    let table = table(storage);
    let hour = |hour: i64| IndexValue((hour * HOUR_US).into());
    let request = DeleteRequest { range: IndexRange::new(hour(5), hour(25)), entity: Vec::new() };
    table.delete(&table.latest(None)?, &request, &Unwatched).map(drop)
}

fn compact(storage: &Arc<dyn Storage>) -> Result<()> {
    let table = table(storage);
    let request = CompactRequest { range: IndexRange::ALL, target_rows: 1000, order: Order::default(), dry_run: false };
    let done = table.compact(&table.latest(None)?, &request, &Unwatched)?;
    assert_eq!(done.segments_after, 1);
    Ok(())
}

fn restore(storage: &Arc<dyn Storage>) -> Result<()> {
    let table = table(storage);
    table.restore(&table.latest(None)?, Version(2)).map(drop)
}

/// Rows that are no file: two hours of a new symbol.
fn load(storage: &Arc<dyn Storage>) -> Result<()> {
    let columns: Vec<_> = columns().into_iter().map(|column| (column.name, column.ty)).collect();
    let mut loader = table(storage).loader(&columns, LoadRequest::default())?;
    let ts = TimestampMicrosecondArray::from(vec![HOUR_US, 0]);
    let arrays: [(&str, ArrayRef); 3] = [
        ("ts", Arc::new(ts)),
        ("symbol", Arc::new(StringArray::from(vec!["LOADED", "LOADED"]))),
        ("price", Arc::new(Float64Array::from(vec![1.0, 2.0]))),
    ];
    loader.push(&RecordBatch::try_from_iter(arrays).unwrap())?;
    loader.finish(&Unwatched).map(drop)
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
    let mut state = table.latest(None).unwrap().state;
    while state.version.0 < 99 {
        use tstable_core::{log::commit::Action, table::change};
        let key = format!("key{}", state.version.0 % 3);
        let actions = vec![Action::SetProperty { key, value: Some(state.version.to_string()) }];
        let commit = change::commit(&state, "set", None, actions);
        let change::Published::Done { state: next, .. } = change::publish(&table, &state, &commit).unwrap() else {
            panic!("nobody else writes here")
        };
        state = next;
    }
}

fn with_mode(storage: &Arc<dyn Storage>, files: &Files, mode: Mode) -> Result<()> {
    let table = table(storage);
    let request = AppendRequest { files: vec![files.later.clone()], mode, ..AppendRequest::default() };
    table.append(&table.latest(None)?, &request, &Unwatched).map(drop)
}
