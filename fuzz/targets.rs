//! What is fuzzed: functions that take any bytes and must neither panic nor contradict themselves. `cargo fuzz run <name>` drives them
//! without end, the tests of the core crate for a moment with fixed seeds.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use arrow::array::{Array, StringArray, TimestampMicrosecondArray};
use tstable_core::{
    ErrorKind,
    coverage::{BucketId, Coverage, EntityPart},
    log::{
        Version,
        checkpoint::{self, checkpoint_path},
        commit::{Commit, Instant},
        state::TableState,
    },
    schema::{ColumnType, Strings, TimeUnit},
    segment::values::fitted,
    storage::{Storage, check_path, memory::MemoryStorage},
    table::{
        Table,
        cache::Cache,
        compact::{CompactRequest, Order},
        delete::DeleteRequest,
        monitor::Unwatched,
        policy::{AppendRequest, Mode, OnOverlap},
        scan::{Scan, ScanRequest, UnitRows},
        vacuum::VacuumRequest,
    },
    time::{BucketWidth, Grid, IndexRange, IndexValue},
};
use xxhash_rust::xxh3::xxh3_64;

#[allow(dead_code, unreachable_pub, clippy::cast_precision_loss, clippy::duplicate_mod)]
#[path = "../core/tests/safety/prices.rs"]
mod prices;
use prices::HOUR_US;

/// A commit's bytes, as they are and with the checksum that makes them believable.
pub fn commit(data: &[u8]) {
    let sealed = [data, b",\"checksum\":\"xxh3:", format!("{:016x}", xxh3_64(data)).as_bytes(), b"\"}\n"].concat();
    for bytes in [data, &sealed] {
        let Ok(commit) = Commit::decode(bytes, Version(1)) else { continue };
        let _ = TableState::first(&commit);
        let again = commit.encode().and_then(|bytes| Commit::decode(&bytes, Version(1)));
        assert_eq!(
            again.ok().as_ref(),
            Some(&commit),
            "a commit that was read is not what it is when written and read again"
        );
    }
}

/// A checkpoint's bytes, as they are, and as the sealed state and blocks of a checkpoint, which the first two bytes tell apart.
pub fn checkpoint(data: &[u8]) {
    let (state, rest) = data.split_at(data.len().min(2));
    let state = state.iter().rev().fold(0, |n, b| (n << 8) | usize::from(*b)).min(rest.len());
    let numbers = [state as u64, (rest.len() - state) as u64, xxh3_64(rest)].map(u64::to_le_bytes).concat();
    let sealed = [b"TSCKPT\x03\n".as_slice(), &numbers, rest].concat();
    for bytes in [data.to_vec(), sealed] {
        let storage = MemoryStorage::new("memory");
        storage.prepare(&["_timeseries_log"]).expect("memory is there");
        storage.replace(&checkpoint_path(Version(1)), &bytes).expect("memory is there");
        if let Ok(Some(state)) = checkpoint::read(&storage, Version(1)) {
            let _ = state.segments.all();
            let _ = state.coverage(&storage);
            let _ = state.stored_coverage();
        }
    }
}

/// Serialised coverage, as it is and with the checksum that makes it believable.
pub fn coverage(data: &[u8]) {
    let sealed = [data, &xxh3_64(data).to_le_bytes()].concat();
    for bytes in [data, &sealed] {
        let Ok(coverage) = Coverage::from_bytes(bytes, 1 << 24) else { continue };
        assert!(coverage.buckets() <= 1 << 24);
        let again = Coverage::from_bytes(&coverage.to_bytes(), 1 << 24);
        assert_eq!(again.ok().as_ref(), Some(&coverage));
    }
}

/// Words and names that people and logs give: parsed or refused.
pub fn parsing(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(width) = BucketWidth::parse(&text) {
        assert_eq!(BucketWidth::parse(&width.to_string()).ok(), Some(width));
        for index in [ColumnType::Date, ColumnType::Timestamp(TimeUnit::Us), ColumnType::BigInt] {
            let Ok(grid) = Grid::new(&width, &index, None, None) else { continue };
            if let Ok(bucket) = grid.bucket_of(IndexValue::from(1_700_000_000_000_000_i64)) {
                assert!(grid.start_of(bucket) < grid.end_of(bucket));
            }
        }
    }
    for ty in [ColumnType::Uuid, ColumnType::Date, ColumnType::Boolean, ColumnType::TinyInt, ColumnType::UBigInt] {
        if let Some(part) = fitted(&EntityPart::from(text.as_ref()), &ty) {
            let again = fitted(&EntityPart::from(part.to_string().as_str()), &ty);
            assert_eq!(again, Some(part), "an entity is shown as another one than it is");
        }
    }
    let _ = (OnOverlap::parse(&text), Mode::parse(&text), tstable_core::time::check_zone(&text));
    if let Some(version) = Version::of_commit_name(&text) {
        assert!(version.commit_path().ends_with(text.as_ref()));
    }
    if check_path(&text).is_ok() {
        assert!(!text.starts_with('/') && text.split('/').all(|part| part != ".."));
    }
}

const BLOCK: i64 = 4;
const BLOCKS: usize = 8;
const SYMBOLS: [&str; 2] = ["A", "B"];

/// One file for each symbol and block of hours, made once.
fn files() -> &'static [Vec<PathBuf>] {
    static FILES: OnceLock<(tempfile::TempDir, Vec<Vec<PathBuf>>)> = OnceLock::new();
    let (_, files) = FILES.get_or_init(|| {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let files = SYMBOLS.map(|symbol| {
            (0..BLOCKS)
                .map(|block| {
                    let hours = block as i64 * BLOCK..(block as i64 + 1) * BLOCK;
                    prices::write_file(&directory.path().join(format!("{symbol}{block}")), &[symbol], hours)
                })
                .collect()
        });
        (directory, files.to_vec())
    });
    files
}

type Model = BTreeSet<(String, i64)>;

/// A list of operations on a table and on a set of hours, which must agree after each; two bytes an operation.
pub fn operations(data: &[u8]) {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new("memory"));
    let table = Table::new(Arc::clone(&storage));
    table.create(prices::request().definition().expect("a valid definition"), false).expect("memory is there");
    let mut model = Model::new();
    let mut history: BTreeMap<Version, Model> = BTreeMap::new();
    for operation in data.chunks_exact(2).take(24) {
        step(&table, &mut model, &history, operation[0], operation[1]);
        let snapshot = table.latest(None).expect("the table opens");
        assert_eq!(rows(&table, snapshot.state.version), model, "after {operation:?}");
        assert_eq!(covered(&snapshot.coverage().expect("coverage")), model, "after {operation:?}");
        history.insert(snapshot.state.version, model.clone());
    }
    let findings = table.verify(true, &Unwatched).expect("memory is there");
    assert!(findings.iter().all(|f| f.problem.is_none()), "{findings:?}");
}

fn step(table: &Table, model: &mut Model, history: &BTreeMap<Version, Model>, what: u8, which: u8) {
    let latest = table.latest(None).expect("the table opens");
    let (symbol, block) = (usize::from(which) % SYMBOLS.len(), usize::from(which / 2) % BLOCKS);
    let hours = (block as i64 * BLOCK..(block as i64 + 1) * BLOCK).map(|hour| (SYMBOLS[symbol].to_owned(), hour));
    let append = |on_overlap, mode| {
        let request =
            AppendRequest { files: vec![files()[symbol][block].clone()], on_overlap, mode, ..AppendRequest::default() };
        table.append(&latest, &request, &Unwatched).map(drop)
    };
    match what % 8 {
        0 | 1 => {
            let overlaps = hours.clone().any(|hour| model.contains(&hour));
            let appended = append(OnOverlap::Error, if what.is_multiple_of(8) { Mode::Copy } else { Mode::Rewrite });
            match appended {
                Ok(()) => {
                    assert!(!overlaps);
                    model.extend(hours);
                }
                // A file of which a part is covered changes nothing.
                Err(e) => assert!(overlaps && e.kind() == ErrorKind::Overlap, "{e}"),
            }
        }
        2 => {
            append(OnOverlap::Replace, Mode::Copy).expect("replacing is allowed");
            model.extend(hours);
        }
        3 => {
            append(OnOverlap::SkipRows, Mode::Copy).expect("skipping is allowed");
            model.extend(hours);
        }
        4 if latest.definition().schema.is_some() => {
            let (first, last) = (i64::from(which % 16) * 2, i64::from(which / 16) * 2 + 1);
            let (start, until) = (first.min(last), first.max(last));
            let at = |hour: i64| Some(IndexValue::from(hour * HOUR_US));
            let range = IndexRange { start: at(start), until: at(until) };
            table
                .delete(&latest, &DeleteRequest { range, entities: Vec::new() }, &Unwatched)
                .expect("bounds of buckets");
            model.retain(|(_, hour)| !(start..until).contains(hour));
        }
        5 => {
            let range = IndexRange::ALL;
            let request =
                CompactRequest { range, target_rows: 2 + u64::from(which), order: Order::default(), dry_run: false };
            table.compact(&latest, &request, &Unwatched).expect("nothing stands in the way");
        }
        6 => {
            table.checkpoint().expect("memory is there");
            let keep_us = i64::from(which) * 1000;
            let request = VacuumRequest { keep_us, dry_run: which.is_multiple_of(2), now: Instant::now() };
            table.vacuum(&request).expect("memory is there");
        }
        7 => restore(table, model, history, which),
        _ => {}
    }
}

fn restore(table: &Table, model: &mut Model, history: &BTreeMap<Version, Model>, which: u8) {
    let latest = table.latest(None).expect("the table opens");
    let Some((version, old)) = history.iter().nth(usize::from(which) % history.len().max(1)) else { return };
    match table.restore(&latest, *version) {
        Ok(_) => *model = old.clone(),
        Err(e) => assert!(e.kind() == ErrorKind::NotFound && !latest.state.keeps(*version), "{e}"),
    }
}

fn rows(table: &Table, version: Version) -> Model {
    let latest = table.latest(None).expect("the table opens");
    assert_eq!(latest.state.version, version);
    if latest.definition().schema.is_none() {
        return Model::new();
    }
    let request = ScanRequest { columns: vec![0, 1], ..ScanRequest::default() };
    let scan = Scan::new(&latest, &Arc::new(Cache::new(1 << 20)), request).expect("the table has columns");
    let mut found = Model::new();
    for number in 0..scan.units() {
        let Some(unit) = scan.unit(number, Strings::Plain, 1024).expect("the segment is there") else { continue };
        let UnitRows::Read(reader) = unit.rows else { panic!("columns were asked for") };
        for batch in *reader {
            let batch = batch.expect("the segment is sound");
            let ts = batch.column(0).as_any().downcast_ref::<TimestampMicrosecondArray>().expect("the index");
            let symbol = batch.column(1).as_any().downcast_ref::<StringArray>().expect("the entity");
            for row in 0..batch.num_rows() {
                assert!(found.insert((symbol.value(row).to_owned(), ts.value(row) / HOUR_US)), "a row twice");
            }
        }
    }
    found
}

/// Hours from bucket numbers: buckets of an hour that are aligned to whole hours.
fn covered(coverage: &Coverage) -> Model {
    let entities = coverage.iter().map(|(entity, set)| {
        let [EntityPart::Text(symbol)] = entity.parts() else { panic!("one entity column") };
        set.iter().map(|BucketId(hour)| (symbol.to_string(), hour)).collect::<Vec<_>>()
    });
    entities.flatten().collect()
}
