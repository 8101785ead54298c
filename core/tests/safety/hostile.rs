//! Tables from strangers: a clean error, soon, and nothing read or written elsewhere.

use std::{
    fs,
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
        checkpoint::checkpoint_path,
        commit::{Action, CoverageRecord, SegmentRecord},
    },
    storage::{Storage, memory::MemoryStorage},
    table::{Table, commit, monitor::Unwatched},
};

use super::{
    child::local,
    world::{Files, answers, append, created, rows_of, table},
};

type Forge<'a> = Box<dyn Fn(&mut SegmentRecord) + 'a>;

/// A table with a segment, and a further commit that no writer makes: the segment's record as `forge` leaves it.
fn forged(storage: &Arc<dyn Storage>, files: &Files, forge: impl FnOnce(&mut SegmentRecord)) -> Table {
    let table = created(storage);
    append(&table, &[&files.first]).unwrap();
    let state = table.latest(None).unwrap().state;
    let mut record = state.segments.all().unwrap()[0].record.clone();
    record.id = "f".repeat(16);
    forge(&mut record);
    let commit = commit::commit(&state, "append", None, vec![Action::AddSegment(Box::new(record))]);
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
        for part in ["path", "coverage", "counts"] {
            let root = TempDir::new_in(outside.path()).unwrap();
            let storage = local(root.path());
            let table = forged(&storage, &files, |record| match part {
                "path" => record.path = path.to_owned(),
                "coverage" => record.coverage = CoverageRecord::File(path.to_owned()),
                _ => record.set_counts(Some(&CoverageRecord::File(path.to_owned()))),
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
    let cases: Vec<(&str, Forge<'_>)> = vec![
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
fn checkpoints_that_no_writer_makes_are_corrupt_and_not_followed() {
    let files = Files::new();
    // Of equal length, so that all else stands where it stood.
    let harms: [(&[u8], &[u8]); 3] = [(b"data/", b"../x/"), (b"data/", b"/etc/"), (b"data/", b"\xFF\xFF\xFF\xFF\xFF")];
    for (from, to) in harms {
        let memory = MemoryStorage::new("memory");
        let storage: Arc<dyn Storage> = Arc::new(memory.clone());
        let table = created(&storage);
        append(&table, &[&files.first, &files.second]).unwrap();
        table.checkpoint().unwrap();
        assert!(memory.damage(&checkpoint_path(Version(2)), |bytes| {
            let at = bytes.windows(from.len()).rposition(|part| part == from).unwrap();
            bytes[at..at + to.len()].copy_from_slice(to);
            let length = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
            let checksum = xxhash_rust::xxh3::xxh3_64(&bytes[32..32 + length(8) + length(16)]);
            bytes[24..32].copy_from_slice(&checksum.to_le_bytes());
        }));
        let error = soon(|| answers(&storage)).unwrap_err();
        assert!(error.kind() == ErrorKind::Corrupt && error.to_string().contains(".checkpoint"), "{error}");
        let findings = table.verify(false, &Unwatched).unwrap();
        assert!(findings.iter().any(|f| f.what == "checkpoint" && f.problem.is_some()), "{findings:?}");
        let errors = soon(|| use_all(&table, &files));
        assert!(errors.iter().all(|e| e.kind() == ErrorKind::Corrupt), "{errors:?}");
        // That has repaired it as well.
        assert!(table.verify(false, &Unwatched).unwrap().iter().all(|f| f.problem.is_none()));
        assert!(answers(&storage).unwrap().is_some_and(|answers| answers.rows.len() >= 20));
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
