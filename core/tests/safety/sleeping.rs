//! A writer that sleeps longer than vacuum waits, at every step between its first file and its commit: a vacuum, or a repair,
//! takes what is staged for leftovers. Whatever the clocks say, no version names a file that is not there.

use std::{
    fmt, io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tstable_core::{
    ErrorKind, Result,
    log::{Version, commit::Instant},
    storage::{Creation, Entry, Staged, Stat, Storage, memory::MemoryStorage, source::Source},
    table::{
        At, Table,
        append::Unwatched,
        compact::{CompactRequest, Order},
        vacuum::VacuumRequest,
    },
    time::IndexRange,
};

use super::{
    operations::OPERATIONS,
    upkeep::DAY_US,
    world::{Files, answers, append, created, rows_of, table},
};

/// What others do while the writer sleeps.
type Others = fn(&Arc<dyn Storage>);

/// Falls asleep before its n-th call: when it wakes, days have passed.
struct Sleeper {
    inner: Arc<dyn Storage>,
    plan: Arc<Plan>,
}

struct Plan {
    inner: Arc<dyn Storage>,
    at: u64,
    calls: AtomicU64,
    others: Others,
}

impl Plan {
    fn call(&self) {
        if self.calls.fetch_add(1, Ordering::SeqCst) + 1 == self.at {
            (self.others)(&self.inner);
        }
    }
}

impl fmt::Debug for Sleeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sleeper")
    }
}

impl Storage for Sleeper {
    fn root(&self) -> &str {
        self.inner.root()
    }
    fn prepare(&self, directories: &[&str]) -> Result<()> {
        self.plan.call();
        self.inner.prepare(directories)
    }
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        self.plan.call();
        self.inner.read(path, limit)
    }
    fn open(&self, path: &str) -> Result<Arc<dyn Source>> {
        self.plan.call();
        self.inner.open(path)
    }
    fn stat(&self, path: &str) -> Result<Option<Stat>> {
        self.plan.call();
        self.inner.stat(path)
    }
    fn create(&self, path: &str, bytes: &[u8]) -> Result<Creation> {
        self.plan.call();
        self.inner.create(path, bytes)
    }
    fn replace(&self, path: &str, bytes: &[u8]) -> Result<()> {
        self.plan.call();
        self.inner.replace(path, bytes)
    }
    fn stage(&self, path: &str) -> Result<Box<dyn Staged>> {
        self.plan.call();
        Ok(Box::new(SleepyStaged { inner: self.inner.stage(path)?, plan: Arc::clone(&self.plan) }))
    }
    fn link(&self, outside: &Path, path: &str) -> Result<Option<Stat>> {
        self.plan.call();
        self.inner.link(outside, path)
    }
    fn rename(&self, from: &str, to: &str) -> Result<bool> {
        self.plan.call();
        self.inner.rename(from, to)
    }
    fn remove(&self, path: &str) -> Result<bool> {
        self.plan.call();
        self.inner.remove(path)
    }
    fn sync(&self, directory: &str) -> Result<()> {
        self.plan.call();
        self.inner.sync(directory)
    }

    fn list(&self, directory: &str) -> Result<Vec<Entry>> {
        self.plan.call();
        self.inner.list(directory)
    }
}

struct SleepyStaged {
    inner: Box<dyn Staged>,
    plan: Arc<Plan>,
}

impl io::Write for SleepyStaged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl Staged for SleepyStaged {
    fn finish(self: Box<Self>) -> Result<u64> {
        self.plan.call();
        self.inner.finish()
    }
}

/// Days later; files in memory carry the time at which the test runs.
fn later() -> Instant {
    Instant(Instant::now().0 + 3 * DAY_US)
}

fn vacuum(storage: &Arc<dyn Storage>) {
    let request = VacuumRequest { keep_us: 1000 * DAY_US, dry_run: false, now: later() };
    // There may not be a table yet.
    let _ = table(storage).vacuum(&request);
}

fn repair(storage: &Arc<dyn Storage>) {
    let _ = table(storage).repair(false, later());
}

/// Somebody makes the table that the writer is about to make, and then days pass.
fn create_and_vacuum(storage: &Arc<dyn Storage>) {
    if answers(storage).unwrap().is_none() {
        created(storage);
    }
    vacuum(storage);
}

fn sleeping_at_every_step_hurts_nobody(others: Others, who: &str) {
    let files = Files::new();
    let mut done = 0;
    for operation in OPERATIONS.iter().filter(|operation| !matches!(operation.name, "create" | "repair")) {
        let base = MemoryStorage::new("memory");
        (operation.before)(&(Arc::new(base.clone()) as Arc<dyn Storage>), &files);
        for n in 1.. {
            let what = format!("{}, asleep before call {n} during a {who}", operation.name);
            let inner: Arc<dyn Storage> = Arc::new(base.copy());
            let before = answers(&inner).unwrap();
            let plan = Arc::new(Plan { inner: Arc::clone(&inner), at: n, calls: AtomicU64::new(0), others });
            let sleeper: Arc<dyn Storage> = Arc::new(Sleeper { inner: Arc::clone(&inner), plan: Arc::clone(&plan) });
            let result = (operation.run)(&sleeper, &files);
            let found = answers(&inner).unwrap_or_else(|e| panic!("{what}: the table cannot be read: {e}"));
            match result {
                Ok(()) => done += 1,
                // A table that was made meanwhile is another's work.
                Err(e) if before.is_some() => assert!(found == before, "{what}: changed, though it failed with {e}"),
                Err(_) => {}
            }
            if found.is_some() {
                let findings = table(&inner).verify(true, &Unwatched).unwrap();
                let broken = |what: &&str| matches!(*what, "segment" | "coverage" | "commit");
                let broken = findings.iter().find(|f| broken(&f.what) && f.problem.is_some());
                assert!(broken.is_none(), "{what}: {broken:?}");
                append(&table(&inner), &[&files.next]).unwrap_or_else(|e| panic!("{what}: the next append: {e}"));
            }
            if plan.calls.load(Ordering::SeqCst) < n {
                break;
            }
        }
    }
    assert!(done > 100, "only {done} operations went through");
}

#[test]
fn a_writer_that_sleeps_through_a_vacuum_commits_no_version_without_its_files() {
    sleeping_at_every_step_hurts_nobody(vacuum, "vacuum");
}

#[test]
fn a_writer_that_sleeps_through_a_repair_commits_no_version_without_its_files() {
    sleeping_at_every_step_hurts_nobody(repair, "repair");
}

#[test]
fn a_writer_that_sleeps_while_its_table_is_made_and_vacuumed_commits_no_version_without_its_files() {
    sleeping_at_every_step_hurts_nobody(create_and_vacuum, "creation and a vacuum");
}

#[test]
fn an_append_whose_staged_file_was_vacuumed_stages_it_again_and_is_done() {
    let files = Files::new();
    let mut again = 0;
    for n in 1..60 {
        let inner: Arc<dyn Storage> = Arc::new(MemoryStorage::new("memory"));
        append(&created(&inner), &[&files.first]).unwrap();
        let plan = Arc::new(Plan { inner: Arc::clone(&inner), at: n, calls: AtomicU64::new(0), others: vacuum });
        let sleeper: Arc<dyn Storage> = Arc::new(Sleeper { inner: Arc::clone(&inner), plan });
        let appended = append(&table(&sleeper), &[&files.scattered]);
        let version = table(&inner).latest(None).unwrap().state.version.0;
        // The vacuum made a version only when it found something to remove.
        again += usize::from(version == 4 && appended.is_ok());
    }
    assert!(again > 0, "no vacuum fell between staging and commit");
}

/// Others merge all segments and make an end of the versions before.
fn compact_and_end(storage: &Arc<dyn Storage>) {
    let Ok(latest) = table(storage).latest(None) else { return };
    let request =
        CompactRequest { range: IndexRange::ALL, target_rows: 10_000, order: Order::default(), dry_run: false };
    table(storage).compact(&latest, &request, &Unwatched).unwrap();
    let request = VacuumRequest { keep_us: 0, dry_run: false, now: Instant(Instant::now().0 + 1) };
    table(storage).vacuum(&request).unwrap();
}

/// Two segments, of which the first shares buckets with what operations bring.
fn fragmented() -> (MemoryStorage, Files) {
    let (base, files) = (MemoryStorage::new("memory"), Files::new());
    let storage: Arc<dyn Storage> = Arc::new(base.clone());
    append(&created(&storage), &[&files.first]).unwrap();
    append(&table(&storage), &[&files.later]).unwrap();
    (base, files)
}

#[test]
fn a_writer_whose_version_is_compacted_and_vacuumed_away_plans_again_and_is_done() {
    let (base, files) = fragmented();
    let names = [
        "append",
        "append with a sidecar",
        "replace",
        "merge",
        "skip rows",
        "delete",
        "rename entity",
        "load",
        "mark empty",
        "tag",
    ];
    let mut ended = 0;
    for operation in OPERATIONS.iter().filter(|operation| names.contains(&operation.name)) {
        let later = |name| if name == "append" { &files.second } else { &files.later };
        let files = &Files { later: later(operation.name).clone(), ..Files::new() };
        let undisturbed: Arc<dyn Storage> = Arc::new(base.copy());
        (operation.run)(&undisturbed, files).unwrap();
        let expected = answers(&undisturbed).unwrap().unwrap();
        for n in 1.. {
            let inner: Arc<dyn Storage> = Arc::new(base.copy());
            let others = compact_and_end;
            let plan = Arc::new(Plan { inner: Arc::clone(&inner), at: n, calls: AtomicU64::new(0), others });
            let sleeper: Arc<dyn Storage> = Arc::new(Sleeper { inner: Arc::clone(&inner), plan: Arc::clone(&plan) });
            let what = format!("{} disturbed before call {n}", operation.name);
            (operation.run)(&sleeper, files).unwrap_or_else(|e| panic!("{what}: {e}"));
            let found = answers(&inner).unwrap().unwrap();
            assert_eq!((&found.rows, &found.coverage), (&expected.rows, &expected.coverage), "{what}");
            ended += usize::from(table(&inner).latest(None).unwrap().state.oldest > Version(1));
            if plan.calls.load(Ordering::SeqCst) < n {
                break;
            }
        }
    }
    assert!(ended > 100, "only {ended} versions were ended");
}

#[test]
fn a_reader_whose_version_is_vacuumed_away_is_told_so_and_not_that_data_are_damaged() {
    let (base, files) = fragmented();
    let storage: Arc<dyn Storage> = Arc::new(base);
    append(&table(&storage), &[&files.scattered]).unwrap();
    let snapshot = Table::new(Arc::clone(&storage)).latest(None).unwrap();
    let fresh = || Table::new(Arc::clone(&storage)).at(&At::Version(snapshot.state.version), &snapshot).unwrap();
    compact_and_end(&storage);
    let failures = [rows_of(&fresh()).map(drop).unwrap_err(), fresh().coverage().map(drop).unwrap_err()];
    for e in failures {
        assert_eq!(e.kind(), ErrorKind::NotFound, "{e}");
        assert!(e.to_string().contains("version 4 was vacuumed while it was read"), "{e}");
    }
    assert_eq!(answers(&storage).unwrap().unwrap().rows.len(), 20 + 3000);
}
