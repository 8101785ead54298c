//! The commit log: what a version says ([`commit`]), what the table is after it ([`state`]), and where both are kept
//! ([`store`]). Knows names and sizes of segments, never their contents.

pub mod adopted;
mod block;
pub mod checkpoint;
pub mod commit;
pub mod constants;
pub mod counts;
pub mod definition;
pub mod expectations;
pub mod foreign;
pub mod former;
pub mod hint;
mod listed;
mod newest;
mod recognized;
pub mod renames;
mod seal;
pub mod segment;
pub mod segments;
pub mod state;
pub mod steps;
pub mod store;
pub mod universe;

use serde::{Deserialize, Serialize};

/// The format that this crate reads and writes.
pub const FORMAT_VERSION: u32 = 2;

/// Features that this crate understands; a commit that requires another is refused by its name.
pub const KNOWN_FEATURES: &[&str] = &[OPEN_TYPES, CONSTANT_COLUMNS, ALTERED_COLUMNS, ENTITY_TYPES];

/// A column, or a part of one, whose type is still open: required by the commits that define such a table.
pub const OPEN_TYPES: &str = "open_types";

/// Segments have columns that are not in their files: required by the commits that add such a segment.
pub const CONSTANT_COLUMNS: &str = "constant_columns";

/// Columns had another name or type in older segments: required by the commits that define such a table.
pub const ALTERED_COLUMNS: &str = "altered_columns";

/// An entity column is neither VARCHAR nor an integer: required by the commits that define such a table.
pub const ENTITY_TYPES: &str = "entity_types";

/// The directory of commits and checkpoints.
pub const LOG_DIRECTORY: &str = "_timeseries_log";
/// The directory of coverage too large for a commit.
pub const COVERAGE_DIRECTORY: &str = "_coverage";
/// The directory of segments.
pub const DATA_DIRECTORY: &str = "data";
/// The directory of files that a repair put aside; no reader looks there.
pub const QUARANTINE_DIRECTORY: &str = "_quarantine";

/// The number of a commit, from 1; zero stands for no commit at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub u64);

impl Version {
    /// The version after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Where the commit of this version stands, relative to the root.
    #[must_use]
    pub fn commit_path(self) -> String {
        format!("{LOG_DIRECTORY}/{:010}.json", self.0)
    }

    /// The version whose commit has this file name; none for every other file.
    #[must_use]
    pub fn of_commit_name(name: &str) -> Option<Self> {
        let digits = name.strip_suffix(".json")?;
        let plain = digits.len() >= 10 && digits.bytes().all(|b| b.is_ascii_digit());
        let version = Self(digits.parse().ok().filter(|_| plain)?);
        (version.0 > 0 && version.commit_path().ends_with(name)).then_some(version)
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
