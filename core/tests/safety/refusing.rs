//! Systems that refuse: a full disk, a read-only one, missing permission, no file handles, a root that vanishes. A clean error, and nothing of
//! what was tried is visible.

use std::{fs, path::Path, process::Command, sync::Arc};

use tempfile::TempDir;
use tstable_core::{
    Error, ErrorKind,
    log::Version,
    storage::{Storage, local::LocalStorage},
};

use super::{
    child::local,
    world::{Files, answers, append, created, rows_of, table},
};

#[test]
fn a_root_that_vanishes_is_not_found_and_is_not_made_again() {
    let files = Files::new();
    let directory = TempDir::new().unwrap();
    let root = directory.path().join("table");
    let table = created(&local(&root));
    let known = append(&table, &[&files.first]).unwrap().snapshot;
    fs::remove_dir_all(&root).unwrap();
    let kinds =
        [append(&table, &[&files.later]).unwrap_err(), rows_of(&known).unwrap_err(), table.checkpoint().unwrap_err()];
    assert!(kinds.iter().all(|e| e.kind() == ErrorKind::NotFound), "{kinds:?}");
    assert!(!root.exists());
}

/// A small file system of its own; none where the system does not allow it.
struct Mount(TempDir);

impl Mount {
    fn new(options: &str) -> Option<Self> {
        let directory = TempDir::new().unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(directory.path()).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(directory));
        }
        println!("skipped: this needs the right to mount a small file system");
        None
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        assert!(Command::new("mount").args(["-o", &options]).arg(self.path()).status().unwrap().success());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).status();
    }
}

#[test]
fn a_full_disk_leaves_the_table_as_it_was() {
    let Some(mount) = Mount::new("size=256k") else { return };
    let files = Files::new();
    let root = mount.path().join("table");
    let table = created(&local(&root));
    append(&table, &[&files.first]).unwrap();
    let before = answers(&local(&root)).unwrap();
    let filler = mount.path().join("filler");
    let mut refused = 0;
    // From hardly anything left to nearly enough.
    for left in 0..12 {
        let _ = fs::remove_file(&filler);
        let mut bytes = vec![0_u8; 300 << 10];
        while fs::write(&filler, &bytes).is_err() {
            bytes.truncate(bytes.len() - 4096);
        }
        fs::File::options()
            .write(true)
            .open(&filler)
            .unwrap()
            .set_len(bytes.len().saturating_sub(left * 4096) as u64)
            .unwrap();
        match append(&table, &[&files.scattered]) {
            Ok(_) => break,
            Err(e) => {
                assert_eq!(e.kind(), ErrorKind::Io, "{e}");
                assert_eq!(answers(&local(&root)).unwrap(), before);
                refused += 1;
            }
        }
    }
    assert!(refused > 0);
    fs::remove_file(&filler).unwrap();
    let _ = append(&table, &[&files.scattered]);
    append(&table, &[&files.later]).unwrap();
    assert_eq!(answers(&local(&root)).unwrap().unwrap().rows.len(), 3020);
}

#[test]
fn a_file_system_that_cannot_be_written_is_an_io_error_and_can_be_read() {
    let Some(mount) = Mount::new("size=1m") else { return };
    let files = Files::new();
    let root = mount.path().join("table");
    let table = created(&local(&root));
    append(&table, &[&files.first]).unwrap();
    mount.remount("ro");
    for error in [
        append(&table, &[&files.later]).unwrap_err(),
        table.checkpoint().unwrap_err(),
        super::world::table(&local(&mount.path().join("new"))).create(super::world::definition(), false).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    }
    assert_eq!(answers(&local(&root)).unwrap().unwrap().rows.len(), 10);
    mount.remount("rw");
    append(&table, &[&files.later]).unwrap();
}

/// The user `nobody` of most systems: any that is not root does.
#[cfg(unix)]
const NOBODY: u32 = 65_534;
const UNPRIVILEGED: &str = "TSTABLE_UNPRIVILEGED";

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(unix)]
#[test]
#[ignore = "run by another test, as a user who may not do everything"]
fn a_child_is_refused_by_directories() {
    let Ok(root) = std::env::var(UNPRIVILEGED) else { return };
    let files = Files::new();
    let root = Path::new(&root);
    let table = created(&local(root));
    append(&table, &[&files.first]).unwrap();
    let before = answers(&local(root)).unwrap();
    let mut refused = 0;
    for directory in ["data", "_coverage", "_timeseries_log"] {
        let path = root.join(directory);
        set_mode(&path, 0o555);
        let error = append(&table, &[&files.scattered]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io, "{directory}: {error}");
        assert!(error.to_string().contains(directory), "{directory}: {error}");
        assert_eq!(answers(&local(root)).unwrap(), before, "{directory}");
        set_mode(&path, 0o000);
        let error = answers(&local(root)).err();
        let needed = directory != "_coverage";
        assert!(error.as_ref().map(Error::kind) == needed.then_some(ErrorKind::Io), "{directory}: {error:?}");
        set_mode(&path, 0o755);
        assert_eq!(answers(&local(root)).unwrap(), before, "{directory}");
        refused += 1;
    }
    let commit = root.join(Version(2).commit_path());
    set_mode(&commit, 0o000);
    assert_eq!(answers(&local(root)).unwrap_err().kind(), ErrorKind::Io);
    set_mode(&commit, 0o644);
    set_mode(root, 0o555);
    let beside = root.join("new");
    let error = super::world::table(&local(&beside)).create(super::world::definition(), false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    set_mode(root, 0o755);
    append(&table, &[&files.scattered]).unwrap();
    println!("said refused {refused}");
}

#[cfg(unix)]
#[test]
fn directories_without_permission_are_io_errors() {
    use std::os::unix::{fs::MetadataExt, process::CommandExt};
    let directory = TempDir::new().unwrap();
    set_mode(directory.path(), 0o777);
    // The program may stand where nobody else may go.
    let program = directory.path().join("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let mut child = Command::new(program);
    child
        .args([
            "refusing::a_child_is_refused_by_directories",
            "--exact",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(UNPRIVILEGED, directory.path().join("table"));
    // Root is refused nothing.
    if directory.path().metadata().unwrap().uid() == 0 {
        child.uid(NOBODY).gid(NOBODY).current_dir("/");
    }
    let output = child.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("said refused 3"), "{said}");
}

const FEW_FILES: &str = "TSTABLE_FEW_FILES";

#[test]
#[ignore = "run by another test, in a process that may open few files"]
fn a_child_appends_with_few_files() {
    let Ok(root) = std::env::var(FEW_FILES) else { return };
    let files = Files::new();
    let storage: Arc<dyn Storage> = Arc::new(LocalStorage::new(&root));
    let table = table(&storage);
    let before = answers(&storage).unwrap();
    let mut held = Vec::new();
    let mut refused = 0;
    while let Ok(file) = fs::File::open("/dev/null") {
        held.push(file);
    }
    // With every further file that may be opened an append gets one call further.
    for _ in 0..20 {
        match append(&table, &[&files.later]) {
            Ok(_) => break,
            Err(e) => {
                assert!(matches!(e.kind(), ErrorKind::Io | ErrorKind::CommitUnknown), "{e}");
                refused += 1;
                let unknown = e.kind() == ErrorKind::CommitUnknown;
                let released: Vec<_> = held.drain(held.len() - 8..).collect();
                drop(released);
                assert!(unknown || answers(&storage).unwrap() == before);
                while let Ok(file) = fs::File::open("/dev/null") {
                    held.push(file);
                }
                held.truncate(held.len() - refused.min(8));
            }
        }
    }
    assert!(refused > 0);
    println!("said refused {refused}");
}

#[cfg(unix)]
#[test]
fn a_process_without_file_handles_gets_clean_errors() {
    let files = Files::new();
    let root = TempDir::new().unwrap();
    append(&created(&local(root.path())), &[&files.first]).unwrap();
    let program = std::env::current_exe().unwrap();
    let output = Command::new("sh")
        .args(["-c", "ulimit -n 40; exec \"$0\" \"$@\""])
        .arg(program)
        .args(["refusing::a_child_appends_with_few_files", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env(FEW_FILES, root.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(String::from_utf8_lossy(&output.stdout).contains("said refused"));
    assert!(matches!(answers(&local(root.path())).unwrap().unwrap().rows.len(), 10 | 20));
}
