//! Files that lie under the root of the table already and become segments where they are. They stay somebody else's: the table never
//! moves or removes them.

use std::path::{Component, Path};

use crate::{
    error::{Error, Result},
    log::{COVERAGE_DIRECTORY, DATA_DIRECTORY, LOG_DIRECTORY, QUARANTINE_DIRECTORY, commit::SegmentRecord},
    storage::{
        TEMPORARY_PREFIX, check_path,
        outside::{directory_around, real_path},
    },
};

/// The directories in which writers make files.
const OWN_DIRECTORIES: [&str; 5] =
    [DATA_DIRECTORY, COVERAGE_DIRECTORY, LOG_DIRECTORY, QUARANTINE_DIRECTORY, crate::delta::DELTA_DIRECTORY];

/// The path of a file relative to the root that it lies under, as the log has it.
///
/// # Errors
/// `InvalidArgument` when it lies elsewhere, in a directory of the table's own, in another table, or under a name that the log cannot have.
pub fn path_inside(path: &Path, root: &str) -> Result<String> {
    let refused = |why: &str| Err(Error::invalid_argument(format!("the file cannot be adopted: {why}")));
    let elsewhere = "it does not lie under the table's directory; use mode := 'copy' or 'link'";
    let (Some(root), Some(real)) = (real_path(Path::new(root)), real_path(path)) else { return refused(elsewhere) };
    let Ok(inside) = real.strip_prefix(&root) else { return refused(elsewhere) };
    if directory_around(path, LOG_DIRECTORY).is_some_and(|(around, _)| around != root) {
        return refused("it belongs to another table, which lies under this one's directory");
    }
    if OWN_DIRECTORIES.iter().any(|directory| inside.starts_with(directory)) {
        return refused("it lies in a directory that the table itself writes to");
    }
    let parts: Option<Vec<&str>> = inside
        .components()
        .map(|part| match part {
            Component::Normal(part) => part.to_str(),
            _ => None,
        })
        .collect();
    let Some(parts) = parts else { return refused("its path is not valid UTF-8") };
    if parts.last().is_some_and(|name| name.starts_with(TEMPORARY_PREFIX)) {
        return refused("its name is that of a file that is being written");
    }
    let inside = parts.join("/");
    if check_path(&inside).is_err() {
        return refused("its path has a colon or a backslash; rename it, or use mode := 'copy'");
    }
    Ok(inside)
}

/// Whether the file of a segment is one that the table wrote, or brought under the root, and may remove.
#[must_use]
pub fn is_own(record: &SegmentRecord) -> bool {
    record.path.strip_prefix(DATA_DIRECTORY).is_some_and(|rest| rest.starts_with('/'))
}
