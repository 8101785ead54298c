//! Every operation interrupted at every call: afterwards the table is as before it or as after it, never between, and takes
//! the next append.

use std::sync::Arc;

use tempfile::TempDir;
use tstable_core::{
    ErrorKind, Result,
    storage::{
        Storage,
        faulty::{Fault, FaultyStorage},
        local::LocalStorage,
        memory::{MemoryStorage, Survival},
    },
};

use super::{
    operations::{OPERATIONS, Operation},
    world::{Answers, Files, answers, append, created, table},
};

/// What a table answers before and after an operation.
struct Ends {
    before: Option<Answers>,
    after: Option<Answers>,
}

impl Ends {
    fn check(&self, storage: &Arc<dyn Storage>, result: &Result<()>, what: &str) {
        let found = answers(storage).unwrap_or_else(|e| panic!("{what}: {e}"));
        assert!(found == self.before || found == self.after, "{what}: neither before nor after: {found:?}");
        match result {
            Ok(()) => assert!(found == self.after, "{what}: reported as done, but it is not"),
            Err(e) if e.kind() == ErrorKind::CommitUnknown => {}
            Err(e) => assert!(found == self.before, "{what}: done, though it failed with {e}"),
        }
    }
}

fn ends(base: &MemoryStorage, operation: &Operation, files: &Files) -> Ends {
    let (before, after): (Arc<dyn Storage>, Arc<dyn Storage>) = (Arc::new(base.copy()), Arc::new(base.copy()));
    (operation.run)(&after, files).unwrap();
    Ends { before: answers(&before).unwrap(), after: answers(&after).unwrap() }
}

fn base(operation: &Operation, files: &Files) -> MemoryStorage {
    let base = MemoryStorage::new("memory");
    let storage: Arc<dyn Storage> = Arc::new(base.clone());
    (operation.before)(&storage, files);
    base
}

fn takes_the_next_append(storage: &Arc<dyn Storage>, files: &Files, what: &str) {
    let found = answers(storage).unwrap();
    if found.is_none() {
        created(storage);
    }
    append(&table(storage), &[&files.next]).unwrap_or_else(|e| panic!("{what}: the next append: {e}"));
    let before = found.map_or(0, |found| found.rows.len());
    assert_eq!(answers(storage).unwrap().unwrap().rows.len(), before + 3, "{what}");
}

#[test]
fn failing_or_stopping_at_any_call_leaves_the_table_before_or_after() {
    let files = Files::new();
    for operation in OPERATIONS {
        let base = base(operation, &files);
        let ends = ends(&base, operation, &files);
        for fault in [Fault::Fail, Fault::Stop, Fault::StopAfter, Fault::Tear] {
            for n in 1.. {
                let what = format!("{} with {fault:?} at call {n}", operation.name);
                let inner: Arc<dyn Storage> = Arc::new(base.copy());
                let faulty = Arc::new(FaultyStorage::new(Arc::clone(&inner), fault, n));
                let storage: Arc<dyn Storage> = Arc::clone(&faulty) as Arc<dyn Storage>;
                let result = (operation.run)(&storage, &files);
                ends.check(&inner, &result, &what);
                takes_the_next_append(&inner, &files, &what);
                if faulty.calls() < n {
                    assert!(result.is_ok(), "{what}");
                    break;
                }
            }
        }
    }
}

#[test]
fn losing_power_at_any_step_leaves_the_table_before_or_after() {
    let files = Files::new();
    for operation in OPERATIONS {
        let base = base(operation, &files);
        let ends = ends(&base, operation, &files);
        for survival in [Survival::Synced, Survival::Everything, Survival::Chance(1), Survival::Chance(2)] {
            for n in 1.. {
                let what = format!("{} without power at step {n}, surviving: {survival:?}", operation.name);
                let disk = base.copy();
                let storage: Arc<dyn Storage> = Arc::new(disk.clone());
                disk.cut_power_at(n);
                let result = (operation.run)(&storage, &files);
                let finished = !disk.is_off();
                disk.restart(survival);
                ends.check(&storage, &result, &what);
                takes_the_next_append(&storage, &files, &what);
                if finished {
                    break;
                }
            }
        }
    }
}

#[test]
fn a_failure_at_any_call_on_a_real_disk_leaves_the_table_before_or_after() {
    let files = Files::new();
    for operation in OPERATIONS.iter().filter(|operation| operation.name != "append at a checkpoint") {
        let ends = ends(&base(operation, &files), operation, &files);
        for n in 1.. {
            let what = format!("{} stopped at call {n}", operation.name);
            let root = TempDir::new().unwrap();
            let inner: Arc<dyn Storage> = Arc::new(LocalStorage::new(&root.path().join("table").display().to_string()));
            (operation.before)(&inner, &files);
            let faulty = Arc::new(FaultyStorage::new(Arc::clone(&inner), Fault::Stop, n));
            let storage: Arc<dyn Storage> = Arc::clone(&faulty) as Arc<dyn Storage>;
            let result = (operation.run)(&storage, &files);
            ends.check(&inner, &result, &what);
            takes_the_next_append(&inner, &files, &what);
            if faulty.calls() < n {
                break;
            }
        }
    }
}
