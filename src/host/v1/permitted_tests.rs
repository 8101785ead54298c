//! The sources of this host call no entry of the v1 function table that DuckDB 1.4 has elsewhere or not at all.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::{collections::HashMap, fs, path::Path};

/// The entries before this one are the stable part of the table since DuckDB 1.4; behind it the versions differ, and a
/// call through a wrong entry ends the process.
const STABLE_ENTRIES: usize = 357;

/// Every name in a source file.
fn names(source: &str) -> impl Iterator<Item = &str> {
    source.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
}

#[test]
fn only_entries_of_the_stable_part_of_the_function_table_are_named() {
    let table: HashMap<&str, usize> = include_str!("function_table.txt").lines().zip(0..).collect();
    assert_eq!(table.get("duckdb_open"), Some(&0));
    assert!(table.len() > STABLE_ENTRIES, "the table lists unstable entries too, or the test could not fail");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/host/v1");
    let mut checked = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if !name.ends_with(".rs") || name.ends_with("_tests.rs") {
            continue;
        }
        for name in names(&fs::read_to_string(&path).unwrap()) {
            if let Some(entry) = table.get(name) {
                checked += 1;
                assert!(*entry < STABLE_ENTRIES, "{} names {name}, entry {entry} of the table", path.display());
            }
        }
    }
    assert!(checked > 50, "only {checked} names were found: the search no longer sees the calls");
}

#[test]
fn a_call_is_found_however_it_is_written() {
    let source = "ffi::duckdb_value_to_string(x) + duckdb_free (y)";
    let found: Vec<_> = names(source).filter(|name| name.starts_with("duckdb_")).collect();
    assert_eq!(found, ["duckdb_value_to_string", "duckdb_free"]);
}
