//! Opening a file of a table so that nothing outside its root can take its place, whatever others do to the directories meanwhile: the
//! root is opened once, and each part of the path from the directory before it, never through a symbolic link. A path that is checked
//! first and opened then can be another by then.

use std::{
    fs,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use super::handles::with_handles;
use crate::error::{Error, Result};

/// Opens the file at `path` under `root` for reading; none when there is none. A symbolic link is followed for the root itself, and for
/// directories under it as long as it stays under it.
///
/// # Errors
/// `Corrupt` for links that lead out, and for anything but a file; `Io`.
pub(super) fn open(root: &Path, path: &str) -> Result<Option<File>> {
    match with_handles(|| open_parts(root, Path::new(path))) {
        Ok(file) => checked(file, path).map(Some),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => open_through_links(root, path, e),
    }
}

/// Refuses whatever is not a file: a pipe would be waited for, a directory says nothing.
fn checked(file: File, path: &str) -> Result<File> {
    if file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Ok(file);
    }
    Err(Error::corrupt("there is something else where a file of the table should be").with("path", path))
}

/// Opens a file whose directory is reached through a link. Where the link leads is looked up, checked, and then opened like a path
/// that the log names: without links, from the root.
fn open_through_links(root: &Path, path: &str, cause: io::Error) -> Result<Option<File>> {
    let full = root.join(path);
    let is_link = |path: &Path| fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_symlink());
    let link = || Error::corrupt("there is a symbolic link where a file of the table should be").with("path", path);
    let failed = |e| Error::io("read", full.display(), e);
    if is_link(&full) {
        return Err(link().caused_by(cause));
    }
    let (Some(parent), Some(name)) = (full.parent(), full.file_name()) else { return Err(failed(cause)) };
    let inner = full.ancestors().skip(1).take_while(|ancestor| *ancestor != root);
    if !inner.into_iter().any(is_link) {
        return Err(failed(cause));
    }
    let real_root = fs::canonicalize(root).map_err(|e| Error::io("open", root.display(), e))?;
    let real = fs::canonicalize(parent).map_err(|e| Error::io("open", parent.display(), e))?;
    let Ok(inside) = real.strip_prefix(&real_root) else {
        return Err(Error::corrupt("a symbolic link leads out of the table's directory").with("path", path));
    };
    match with_handles(|| open_parts(&real_root, &inside.join(name))) {
        Ok(file) => checked(file, path).map(Some),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(link().caused_by(e)),
    }
}

/// What stands at `path` under `root`, without opening it for reading and through no link under the root; `NotADirectory` where there
/// is one. None where the system cannot look like that.
pub(super) fn look(root: &Path, path: &str) -> Option<io::Result<fs::Metadata>> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        let name = rustix::fs::OFlags::PATH.union(rustix::fs::OFlags::NOFOLLOW).union(rustix::fs::OFlags::CLOEXEC);
        Some(with_handles(|| open_parts_as(root, Path::new(path), name)).and_then(|file| file.metadata()))
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    {
        let _ = (root, path);
        None
    }
}

/// What became of holding a directory.
#[derive(Debug)]
pub(super) enum Held {
    /// It stays this one for as long as the handle lives.
    Directory(File),
    /// There is no such directory.
    Nowhere,
    /// The system has no way to act in a directory that is held.
    Unable,
}

/// Holds the directory at `path` under `root`, the root itself for an empty path. Links are followed as by [`open`].
///
/// # Errors
/// `Corrupt` for links that lead out, and for anything but a directory; `Io`.
pub(super) fn hold(root: &Path, path: &str) -> Result<Held> {
    if !can_hold() {
        return Ok(Held::Unable);
    }
    let full = root.join(path);
    let failed = |e: io::Error| Error::io("open the directory", full.display(), e);
    match with_handles(|| open_directory(root, Path::new(path))) {
        Ok(directory) => Ok(Held::Directory(directory)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Held::Nowhere),
        Err(e) if e.kind() == io::ErrorKind::NotADirectory => {
            let Ok(real) = fs::canonicalize(&full) else { return Ok(Held::Nowhere) };
            let real_root = fs::canonicalize(root).map_err(failed)?;
            let Ok(inside) = real.strip_prefix(&real_root) else {
                return Err(Error::corrupt("a symbolic link leads out of the table's directory").with("path", path));
            };
            with_handles(|| open_directory(&real_root, inside)).map(Held::Directory).map_err(failed)
        }
        Err(e) => Err(failed(e)),
    }
}

/// The path of a directory that is held, which leads to it whatever becomes of its name.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn path_of(directory: &File) -> PathBuf {
    use std::os::fd::AsRawFd;
    PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd()))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn path_of(_directory: &File) -> PathBuf {
    PathBuf::new()
}

/// Whether a directory that is held has a path of its own: in Linux, where the system's own files are mounted.
fn can_hold() -> bool {
    static CAN: OnceLock<bool> = OnceLock::new();
    let linux = cfg!(any(target_os = "linux", target_os = "android"));
    *CAN.get_or_init(|| linux && Path::new("/proc/self/fd").is_dir())
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn open_directory(root: &Path, path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, open};
    let directory = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    if path.as_os_str().is_empty() {
        return Ok(open(root, directory, Mode::empty())?.into());
    }
    open_parts_as(root, path, directory | OFlags::NOFOLLOW)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn open_directory(_root: &Path, _path: &Path) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(unix)]
fn open_parts(root: &Path, path: &Path) -> io::Result<File> {
    use rustix::fs::OFlags;
    // Does not wait for the writer of a pipe.
    open_parts_as(root, path, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC)
}

#[cfg(unix)]
fn open_parts_as(root: &Path, path: &Path, last: rustix::fs::OFlags) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, open, openat};
    // Only to go on from: a directory that may be entered need not be readable.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
    let mut directory = open(root, DIRECTORY, Mode::empty())?;
    let mut parts = path.components().peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return Ok(openat(&directory, part.as_os_str(), last, Mode::empty())?.into());
        }
        directory = openat(&directory, part.as_os_str(), DIRECTORY.union(OFlags::NOFOLLOW), Mode::empty())?;
    }
    Err(io::ErrorKind::NotFound.into())
}

/// Where there is no opening from a directory, the path is checked before and after: a link that is swapped in and out in between is
/// not noticed.
#[cfg(not(unix))]
fn open_parts(root: &Path, path: &Path) -> io::Result<File> {
    let inside = || {
        let parent = root.join(path).parent().map(fs::canonicalize).transpose()?;
        Ok::<_, io::Error>(
            parent.is_some_and(|parent| fs::canonicalize(root).is_ok_and(|root| parent.starts_with(root))),
        )
    };
    let out = || io::Error::other("a link leads out of the table's directory");
    if !inside()? {
        return Err(out());
    }
    let file = File::open(root.join(path))?;
    if inside()? { Ok(file) } else { Err(out()) }
}

#[cfg(all(test, unix))]
#[path = "beneath_tests.rs"]
mod tests;
