//! Files to load, tables to load them into, and what a table answers, as one comparable value.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{Array, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray},
    datatypes::{DataType, TimeUnit as ArrowUnit},
};
use tempfile::TempDir;
use tstable_core::{
    Result,
    coverage::Entity,
    log::{Version, definition::Definition},
    schema::Strings,
    storage::Storage,
    table::{
        Snapshot, Table,
        append::Appended,
        ask::density::Counting,
        cache::Cache,
        monitor::Unwatched,
        scan::{Scan, ScanRequest, UnitRows},
        write::policy::{AppendRequest, OnOverlap},
    },
};

pub use super::prices::{HOUR_US, columns, write_file};

/// A row: time, symbol, price's bits.
pub type Row = (i64, String, u64);

/// Files outside of any table.
#[derive(Debug)]
pub struct Files {
    /// Removed with this.
    pub _directory: TempDir,
    /// One symbol, hours 0 to 9.
    pub first: PathBuf,
    /// Another symbol, the same hours.
    pub second: PathBuf,
    /// The first symbol, hours 20 to 29.
    pub later: PathBuf,
    /// The first symbol, hours 5 to 14.
    pub overlapping: PathBuf,
    /// So scattered that its coverage needs a file of its own.
    pub scattered: PathBuf,
    /// The first symbol, hours 40 to 43, with several rows in some of them.
    pub dense: PathBuf,
    /// The same, with other numbers of rows, and one hour more.
    pub denser: PathBuf,
    /// Without rows.
    pub empty: PathBuf,
    /// To be appended after everything else.
    pub next: PathBuf,
}

impl Files {
    pub fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let at = |name: &str| directory.path().join(name);
        let symbols: Vec<String> = (b'A'..b'K').map(|c| char::from(c).to_string()).collect();
        let symbols: Vec<&str> = symbols.iter().map(String::as_str).collect();
        let scattered = (0..300).map(|i| 1000 + i * 7 + (i * i) % 5);
        Self {
            first: write_file(&at("first.parquet"), &["NVDA"], 0..10),
            second: write_file(&at("second.parquet"), &["MSFT"], 0..10),
            later: write_file(&at("later.parquet"), &["NVDA"], 20..30),
            overlapping: write_file(&at("overlapping.parquet"), &["NVDA"], 5..15),
            scattered: write_file(&at("scattered.parquet"), &symbols, scattered),
            dense: write_file(&at("dense.parquet"), &["NVDA"], [40, 40, 41, 43, 43, 43].into_iter()),
            denser: write_file(&at("denser.parquet"), &["NVDA"], [41, 43, 44, 44].into_iter()),
            empty: write_file(&at("empty.parquet"), &["NVDA"], 0..0),
            next: write_file(&at("next.parquet"), &["NEXT"], 0..3),
            _directory: directory,
        }
    }
}

pub fn definition() -> Definition {
    super::prices::request().definition().unwrap()
}

pub fn table(storage: &Arc<dyn Storage>) -> Table {
    Table::new(Arc::clone(storage))
}

pub fn created(storage: &Arc<dyn Storage>) -> Table {
    let table = table(storage);
    table.create(definition(), false).unwrap();
    table
}

pub fn append(table: &Table, files: &[&Path]) -> Result<Appended> {
    append_as(table, files, OnOverlap::Error)
}

pub fn append_as(table: &Table, files: &[&Path], on_overlap: OnOverlap) -> Result<Appended> {
    let files = files.iter().map(|file| (*file).to_owned()).collect();
    table.append(&table.latest(None)?, &AppendRequest { files, on_overlap, ..AppendRequest::default() }, &Unwatched)
}

/// Everything that a table answers, but for its version and its segments' random names.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    pub definition: String,
    pub rows: Vec<Row>,
    pub coverage: Vec<u8>,
    /// The buckets that have two rows and more, as the table counts them.
    pub dense: String,
    pub properties: BTreeMap<String, String>,
    pub tags: BTreeMap<String, Version>,
    pub expectations: String,
}

/// What the table answers; none when there is no table.
pub fn answers(storage: &Arc<dyn Storage>) -> Result<Option<Answers>> {
    match table(storage).latest(None) {
        Ok(snapshot) => answers_of(&snapshot).map(Some),
        Err(e) if e.kind() == tstable_core::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

pub fn answers_of(snapshot: &Snapshot) -> Result<Answers> {
    let mut definition = snapshot.definition().clone();
    definition.table_id = String::new();
    Ok(Answers {
        definition: format!("{definition:?}"),
        rows: rows_of(snapshot)?,
        coverage: snapshot.coverage()?.to_bytes(),
        dense: dense(snapshot)?,
        properties: snapshot.state.properties.clone(),
        tags: snapshot.state.tags.clone(),
        expectations: format!("{:?}", snapshot.state.expectations),
    })
}

fn dense(snapshot: &Snapshot) -> Result<String> {
    if snapshot.definition().schema.is_none() {
        return Ok(String::new());
    }
    let coverage = snapshot.coverage()?;
    let everywhere = |entity: &Entity| coverage.get(entity).and_then(|set| set.extent());
    let wanted = coverage.entities().filter_map(|entity| Some((entity.clone(), everywhere(entity)?))).collect();
    let dense = Counting::new(snapshot, &coverage, wanted, &Unwatched).dense(2)?;
    let mut sets: Vec<_> =
        dense.sets.iter().map(|(entity, set)| format!("{entity:?} {:?}", set.iter().collect::<Vec<_>>())).collect();
    sets.sort();
    Ok(sets.join("; "))
}

/// The rows, sorted.
pub fn rows_of(snapshot: &Snapshot) -> Result<Vec<Row>> {
    let Some(schema) = &snapshot.definition().schema else { return Ok(Vec::new()) };
    let request = ScanRequest { columns: (0..schema.columns.len()).collect(), ..ScanRequest::default() };
    let scan = Scan::new(snapshot, &Arc::new(Cache::new(1 << 20)), request)?;
    let mut rows = Vec::new();
    for number in 0..scan.units() {
        let Some(unit) = scan.unit(number, Strings::Plain, 2048)? else { continue };
        let UnitRows::Read(reader) = unit.rows else { panic!("columns were asked for") };
        for batch in *reader {
            take_rows(&batch?, &mut rows);
        }
    }
    rows.sort();
    Ok(rows)
}

fn take_rows(batch: &RecordBatch, rows: &mut Vec<Row>) {
    assert_eq!(*batch.column(0).data_type(), DataType::Timestamp(ArrowUnit::Microsecond, None));
    let ts = batch.column(0).as_any().downcast_ref::<TimestampMicrosecondArray>().unwrap();
    let symbol = batch.column(1).as_any().downcast_ref::<StringArray>().unwrap();
    let price = batch.column(2).as_any().downcast_ref::<Float64Array>().unwrap();
    rows.extend((0..batch.num_rows()).map(|i| (ts.value(i), symbol.value(i).to_owned(), price.value(i).to_bits())));
}
