//! A version that something vouches for and that is not there: nobody serves or overwrites the version before, and there is a way on.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tstable_core::{
    ErrorKind,
    log::{LOG_DIRECTORY, Version, commit::Instant},
    storage::{Storage, memory::MemoryStorage},
    table::{Table, monitor::Unwatched},
};

use super::{
    through::{Otherwise, Through},
    upkeep::change,
    world::{Files, answers, append, created, definition, rows_of, table},
};

const HINT: &str = "_timeseries_log/CURRENT";

/// Versions 1 to 4, each append with a file of its own; a checkpoint of version 3.
fn filled() -> (Files, MemoryStorage, Table) {
    let files = Files::new();
    let memory = MemoryStorage::new("memory");
    let table = created(&(Arc::new(memory.clone()) as Arc<dyn Storage>));
    append(&table, &[&files.first]).unwrap();
    append(&table, &[&files.second]).unwrap();
    table.checkpoint().unwrap();
    append(&table, &[&files.later]).unwrap();
    (files, memory, table)
}

fn storage(memory: &MemoryStorage) -> Arc<dyn Storage> {
    Arc::new(memory.clone())
}

fn take(memory: &MemoryStorage, path: &str) -> Vec<u8> {
    let bytes = memory.read(path, 1 << 20).unwrap().unwrap();
    assert!(memory.remove(path).unwrap());
    bytes
}

fn commit(version: u64) -> String {
    Version(version).commit_path()
}

fn checkpoint(memory: &MemoryStorage) -> String {
    memory.paths().into_iter().find(|path| path.ends_with(".checkpoint")).unwrap()
}

#[test]
fn a_version_that_something_vouches_for_must_be_there() {
    type Harm = fn(&MemoryStorage) -> Vec<String>;
    let all = || (1..=4).map(commit).collect::<Vec<_>>();
    let cases: [(&str, Harm, u64); 11] = [
        ("the newest commit", |_| vec![commit(4)], 4),
        ("the two newest commits, a checkpoint of one of them", |_| vec![commit(3), commit(4)], 3),
        (
            "the newest commit, a hint that is not sealed",
            |m| {
                m.replace(HINT, b"{\"version\":4,\"checkpoint\":0}").unwrap();
                vec![commit(4)]
            },
            4,
        ),
        ("a hole without a hint", |m| vec![HINT.to_owned(), checkpoint(m), commit(3)], 3),
        (
            "a hole under a hint that is behind",
            |m| {
                m.replace(HINT, b"{\"version\":2,\"checkpoint\":0}").unwrap();
                vec![checkpoint(m), commit(3)]
            },
            3,
        ),
        ("a hole under a hint that knows", |m| vec![checkpoint(m), commit(3)], 3),
        ("a checkpoint beyond the log without a hint", |_| vec![HINT.to_owned(), commit(3), commit(4)], 3),
        (
            "a checkpoint beyond the log under a hint that is behind",
            |m| {
                m.replace(HINT, b"{\"version\":1,\"checkpoint\":0}").unwrap();
                vec![commit(3), commit(4)]
            },
            3,
        ),
        ("a checkpoint beyond a log that ends before it", |_| vec![commit(2), commit(3), commit(4)], 3),
        ("the beginning", |m| vec![checkpoint(m), commit(1)], 1),
        ("all commits", |m| std::iter::once(checkpoint(m)).chain((1..=4).map(commit)).collect(), 1),
    ];
    assert_eq!(all().len(), 4);
    for (what, harm, named) in cases {
        let (files, memory, table) = filled();
        let before = answers(&storage(&memory)).unwrap();
        let known = table.log().at(Version(2), &table.latest(None).unwrap().state).unwrap();
        let taken: Vec<_> = harm(&memory).into_iter().map(|path| (take(&memory, &path), path)).collect();
        let left = memory.paths();
        let errors = [
            table.latest(None).map(drop).unwrap_err(),
            append(&table, &[&files.next]).map(drop).unwrap_err(),
            table.create(definition(), true).map(drop).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{what}: {error}");
            assert!(error.to_string().contains(&commit(named)), "{what}: {error}");
        }
        // A reader that goes on from memory stumbles as well.
        if what.contains("hint that knows") || what == "the newest commit" {
            assert_eq!(table.latest(Some(&known)).map(drop).unwrap_err().kind(), ErrorKind::Corrupt, "{what}");
        }
        let findings = table.verify(false, &Unwatched).unwrap();
        assert!(findings.iter().any(|f| f.what == "commit" && f.problem.is_some()), "{what}: {findings:?}");
        assert_eq!(memory.paths(), left, "{what}: something was written");
        for (bytes, path) in taken {
            memory.replace(&path, &bytes).unwrap();
        }
        assert_eq!(answers(&storage(&memory)).unwrap(), before, "{what}: the files are back");
    }
}

#[test]
fn verify_names_every_commit_that_is_missing_behind_a_hint_that_is_behind() {
    let (_files, memory, table) = filled();
    for _ in 0..4 {
        change(&table, "set", &[]);
    }
    memory.replace(HINT, b"{\"version\":2,\"checkpoint\":0}").unwrap();
    for path in [checkpoint(&memory), commit(3), commit(4), commit(5)] {
        take(&memory, &path);
    }
    let findings = Table::new(storage(&memory)).verify(false, &Unwatched).unwrap();
    let missing: Vec<_> = findings.iter().filter(|f| f.what == "commit" && f.problem.is_some()).collect();
    let problem = missing.first().and_then(|finding| finding.problem.as_deref());
    assert_eq!((missing.len(), problem), (1, Some("the commits of the versions 3 to 5 are missing")), "{findings:?}");
}

#[test]
fn a_hint_that_is_behind_cut_or_damaged_is_harmless() {
    let (_, memory, table) = filled();
    let before = answers(&storage(&memory)).unwrap();
    let whole = memory.read(HINT, 1 << 12).unwrap().unwrap();
    let mut hints: Vec<Vec<u8>> = (0..whole.len()).map(|length| whole[..length].to_vec()).collect();
    hints.extend((0..whole.len() * 8).map(|bit| {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    }));
    let words = ["", "garbage", "{}", "{\"version\":0}", "{\"version\":1}", "{\"version\":3,\"checkpoint\":9}", "[4]"];
    hints.extend(words.iter().map(|words| words.as_bytes().to_vec()));
    for hint in hints {
        memory.replace(HINT, &hint).unwrap();
        assert_eq!(answers(&storage(&memory)).unwrap(), before, "{}", String::from_utf8_lossy(&hint));
    }
    memory.remove(HINT).unwrap();
    let known = table.log().at(Version(2), &table.latest(None).unwrap().state).unwrap();
    assert_eq!(table.latest(Some(&known)).unwrap().state.version, Version(4));
}

#[test]
fn a_table_goes_back_to_the_last_version_that_is_left_when_that_is_asked_for_by_its_number() {
    let (files, memory, table) = filled();
    let lost = take(&memory, &commit(3));
    memory.remove(&checkpoint(&memory)).unwrap();
    // Repairing alone gives up nothing, but says what can be done.
    let rows = table.repair(false, Instant::now()).unwrap();
    let said = rows.iter().find(|row| row.path == commit(3)).unwrap();
    assert!(!said.done && said.action.contains("back_to := 2"), "{said:?}");
    assert_eq!(table.latest(None).map(drop).unwrap_err().kind(), ErrorKind::Corrupt);
    for wrong in [1, 3, 4] {
        let error = table.go_back(Version(wrong), false).unwrap_err();
        assert!(error.kind() == ErrorKind::InvalidArgument && error.message().contains("is 2"), "{error}");
    }
    let left = memory.paths();
    assert!(table.go_back(Version(2), true).unwrap().iter().all(|row| !row.done));
    assert_eq!(memory.paths(), left);

    let rows = table.go_back(Version(2), false).unwrap();
    assert_eq!(
        rows.iter().map(|row| (row.path.as_str(), row.done)).collect::<Vec<_>>(),
        [(commit(4).as_str(), true), (commit(3).as_str(), true)]
    );
    let latest = table.latest(None).unwrap();
    assert_eq!((latest.state.version, rows_of(&latest).unwrap().len()), (Version(3), 10));
    let made = table.log().read(Version(3)).unwrap().unwrap();
    assert!(made.operation == "repair" && made.message.unwrap().contains("the versions 3 to 4 are given up"));
    // What was given up is not deleted, and its rows can be appended again.
    assert!(memory.paths().iter().any(|path| path.starts_with("_quarantine/") && path.contains("0000000004.json")));
    append(&table, &[&files.second, &files.later]).unwrap();
    assert_eq!(rows_of(&table.latest(None).unwrap()).unwrap().len(), 30);
    let problems = table.verify(true, &Unwatched).unwrap().into_iter().filter(|f| f.problem.is_some());
    assert!(problems.into_iter().all(|f| f.what == "file"), "only the files of what was given up are left over");
    assert_eq!(table.go_back(Version(2), false).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert!(!lost.is_empty());
}

/// Others commit while one lists, and new names show late, as on a network.
#[derive(Debug)]
struct Busy {
    inner: MemoryStorage,
    /// How many listings are still preceded by a commit.
    commits: AtomicUsize,
    /// A path, and how many looks at it still miss it.
    late: (String, AtomicUsize),
}

/// Takes one off, unless there is none.
fn one_less(left: &AtomicUsize) -> bool {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

impl Otherwise for Busy {
    fn hides(&self, path: &str) -> bool {
        path == self.late.0 && one_less(&self.late.1)
    }
    fn before_listing(&self, directory: &str) {
        if directory == LOG_DIRECTORY && one_less(&self.commits) {
            change(&table(&storage(&self.inner)), "set", &[]);
            self.inner.remove(HINT).unwrap();
        }
    }
}

fn busy(commits: usize, late: (&str, usize)) -> Table {
    let (_, memory, _) = filled();
    if commits > 0 {
        memory.remove(HINT).unwrap();
    }
    let late = (late.0.to_owned(), AtomicUsize::new(late.1));
    let otherwise = Busy { inner: memory.clone(), commits: AtomicUsize::new(commits), late };
    table(&(Arc::new(Through { inner: Arc::new(memory), otherwise }) as Arc<dyn Storage>))
}

#[test]
fn commits_that_land_while_the_log_is_listed_are_no_hole() {
    for commits in [1, 2, 3, 50] {
        let found = busy(commits, ("", 0)).latest(None).unwrap().state.version;
        assert!(found > Version(4), "{commits} commits: {found}");
    }
}

#[test]
fn a_name_that_shows_late_is_waited_for_a_moment() {
    for late in 1..=3 {
        assert_eq!(busy(0, (&commit(4), late)).latest(None).unwrap().state.version, Version(4), "late {late} times");
    }
    assert_eq!(busy(0, (&commit(4), usize::MAX)).latest(None).map(drop).unwrap_err().kind(), ErrorKind::Corrupt);
}
