//! What may and may not be read and written outside of tables.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{fs, path::Path, time::Duration};

use tempfile::TempDir;

use super::{OutsideFile, write_outside};
use crate::error::ErrorKind;

fn kind(result: crate::error::Result<()>) -> Option<ErrorKind> {
    result.err().map(|e| e.kind())
}

#[test]
fn a_page_never_lands_inside_a_table() {
    let directory = TempDir::new().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir_all(at("table/log")).unwrap();
    fs::create_dir_all(at("table/data/deeper")).unwrap();
    fs::write(at("table/log/1.json"), "commit").unwrap();
    for path in ["table/log/1.json", "table/log/new", "table/page.html", "table/data/deeper/page.html"] {
        let error = write_outside(&at(path), b"page", "log").unwrap_err();
        assert!(error.kind() == ErrorKind::InvalidArgument && error.message().contains("inside the table"), "{error}");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(at("table/log"), at("innocent")).unwrap();
        assert_eq!(kind(write_outside(&at("innocent/1.json"), b"page", "log")), Some(ErrorKind::InvalidArgument));
    }
    assert_eq!(fs::read(at("table/log/1.json")).unwrap(), b"commit");
    write_outside(&at("page.html"), b"one", "log").unwrap();
    write_outside(&at("page.html"), b"two", "log").unwrap();
    assert_eq!(fs::read(at("page.html")).unwrap(), b"two");
    assert_eq!(kind(write_outside(&at("absent/page.html"), b"page", "log")), Some(ErrorKind::NotFound));
    for path in [directory.path().to_owned(), at("page/"), Path::new("/").to_owned(), Path::new("").to_owned()] {
        assert!(write_outside(&path, b"page", "log").is_err(), "{}", path.display());
    }
    assert!(fs::read_dir(directory.path()).unwrap().all(|entry| !entry.unwrap().path().ends_with(".tmp")));
}

#[cfg(unix)]
#[test]
fn pipes_devices_and_links_are_neither_waited_for_nor_replaced() {
    let directory = TempDir::new().unwrap();
    let at = |name: &str| directory.path().join(name);
    rustix::fs::mknodat(rustix::fs::CWD, at("pipe"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    fs::write(at("elsewhere"), "untouched").unwrap();
    std::os::unix::fs::symlink(at("elsewhere"), at("link")).unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    let (pipe, link) = (at("pipe"), at("link"));
    std::thread::spawn(move || {
        let mut found = Vec::new();
        for path in [pipe.as_path(), Path::new("/dev/zero")] {
            found.push(OutsideFile::open(path).map(drop).unwrap_err().to_string());
            found.push(write_outside(path, b"page", "log").unwrap_err().to_string());
        }
        found.push(write_outside(&link, b"page", "log").unwrap_err().to_string());
        sender.send(found).unwrap();
    });
    let found = receiver.recv_timeout(Duration::from_secs(20)).expect("something is waited for");
    for (words, what) in found.iter().zip(["a pipe", "a pipe", "a device", "a device", "a symbolic link"]) {
        assert!(words.contains(what) && words.contains("invalid argument"), "{words}");
    }
    assert_eq!(fs::read(at("elsewhere")).unwrap(), b"untouched");
    // A link to a file is a way to name a source.
    assert_eq!(OutsideFile::open(&at("link")).unwrap().0.stat.bytes, 9);
}
