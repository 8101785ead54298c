//! What of this machine and of the network a host lets its users reach. The rule is DuckDB's: with `enable_external_access = false` a file
//! has to lie in one of `allowed_directories`, all links followed, or be one of `allowed_paths`.

use std::{
    collections::HashSet,
    env,
    path::{Component, Path, PathBuf},
};

use super::{
    is_remote_file,
    local::roots::{self, Children, Found, children},
    outside::real_path,
};
use crate::error::{Error, Result};

/// Which files may be read and written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access(Option<Allowed>);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Allowed {
    directories: Vec<String>,
    paths: Vec<String>,
}

/// A place, so that two spellings of one are equal.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// On this machine: absolute, without `.` and `..`, and without links as far as there is something.
    Here(PathBuf),
    /// In a store or on the web.
    There(String),
}

impl Access {
    /// Everything may be reached.
    #[must_use]
    pub fn everywhere() -> Self {
        Self(None)
    }

    /// Only what lies in these directories or is one of these files may be reached.
    #[must_use]
    pub fn only(directories: Vec<String>, paths: Vec<String>) -> Self {
        Self(Some(Allowed { directories, paths }))
    }

    /// Whether a file may be reached, or files that a pattern finds may be looked for.
    #[must_use]
    pub fn has_file(&self, path: &str) -> bool {
        let Some(allowed) = &self.0 else { return true };
        let Some(place) = place(path) else { return false };
        allowed.paths.iter().any(|path| self::place(path).as_ref() == Some(&place)) || allowed.contains(&place)
    }

    /// Whether all that lies in a directory may be reached: that its name alone may be is not enough.
    #[must_use]
    pub fn has_directory(&self, path: &str) -> bool {
        let Some(allowed) = &self.0 else { return true };
        place(path).is_some_and(|place| allowed.contains(&place))
    }

    /// The first link at or below a directory that leads to what may not be reached; none where all may be.
    #[must_use]
    pub fn link_out_of(&self, directory: &Path) -> Option<PathBuf> {
        self.0.as_ref()?;
        let (mut open, mut seen) = (vec![directory.to_owned()], HashSet::new());
        while let Some(path) = open.pop() {
            if !self.has_file(&path.to_string_lossy()) {
                return Some(path);
            }
            // What is no directory has nothing below it.
            if real_path(&path).is_some_and(|real| seen.insert(real)) {
                let Children { directories, files } = children(&path).unwrap_or_default();
                open.extend(directories.into_iter().chain(files.into_iter().filter(|file| file.is_symlink())));
            }
        }
        None
    }

    /// The directories at or under `directory` that have a directory `marker`, in order of their paths, at any depth, and those that cannot
    /// be read or may not be reached, into which nobody looks. Links are followed, each directory is looked into once. `go_on` is asked
    /// before each: a tree may have millions.
    ///
    /// # Errors
    /// `NotFound` when there is no such directory, `Io` when it cannot be read, and that of `go_on`.
    pub fn find_marked(&self, directory: &Path, marker: &str, go_on: &dyn Fn() -> Result<()>) -> Result<Vec<Found>> {
        let refused = |path: &Path| Error::invalid_argument(format!("'{}' {}", path.display(), self.reason()));
        roots::find_marked(directory, marker, |path| {
            go_on()?;
            Ok((!self.has_directory(&path.to_string_lossy())).then(|| refused(path)))
        })
    }

    /// Why something is refused and what to do about it, for messages.
    #[must_use]
    pub fn reason(&self) -> String {
        let Allowed { directories, paths } = self.0.clone().unwrap_or_default();
        format!(
            "cannot be accessed: file system operations are disabled by configuration (enable_external_access = false), and it is \
             neither in allowed_directories [{}] nor, as a file, in allowed_paths [{}]; use a place that is, or have its directory added \
             to allowed_directories before external access is disabled",
            listed(&directories),
            listed(&paths)
        )
    }
}

impl Allowed {
    fn contains(&self, place: &Place) -> bool {
        self.directories.iter().filter_map(|directory| self::place(directory)).any(|directory| {
            match (place, directory) {
                (Place::Here(path), Place::Here(directory)) => path.starts_with(directory),
                // Names in a store are not made of parts: `s3://market/pri` holds nothing of `s3://market/prices`.
                (Place::There(address), Place::There(directory)) => {
                    address.strip_prefix(&directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                }
                _ => false,
            }
        })
    }
}

/// What messages show of a list: its beginning.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 4;
    let mut shown: Vec<_> = names.iter().take(SHOWN).map(|name| format!("'{name}'")).collect();
    if names.len() > SHOWN {
        shown.push(format!("... {} in all", names.len()));
    }
    shown.join(", ")
}

/// Where a path or an address leads; none where nobody can say.
fn place(path: &str) -> Option<Place> {
    let known = written_as_path(path);
    let path = known.as_deref().unwrap_or(path);
    if !is_remote_file(path) {
        return here(Path::new(path)).map(Place::Here);
    }
    // A server may take these for steps to another directory, however they are written.
    let steps = |part: &str| matches!(part.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
    let leads_on = path.contains('\\') || path.split('/').any(steps) || path.to_ascii_lowercase().contains("%2f");
    (!leads_on).then(|| Place::There(path.trim_end_matches('/').to_owned()))
}

/// The address that DuckDB 1.5 makes a path of when nothing that it has loaded knows the scheme: `s3://market/x` becomes
/// `<where the process runs>/s3:/market/x`.
fn written_as_path(path: &str) -> Option<String> {
    let inside = Path::new(path).strip_prefix(env::current_dir().ok()?).ok()?.to_str()?;
    let (scheme, rest) = inside.split_once(":/")?;
    Some(format!("{scheme}://{rest}")).filter(|address| is_remote_file(address))
}

/// A path of this machine in full. What is not there yet stands where it would be made.
fn here(path: &Path) -> Option<PathBuf> {
    let whole = std::path::absolute(path).ok()?;
    let (real, rest) = whole.ancestors().find_map(|part| Some((real_path(part)?, whole.strip_prefix(part).ok()?)))?;
    Some(rest.components().fold(real, |mut at, part| {
        match part {
            Component::Normal(name) => at.push(name),
            Component::ParentDir => _ = at.pop(),
            _ => {}
        }
        at
    }))
}

#[cfg(test)]
#[path = "access_tests.rs"]
mod tests;
