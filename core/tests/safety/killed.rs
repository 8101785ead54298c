//! A process that appends is killed at random moments: what it acknowledged is there, nothing else is, and the table takes
//! the next append.

use std::{io::Read, thread, time::Duration};

use tempfile::TempDir;

use super::{
    child::{appending, local, said, write_files},
    world::{append, created, definition, rows_of, table},
};

const ROWS_PER_FILE: usize = 5;

#[test]
fn a_killed_process_loses_nothing_that_it_acknowledged() {
    let kills = std::env::var("TSTABLE_KILLS").map_or(20, |kills| kills.parse().unwrap());
    let directory = TempDir::new().unwrap();
    let files = write_files(directory.path(), "file", "NVDA", 400);
    let mut moment = 0x9E37_79B9_u64;
    let mut interrupted = 0;
    for kill in 0..kills {
        let root = directory.path().join(format!("table-{kill}"));
        created(&local(&root));
        moment = moment.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut child = appending(&root, &files, "error");
        let mut stdout = child.stdout.take().unwrap();
        let mut output = Vec::new();
        // One kill in four may come before the first append; how long a process takes to begin depends on the machine.
        if kill % 4 > 0 {
            stdout.by_ref().take(1).read_to_end(&mut output).unwrap();
        }
        thread::sleep(Duration::from_micros((moment >> 33) % 120_000));
        child.kill().unwrap();
        stdout.read_to_end(&mut output).unwrap();
        child.wait().unwrap();
        let acknowledged = said(&output).into_iter().filter(|line| line.starts_with("appended")).count();
        interrupted += usize::from(acknowledged > 0 && acknowledged < files.len());

        let storage = local(&root);
        let table = table(&storage);
        let snapshot = table.latest(None).unwrap();
        let appended = snapshot.state.segments.len();
        // The last append may have been durable before it could be acknowledged.
        assert!(appended == acknowledged || appended == acknowledged + 1, "{appended} of {acknowledged}");
        assert_eq!(rows_of(&snapshot).unwrap().len(), appended * ROWS_PER_FILE);
        assert_eq!(snapshot.coverage().unwrap().buckets() as usize, appended * ROWS_PER_FILE);
        if appended < files.len() {
            append(&table, &[files[appended].as_ref()]).unwrap();
        }
        assert!(table.create(definition(), true).is_ok());
        drop(std::fs::remove_dir_all(&root));
    }
    assert!(interrupted * 4 > kills, "only {interrupted} of {kills} kills struck in the midst of the work");
}
