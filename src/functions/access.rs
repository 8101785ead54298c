//! What a session may reach: DuckDB's settings `enable_external_access`, `allowed_directories` and `allowed_paths`, where the host tells
//! them. Every path and address that a call names is held against them before anything is looked at, and so is what a pattern finds.

use std::path::{Path, PathBuf};

use tstable_core::{
    Error, Result,
    prune::expr::Constant,
    storage::{access::Access, outside::expand},
};

use crate::host::{Arg, Session};

/// What the session may reach; everything where the host does not tell.
pub(crate) fn of(session: &dyn Session) -> Access {
    let texts = |name: &str| match session.setting(name) {
        Some(Arg::List(items)) => items.into_iter().filter_map(text).collect(),
        _ => Vec::new(),
    };
    match session.setting("enable_external_access") {
        Some(Arg::Scalar(Constant::Bool(false))) => Access::only(texts("allowed_directories"), texts("allowed_paths")),
        _ => Access::everywhere(),
    }
}

fn text(arg: Arg) -> Option<String> {
    match arg {
        Arg::Scalar(Constant::Text(text)) => Some(text),
        _ => None,
    }
}

/// Refuses a directory of which not all may be reached.
///
/// # Errors
/// `InvalidArgument` naming the settings.
pub(crate) fn check_directory(access: &Access, name: &str, path: &str) -> Result<()> {
    if access.has_directory(path) { Ok(()) } else { Err(refusal(access, name, path)) }
}

/// Refuses a file or a pattern that may not be reached.
///
/// # Errors
/// As [`check_directory`].
pub(crate) fn check_file(access: &Access, name: &str, path: &str) -> Result<()> {
    if access.has_file(path) { Ok(()) } else { Err(refusal(access, name, path)) }
}

/// Refuses a directory in which a link leads to what may not be reached.
///
/// # Errors
/// As [`check_directory`].
pub(crate) fn check_links(access: &Access, name: &str, directory: &Path) -> Result<()> {
    match access.link_out_of(directory) {
        None => Ok(()),
        Some(link) => Err(refusal(access, name, &link.to_string_lossy())),
    }
}

fn refusal(access: &Access, name: &str, path: &str) -> Error {
    Error::invalid_argument(format!("{name} := '{}' {}", path.replace('\'', "''"), access.reason()))
}

/// Files that a call loads, patterns among them, and what it may reach.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(super) name: &'static str,
    pub(super) patterns: Vec<String>,
    pub(super) access: Access,
}

impl Sources {
    /// The files, as [`expand`] finds them now.
    ///
    /// # Errors
    /// As [`expand`]; `InvalidArgument` when a pattern finds a file that leads to another that may not be reached.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>> {
        let files = expand(&self.patterns)?;
        files.iter().try_for_each(|file| check_file(&self.access, self.name, &file.to_string_lossy()))?;
        Ok(files)
    }
}

#[cfg(test)]
#[path = "access_tests.rs"]
mod tests;
