//! Many writers at once, of one process and of several, and readers among them.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use tempfile::TempDir;
use tstable_core::{ErrorKind, log::Version};

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
