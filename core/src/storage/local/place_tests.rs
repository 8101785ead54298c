//! Writing beneath a root while others change what is there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{fs, io::Write, os::unix::fs::symlink, path::Path};

use tempfile::TempDir;

use crate::{
    error::ErrorKind,
    storage::{
        Creation, Storage,
        local::{LocalStorage, swapping::Swapping},
    },
};

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Every way in which a table writes, none of which need succeed.
fn write_everything(storage: &LocalStorage, n: usize) -> usize {
    let path = |what: &str| format!("data/{what}{n}");
    let mut done = 0;
    done += usize::from(storage.create(&path("created"), b"x").is_ok());
    done += usize::from(storage.replace(&path("replaced"), b"x").is_ok());
    if let Ok(mut staged) = storage.stage(&path("staged")) {
        let _ = staged.write_all(b"x");
        done += usize::from(staged.finish().is_ok());
    }
    let _ = storage.rename(&path("created"), &path("renamed"));
    let _ = storage.sync("data");
    for what in ["renamed", "replaced", "staged"] {
        let _ = storage.remove(&path(what));
    }
    // What only the other directory has is neither seen nor removed.
    let listed = storage.list("data").unwrap_or_default();
    assert!(listed.iter().all(|entry| entry.name != "theirs"), "a directory elsewhere was listed");
    let _ = storage.remove("data/theirs");
    done
}

#[test]
fn a_link_that_is_swapped_in_meanwhile_never_lets_a_writer_out() {
    let swapping = Swapping::new("ours", "theirs");
    let storage = LocalStorage::new(swapping.at("root").to_str().unwrap());
    let mut written = 0;
    swapping.during(|| {
        for n in 0..400 {
            written += write_everything(&storage, n);
        }
    });
    assert_eq!(names(&swapping.at("out")), ["theirs"], "a file was made or removed elsewhere");
    assert!(written > 0, "nothing was ever written");
}

#[test]
fn directories_that_are_links_are_written_to_as_long_as_they_stay_under_the_root() {
    let directory = TempDir::new().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir_all(at("root/real")).unwrap();
    fs::create_dir_all(at("out")).unwrap();
    symlink("real", at("root/data")).unwrap();
    symlink("../out", at("root/_coverage")).unwrap();
    let storage = LocalStorage::new(at("root").to_str().unwrap());
    assert_eq!(storage.create("data/x", b"x").unwrap(), Creation::Created);
    assert_eq!((names(&at("root/real")), storage.list("data").unwrap().len()), (vec!["x".to_owned()], 1));
    for refused in [
        storage.create("_coverage/x", b"x").map(drop),
        storage.replace("_coverage/x", b"x"),
        storage.remove("_coverage/x").map(drop),
        storage.list("_coverage").map(drop),
        storage.prepare(&["_coverage"]),
    ] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Corrupt);
    }
    assert!(names(&at("out")).is_empty());
    // A directory that is not there has nothing in it.
    assert_eq!((storage.remove("absent/x").unwrap(), storage.list("absent").unwrap().len()), (false, 0));
    assert_eq!(storage.create("absent/x", b"x").unwrap_err().kind(), ErrorKind::NotFound);
}
