//! Giving a file its name so that this fails when the name is taken: what makes a commit exclusive.

use std::{fs, io, path::Path};

use crate::storage::Creation;

/// Gives `temporary` the name `path` unless that is taken. Hard links first, since every local file system but FAT and exFAT has
/// them; a rename that does not replace where they are missing.
///
/// # Errors
/// `Unsupported` when the file system has neither; what the system says otherwise.
pub(in crate::storage) fn publish(temporary: &Path, path: &Path) -> io::Result<Creation> {
    published(fs::hard_link(temporary, path), || rename_without_replacing(temporary, path))
}

/// What became of a name, by what the system said of a hard link, and of a rename where that was refused.
fn published(linked: io::Result<()>, rename: impl FnOnce() -> io::Result<Creation>) -> io::Result<Creation> {
    match linked {
        Ok(()) => Ok(Creation::Created),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(Creation::Exists),
        Err(e) => match rename() {
            Err(renamed) if renamed.kind() != io::ErrorKind::Unsupported => Err(renamed),
            Err(_) if has_no_links(&e) => Err(unsupported()),
            Err(_) => Err(e),
            Ok(creation) => Ok(creation),
        },
    }
}

fn unsupported() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "this file system has neither hard links nor a rename that does not replace, and without one of them two writers could \
         make the same version; keep the table on another drive (exFAT and some network folders are like that)",
    )
}

/// Whether the system says that there are no hard links here, rather than that this one is not allowed.
fn has_no_links(error: &io::Error) -> bool {
    if error.kind() == io::ErrorKind::Unsupported {
        return true;
    }
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        // Linux says that the operation is not permitted where a file system has no links at all.
        let none = [Errno::PERM, Errno::OPNOTSUPP, Errno::NOSYS, Errno::INVAL, Errno::MLINK];
        none.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
    }
    #[cfg(not(unix))]
    {
        // ERROR_INVALID_FUNCTION and ERROR_NOT_SUPPORTED of Windows.
        matches!(error.raw_os_error(), Some(1 | 50))
    }
}

/// `Unsupported` where the system or the file system has no such rename.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn rename_without_replacing(temporary: &Path, path: &Path) -> io::Result<Creation> {
    use rustix::{
        fs::{CWD, RenameFlags, renameat_with},
        io::Errno,
    };
    match renameat_with(CWD, temporary, CWD, path, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(Creation::Created),
        Err(Errno::EXIST) => Ok(Creation::Exists),
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => Err(io::ErrorKind::Unsupported.into()),
        Err(e) => Err(e.into()),
    }
}

/// FAT, exFAT and many network folders of Windows have no hard links; its rename replaces only when it is told to.
#[cfg(windows)]
fn rename_without_replacing(temporary: &Path, path: &Path) -> io::Result<Creation> {
    let held = tempfile::TempPath::try_from_path(temporary)?;
    match held.persist_noclobber(path) {
        Ok(()) => Ok(Creation::Created),
        Err(refused) => {
            // Whoever made the file removes it.
            _ = refused.path.keep();
            if refused.error.kind() == io::ErrorKind::AlreadyExists { Ok(Creation::Exists) } else { Err(refused.error) }
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple", windows)))]
fn rename_without_replacing(_temporary: &Path, _path: &Path) -> io::Result<Creation> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
#[path = "exclusive_tests.rs"]
mod tests;
