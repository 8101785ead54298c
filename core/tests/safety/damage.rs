//! Bytes flipped and cut at random over every kind of file: a table answers as before or says `Corrupt` with path and version.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use tempfile::TempDir;
use tstable_core::{
    ErrorKind, Result,
    log::Version,
    schema::ColumnType,
    storage::{Storage, memory::MemoryStorage},
    table::{
        amend::alter::Alteration,
        monitor::Unwatched,
        write::policy::{AppendRequest, Mode},
    },
};

use super::world::{Answers, Files, answers, append, created, table};

struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % bound as u64) as usize
    }
}

/// A table with every kind of file, its segments written by tstable.
fn written() -> MemoryStorage {
    let files = Files::new();
    let memory = MemoryStorage::new("memory");
    let storage: Arc<dyn Storage> = Arc::new(memory.clone());
    let table = created(&storage);
    let rewrite = |file: &Path| {
        let request = AppendRequest { files: vec![file.to_owned()], mode: Mode::Rewrite, ..AppendRequest::default() };
        table.append(&table.latest(None).unwrap(), &request, &Unwatched).unwrap();
    };
    append(&table, &[&files.first]).unwrap();
    rewrite(&files.scattered);
    table.checkpoint().unwrap();
    rewrite(&files.second);
    append(&table, &[&files.later]).unwrap();
    rewrite(&files.dense);
    let volume = ("volume".to_owned(), ColumnType::BigInt);
    table.add_columns(&table.latest(None).unwrap(), &[volume]).unwrap();
    let rename = vec![("volume".to_owned(), "size".to_owned())];
    let alteration = Alteration { rename, ..Alteration::default() };
    table.alter(&table.latest(None).unwrap(), &alteration, &Unwatched).unwrap();
    memory
}

fn harm(bytes: &mut Vec<u8>, numbers: &mut Numbers) -> String {
    if bytes.is_empty() {
        return "nothing".to_owned();
    }
    if numbers.below(5) == 0 {
        let length = numbers.below(bytes.len());
        bytes.truncate(length);
        return format!("cut at {length}");
    }
    // Half of the flips aim at the end, where footers and checksums are.
    let tail = bytes.len().min(400);
    let at = if numbers.below(2) == 0 { bytes.len() - 1 - numbers.below(tail) } else { numbers.below(bytes.len()) };
    let mask = 1_u8 << numbers.below(8);
    bytes[at] ^= mask;
    format!("byte {at} flipped by {mask:#x}")
}

fn check(found: Result<Option<Answers>>, before: &Answers, path: &str, what: &str) -> bool {
    match found {
        Ok(found) => {
            assert!(found.as_ref() == Some(before), "{what}: other answers than before");
            false
        }
        Err(e) => {
            assert_eq!(e.kind(), ErrorKind::Corrupt, "{what}: {e}");
            let words = e.to_string();
            assert!(words.contains(path) && words.contains("version"), "{what}: {words}");
            true
        }
    }
}

fn kind(path: &str) -> &'static str {
    match path {
        "_timeseries_log/CURRENT" => "hint",
        path if path.ends_with(".json") => "commit",
        path if path.ends_with(".checkpoint") => "checkpoint",
        path if path.ends_with(".cov") => "coverage",
        _ => "segment",
    }
}

fn rounds() -> usize {
    std::env::var("TSTABLE_DAMAGES").map_or(2000, |rounds| rounds.parse().unwrap())
}

#[test]
fn damage_anywhere_in_a_table_of_written_segments_is_named_or_harmless() {
    let base = written();
    let before = answers(&(Arc::new(base.copy()) as Arc<dyn Storage>)).unwrap().unwrap();
    let paths = base.paths();
    let mut numbers = Numbers(7);
    let mut named: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for round in 0..rounds() {
        let memory = base.copy();
        let path = &paths[round % paths.len()];
        let mut how = String::new();
        assert!(memory.damage(path, |bytes| how = harm(bytes, &mut numbers)));
        // Without the hint, readers look at more.
        if numbers.below(3) == 0 {
            memory.remove("_timeseries_log/CURRENT").unwrap();
        }
        let storage: Arc<dyn Storage> = Arc::new(memory);
        let what = format!("round {round}: {path}: {how}");
        let corrupt = check(answers(&storage), &before, path, &what);
        let count = named.entry(kind(path)).or_default();
        count.0 += usize::from(corrupt);
        count.1 += 1;
        // Everything of ours has a checksum but the hint, which decides nothing.
        if kind(path) != "hint" && how != "nothing" {
            let findings = table(&storage).verify(false, &Unwatched).unwrap();
            assert!(findings.iter().any(|finding| finding.problem.is_some()), "{what}: verify finds nothing");
        }
    }
    println!("kind of file: (named as corrupt, damaged) {named:?}");
    assert!(named["segment"].0 * 10 > named["segment"].1 * 6, "damage to segments is hardly ever noticed");
}

/// Gives a commit the checksum that it should have now.
fn seal_again(bytes: &mut Vec<u8>) {
    let key = b",\"checksum\":\"xxh3:";
    bytes.truncate(bytes.windows(key.len()).position(|part| part == key).unwrap());
    let checksum = format!("{:016x}", xxhash_rust::xxh3::xxh3_64(bytes));
    bytes.extend([key, checksum.as_bytes(), b"\"}\n"].concat());
}

#[test]
fn a_damaged_format_version_is_damage_and_another_format_is_not() {
    let memory = written();
    let storage: Arc<dyn Storage> = Arc::new(memory.clone());
    let path = Version(5).commit_path();
    let flip = |bytes: &mut Vec<u8>| {
        let at = bytes.windows(18).position(|part| part == b"\"format_version\":2").unwrap() + 17;
        bytes[at] ^= 1;
    };
    assert!(memory.damage(&path, flip));
    assert_eq!(answers(&storage).unwrap_err().kind(), ErrorKind::Corrupt);
    // The same with a checksum that holds, and with none that this format knows.
    assert!(memory.damage(&path, seal_again));
    assert_eq!(answers(&storage).unwrap_err().kind(), ErrorKind::UnsupportedFormat);
    storage.replace(&path, b"{\"format_version\":3,\"sealed\":\"otherwise\"}").unwrap();
    assert_eq!(answers(&storage).unwrap_err().kind(), ErrorKind::UnsupportedFormat);
}

#[test]
fn a_damaged_feature_is_damage_and_another_feature_is_not() {
    let memory = written();
    let storage: Arc<dyn Storage> = Arc::new(memory.clone());
    let newest = table(&storage).latest(None).unwrap().state.version;
    let path = newest.commit_path();
    let flip = |bytes: &mut Vec<u8>| {
        let at = bytes.windows(15).position(|part| part == b"altered_columns").unwrap();
        bytes[at] ^= 0x20;
    };
    assert!(memory.damage(&path, flip));
    assert_eq!(answers(&storage).unwrap_err().kind(), ErrorKind::Corrupt);
    assert!(memory.damage(&path, seal_again));
    let refused = answers(&storage).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::UnsupportedFormat);
    assert!(refused.to_string().contains("'Altered_columns'"), "{refused}");
}

#[test]
fn damage_to_an_adopted_file_is_named_by_reading_or_by_verify() {
    // DuckDB writes no page checksums, so that the file's own in the log is what tells.
    let fixture = format!("{}/tests/fixtures/duckdb_rows.parquet", env!("CARGO_MANIFEST_DIR"));
    let bytes = fs::read(&fixture).unwrap();
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("adopted.parquet");
    fs::write(&file, &bytes).unwrap();
    let outside = tstable_core::table::incoming::open(&file).unwrap().1;
    let column = |test: &dyn Fn(&ColumnType) -> bool| {
        outside.columns().iter().find(|column| test(&column.ty)).unwrap().name.clone()
    };
    let mut definition = super::world::definition();
    definition.index_column = column(&|ty| ty.can_index());
    definition.bucket = tstable_core::time::BucketWidth::parse(
        if outside.columns()[outside.position(&definition.index_column).unwrap()].ty == ColumnType::BigInt {
            "10"
        } else {
            "1h"
        },
    )
    .unwrap();
    definition.entity_columns = Vec::new();
    let base = MemoryStorage::new("memory");
    let table_of = |memory: &MemoryStorage| table(&(Arc::new(memory.clone()) as Arc<dyn Storage>));
    table_of(&base).create(definition, false).unwrap();
    append(&table_of(&base), &[&file]).unwrap();
    let path = base.paths().into_iter().find(|path| path.starts_with("data/")).unwrap();
    let mut numbers = Numbers(11);
    for round in 0..rounds() / 10 {
        let memory = base.copy();
        let mut how = String::new();
        assert!(memory.damage(&path, |bytes| how = harm(bytes, &mut numbers)));
        let findings = table_of(&memory).verify(false, &Unwatched).unwrap();
        let problem = findings.iter().find_map(|f| f.problem.as_ref().filter(|_| f.what == "segment"));
        assert!(problem.is_some_and(|problem| problem.contains(&path)), "round {round}: {how}: {findings:?}");
    }
}
