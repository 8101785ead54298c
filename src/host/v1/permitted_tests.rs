//! The sources of this host call no entry of the v1 function table that DuckDB 1.4 has elsewhere or not at all.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::{collections::HashMap, fs, path::Path};

/// The entries before this one are the stable part of the table since DuckDB 1.4; behind it the versions differ, and a
/// call through a wrong entry ends the process.
const STABLE_ENTRIES: usize = 357;

/// Every name behind `ffi::` in a source file.
fn names(source: &str) -> impl Iterator<Item = &str> {
    source.split("ffi::").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        rest.split_at(end).0
    })
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
        if path.extension().is_none_or(|extension| extension != "rs") {
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
fn a_name_behind_the_stable_part_would_be_found() {
    assert_eq!(
        names("ffi::duckdb_value_to_string(x) + ffi::duckdb_free(y)").collect::<Vec<_>>(),
        ["duckdb_value_to_string", "duckdb_free"]
    );
}
