//! Many writers at once, of one process and of several, and readers among them.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use tempfile::TempDir;
use tstable_core::{
    ErrorKind,
    log::Version,
    schema::ColumnType,
    table::{
        At, Table,
        amend::alter::Alteration,
        compact::{CompactRequest, Order},
        monitor::Unwatched,
    },
    time::IndexRange,
};

use super::{
    child::{appending, local, said, write_files},
    world::{append, created, rows_of, table},
};

const PROCESSES: usize = 8;
const FILES: usize = 50;
const ROWS_PER_FILE: usize = 5;

fn race(root: &Path, files: &[Vec<String>], policy: &str) -> Vec<Vec<String>> {
    let children: Vec<_> = files.iter().map(|files| appending(root, files, policy)).collect();
    children.into_iter().map(|child| said(&child.wait_with_output().unwrap().stdout)).collect()
}

fn count(said: &[Vec<String>], word: &str) -> usize {
    said.iter().flatten().filter(|line| line.split(' ').next() == Some(word)).count()
}

#[test]
fn processes_that_append_different_files_all_succeed() {
    let directory = TempDir::new().unwrap();
    let root = directory.path().join("table");
    created(&local(&root));
    let files: Vec<_> =
        (0..PROCESSES).map(|p| write_files(directory.path(), &format!("p{p}"), &format!("S{p}"), FILES)).collect();
    let said = race(&root, &files, "error");
    assert_eq!(count(&said, "appended"), PROCESSES * FILES, "{said:?}");
    let snapshot = table(&local(&root)).latest(None).unwrap();
    assert_eq!(snapshot.state.version, Version((PROCESSES * FILES + 1) as u64));
    let mut rows = rows_of(&snapshot).unwrap();
    rows.dedup();
    assert_eq!(rows.len(), PROCESSES * FILES * ROWS_PER_FILE);
}

#[test]
fn processes_that_append_the_same_files_append_each_once() {
    for (policy, loser) in [("error", "overlap"), ("skip_file", "already_loaded")] {
        let directory = TempDir::new().unwrap();
        let root = directory.path().join("table");
        created(&local(&root));
        let files = write_files(directory.path(), "same", "NVDA", FILES);
        let said = race(&root, &vec![files; PROCESSES], policy);
        assert_eq!(count(&said, "appended"), FILES, "{policy}: {said:?}");
        assert_eq!(count(&said, loser), (PROCESSES - 1) * FILES, "{policy}: {said:?}");
        let mut rows = rows_of(&table(&local(&root)).latest(None).unwrap()).unwrap();
        rows.dedup();
        assert_eq!(rows.len(), FILES * ROWS_PER_FILE);
        // The losers cleaned up after themselves.
        assert_eq!(std::fs::read_dir(root.join("data")).unwrap().count(), FILES);
    }
}

#[test]
fn threads_of_one_process_race_as_processes_do() {
    let directory = TempDir::new().unwrap();
    let root = directory.path().join("table");
    let table = created(&local(&root));
    let shared = write_files(directory.path(), "shared", "NVDA", 10);
    let won: usize = thread::scope(|scope| {
        let worker = |t: usize| {
            let (table, shared, directory) = (&table, &shared, directory.path());
            scope.spawn(move || {
                for file in write_files(directory, &format!("t{t}"), &format!("S{t}"), 10) {
                    append(table, &[file.as_ref()]).unwrap();
                }
                let won = shared.iter().filter(|file| match append(table, &[file.as_ref()]) {
                    Ok(_) => true,
                    Err(e) if e.kind() == ErrorKind::Overlap => false,
                    Err(e) => panic!("{e}"),
                });
                won.count()
            })
        };
        let workers: Vec<_> = (0..8).map(worker).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert_eq!(won, 10);
    assert_eq!(rows_of(&table.latest(None).unwrap()).unwrap().len(), 90 * ROWS_PER_FILE);
}

/// Renames a column back and forth, and makes it wider twice, while others append and compact.
fn alter_again_and_again(table: &Table) {
    let types = |i: usize| match i {
        5 => vec![("size".to_owned(), ColumnType::BigInt)],
        10 => vec![("volume".to_owned(), ColumnType::Double)],
        _ => Vec::new(),
    };
    for i in 0..20 {
        let (old, new) = if i % 2 == 0 { ("volume", "size") } else { ("size", "volume") };
        let rename = vec![(old.to_owned(), new.to_owned())];
        let alteration = Alteration { rename, types: types(i), ..Alteration::default() };
        table.alter(&table.latest(None).unwrap(), &alteration, &Unwatched).unwrap();
    }
}

/// Appends a file again whenever the table's columns were altered meanwhile, as the conflict says to.
fn append_until_it_is_in(table: &Table, file: &str) {
    while let Err(e) = append(table, &[file.as_ref()]) {
        assert_eq!(e.kind(), ErrorKind::Conflict, "{e}");
    }
}

#[test]
fn columns_are_renamed_and_made_wider_while_others_append_and_compact() {
    let directory = TempDir::new().unwrap();
    let root = directory.path().join("table");
    let table = created(&local(&root));
    let first = write_files(directory.path(), "first", "FIRST", 1);
    append(&table, &[first[0].as_ref()]).unwrap();
    let volume = ("volume".to_owned(), ColumnType::Integer);
    table.add_columns(&table.latest(None).unwrap(), &[volume]).unwrap();
    thread::scope(|scope| {
        for t in 0..2 {
            let files = write_files(directory.path(), &format!("t{t}"), &format!("S{t}"), 15);
            let table = &table;
            scope.spawn(move || files.iter().for_each(|file| append_until_it_is_in(table, file)));
        }
        scope.spawn(|| alter_again_and_again(&table));
        scope.spawn(|| {
            let request =
                CompactRequest { range: IndexRange::ALL, target_rows: 1000, order: Order::default(), dry_run: false };
            for _ in 0..8 {
                match table.compact(&table.latest(None).unwrap(), &request, &Unwatched) {
                    Ok(_) => {}
                    Err(e) => assert_eq!(e.kind(), ErrorKind::Conflict, "{e}"),
                }
            }
        });
    });
    let latest = table.latest(None).unwrap();
    let columns: Vec<_> = latest.schema().unwrap().columns.iter().map(|c| (c.name.as_str(), c.ty.clone())).collect();
    assert_eq!(columns[3], ("volume", ColumnType::Double));
    let mut rows = rows_of(&latest).unwrap();
    rows.dedup();
    assert_eq!(rows.len(), 31 * ROWS_PER_FILE);
    for version in 2..=latest.state.version.0 {
        let then = table.at(&At::Version(Version(version)), &latest).unwrap();
        let told = then.coverage().unwrap().buckets() as usize;
        assert_eq!(rows_of(&then).unwrap().len(), told, "version {version}");
    }
    assert!(table.verify(true, &Unwatched).unwrap().iter().all(|found| found.problem.is_none()));
}

#[test]
fn readers_see_exactly_one_version_while_others_append() {
    let directory = TempDir::new().unwrap();
    let root = directory.path().join("table");
    created(&local(&root));
    let files = write_files(directory.path(), "file", "NVDA", 100);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..3).map(|_| scope.spawn(|| read_until(&done, &root))).collect();
        let halves = files.split_at(50);
        let writer = |files: &'_ [String]| {
            let (files, root) = (files.to_vec(), root.clone());
            scope.spawn(move || {
                let table = table(&local(&root));
                files.iter().for_each(|file| drop(append(&table, &[file.as_ref()]).unwrap()));
            })
        };
        let writers = [writer(halves.0), writer(halves.1)];
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        done.store(true, Ordering::SeqCst);
        let reads: usize = readers.into_iter().map(|reader| reader.join().unwrap()).sum();
        assert!(reads > 10, "only {reads} reads fell among the appends");
    });
}

/// Version `v` has `v - 1` whole files, whatever happens meanwhile.
fn read_until(done: &AtomicBool, root: &Path) -> usize {
    let (mut reads, mut last) = (0, Version(0));
    while !done.load(Ordering::SeqCst) {
        let snapshot = table(&local(root)).latest(None).unwrap();
        let files = snapshot.state.version.0 as usize - 1;
        assert_eq!(rows_of(&snapshot).unwrap().len(), files * ROWS_PER_FILE);
        assert_eq!(snapshot.coverage().unwrap().buckets() as usize, files * ROWS_PER_FILE);
        assert!(snapshot.state.version >= last, "time runs backwards");
        last = snapshot.state.version;
        reads += 1;
    }
    reads
}
