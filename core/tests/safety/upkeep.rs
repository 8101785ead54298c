//! Checkpoint, verify, repair and vacuum: damage is found by name, what can be derived is rebuilt, and nothing that anybody
//! needs is removed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use tempfile::TempDir;
use tstable_core::{
    ErrorKind,
    log::{
        Version,
        checkpoint::checkpoint_path,
        commit::{Action, CoverageRecord, Instant},
    },
    storage::{
        Creation, Storage,
        local::guard::{Guard, is_guard},
        memory::MemoryStorage,
    },
    table::{
        Table,
        commit::{self, Published},
        monitor::Unwatched,
        repair::Repaired,
        vacuum::{VacuumRequest, Vacuumed},
    },
};

use super::{
    child::{local, write_files},
    world::{Files, answers, append, created, rows_of, table, write_file},
};

pub const DAY_US: i64 = 86_400_000_000;

/// Commits the actions to the newest version.
pub fn change(table: &Table, operation: &str, actions: &[Action]) -> Version {
    let state = table.latest(None).unwrap().state;
    let commit = commit::commit(&state, operation, None, actions.to_vec());
    let Published::Done { state, .. } = commit::publish(table, &state, &commit).unwrap() else {
        panic!("nobody else writes here")
    };
    state.version
}

fn problems(table: &Table, deep: bool) -> Vec<(&'static str, String)> {
    let findings = table.verify(deep, &Unwatched).unwrap();
    findings.into_iter().filter_map(|f| f.problem.map(|problem| (f.what, format!("{}: {problem}", f.path)))).collect()
}

fn vacuum(table: &Table, keep_us: i64, in_days: i64) -> Vacuumed {
    let now = Instant(Instant::now().0 + in_days * DAY_US);
    table.vacuum(&VacuumRequest { keep_us, dry_run: false, now }).unwrap()
}

#[test]
fn verify_looks_at_the_files_of_every_version_that_can_be_read_and_of_each_tag() {
    let segment_of = |table: &Table, version| {
        let latest = table.latest(None).unwrap().state;
        table.log().at(Version(version), &latest).unwrap().segments.all().unwrap()[0].record.path.clone()
    };
    // Only the versions 2 and 3 have the first segment.
    let (memory, table) = with_a_removed_segment();
    assert_eq!(problems(&table, true), []);
    assert!(memory.remove(&segment_of(&table, 2)).unwrap());
    let found = problems(&table, false);
    assert!(found.len() == 1 && found[0].0 == "segment", "{found:?}");
    assert!(found[0].1.contains("the versions 2 to 3 cannot be read"), "{found:?}");
    // The same when it is damaged, and in a sidecar.
    let (memory, table) = with_a_removed_segment();
    assert!(memory.damage(&path_with(&memory, ".cov"), |bytes| bytes[60] ^= 1));
    let found = problems(&table, false);
    assert!(found.len() == 1 && found[0].1.contains("version 3 cannot be read"), "{found:?}");
    // What vacuum has removed is not a problem; what a tag keeps from it is.
    let (memory, table) = with_a_removed_segment();
    let path = segment_of(&table, 2);
    change(&table, "tag", &[Action::SetTag { name: "training".to_owned(), version: Version(2) }]);
    assert!(vacuum(&table, 0, 2).files.iter().any(|file| file.deleted));
    assert_eq!(problems(&table, true), []);
    assert!(memory.remove(&path).unwrap());
    let found = problems(&table, false);
    assert!(found.len() == 1 && found[0].1.contains("the tag training cannot be read"), "{found:?}");
}

/// A table in memory with a segment of inline coverage, one with a sidecar, and a checkpoint.
fn filled() -> (MemoryStorage, Arc<dyn Storage>, Table) {
    let files = Files::new();
    let memory = MemoryStorage::new("memory");
    let storage: Arc<dyn Storage> = Arc::new(memory.clone());
    let table = created(&storage);
    append(&table, &[&files.first]).unwrap();
    append(&table, &[&files.scattered]).unwrap();
    assert!(table.checkpoint().unwrap().created);
    assert!(!table.checkpoint().unwrap().created);
    append(&table, &[&files.later]).unwrap();
    (memory, storage, table)
}

fn path_with(memory: &MemoryStorage, part: &str) -> String {
    memory.paths().into_iter().find(|path| path.contains(part)).unwrap()
}

#[test]
fn a_sound_table_has_no_problem() {
    let (_, _, table) = filled();
    assert_eq!(problems(&table, true), []);
    assert_eq!(table.repair(false, Instant::now()).unwrap(), []);
}

#[test]
fn a_checkpoint_is_what_a_cold_reader_starts_from() {
    let (memory, storage, _) = filled();
    let before = answers(&storage).unwrap();
    // Without the commits before it, only the checkpoint can answer.
    for version in 1..=3 {
        assert!(storage.remove(&Version(version).commit_path()).unwrap());
    }
    assert_eq!(answers(&storage).unwrap(), before);
    assert!(memory.damage(&checkpoint_path(Version(3)), |bytes| bytes[100] ^= 1));
    assert_eq!(answers(&storage).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn verify_names_each_kind_of_damage() {
    type Damage = fn(&MemoryStorage);
    let cases: [(&str, Damage); 12] = [
        ("commit", |m| assert!(m.damage(&Version(2).commit_path(), |b| b[20] ^= 1))),
        ("commit", |m| assert!(m.remove(&Version(2).commit_path()).unwrap())),
        ("hint", |m| m.replace("_timeseries_log/CURRENT", b"garbage").unwrap()),
        ("hint", |m| assert!(m.remove("_timeseries_log/CURRENT").unwrap())),
        ("checkpoint", |m| assert!(m.damage(&path_with(m, ".checkpoint"), |b| *b.last_mut().unwrap() ^= 1))),
        ("segment", |m| assert!(m.remove(&path_with(m, "data/")).unwrap())),
        ("segment", |m| assert!(m.damage(&path_with(m, "data/"), |b| b.truncate(b.len() - 1)))),
        ("segment", |m| assert!(m.damage(&path_with(m, "data/"), |b| b[60] ^= 1))),
        ("coverage", |m| assert!(m.damage(&path_with(m, ".cov"), |b| b[60] ^= 1))),
        ("counts", |m| assert!(m.damage(&path_with(m, ".cnt"), |b| b[60] ^= 1))),
        ("counts", |m| assert!(m.remove(&path_with(m, ".cnt")).unwrap())),
        ("file", |m| assert_eq!(m.create("data/stray.parquet", b"?").unwrap(), Creation::Created)),
    ];
    for (number, (what, damage)) in cases.into_iter().enumerate() {
        let (memory, _, table) = filled();
        damage(&memory);
        let problems = problems(&table, false);
        assert!(problems.iter().any(|(found, _)| *found == what), "case {number}: {problems:?}");
        assert!(problems.iter().all(|(found, _)| [what, "coverage"].contains(found)), "case {number}: {problems:?}");
    }
}

/// Replaces the last segment's record by one whose coverage another segment has.
fn lie_about_coverage(table: &Table) {
    let state = table.latest(None).unwrap().state;
    let of = |i: usize| state.segments.all().unwrap()[i].record.clone();
    let (inline, mut lying) = (of(0), of(1));
    assert!(matches!(inline.coverage, CoverageRecord::Inline(_)));
    let remove = Action::RemoveSegment { id: lying.id.clone() };
    lying.id = "0123456789abcdef".to_owned();
    lying.coverage = inline.coverage;
    change(table, "lie", &[remove, Action::AddSegment(Box::new(lying))]);
}

#[test]
fn coverage_that_disagrees_with_the_rows_is_found_deep_down_and_corrected() {
    let (_, storage, table) = filled();
    let before = answers(&storage).unwrap();
    lie_about_coverage(&table);
    assert_ne!(answers(&storage).unwrap(), before);
    assert_eq!(problems(&table, false), []);
    assert_eq!(problems(&table, true).len(), 1);
    let repaired = table.repair(false, Instant::now()).unwrap();
    assert_eq!(repaired.iter().map(|r| (r.what, r.done)).collect::<Vec<_>>(), [("coverage", true)]);
    assert_eq!(problems(&table, true), []);
    assert_eq!(answers(&storage).unwrap(), before);
}

#[test]
fn repair_rebuilds_what_can_be_derived() {
    let (memory, storage, table) = filled();
    let before = answers(&storage).unwrap();
    assert!(memory.damage(&path_with(&memory, ".cov"), |bytes| bytes[60] ^= 1));
    assert!(memory.damage(&path_with(&memory, ".cnt"), |bytes| bytes.truncate(30)));
    assert!(memory.damage(&path_with(&memory, ".checkpoint"), |bytes| bytes.truncate(30)));
    storage.replace("_timeseries_log/CURRENT", b"garbage").unwrap();
    assert_eq!(storage.create("data/stray.parquet", b"?").unwrap(), Creation::Created);
    assert_eq!(storage.create("data/00000000000000aa.parquet", b"?").unwrap(), Creation::Created);

    let plan = table.repair(true, Instant::now()).unwrap();
    assert!(plan.iter().all(|row| !row.done) && problems(&table, true).len() >= 5);
    let done = table.repair(false, Instant::now()).unwrap();
    assert!(done.iter().all(|row| row.done), "{done:?}");
    let kinds = |rows: &[Repaired]| rows.iter().map(|row| row.what).collect::<Vec<_>>();
    assert_eq!(kinds(&done), ["checkpoint", "coverage", "counts", "checkpoint", "file"]);
    // What a running writer may be about to name stays.
    assert_eq!(problems(&table, true).iter().map(|(what, _)| *what).collect::<Vec<_>>(), ["file"]);
    let later = table.repair(false, Instant(Instant::now().0 + 2 * DAY_US)).unwrap();
    assert_eq!(kinds(&later), ["file"]);
    assert_eq!(problems(&table, true), []);
    assert_eq!(memory.paths().iter().filter(|path| path.starts_with("_quarantine/")).count(), 3);
    assert_eq!(answers(&storage).unwrap(), before);
}

#[test]
fn repair_names_what_it_cannot_rebuild_and_leaves_it() {
    let (memory, _, table) = filled();
    let path = path_with(&memory, "data/");
    assert!(memory.damage(&path, |bytes| bytes.truncate(20)));
    assert!(memory.remove(&Version(4).commit_path()).unwrap() && memory.remove(&Version(2).commit_path()).unwrap());
    let rows = table.repair(false, Instant::now()).unwrap();
    assert!(
        rows.iter().any(|row| row.what == "commit" && !row.done && row.path == Version(2).commit_path()),
        "{rows:?}"
    );
    assert!(memory.paths().contains(&path));
    assert!(memory.paths().iter().all(|path| !path.starts_with("_quarantine/")), "{:?}", memory.paths());
}

/// Versions: 1 create, 2 first, 3 second, 4 the first removed.
fn with_a_removed_segment() -> (MemoryStorage, Table) {
    let files = Files::new();
    let memory = MemoryStorage::new("memory");
    let table = created(&(Arc::new(memory.clone()) as Arc<dyn Storage>));
    append(&table, &[&files.first]).unwrap();
    append(&table, &[&files.scattered]).unwrap();
    let state = table.latest(None).unwrap().state;
    let segments = state.segments.all().unwrap();
    let remove = |i: usize| Action::RemoveSegment { id: segments[i].record.id.clone() };
    change(&table, "delete", &[remove(0), remove(1)]);
    (memory, table)
}

fn data(memory: &MemoryStorage) -> usize {
    memory.paths().iter().filter(|path| path.starts_with("data/") || path.starts_with("_coverage/")).count()
}

#[test]
fn vacuum_removes_what_only_old_versions_need_and_says_so_when_asked_for_them() {
    let (memory, table) = with_a_removed_segment();
    assert_eq!(data(&memory), 4);
    let rehearsed = table.vacuum(&VacuumRequest { keep_us: 0, dry_run: true, now: Instant::now() }).unwrap();
    assert_eq!((rehearsed.files.len(), data(&memory)), (4, 4));
    assert_eq!(vacuum(&table, DAY_US, 0).files, [], "version 3 was the newest a moment ago");
    assert_eq!(vacuum(&table, 0, 0).files.iter().filter(|file| file.deleted).count(), 4);
    assert_eq!(data(&memory), 0);
    let latest = table.latest(None).unwrap();
    assert_eq!((latest.state.version, latest.state.oldest), (Version(5), Version(4)));
    let error = table.log().at(Version(3), &latest.state).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().contains("version 3 has been vacuumed") && error.message().contains("is 4"), "{error}");
    assert_eq!(vacuum(&table, 0, 0).files, []);
    assert_eq!(problems(&table, true), []);
}

#[test]
fn vacuum_keeps_what_a_tag_names() {
    let (memory, table) = with_a_removed_segment();
    let tag = |name: &str, version| Action::SetTag { name: name.to_owned(), version: Version(version) };
    change(&table, "tag", &[tag("training", 2)]);
    // The first segment stays, the second and its sidecars go.
    assert_eq!(vacuum(&table, 0, 0).files.len(), 3);
    let latest = table.latest(None).unwrap();
    assert_eq!(
        rows_of(&table.at(&tstable_core::table::At::Tag("training".to_owned()), &latest).unwrap()).unwrap().len(),
        10
    );
    assert!(table.log().at(Version(3), &latest.state).is_err());
    change(&table, "untag", &[Action::RemoveTag { name: "training".to_owned() }]);
    let latest = table.latest(None).unwrap();
    assert!(table.log().at(Version(2), &latest.state).is_err(), "what may be gone is not read");
    // What no version names any more goes when it is old.
    assert_eq!(vacuum(&table, 0, 2).files.len(), 1);
    assert_eq!(data(&memory), 0);
}

#[test]
fn vacuum_leaves_a_running_writers_files_alone() {
    let (memory, storage, table) = filled();
    assert_eq!(storage.create("data/00000000000000aa.parquet", b"staged").unwrap(), Creation::Created);
    assert_eq!(storage.create("_timeseries_log/.tmp-1-2-3", b"half").unwrap(), Creation::Created);
    assert_eq!(vacuum(&table, 0, 0).files, []);
    let before = memory.paths().len();
    assert_eq!(vacuum(&table, 0, 2).files.len(), 2);
    // The commit that condemns the segment is there instead.
    assert_eq!(memory.paths().len(), before - 2 + 1);
    assert_eq!(vacuum(&table, 0, 2).files, []);
}

#[cfg(unix)]
#[test]
fn a_guard_left_by_a_killed_process_harms_nobody_and_vacuum_removes_it() {
    let directory = TempDir::new().unwrap();
    let table = created(&local(&directory.path().join("table")));
    let log = directory.path().join("table/_timeseries_log");
    let guards = || {
        std::fs::read_dir(&log).unwrap().filter(|e| is_guard(e.as_ref().unwrap().file_name().to_str().unwrap())).count()
    };
    drop(Guard::set(&[&log]).unwrap());
    assert_eq!(guards(), 0);
    std::mem::forget(Guard::set(&[&directory.path().join("nothing"), &log, directory.path()]).unwrap());
    assert_eq!(guards(), 1);
    append(&table, &[&write_file(&directory.path().join("a.parquet"), &["NVDA"], 0..5)]).unwrap();
    let found = problems(&table, true);
    assert!(found.len() == 1 && found[0].1.contains("one was interrupted"), "{found:?}");
    assert_eq!(vacuum(&table, DAY_US, 0).files, [], "a statement may stand behind it");
    let removed = vacuum(&table, 9 * DAY_US, 2).files;
    assert!(removed.len() == 1 && removed[0].deleted, "{removed:?}");
    assert_eq!(guards(), 0);
}

#[test]
fn vacuum_that_races_appends_and_readers_hurts_neither() {
    let directory = TempDir::new().unwrap();
    let root = directory.path().join("table");
    let table = created(&local(&root));
    let files = write_files(directory.path(), "file", "NVDA", 60);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = || {
            while !done.load(Ordering::SeqCst) {
                let snapshot = super::world::table(&local(&root)).latest(None).unwrap();
                let rows = rows_of(&snapshot).unwrap().len();
                assert_eq!(rows, snapshot.state.segments.len() * 5);
            }
        };
        let vacuuming = || {
            while !done.load(Ordering::SeqCst) {
                // Removed segments go once a day has passed; here every day is over at once, but a reader may be at work.
                let _ = vacuum(&super::world::table(&local(&root)), DAY_US, 0);
            }
        };
        let workers = [scope.spawn(reader), scope.spawn(reader), scope.spawn(vacuuming)];
        for (i, file) in files.iter().enumerate() {
            append(&table, &[file.as_ref()]).unwrap();
            if i % 4 == 3 {
                let segment = table.latest(None).unwrap().state.segments.all().unwrap()[0].record.id.clone();
                change_until_done(&table, &Action::RemoveSegment { id: segment });
            }
        }
        done.store(true, Ordering::SeqCst);
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
    assert_eq!(rows_of(&table.latest(None).unwrap()).unwrap().len(), 45 * 5);
    vacuum(&table, 0, 0);
    assert_eq!(std::fs::read_dir(root.join("data")).unwrap().count(), 45);
    assert_eq!(problems(&table, true), []);
}

fn change_until_done(table: &Table, action: &Action) {
    loop {
        let state = table.latest(None).unwrap().state;
        let commit = commit::commit(&state, "delete", None, vec![action.clone()]);
        if let Published::Done { .. } = commit::publish(table, &state, &commit).unwrap() {
            return;
        }
    }
}

#[test]
fn a_table_that_is_not_there_is_not_found() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new("memory"));
    let table = table(&storage);
    for error in [
        table.verify(true, &Unwatched).unwrap_err(),
        table.repair(false, Instant::now()).unwrap_err(),
        table.checkpoint().unwrap_err(),
        table.vacuum(&VacuumRequest { keep_us: 0, dry_run: false, now: Instant::now() }).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    }
}
