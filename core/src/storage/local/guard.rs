//! A file that keeps a host from emptying a directory. DuckDB 2.0 empties the directory of a `COPY` with OVERWRITE that writes more than
//! one file, after the format was bound and before it is asked again, and never tells the format. But it joins the name of every file
//! to that of its directory first, refuses a name that begins with a backslash (to its eyes an absolute path), and then has
//! removed nothing. So such a file stands in the directory for as long as a COPY to it is bound; its name is the reason that the user reads.

use std::{
    fs::OpenOptions,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// What the names of guards begin with.
const GUARD_PREFIX: &str = "\\tstable takes no ";

const REFUSED: &str = "PARTITION_BY, ORDER_BY, PER_THREAD_OUTPUT, ROW_GROUPS_PER_FILE; nothing was changed";

/// The file, removed when dropped.
#[derive(Debug)]
pub struct Guard(PathBuf);

impl Guard {
    /// Puts a guard into the first of `directories` that there is. None when there is none, or when the guard cannot be made: in
    /// a directory that cannot be written, and where a backslash cannot be part of a name (Windows, exFAT).
    #[must_use]
    pub fn set(directories: &[&Path]) -> Option<Self> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        if !cfg!(unix) {
            return None;
        }
        let directory = directories.iter().find(|directory| directory.is_dir())?;
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{GUARD_PREFIX}{REFUSED} ({}-{count})", std::process::id());
        let path = directory.join(name);
        OpenOptions::new().write(true).create_new(true).open(&path).ok()?;
        Some(Self(path))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // What stays behind hinders nobody but a COPY like that; vacuum removes it.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Whether the name is a guard's.
#[must_use]
pub fn is_guard(name: &str) -> bool {
    name.starts_with(GUARD_PREFIX)
}
