//! The sources of this host call no entry of the v1 function table that a DuckDB which loads the package has elsewhere or not
//! at all. `function_table.txt` is the table of libduckdb-sys, DuckDB 2.0.0's.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::{collections::HashMap, fs, path::Path};

/// Folders, and how many entries at the beginning of the table their packages may call: those of level v1.2.0, the same since
/// DuckDB 1.4, and those of level v1.5.6, the same since that version. Behind them versions differ, and a call through a wrong
/// entry ends the process.
const PERMITTED: [(&str, usize); 2] = [("src/host/v1", 357), ("src/host/v1/v1_5_6", 546)];

/// Every name in a source file.
fn names(source: &str) -> impl Iterator<Item = &str> {
    source.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
}

#[test]
fn only_entries_of_the_stable_part_of_the_function_table_are_named() {
    let table: HashMap<&str, usize> = include_str!("function_table.txt").lines().zip(0..).collect();
    assert_eq!(table.get("duckdb_open"), Some(&0));
    for (folder, permitted) in PERMITTED {
        assert!(table.len() > permitted, "the table lists unstable entries too, or the test could not fail");
        let mut checked = 0;
        for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if !name.ends_with(".rs") || name.ends_with("_tests.rs") {
                continue;
            }
            for name in names(&fs::read_to_string(&path).unwrap()) {
                if let Some(entry) = table.get(name) {
                    checked += 1;
                    assert!(*entry < permitted, "{} names {name}, entry {entry} of the table", path.display());
                }
            }
        }
        assert!(checked > 25, "only {checked} names were found in {folder}: the search no longer sees the calls");
    }
}

#[test]
fn the_table_ends_a_level_where_the_next_one_begins() {
    let table: Vec<&str> = include_str!("function_table.txt").lines().collect();
    // The last entries of the levels in DuckDB's headers: those of 1.4.5 and of 1.5.6.
    assert_eq!(table.get(356), Some(&"duckdb_append_null"));
    assert_eq!(table.get(545), Some(&"duckdb_unsafe_vector_assign_string_element_len"));
}

#[test]
fn a_call_is_found_however_it_is_written() {
    let source = "ffi::duckdb_value_to_string(x) + duckdb_free (y)";
    let found: Vec<_> = names(source).filter(|name| name.starts_with("duckdb_")).collect();
    assert_eq!(found, ["duckdb_value_to_string", "duckdb_free"]);
}
