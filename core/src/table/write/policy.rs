//! What a user may ask of an append, in the words of SQL.

use std::path::PathBuf;

use crate::{
    error::{Error, Result},
    table::origins::Derivation,
    time::IndexRange,
};

/// What to append and how.
#[derive(Debug, Clone, Default)]
pub struct AppendRequest {
    /// The files, each once, in order.
    pub files: Vec<PathBuf>,
    /// What to do with covered buckets.
    pub on_overlap: OnOverlap,
    /// How the bytes come under the root.
    pub mode: Mode,
    /// What to do with rows that violate a check.
    pub on_violation: OnViolation,
    /// What to do with columns that the table does not have.
    pub new_columns: NewColumns,
    /// Which columns the names of folders are.
    pub naming: Naming,
    /// Whether every page of a file is decoded before it becomes a segment as it is. `Move` and `Rewrite` always do.
    pub verify: bool,
    /// What to do with a file that cannot be loaded.
    pub on_error: OnError,
    /// What the files were made of, to be recorded unless one of them is refused.
    pub derived_from: Vec<Derivation>,
    /// What a file without rows confirms to be empty, as a mark would have it.
    pub confirms: Confirms,
    /// The user's words, kept in the log.
    pub message: Option<String>,
}

/// Of what a file without rows is the delivery: all buckets of that range are confirmed to be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Confirms {
    /// Of nothing.
    #[default]
    Nothing,
    /// Of this range, for all entities.
    Range(IndexRange),
    /// Of what its name says by this pattern; see [`super::folders::delivery`].
    Named(String),
}

/// What a user says of the names of folders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Naming {
    /// Whether folders `name=value` are columns. Where it is not said they are when files lack a column that the table needs.
    pub hive: Option<bool>,
    /// Where else in a path columns are.
    pub pattern: Option<String>,
}

/// What to do with rows that come to buckets that are covered already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnOverlap {
    /// Refuse everything.
    #[default]
    Error,
    /// Skip a file that is already loaded, or of which every row is in the table by entity and index; refuse any other.
    SkipFile,
    /// Leave out the rows whose entity and index are in the table.
    SkipRows,
    /// Put the new rows in the place of all old ones of their buckets.
    Replace,
    /// Put the new rows in the place of old ones with the same entity and index; all others stay.
    Merge,
    /// Append all the same.
    Allow,
}

impl OnOverlap {
    /// # Errors
    /// `InvalidArgument` for an unknown word.
    pub fn parse(word: &str) -> Result<Self> {
        Ok(match word {
            "error" => Self::Error,
            "skip_file" => Self::SkipFile,
            "skip_rows" => Self::SkipRows,
            "replace" => Self::Replace,
            "merge" => Self::Merge,
            "allow" => Self::Allow,
            _ => {
                return Err(Error::invalid_argument(format!(
                    "on_overlap := '{word}' is not known; use 'error', 'skip_file', 'skip_rows', 'replace', 'merge' or 'allow'"
                )));
            }
        })
    }
}

/// What a file that cannot be loaded does to the others of the same call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// Nothing is appended.
    #[default]
    Fail,
    /// The others go in; it is reported as refused, with the reason.
    SkipFile,
}

impl OnError {
    /// # Errors
    /// `InvalidArgument` for an unknown word.
    pub fn parse(word: &str) -> Result<Self> {
        match word {
            "fail" => Ok(Self::Fail),
            "skip_file" => Ok(Self::SkipFile),
            _ => Err(Error::invalid_argument(format!("on_error := '{word}' is not known; use 'fail' or 'skip_file'"))),
        }
    }
}

/// How a file's bytes come under the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Copied as they are.
    #[default]
    Copy,
    /// As a hard link: the file must never be changed afterwards.
    Link,
    /// As a hard link or copy, and the file is removed once the commit is durable.
    Move,
    /// Rewritten, sorted by entity and index.
    Rewrite,
    /// Not at all: the file lies under the root, stays where it is, and must never be changed afterwards.
    Adopt,
}

impl Mode {
    /// # Errors
    /// `InvalidArgument` for an unknown word.
    pub fn parse(word: &str) -> Result<Self> {
        Ok(match word {
            "copy" => Self::Copy,
            "link" => Self::Link,
            "move" => Self::Move,
            "rewrite" => Self::Rewrite,
            "adopt" => Self::Adopt,
            _ => {
                return Err(Error::invalid_argument(format!(
                    "mode := '{word}' is not known; use 'copy', 'link', 'move', 'rewrite' or 'adopt'"
                )));
            }
        })
    }
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Its rows are in the table.
    Appended,
    /// The very same file was loaded before.
    AlreadyLoaded,
    /// All its rows were in the table before, by entity and index.
    AlreadyCovered,
    /// Its rows are in the table in the place of all older ones of their buckets.
    Replaced,
    /// Its rows are in the table in the place of older ones with the same entity and index.
    Merged,
    /// It has no rows.
    Empty,
    /// It cannot be loaded.
    Refused,
}

impl Status {
    /// The word in SQL.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Appended => "appended",
            Self::AlreadyLoaded => "already_loaded",
            Self::AlreadyCovered => "already_covered",
            Self::Replaced => "replaced",
            Self::Merged => "merged",
            Self::Empty => "empty",
            Self::Refused => "refused",
        }
    }

    /// Whether rows of the file go into the table.
    #[must_use]
    pub fn adds_rows(self) -> bool {
        matches!(self, Self::Appended | Self::Replaced | Self::Merged)
    }
}

/// What to do with a file's columns that the table does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NewColumns {
    /// Refuse the file.
    #[default]
    Refuse,
    /// Add them to the table, in the same commit.
    Add,
    /// Load the file without them.
    Ignore,
}

impl NewColumns {
    /// The word in SQL.
    ///
    /// # Errors
    /// `InvalidArgument` for a word that is none.
    pub fn parse(word: &str) -> Result<Self> {
        match word {
            "refuse" => Ok(Self::Refuse),
            "add" => Ok(Self::Add),
            "ignore" => Ok(Self::Ignore),
            _ => Err(Error::invalid_argument(format!(
                "new_columns := '{word}' is not known; use 'refuse', 'add' or 'ignore'"
            ))),
        }
    }
}

/// What to do with rows that violate a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnViolation {
    /// Refuse everything.
    #[default]
    Error,
    /// Leave them out.
    SkipRows,
}

impl OnViolation {
    /// # Errors
    /// `InvalidArgument` for an unknown word.
    pub fn parse(word: &str) -> Result<Self> {
        match word {
            "error" => Ok(Self::Error),
            "skip_rows" => Ok(Self::SkipRows),
            _ => Err(Error::invalid_argument(format!(
                "on_violation := '{word}' is not known; use 'error' or 'skip_rows'"
            ))),
        }
    }
}
