//! Files that are closed behind their readers' backs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;

use tempfile::TempDir;

use super::{POOL, PooledFile, Source, close_under, limit};
use crate::{
    error::ErrorKind,
    storage::{Storage, local::LocalStorage},
};

fn read(source: &dyn Source) -> Result<Vec<u8>, ErrorKind> {
    source.bytes_at(0, usize::try_from(source.len()).unwrap()).map(|bytes| bytes.to_vec()).map_err(|e| e.kind())
}

#[test]
fn more_files_than_handles_are_read_as_if_all_were_open() {
    let directory = TempDir::new().unwrap();
    let storage = LocalStorage::new(&directory.path().to_string_lossy());
    let count = limit() + 50;
    for i in 0..count {
        fs::write(directory.path().join(i.to_string()), i.to_string()).unwrap();
    }
    let sources: Vec<_> = (0..count).map(|i| storage.open(&i.to_string()).unwrap()).collect();
    for round in 0..2 {
        for (i, source) in sources.iter().enumerate() {
            assert_eq!(read(source.as_ref()).unwrap(), i.to_string().into_bytes(), "round {round}");
            assert!(POOL.lock().len() <= limit());
        }
    }
    let of_here = || POOL.lock().iter().filter(|slot| slot.root == directory.path()).count();
    assert!(of_here() > 0);
    storage.release();
    assert_eq!(of_here(), 0);
    assert_eq!(read(sources[7].as_ref()).unwrap(), b"7");
    drop(sources);
    assert_eq!(of_here(), 0, "who is gone holds nothing");
}

#[test]
fn a_file_that_was_closed_is_the_same_file_when_it_is_opened_again_or_it_is_refused() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("x");
    fs::write(&path, "one").unwrap();
    let file = PooledFile::opened(directory.path(), "x", fs::File::open(&path).unwrap()).unwrap();
    close_under(directory.path());
    assert_eq!(read(&file).unwrap(), b"one");
    close_under(directory.path());
    fs::write(directory.path().join("y"), "two").unwrap();
    fs::rename(directory.path().join("y"), &path).unwrap();
    assert_eq!(read(&file).unwrap_err(), ErrorKind::Corrupt);
    fs::remove_file(&path).unwrap();
    assert_eq!(read(&file).unwrap_err(), ErrorKind::NotFound);
}
