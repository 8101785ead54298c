//! Finding the newest version where each look is a request to another machine: one list of what came after the newest checkpoint
//! that is known of, then everything in it that is new, at once. A list tells what is there, so that a hole is seen without
//! asking for names that may not exist.

use std::{collections::BTreeMap, sync::Arc, thread::sleep, time::Duration};

use super::{
    LOG_DIRECTORY, Version,
    checkpoint::{self, COMMITS_PER_CHECKPOINT, checkpoint_path, of_checkpoint_name},
    commit::{Commit, MAX_COMMIT_BYTES},
    hint::{HINT_PATH, Hint},
    newest::{LATER_COMMIT, PAUSES_MS},
    state::TableState,
    store::Log,
};
use crate::{
    error::{Error, Result},
    storage::Stat,
};

/// Commits that are read before they are followed.
const READ_TOGETHER: usize = 256;

/// What a list found of a log.
struct Listed {
    commits: BTreeMap<Version, Stat>,
    checkpoints: Vec<Version>,
}

/// The newest state, and what identifies its commit where that is known.
pub(crate) type Newest = (Arc<TableState>, Option<Stat>);

impl Log {
    /// As [`Log::latest`], where it is the list that costs nothing. What identified the commit of the known state, where that is
    /// given, must be what identifies it still: another table may have taken the place of the first.
    ///
    /// # Errors
    /// As [`Log::latest`].
    pub fn latest_listed(&self, known: Option<(&Arc<TableState>, Option<Stat>)>) -> Result<Newest> {
        if let Some((state, commit)) = known
            && let Some(newest) = self.listed_after_known(state, commit)?
        {
            return Ok(newest);
        }
        let mut pauses = PAUSES_MS.into_iter();
        loop {
            let doubt = match self.looked()? {
                Ok(newest) => return Ok(newest),
                Err(doubt) => doubt,
            };
            let Some(pause) = pauses.next() else { return Err(doubt) };
            sleep(Duration::from_millis(pause));
        }
    }

    /// The names after those of versions before `first`.
    fn listed(&self, first: Version) -> Result<Listed> {
        let entries = match first.0.checked_sub(1).filter(|before| *before > 0) {
            Some(before) => {
                let path = Version(before).commit_path();
                let name = path.rsplit_once('/').map_or(path.as_str(), |(_, name)| name);
                self.storage().list_after(LOG_DIRECTORY, name)?
            }
            None => self.storage().list(LOG_DIRECTORY)?,
        };
        let commits = entries.iter().filter_map(|e| Some((Version::of_commit_name(&e.name)?, e.stat))).collect();
        let mut checkpoints: Vec<_> = entries.iter().filter_map(|e| of_checkpoint_name(&e.name)).collect();
        checkpoints.sort_unstable();
        Ok(Listed { commits, checkpoints })
    }

    /// What follows a known state; none when the log is no longer the one that it is of, or is not whole.
    fn listed_after_known(&self, known: &Arc<TableState>, commit: Option<Stat>) -> Result<Option<Newest>> {
        let first = Version((known.version.0 - known.version.0 % COMMITS_PER_CHECKPOINT).max(1));
        let listed = self.listed(first)?;
        let there = listed.commits.get(&known.version);
        let same = there.is_some() && commit.is_none_or(|commit| there == Some(&commit));
        let whole = (first.0..=known.version.0).all(|version| listed.commits.contains_key(&Version(version)));
        if !same || !whole || listed.hole_after(known.version).is_some() {
            return Ok(None);
        }
        let mut state = Arc::clone(known);
        let Some(last) = listed.last() else { return Ok(None) };
        self.each_commit(known.version, last, |commit| {
            state = Arc::new(state.followed_by(commit, self.storage().as_ref())?);
            Ok(())
        })?;
        Ok(Some((state, listed.commits.get(&last).copied())))
    }

    /// One look without anything known; inside, what is in doubt.
    fn looked(&self) -> Result<Result<Newest>> {
        // Read before the list: what it names was there by then.
        let hint = self.read_hint().unwrap_or_default();
        let mut listed = self.listed(hint.map_or(Version(0), |hint| hint.checkpoint))?;
        let mut warnings = Vec::new();
        let mut start = self.newest_checkpoint(&listed, &mut warnings);
        if start.is_none() && hint.is_some_and(|hint| hint.checkpoint.0 > 0) {
            listed = self.listed(Version(0))?;
            warnings.clear();
            start = self.newest_checkpoint(&listed, &mut warnings);
        }
        let last = listed.last();
        let mut state = match start {
            Some(state) => state,
            None if last.is_none() && listed.checkpoints.is_empty() => return self.nothing(hint).map(Err),
            None if !listed.commits.contains_key(&Version(1)) => {
                return Ok(Err(self.vanished(Version(1), &listed.vouched(hint))));
            }
            None => self.first()?,
        };
        state.warnings = warnings;
        if !listed.commits.contains_key(&state.version) {
            let by = format!("{} is there", checkpoint_path(state.version));
            return Ok(Err(self.vanished(state.version, &by)));
        }
        if let Some(hole) = listed.hole_after(state.version) {
            return Ok(Err(self.vanished(hole, LATER_COMMIT)));
        }
        let last = last.unwrap_or(state.version);
        if let Some(hint) = hint.filter(|hint| hint.version > last) {
            return Ok(Err(self.vanished(last.next(), &named_by(hint))));
        }
        self.each_commit(state.version, last, |commit| state.apply(commit))?;
        Ok(Ok((Arc::new(state), listed.commits.get(&last).copied())))
    }

    /// The doubt about a log that has nothing in it: an error where nothing says that there was a table.
    fn nothing(&self, hint: Option<Hint>) -> Result<Error> {
        match hint {
            Some(hint) => Ok(self.vanished(Version(1), &named_by(hint))),
            None => Err(self.no_table()),
        }
    }

    fn newest_checkpoint(&self, listed: &Listed, warnings: &mut Vec<String>) -> Option<TableState> {
        for version in listed.checkpoints.iter().rev() {
            match checkpoint::read(self.storage().as_ref(), *version) {
                Ok(Some(state)) => return Some(state),
                Ok(None) => {}
                Err(e) => warnings.push(format!("{e}; an older checkpoint or the commits are read instead")),
            }
        }
        None
    }

    /// The commits after `from` up to `to`, in order, many of them read at once where that is quicker.
    ///
    /// # Errors
    /// `Corrupt` when one is missing, and what `follow` gives.
    pub fn each_commit(&self, from: Version, to: Version, mut follow: impl FnMut(&Commit) -> Result<()>) -> Result<()> {
        let versions: Vec<_> = (from.0.saturating_add(1)..=to.0).map(Version).collect();
        self.read_each(&versions, |version, commit| follow(&commit.ok_or_else(|| self.hole(version))?))
    }

    /// The commits of these versions, in their order, as [`Log::read`] gives them.
    ///
    /// # Errors
    /// As [`Log::read`], and what `take` gives.
    pub fn read_each(
        &self,
        versions: &[Version],
        mut take: impl FnMut(Version, Option<Commit>) -> Result<()>,
    ) -> Result<()> {
        for versions in versions.chunks(READ_TOGETHER) {
            let paths: Vec<_> = versions.iter().map(|version| version.commit_path()).collect();
            for (version, bytes) in versions.iter().zip(self.storage().read_many(&paths, MAX_COMMIT_BYTES)?) {
                let commit = match bytes.map(|bytes| Commit::decode(&bytes, *version)) {
                    None => None,
                    Some(Ok(commit)) => Some(commit),
                    // It may be one that another program wrote.
                    Some(Err(_)) => self.read(*version)?,
                };
                take(*version, commit)?;
            }
        }
        Ok(())
    }
}

fn named_by(hint: Hint) -> String {
    format!("{HINT_PATH} says that there is a version {}", hint.version)
}

impl Listed {
    fn last(&self) -> Option<Version> {
        self.commits.last_key_value().map(|(version, _)| *version)
    }

    /// The first version after `version` that is missing though a later one is there.
    fn hole_after(&self, version: Version) -> Option<Version> {
        let last = self.last()?;
        (version.0 + 1..=last.0).map(Version).find(|version| !self.commits.contains_key(version))
    }

    fn vouched(&self, hint: Option<Hint>) -> String {
        match (self.last(), self.checkpoints.last(), hint) {
            (Some(_), _, _) => LATER_COMMIT.to_owned(),
            (None, Some(checkpoint), _) => format!("{} is there", checkpoint_path(*checkpoint)),
            (None, None, hint) => hint.map(named_by).unwrap_or_default(),
        }
    }
}
