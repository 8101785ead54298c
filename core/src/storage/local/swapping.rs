//! For tests: a directory whose `root/data` others swap for a link to `out` and back, as long as work on it goes on. Always one of the
//! two is there: a writer would make the directory that is missing.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use tempfile::TempDir;

/// The directory; removed with this.
#[derive(Debug)]
pub(super) struct Swapping(TempDir);

impl Swapping {
    /// `root/data` and `out`, each with the one file that is named, which says where it is.
    pub(super) fn new(inside: &str, outside: &str) -> Self {
        let swapping = Self(TempDir::new().unwrap());
        for (directory, name, text) in [("root/data", inside, "inside"), ("out", outside, "outside")] {
            fs::create_dir_all(swapping.at(directory)).unwrap();
            fs::write(swapping.at(directory).join(name), text).unwrap();
        }
        swapping
    }

    pub(super) fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(path)
    }

    /// Does the work while the link comes and goes.
    pub(super) fn during(&self, work: impl FnOnce()) {
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let (data, link) = (self.at("root/data"), self.at("root/link"));
                symlink(self.at("out"), &link).unwrap();
                while !done.load(Ordering::SeqCst) {
                    for _ in 0..2 {
                        renameat_with(CWD, &data, CWD, &link, RenameFlags::EXCHANGE).unwrap();
                    }
                }
                fs::remove_file(link).unwrap();
            });
            work();
            done.store(true, Ordering::SeqCst);
        });
    }
}
