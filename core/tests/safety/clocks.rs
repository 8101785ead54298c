//! Writers whose clocks are years ahead.

use std::sync::Arc;

use tstable_core::{
    ErrorKind,
    log::commit::Instant,
    storage::{Stat, Storage, memory::MemoryStorage},
    table::monitor::Unwatched,
};

use super::{
    through::{Otherwise, Through},
    upkeep::DAY_US,
    world::{Files, append, created, definition, table},
};

/// A disk whose clock is behind that of the machine by some days.
#[derive(Debug)]
struct Behind(i64);

impl Otherwise for Behind {
    fn told(&self, stat: Stat) -> Stat {
        Stat { modified_ns: stat.modified_ns - i128::from(self.0 * DAY_US) * 1000, ..stat }
    }
}

fn behind(days: i64) -> (MemoryStorage, Arc<dyn Storage>) {
    let memory = MemoryStorage::new("memory");
    (memory.clone(), Arc::new(Through { inner: Arc::new(memory), otherwise: Behind(days) }))
}

/// Moves the time of the newest commit, as if it had been made then.
fn move_commit(storage: &Arc<dyn Storage>, days: i64) {
    let state = table(storage).latest(None).unwrap().state;
    let mut commit = table(storage).log().read(state.version).unwrap().unwrap();
    commit.timestamp = Instant(commit.timestamp.0 + days * DAY_US);
    storage.replace(&state.version.commit_path(), &commit.encode().unwrap()).unwrap();
}

#[test]
fn a_clock_far_ahead_of_the_newest_commit_and_of_the_file_system_makes_no_version() {
    let files = Files::new();
    let (memory, storage) = behind(365);
    let error = table(&storage).create(definition(), false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.message().contains("set the clock"), "{error}");
    assert_eq!(memory.paths(), Vec::<String>::new());

    let inner: Arc<dyn Storage> = Arc::new(memory.clone());
    created(&inner);
    move_commit(&inner, -400);
    let paths = memory.paths();
    let error = append(&table(&storage), &[&files.first]).unwrap_err();
    assert!(error.message().contains("set the clock"), "{error}");
    assert_eq!(memory.paths(), paths, "nothing is left behind");
}

#[test]
fn a_table_that_rested_for_years_takes_the_next_commit() {
    let files = Files::new();
    let memory = MemoryStorage::new("memory");
    let storage: Arc<dyn Storage> = Arc::new(memory.clone());
    created(&storage);
    move_commit(&storage, -2000);
    append(&table(&storage), &[&files.first]).unwrap();
    assert!(memory.paths().iter().all(|path| !path.contains(".tmp-")), "{:?}", memory.paths());
    // A little drift between a network drive and its clients is nothing.
    let (drifting, storage) = behind(0);
    created(&storage);
    assert!(!drifting.paths().is_empty());
}

#[test]
fn verify_names_the_commit_of_a_future_that_has_not_come_and_not_those_that_it_drags_along() {
    let files = Files::new();
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new("memory"));
    append(&created(&storage), &[&files.first]).unwrap();
    move_commit(&storage, 3000);
    append(&table(&storage), &[&files.later]).unwrap();
    let findings = table(&storage).verify(false, &Unwatched).unwrap();
    let problems: Vec<_> = findings.iter().filter(|finding| finding.problem.is_some()).collect();
    let [problem] = problems.as_slice() else { panic!("{problems:?}") };
    assert!(problem.path.ends_with("0000000002.json"), "{problem:?}");
    assert!(problem.problem.as_ref().unwrap().contains("has not come"), "{problem:?}");
}
