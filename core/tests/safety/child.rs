//! Other processes: this test binary runs itself again with a task for the child in the environment.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use tstable_core::{
    ErrorKind,
    storage::{Storage, local::LocalStorage},
    table::write::policy::OnOverlap,
};

use super::world::{append_as, table, write_file};

const ROOT: &str = "TSTABLE_CHILD_ROOT";
const FILES: &str = "TSTABLE_CHILD_FILES";
const POLICY: &str = "TSTABLE_CHILD_POLICY";

pub fn local(root: &Path) -> Arc<dyn Storage> {
    Arc::new(LocalStorage::new(&root.display().to_string()))
}

/// Starts a process that appends the files one by one, and says for each `ok`, `overlap` or what else went wrong.
pub fn appending(root: &Path, files: &[String], policy: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["child::a_child_appends_files", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env(ROOT, root)
        .env(FILES, files.join("\n"))
        .env(POLICY, policy)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The lines that children said, `said <index> <words>`, as words.
pub fn said(output: &[u8]) -> Vec<String> {
    let output = String::from_utf8_lossy(output);
    output.lines().filter_map(|line| line.strip_prefix("said ")).map(str::to_owned).collect()
}

#[test]
#[ignore = "run by other tests, in a process of its own"]
fn a_child_appends_files() {
    let Ok(root) = std::env::var(ROOT) else { return };
    let policy = OnOverlap::parse(&std::env::var(POLICY).unwrap()).unwrap();
    let table = table(&local(Path::new(&root)));
    println!();
    for file in std::env::var(FILES).unwrap().lines() {
        match append_as(&table, &[Path::new(file)], policy) {
            Ok(appended) => println!("said {} {file}", appended.files[0].status.word()),
            Err(e) if e.kind() == ErrorKind::Overlap => println!("said overlap {file}"),
            Err(e) => println!("said failed {e}"),
        }
    }
}

/// Writes so many files of five hours each, all of different buckets.
pub fn write_files(directory: &Path, name: &str, symbol: &str, count: usize) -> Vec<String> {
    let file = |i: usize| {
        let hour = i as i64 * 10;
        let path = directory.join(format!("{name}-{i}.parquet"));
        write_file(&path, &[symbol], hour..hour + 5).display().to_string()
    };
    (0..count).map(file).collect()
}
