//! Gaps and windows: neighbours among the expected buckets, and where a gap lies.

use crate::time::Run;

/// Where a gap lies between the covered buckets of its extent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// Before the first covered bucket, or nothing is covered.
    Leading,
    /// Between covered buckets.
    Inner,
    /// After the last covered bucket.
    Trailing,
}

impl Position {
    /// The word in SQL.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Leading => "leading",
            Self::Inner => "inner",
            Self::Trailing => "trailing",
        }
    }
}

/// Neighbours among the expected buckets: a gap or a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// From its first to its last bucket, with what is not expected between.
    pub run: Run,
    /// How many expected buckets it has.
    pub buckets: u64,
}

pub(crate) fn whole(run: Run) -> Stretch {
    Stretch { run, buckets: run.buckets() }
}
