#![allow(clippy::unwrap_used)]

use tempfile::TempDir;

use super::*;

/// An error of a file system without hard links, and one of a file that must not be linked.
fn refusals() -> [io::Error; 2] {
    #[cfg(unix)]
    let none = io::Error::from_raw_os_error(rustix::io::Errno::OPNOTSUPP.raw_os_error());
    #[cfg(not(unix))]
    let none = io::Error::from_raw_os_error(1);
    [none, io::ErrorKind::PermissionDenied.into()]
}

#[test]
fn a_link_that_was_made_or_met_a_name_is_the_answer_and_nothing_is_renamed() {
    let unused = || unreachable!("nothing is renamed");
    assert_eq!(published(Ok(()), unused).unwrap(), Creation::Created);
    assert_eq!(published(Err(io::ErrorKind::AlreadyExists.into()), unused).unwrap(), Creation::Exists);
}

#[test]
fn where_there_are_no_links_a_rename_that_does_not_replace_decides() {
    for refused in refusals() {
        assert_eq!(published(Err(refused), || Ok(Creation::Created)).unwrap(), Creation::Created);
    }
    for refused in refusals() {
        assert_eq!(published(Err(refused), || Ok(Creation::Exists)).unwrap(), Creation::Exists);
    }
}

#[test]
fn what_the_rename_says_is_told_when_it_could_have_worked() {
    for refused in refusals() {
        let error = published(Err(refused), || Err(io::ErrorKind::StorageFull.into())).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}

#[test]
fn a_file_system_with_neither_is_refused_with_what_to_do_and_one_with_links_by_its_own_words() {
    let neither = || Err(io::ErrorKind::Unsupported.into());
    let [none, denied] = refusals();
    let error = published(Err(none), neither).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Unsupported);
    assert!(error.to_string().contains("keep the table on another drive"), "{error}");
    assert_eq!(published(Err(denied), neither).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple", windows))]
#[test]
fn a_rename_that_does_not_replace_moves_the_file_or_leaves_both() {
    let directory = TempDir::new().unwrap();
    let [temporary, path] = ["temporary", "name"].map(|name| directory.path().join(name));
    fs::write(&temporary, "new").unwrap();
    assert_eq!(rename_without_replacing(&temporary, &path).unwrap(), Creation::Created);
    assert_eq!((fs::read_to_string(&path).unwrap().as_str(), temporary.exists()), ("new", false));
    fs::write(&temporary, "newer").unwrap();
    assert_eq!(rename_without_replacing(&temporary, &path).unwrap(), Creation::Exists);
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    assert_eq!(fs::read_to_string(&temporary).unwrap(), "newer");
}
