//! What a user may ask of an append, in the words of SQL.

use crate::error::{Error, Result};

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
    /// Written anew, sorted by entity and index.
    Rewrite,
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
            _ => {
                return Err(Error::invalid_argument(format!(
                    "mode := '{word}' is not known; use 'copy', 'link', 'move' or 'rewrite'"
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
