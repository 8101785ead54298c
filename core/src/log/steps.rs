//! The versions that a log ought to have, one after another, without a step for each one that is missing: a name may claim any number.

use super::{Version, store::Log};
use crate::error::Result;

/// The next thing on the way along the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A version with a commit.
    Commit(Version),
    /// Versions without one, though a commit, a checkpoint or the hint vouches for a later one, or for the last of them.
    Missing {
        /// The first of them.
        first: Version,
        /// The last of them.
        last: Version,
    },
}

/// What stands in the directory of the log.
#[derive(Debug, Clone)]
pub struct Steps {
    /// Every version up to the last that anything vouches for.
    pub steps: Vec<Step>,
    /// The versions with a checkpoint, ascending.
    pub checkpoints: Vec<Version>,
    /// The last commit; zero without one.
    pub last: Version,
}

impl Log {
    /// Every version that is there or that something vouches for; no steps when there is nothing of a table.
    ///
    /// # Errors
    /// As [`Log::list`].
    pub fn steps(&self) -> Result<Steps> {
        let hint = self.read_hint().ok().flatten().map(|hint| hint.version);
        let (commits, checkpoints) = self.list()?;
        let mut steps = Vec::with_capacity(commits.len());
        let mut before = Version(0);
        for version in &commits {
            steps.extend(missing(before, *version));
            steps.push(Step::Commit(*version));
            before = *version;
        }
        let vouched = hint.max(checkpoints.last().copied()).filter(|vouched| *vouched > before);
        steps.extend(vouched.map(|last| Step::Missing { first: before.next(), last }));
        Ok(Steps { steps, checkpoints, last: before })
    }
}

/// The versions between two others.
fn missing(before: Version, after: Version) -> Option<Step> {
    let (first, last) = (before.next(), Version(after.0.saturating_sub(1)));
    (first <= last).then_some(Step::Missing { first, last })
}

impl Step {
    /// The version, or the last of those that are missing.
    #[must_use]
    pub fn last(self) -> Version {
        match self {
            Self::Commit(last) | Self::Missing { last, .. } => last,
        }
    }

    /// What is wrong with a step that is missing, in words.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Missing { first, last } if first < last => {
                format!("the commits of the versions {first} to {last} are missing")
            }
            Self::Commit(version) | Self::Missing { first: version, .. } => {
                format!("the commit of version {version} is missing")
            }
        }
    }
}
