//! Tables from strangers, and systems that refuse: a clean error, soon, and nothing read or written elsewhere.

use std::{
    fs,
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant as Clock},
};

use tempfile::TempDir;
use tstable_core::{
    Error, ErrorKind,
    coverage::{BucketId, BucketSet, Coverage, Entity},
    log::{
        Version,
        commit::{Action, CoverageRecord, SegmentRecord},
    },
    storage::{Storage, local::LocalStorage, memory::MemoryStorage},
    table::{Table, append::Unwatched, change},
};

use super::{
    child::local,
    world::{Files, answers, append, created, rows_of, table},
};

/// A table with a segment, and a further commit that no writer makes: the segment's record as `forge` leaves it.
fn forged(storage: &Arc<dyn Storage>, files: &Files, forge: impl FnOnce(&mut SegmentRecord)) -> Table {
    let table = created(storage);
    append(&table, &[&files.first]).unwrap();
    let state = table.latest(None).unwrap().state;
    let mut record = state.segments.all().unwrap()[0].record.clone();
    record.id = "f".repeat(16);
    forge(&mut record);
    let commit = change::commit(&state, "append", None, vec![Action::AddSegment(Box::new(record))]);
    let _ = table.log().publish(&commit).unwrap();
    table
}

/// Does whatever reads or writes, and gives the first error of each.
fn use_all(table: &Table, files: &Files) -> Vec<Error> {
    let mut errors = Vec::new();
    match table.latest(None) {
        Ok(snapshot) => {
            errors.extend(rows_of(&snapshot).err());
            errors.extend(snapshot.coverage().err());
        }
        Err(e) => errors.push(e),
    }
    errors.extend(append(table, &[&files.later]).err());
    errors.extend(table.checkpoint().err());
    errors.extend(table.repair(false, tstable_core::log::commit::Instant::now()).err());
    table.verify(true, &Unwatched).unwrap();
    errors
}

fn soon<T>(work: impl FnOnce() -> T) -> T {
    let start = Clock::now();
    let done = work();
    assert!(start.elapsed() < Duration::from_secs(10), "it took {:?}", start.elapsed());
    done
}

#[test]
fn paths_out_of_the_root_are_corrupt_and_not_followed() {
    let files = Files::new();
    let outside = TempDir::new().unwrap();
    let secret = outside.path().join("secret.parquet");
    fs::copy(&files.first, &secret).unwrap();
    let absolute = secret.display().to_string();
    let relative = format!("data/../../{}/secret.parquet", outside.path().file_name().unwrap().to_str().unwrap());
    for path in [absolute.as_str(), relative.as_str(), "../secret.parquet", "data//x.parquet", "data/\0.parquet"] {
        for sidecar in [false, true] {
            let root = TempDir::new_in(outside.path()).unwrap();
            let storage = local(root.path());
            let table = forged(&storage, &files, |record| match sidecar {
                false => record.path = path.to_owned(),
                true => record.coverage = CoverageRecord::File(path.to_owned()),
            });
            let errors = soon(|| use_all(&table, &files));
            assert!(errors.len() >= 3 && errors.iter().all(|e| e.kind() == ErrorKind::Corrupt), "{path}: {errors:?}");
            assert_eq!(fs::read(&secret).unwrap(), fs::read(&files.first).unwrap());
        }
    }
}

#[cfg(unix)]
#[test]
fn symbolic_links_out_of_the_root_are_corrupt_and_not_followed() {
    use std::os::unix::fs::symlink;
    let files = Files::new();
    let outside = TempDir::new().unwrap();
    let filled = || {
        let root = TempDir::new().unwrap();
        append(&created(&local(root.path())), &[&files.scattered]).unwrap();
        root
    };
    // A file is a link.
    let root = filled();
    let segment = fs::read_dir(root.path().join("data")).unwrap().next().unwrap().unwrap().path();
    fs::rename(&segment, outside.path().join("moved")).unwrap();
    symlink(outside.path().join("moved"), &segment).unwrap();
    let error = answers(&local(root.path())).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::NotFound), "{error}");
    // A directory is a link.
    for directory in ["data", "_coverage", "_timeseries_log"] {
        let root = filled();
        let target = outside.path().join(directory);
        fs::rename(root.path().join(directory), &target).unwrap();
        symlink(&target, root.path().join(directory)).unwrap();
        let names = || fs::read_dir(&target).unwrap().map(|e| e.unwrap().file_name()).collect::<Vec<_>>();
        let before = names();
        let table = table(&local(root.path()));
        assert_eq!(append(&table, &[&files.first]).unwrap_err().kind(), ErrorKind::Corrupt, "{directory}");
        assert_eq!(answers(&local(root.path())).unwrap_err().kind(), ErrorKind::Corrupt, "{directory}");
        let _ = table.repair(false, tstable_core::log::commit::Instant(i64::MAX / 2));
        assert_eq!(names(), before, "{directory}");
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_a_file_does_not_block() {
    let files = Files::new();
    for name in ["CURRENT", "0000000002.json", "0000000003.json"] {
        let root = TempDir::new().unwrap();
        append(&created(&local(root.path())), &[&files.first]).unwrap();
        let path = root.path().join("_timeseries_log").join(name);
        let _ = fs::remove_file(&path);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let found = soon(|| answers(&local(root.path())));
        assert!(name == "CURRENT" || found.is_err_and(|e| e.kind() == ErrorKind::Corrupt), "{name}");
    }
}

#[test]
fn counts_that_no_writer_makes_are_refused_before_anything_is_made_of_them() {
    let files = Files::new();
    let run = |first: i64, last: i64| {
        let mut set = BucketSet::new();
        set.insert_run(BucketId(first), BucketId(last)).unwrap();
        let mut coverage = Coverage::default();
        coverage.insert_set(&Entity::from(vec!["NVDA".into()]), set);
        coverage.to_bytes()
    };
    let dense = run(0, (1 << 33) - 1);
    let cases: Vec<(&str, Box<dyn Fn(&mut SegmentRecord)>)> = vec![
        ("rows", Box::new(|r| r.rows = u64::MAX)),
        ("row groups", Box::new(|r| r.row_groups = u64::MAX)),
        ("row groups within bounds", Box::new(|r| r.row_groups = 1 << 31)),
        ("bytes", Box::new(|r| r.bytes = u64::MAX)),
        ("buckets", Box::new(|r| (r.rows, r.buckets) = (u64::MAX, u64::MAX))),
        ("entities", Box::new(|r| r.entities = u64::MAX)),
        ("bounds", Box::new(|r| std::mem::swap(&mut r.index_min, &mut r.index_max))),
        ("more buckets than stated", Box::new(|r| r.coverage = CoverageRecord::Inline(dense.clone()))),
        (
            "more buckets than a table has",
            Box::new(|r| {
                (r.rows, r.buckets) = (1 << 62, 1 << 40);
                r.coverage = CoverageRecord::Inline(dense.clone());
            }),
        ),
        ("garbage", Box::new(|r| r.coverage = CoverageRecord::Inline(vec![0xFF; 100]))),
    ];
    for (name, forge) in cases {
        let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new("memory"));
        let table = forged(&storage, &files, |record| {
            // Not the first segment's buckets again, which an append could refuse for another reason.
            record.path = "data/other.parquet".to_owned();
            forge(record);
        });
        let errors = soon(|| use_all(&table, &files));
        let known = [ErrorKind::Corrupt, ErrorKind::LimitExceeded, ErrorKind::NotFound];
        assert!(!errors.is_empty() && errors.iter().all(|e| known.contains(&e.kind())), "{name}: {errors:?}");
    }
}

#[test]
fn files_that_are_too_large_are_not_read() {
    let files = Files::new();
    let root = TempDir::new().unwrap();
    let table = created(&local(root.path()));
    append(&table, &[&files.first]).unwrap();
    let grow = |name: &str, bytes: u64| {
        let path = root.path().join("_timeseries_log").join(name);
        fs::File::create(path).unwrap().set_len(bytes).unwrap();
    };
    grow("CURRENT", 1 << 40);
    grow("0000000002.checkpoint", 1 << 40);
    assert_eq!(soon(|| answers(&local(root.path()))).unwrap().unwrap().rows.len(), 10);
    grow("0000000003.json", 1 << 40);
    let error = soon(|| answers(&local(root.path()))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
}

#[test]
fn commits_that_nest_or_repeat_without_end_are_corrupt() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new("memory"));
    let table = created(&storage);
    for body in
        [format!("{{\"format_version\":{}", "[".repeat(1 << 20)), "[".repeat(1 << 20), "{\"a\":".repeat(1 << 20)]
    {
        storage.replace(&Version(2).commit_path(), body.as_bytes()).unwrap();
        let error = soon(|| table.latest(None)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    }
}

#[test]
fn roots_with_unusual_names_work() {
    let files = Files::new();
    let directory = TempDir::new().unwrap();
    for name in
        ["with space", "with 'quotes' and \"more\"", "日本語 ünï", "a/../b", "dots..in.name", "%20*?[x]", "back\\slash"]
    {
        let root = directory.path().join(name);
        if name.contains("..") && name.contains('/') {
            fs::create_dir_all(directory.path().join("a")).unwrap();
        }
        append(&created(&local(&root)), &[&files.first, &files.scattered]).unwrap();
        assert_eq!(answers(&local(&root)).unwrap().unwrap().rows.len(), 3010, "{name}");
    }
    #[cfg(unix)]
    {
        let link = directory.path().join("link to a table");
        std::os::unix::fs::symlink(directory.path().join("with space"), &link).unwrap();
        append(&table(&local(&link)), &[&files.second]).unwrap();
        assert_eq!(answers(&local(&directory.path().join("with space"))).unwrap().unwrap().rows.len(), 3020);
    }
}

#[test]
fn a_root_that_vanishes_is_not_found_and_is_not_made_again() {
    let files = Files::new();
    let directory = TempDir::new().unwrap();
    let root = directory.path().join("table");
    let table = created(&local(&root));
    let known = append(&table, &[&files.first]).unwrap().snapshot;
    fs::remove_dir_all(&root).unwrap();
    let kinds =
        [append(&table, &[&files.later]).unwrap_err(), rows_of(&known).unwrap_err(), table.checkpoint().unwrap_err()];
    assert!(kinds.iter().all(|e| e.kind() == ErrorKind::NotFound), "{kinds:?}");
    assert!(!root.exists());
}

/// A small file system of its own; none where the system does not allow it.
struct Mount(TempDir);

impl Mount {
    fn new(options: &str) -> Option<Self> {
        let directory = TempDir::new().unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(directory.path()).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(directory));
        }
        println!("skipped: this needs the right to mount a small file system");
        None
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        assert!(Command::new("mount").args(["-o", &options]).arg(self.path()).status().unwrap().success());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).status();
    }
}

#[test]
fn a_full_disk_leaves_the_table_as_it_was() {
    let Some(mount) = Mount::new("size=256k") else { return };
    let files = Files::new();
    let root = mount.path().join("table");
    let table = created(&local(&root));
    append(&table, &[&files.first]).unwrap();
    let before = answers(&local(&root)).unwrap();
    let filler = mount.path().join("filler");
    let mut refused = 0;
    // From hardly anything left to nearly enough.
    for left in 0..12 {
        let _ = fs::remove_file(&filler);
        let mut bytes = vec![0_u8; 300 << 10];
        while fs::write(&filler, &bytes).is_err() {
            bytes.truncate(bytes.len() - 4096);
        }
        fs::File::options()
            .write(true)
            .open(&filler)
            .unwrap()
            .set_len(bytes.len().saturating_sub(left * 4096) as u64)
            .unwrap();
        match append(&table, &[&files.scattered]) {
            Ok(_) => break,
            Err(e) => {
                assert_eq!(e.kind(), ErrorKind::Io, "{e}");
                assert_eq!(answers(&local(&root)).unwrap(), before);
                refused += 1;
            }
        }
    }
    assert!(refused > 0);
    fs::remove_file(&filler).unwrap();
    let _ = append(&table, &[&files.scattered]);
    append(&table, &[&files.later]).unwrap();
    assert_eq!(answers(&local(&root)).unwrap().unwrap().rows.len(), 3020);
}

#[test]
fn a_file_system_that_cannot_be_written_is_an_io_error_and_can_be_read() {
    let Some(mount) = Mount::new("size=1m") else { return };
    let files = Files::new();
    let root = mount.path().join("table");
    let table = created(&local(&root));
    append(&table, &[&files.first]).unwrap();
    mount.remount("ro");
    for error in [
        append(&table, &[&files.later]).unwrap_err(),
        table.checkpoint().unwrap_err(),
        super::world::table(&local(&mount.path().join("new"))).create(super::world::definition(), false).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    }
    assert_eq!(answers(&local(&root)).unwrap().unwrap().rows.len(), 10);
    mount.remount("rw");
    append(&table, &[&files.later]).unwrap();
}

#[cfg(unix)]
#[test]
fn directories_without_permission_are_io_errors() {
    use std::os::unix::fs::PermissionsExt;
    let files = Files::new();
    let root = TempDir::new().unwrap();
    let table = created(&local(root.path()));
    append(&table, &[&files.first]).unwrap();
    for directory in ["data", "_timeseries_log"] {
        let path = root.path().join(directory);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o555)).unwrap();
        if fs::write(path.join("probe"), b"").is_ok() {
            fs::remove_file(path.join("probe")).unwrap();
            println!("skipped: this user may write everywhere");
        } else {
            assert_eq!(append(&table, &[&files.later]).unwrap_err().kind(), ErrorKind::Io);
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    assert_eq!(answers(&local(root.path())).unwrap().unwrap().rows.len(), 10);
    append(&table, &[&files.later]).unwrap();
}

const FEW_FILES: &str = "TSTABLE_FEW_FILES";

#[test]
#[ignore = "run by another test, in a process that may open few files"]
fn a_child_appends_with_few_files() {
    let Ok(root) = std::env::var(FEW_FILES) else { return };
    let files = Files::new();
    let storage: Arc<dyn Storage> = Arc::new(LocalStorage::new(&root));
    let table = table(&storage);
    let before = answers(&storage).unwrap();
    let mut held = Vec::new();
    let mut refused = 0;
    while let Ok(file) = fs::File::open("/dev/null") {
        held.push(file);
    }
    // With every further file that may be opened an append gets one call further.
    for _ in 0..20 {
        match append(&table, &[&files.later]) {
            Ok(_) => break,
            Err(e) => {
                assert!(matches!(e.kind(), ErrorKind::Io | ErrorKind::CommitUnknown), "{e}");
                refused += 1;
                let unknown = e.kind() == ErrorKind::CommitUnknown;
                let released: Vec<_> = held.drain(held.len() - 8..).collect();
                drop(released);
                assert!(unknown || answers(&storage).unwrap() == before);
                while let Ok(file) = fs::File::open("/dev/null") {
                    held.push(file);
                }
                held.truncate(held.len() - refused.min(8));
            }
        }
    }
    assert!(refused > 0);
    println!("said refused {refused}");
}

#[cfg(unix)]
#[test]
fn a_process_without_file_handles_gets_clean_errors() {
    let files = Files::new();
    let root = TempDir::new().unwrap();
    append(&created(&local(root.path())), &[&files.first]).unwrap();
    let program = std::env::current_exe().unwrap();
    let output = Command::new("sh")
        .args(["-c", "ulimit -n 40; exec \"$0\" \"$@\""])
        .arg(program)
        .args(["hostile::a_child_appends_with_few_files", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env(FEW_FILES, root.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(String::from_utf8_lossy(&output.stdout).contains("said refused"));
    assert!(matches!(answers(&local(root.path())).unwrap().unwrap().rows.len(), 10 | 20));
}
