//! The contract of a storage, checked on each of them.

use std::{
    io::Write,
    path::Path,
    sync::{Arc, atomic::AtomicUsize, atomic::Ordering},
    thread,
};

use tempfile::TempDir;
use tstable_core::{
    ErrorKind,
    storage::{
        Creation, Storage,
        faulty::{Fault, FaultyStorage},
        local::LocalStorage,
        memory::{MemoryStorage, Survival},
    },
};

fn prepared(storage: impl Storage + 'static) -> Arc<dyn Storage> {
    storage.prepare(&["a", "b"]).unwrap();
    Arc::new(storage)
}

fn on_each(check: impl Fn(Arc<dyn Storage>)) {
    let directory = TempDir::new().unwrap();
    check(prepared(LocalStorage::new(&directory.path().join("deep/er/root").display().to_string())));
    check(prepared(MemoryStorage::new("memory")));
    check(prepared(FaultyStorage::new(Arc::new(MemoryStorage::new("memory")), Fault::Stop, u64::MAX)));
    #[cfg(feature = "remote")]
    on_a_store(&check);
}

/// In the store of which `make test-stores` tells, each time at a place that was never used.
#[cfg(feature = "remote")]
fn on_a_store(check: &dyn Fn(Arc<dyn Storage>)) {
    let Ok(place) = std::env::var("TSTABLE_TEST_STORE") else { return };
    let root = format!("{place}/contract-{}", tstable_core::table::random_id());
    check(prepared(tstable_core::storage::remote::RemoteStorage::new(&root)));
}

fn stage(storage: &dyn Storage, path: &str, pieces: &[&[u8]]) -> u64 {
    let mut staged = storage.stage(path).unwrap();
    for piece in pieces {
        staged.write_all(piece).unwrap();
        assert_eq!(storage.stat(path).unwrap(), None, "a staged file shows before it is finished");
    }
    staged.finish().unwrap()
}

#[test]
fn what_is_asked_for_together_is_what_is_asked_for_one_by_one() {
    on_each(|storage| {
        for name in ["1", "2", "3", "10"] {
            assert_eq!(storage.create(&format!("a/{name}"), name.as_bytes()).unwrap(), Creation::Created);
        }
        let paths: Vec<_> = ["a/3", "a/none", "a/1"].map(str::to_owned).into();
        assert_eq!(storage.read_many(&paths, 100).unwrap(), [Some(b"3".to_vec()), None, Some(b"1".to_vec())]);
        let mut after: Vec<_> = storage.list_after("a", "10").unwrap().into_iter().map(|entry| entry.name).collect();
        after.sort();
        assert_eq!(after, ["2", "3"]);
        let source = storage.open_sized("a/10", 2).unwrap();
        assert_eq!((source.len(), source.bytes_at(0, 2).unwrap().as_ref()), (2, b"10".as_slice()));
        // Whatever was said of its size: whoever opens it compares.
        assert_eq!(storage.open_sized("a/10", 7).unwrap().len(), 2);
        assert_eq!(storage.open_sized("a/none", 7).unwrap_err().kind(), ErrorKind::NotFound);
    });
}

#[test]
fn a_large_file_is_written_in_pieces_and_read_in_any() {
    on_each(|storage| {
        let bytes: Vec<u8> = (0..40_000_000_u32).map(|i| u8::try_from(i * 7 % 251).unwrap()).collect();
        let pieces: Vec<_> = bytes.chunks(3_000_001).collect();
        assert_eq!(stage(storage.as_ref(), "a/large", &pieces), 40_000_000);
        let source = storage.open("a/large").unwrap();
        for (offset, length) in [(0, 40_000_000), (39_999_990, 10), (131_070, 4), (1_000_000, 3_000_000), (5, 0)] {
            let read = source.bytes_at(u64::try_from(offset).unwrap(), length).unwrap();
            assert!(read == bytes[offset..offset + length], "{length} bytes from {offset}");
        }
    });
}

fn names(storage: &dyn Storage, directory: &str) -> Vec<String> {
    let mut names: Vec<_> = storage.list(directory).unwrap().into_iter().map(|entry| entry.name).collect();
    names.sort();
    names
}

#[test]
fn a_created_file_is_whole_and_its_name_is_taken() {
    on_each(|storage| {
        assert_eq!(storage.create("a/x", b"one").unwrap(), Creation::Created);
        assert_eq!(storage.create("a/x", b"two").unwrap(), Creation::Exists);
        assert_eq!(storage.read("a/x", 100).unwrap().unwrap(), b"one");
        assert_eq!(names(storage.as_ref(), "a"), ["x"]);
        assert_eq!(storage.read("a/y", 100).unwrap(), None);
        assert_eq!(storage.stat("a/x").unwrap().unwrap().bytes, 3);
    });
}

#[test]
fn one_of_many_creators_wins() {
    on_each(|storage| {
        let won = AtomicUsize::new(0);
        thread::scope(|scope| {
            for i in 0..8_u8 {
                let (storage, won) = (&storage, &won);
                scope.spawn(move || {
                    if storage.create("a/x", &[i; 1000]).unwrap() == Creation::Created {
                        won.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(won.load(Ordering::SeqCst), 1);
        let bytes = storage.read("a/x", 1000).unwrap().unwrap();
        assert!(bytes.len() == 1000 && bytes.iter().all(|b| *b == bytes[0]));
        assert_eq!(names(storage.as_ref(), "a"), ["x"]);
    });
}

#[test]
fn a_staged_file_appears_whole_or_not_at_all() {
    on_each(|storage| {
        assert_eq!(stage(storage.as_ref(), "b/s", &[b"ab", b"cd"]), 4);
        assert_eq!(storage.read("b/s", 4).unwrap().unwrap(), b"abcd");
        let mut dropped = storage.stage("b/t").unwrap();
        dropped.write_all(b"gone").unwrap();
        drop(dropped);
        assert_eq!(names(storage.as_ref(), "b"), ["s"]);
    });
}

#[test]
fn contents_are_identified_by_their_stat() {
    on_each(|storage| {
        storage.replace("a/x", b"one").unwrap();
        let one = storage.stat("a/x").unwrap().unwrap();
        storage.replace("a/x", b"two").unwrap();
        assert_ne!(storage.stat("a/x").unwrap().unwrap(), one);
        assert_eq!(storage.list("a").unwrap()[0].stat, storage.stat("a/x").unwrap().unwrap());
        assert!(storage.list("a").unwrap()[0].changed_ns > 0);
    });
}

#[test]
fn reading_at_an_offset_gives_those_bytes_or_an_error() {
    on_each(|storage| {
        assert_eq!(storage.create("a/x", b"0123456789").unwrap(), Creation::Created);
        let source = storage.open("a/x").unwrap();
        let mut buffer = [0; 3];
        source.read_at(4, &mut buffer).unwrap();
        assert_eq!((&buffer, source.len()), (b"456", 10));
        assert_eq!(source.read_at(8, &mut buffer).unwrap_err().kind(), ErrorKind::Corrupt);
        assert_eq!(storage.open("a/y").unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(storage.read("a/x", 9).unwrap_err().kind(), ErrorKind::LimitExceeded);
    });
}

#[test]
fn removing_and_renaming_say_what_there_was() {
    on_each(|storage| {
        assert_eq!(storage.create("a/x", b"one").unwrap(), Creation::Created);
        assert!(storage.rename("a/x", "b/y").unwrap());
        assert!(!storage.rename("a/x", "b/z").unwrap());
        assert_eq!(storage.create("a/x", b"two").unwrap(), Creation::Created);
        assert_eq!(storage.rename("a/x", "b/y").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(storage.read("b/y", 10).unwrap().unwrap(), b"one");
        assert!(storage.remove("b/y").unwrap() && !storage.remove("b/y").unwrap());
        assert_eq!((names(storage.as_ref(), "a"), names(storage.as_ref(), "b")), (vec!["x".to_owned()], vec![]));
    });
}

#[test]
fn paths_that_lead_out_are_corrupt_and_missing_directories_are_empty() {
    on_each(|storage| {
        for path in ["../x", "/etc/passwd", "a/../../x", "a//x", "", "a/./x", "c:x", "a\\x", "a/\0"] {
            assert_eq!(storage.read(path, 10).unwrap_err().kind(), ErrorKind::Corrupt, "{path}");
            assert_eq!(storage.create(path, b"").unwrap_err().kind(), ErrorKind::Corrupt, "{path}");
            assert_eq!(storage.replace(path, b"").unwrap_err().kind(), ErrorKind::Corrupt, "{path}");
            assert!(storage.stage(path).is_err_and(|e| e.kind() == ErrorKind::Corrupt), "{path}");
            assert_eq!(storage.remove(path).unwrap_err().kind(), ErrorKind::Corrupt, "{path}");
            assert_eq!(storage.rename("a/x", path).unwrap_err().kind(), ErrorKind::Corrupt, "{path}");
            assert_eq!(storage.link(Path::new("/etc/hosts"), path).ok().flatten(), None, "{path}");
        }
        assert!(storage.list("missing").unwrap().is_empty());
        let nowhere = storage.create("missing/x", b"").map_err(|e| e.kind());
        // A store has no directories that could be missing.
        assert_eq!(nowhere, if storage.is_remote() { Ok(Creation::Created) } else { Err(ErrorKind::NotFound) });
    });
}

#[test]
fn a_power_loss_takes_what_was_not_synced_and_nothing_else() {
    let storage = MemoryStorage::new("memory");
    storage.prepare(&["a"]).unwrap();
    assert_eq!(storage.create("a/durable", b"kept").unwrap(), Creation::Created);
    stage(&storage, "a/staged", &[b"kept"]);
    storage.replace("a/hint", b"lost").unwrap();
    let mut unfinished = storage.stage("a/unfinished").unwrap();
    unfinished.write_all(b"lost").unwrap();
    storage.restart(Survival::Synced);
    drop(unfinished);
    assert_eq!(names(&storage, "a"), ["durable", "staged"]);
    assert_eq!(storage.read("a/durable", 10).unwrap().unwrap(), b"kept");
    // A name may become durable before the contents do.
    storage.replace("a/hint", b"lost").unwrap();
    assert_eq!(storage.create("a/other", b"kept").unwrap(), Creation::Created);
    storage.restart(Survival::Synced);
    assert_eq!(storage.read("a/hint", 10).unwrap().unwrap(), b"");
}

#[test]
fn a_power_cut_strikes_in_the_midst_of_a_call() {
    for (n, visible) in [(1, false), (4, false), (5, false), (6, true)] {
        let storage = MemoryStorage::new("memory");
        storage.prepare(&["a"]).unwrap();
        storage.cut_power_at(n);
        let created = storage.create("a/x", b"bytes");
        assert_eq!(created.is_ok(), visible, "step {n}");
        assert!(storage.is_off() && storage.list("a").is_err());
        storage.restart(Survival::Synced);
        assert_eq!(storage.read("a/x", 10).unwrap().is_some(), visible, "step {n}");
    }
}

#[test]
fn faults_strike_at_the_chosen_call() {
    let base = || prepared(MemoryStorage::new("memory"));
    let inner = base();
    let failing = FaultyStorage::new(Arc::clone(&inner), Fault::Fail, 1);
    assert_eq!(failing.create("a/x", b"1").unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(failing.create("a/x", b"1").unwrap(), Creation::Created);
    let inner = base();
    let stopping = FaultyStorage::new(Arc::clone(&inner), Fault::Stop, 1);
    assert!(stopping.create("a/x", b"1").is_err() && stopping.list("a").is_err());
    assert!(inner.list("a").unwrap().is_empty());
    let inner = base();
    let after = FaultyStorage::new(Arc::clone(&inner), Fault::StopAfter, 1);
    assert_eq!(after.create("a/x", b"1").unwrap_err().kind(), ErrorKind::CommitUnknown);
    assert_eq!(inner.read("a/x", 10).unwrap().unwrap(), b"1");
    let inner = base();
    let tearing = FaultyStorage::new(Arc::clone(&inner), Fault::Tear, 1);
    assert!(tearing.replace("a/x", b"1234").is_err());
    assert_eq!(inner.read("a/x", 10).unwrap().unwrap(), b"12");
    assert_eq!(tearing.calls(), 1);
}

#[test]
fn a_directory_that_is_missing_under_a_root_is_made_for_a_file_and_one_that_was_made_in_vain_goes() {
    let parent = TempDir::new().unwrap();
    let root = parent.path().join("deep/er/root");
    let storage = LocalStorage::new(&root.display().to_string());
    // Where there is no root there is no table, and nothing is made.
    storage.stage("a/1").map(drop).unwrap_err();
    assert!(!parent.path().join("deep").exists());
    storage.prepare(&["a", "b"]).unwrap();
    std::fs::remove_dir(root.join("a")).unwrap();
    assert_eq!(stage(&storage, "a/1", &[b"x"]), 1);
    storage.withdraw(&["a", "b"]);
    assert_eq!((root.join("a/1").exists(), root.join("b").exists()), (true, false));
    storage.remove("a/1").map(|gone| assert!(gone)).unwrap();
    storage.prepare(&["b"]).unwrap();
    // What another made stays, however empty.
    std::fs::create_dir(root.join("c")).unwrap();
    storage.withdraw(&["a", "c"]);
    assert_eq!((root.join("a").exists(), root.join("c").exists()), (false, true));
    std::fs::remove_dir(root.join("c")).unwrap();
    storage.withdraw(&["b"]);
    assert!(!parent.path().join("deep").exists(), "nothing was there before");
}
