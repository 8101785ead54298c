//! Finding the newest version, and noticing that one has vanished: what the hint, a checkpoint or a later commit vouches for must
//! be there. A reader that serves the version before would let the next writer take the number, and with it the evidence.

use std::{sync::Arc, thread::sleep, time::Duration};

use super::{
    Version,
    checkpoint::{self, checkpoint_path},
    hint::{HINT_PATH, Hint},
    state::TableState,
    store::Log,
};
use crate::error::{Error, ErrorKind, Result};

/// Before a version is called missing, the log is looked at again after each of these pauses: a network file system may show
/// one name earlier than another, and a directory that is being removed is not damaged.
pub(super) const PAUSES_MS: [u64; 3] = [5, 25, 100];

/// What vouches for a version that later ones follow.
pub(super) const LATER_COMMIT: &str = "later ones are there";

/// What one look at the log found.
enum Look {
    /// A state beyond which nothing vouches for another version.
    Whole(Arc<TableState>),
    /// Something vouches for a version that is not there.
    Doubtful(Error),
}

/// The latest version that something vouches for, and what does.
struct Vouched {
    version: Version,
    by: String,
}

impl Log {
    /// The newest state, going on from `known` where that is given.
    ///
    /// # Errors
    /// `NotFound` when there is no table; `Corrupt` when its log cannot be followed or lacks a version that must be there;
    /// `UnsupportedFormat`.
    pub fn latest(&self, known: Option<&Arc<TableState>>) -> Result<Arc<TableState>> {
        if self.storage().is_remote() {
            return self.latest_listed(known.map(|state| (state, None))).map(|(state, _)| state);
        }
        if let Some(known) = known
            && let Some(state) = self.latest_after(known)?
        {
            return Ok(state);
        }
        let mut pauses = PAUSES_MS.into_iter();
        loop {
            let doubt = match self.look()? {
                Look::Whole(state) => return Ok(state),
                Look::Doubtful(doubt) => doubt,
            };
            let Some(pause) = pauses.next() else { return Err(doubt) };
            sleep(Duration::from_millis(pause));
        }
    }

    /// The newest version that can be followed to, whatever vouches for later ones; none when there is none.
    #[must_use]
    pub fn newest_intact(&self) -> Option<TableState> {
        let checkpoints = self.list().map(|(_, checkpoints)| checkpoints).unwrap_or_default();
        let starts =
            checkpoints.into_iter().filter_map(|version| checkpoint::read(self.storage().as_ref(), version).ok()?);
        let reached = starts.chain(self.first().ok()).map(|start| self.replay_intact(start));
        reached.filter(|state| matches!(self.read(state.version), Ok(Some(_)))).max_by_key(|state| state.version)
    }

    fn replay_intact(&self, mut state: TableState) -> TableState {
        while let Ok(Some(commit)) = self.read(state.version.next()) {
            let mut next = state.clone();
            if next.apply(&commit).is_err() {
                break;
            }
            state = next;
        }
        state
    }

    /// Goes on from a known state; none when something vouches for more than there is.
    fn latest_after(&self, known: &Arc<TableState>) -> Result<Option<Arc<TableState>>> {
        // Read before the commits: what it names was there by then.
        let hint = self.hint();
        let state = self.follow(known)?;
        if hint.is_some_and(|hint| hint.version <= state.version) {
            return Ok(Some(state));
        }
        let vouched = self.vouched_for(hint)?;
        let state = self.follow(&state)?;
        Ok((vouched.version <= state.version).then_some(state))
    }

    fn look(&self) -> Result<Look> {
        let hint = self.hint();
        let state = match self.followed(hint) {
            Ok(state) => state,
            Err(e) => return self.doubt_or(e, hint),
        };
        // A hint that is right needs no list, whose cost grows with the log; one that is behind may stand at the brink of a hole.
        let brink = state.version.next().next().commit_path();
        if hint.is_some_and(|hint| hint.version == state.version)
            && self.is_committed(&state)?
            && self.storage().stat(&brink)?.is_none()
        {
            return Ok(Look::Whole(Arc::new(state)));
        }
        // Listed before the rest is followed: a commit that lands meanwhile is no later than what is reached.
        let vouched = self.vouched_for(hint)?;
        let state = self.replay(state, None)?;
        if !self.is_committed(&state)? {
            let by = format!("{} is there", checkpoint_path(state.version));
            return Ok(Look::Doubtful(self.vanished(state.version, &by)));
        }
        if vouched.version > state.version {
            return Ok(Look::Doubtful(self.vanished(state.version.next(), &vouched.by)));
        }
        Ok(Look::Whole(Arc::new(state)))
    }

    fn followed(&self, hint: Option<Hint>) -> Result<TableState> {
        let by_listing = || self.replay(self.start_by_listing()?, None);
        let by_hint = |hint| self.start_at(hint)?.map(|start| self.replay(start, None)).transpose();
        match hint.map(by_hint) {
            Some(Ok(Some(state))) => Ok(state),
            // A checkpoint that the hint does not know may lead past a damaged commit.
            Some(Err(e)) if e.kind() == ErrorKind::Corrupt => by_listing().map_err(|_| e),
            Some(Err(e)) => Err(e),
            Some(Ok(None)) | None => by_listing(),
        }
    }

    /// Whether a log that cannot be begun with is not there, or was there once.
    fn doubt_or(&self, error: Error, hint: Option<Hint>) -> Result<Look> {
        let vouched = self.vouched_for(hint)?;
        let first = Version(1);
        if vouched.version.0 == 0 || self.storage().stat(&first.commit_path())?.is_some() {
            return Err(error);
        }
        match error.kind() {
            ErrorKind::NotFound => Ok(Look::Doubtful(self.vanished(first, &vouched.by))),
            ErrorKind::Corrupt => Ok(Look::Doubtful(error)),
            _ => Err(error),
        }
    }

    fn hint(&self) -> Option<Hint> {
        self.read_hint().ok()?
    }

    /// Whether the commit of the state's version is there: one that a checkpoint stands for may be missing.
    fn is_committed(&self, state: &TableState) -> Result<bool> {
        Ok(state.version > state.checkpoint || self.storage().stat(&state.version.commit_path())?.is_some())
    }

    fn vouched_for(&self, hint: Option<Hint>) -> Result<Vouched> {
        let (commits, checkpoints) = self.list()?;
        let commit = commits.last().map(|v| Vouched { version: *v, by: LATER_COMMIT.to_owned() });
        let checkpoint =
            checkpoints.last().map(|v| Vouched { version: *v, by: format!("{} is there", checkpoint_path(*v)) });
        let hint = hint.map(|hint| Vouched {
            version: hint.version,
            by: format!("{HINT_PATH} says that there is a version {}", hint.version),
        });
        let none = Vouched { version: Version(0), by: String::new() };
        Ok([commit, checkpoint, hint]
            .into_iter()
            .flatten()
            .fold(none, |most, next| if next.version > most.version { next } else { most }))
    }

    pub(super) fn vanished(&self, version: Version, by: &str) -> Error {
        let what = match by {
            LATER_COMMIT => format!("the log has a hole: version {version} is missing, though {by}"),
            _ => format!("version {version} has vanished: its commit is missing, though {by}"),
        };
        let advice = format!(
            "restore the missing files from a copy of the table, or ask tstable_repair('{}') which version the table can go back to",
            self.storage().root()
        );
        Error::corrupt(what).with("path", version.commit_path()).caused_by(advice)
    }

    /// A state to go on from: the hinted checkpoint, or the first commit when the hint says that there is none.
    fn start_at(&self, hint: Hint) -> Result<Option<TableState>> {
        if hint.checkpoint.0 == 0 {
            return match self.first() {
                Ok(state) => Ok(Some(state)),
                Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
                Err(e) => Err(e),
            };
        }
        Ok(checkpoint::read(self.storage().as_ref(), hint.checkpoint).ok().flatten())
    }

    /// A state to go on from, found without the hint: the newest intact checkpoint, or the first commit.
    fn start_by_listing(&self) -> Result<TableState> {
        let (commits, checkpoints) = self.list()?;
        let mut warnings = Vec::new();
        for version in checkpoints.into_iter().rev() {
            match checkpoint::read(self.storage().as_ref(), version) {
                Ok(Some(mut state)) => {
                    state.warnings = warnings;
                    return Ok(state);
                }
                Ok(None) => {}
                Err(e) => warnings.push(format!("{e}; an older checkpoint or the commits are read instead")),
            }
        }
        if let Some(first) = commits.first().filter(|first| first.0 > 1) {
            return Err(Error::corrupt(format!("the log begins with version {first}, and no checkpoint is intact"))
                .with("path", Version(1).commit_path()));
        }
        let mut state = self.first()?;
        state.warnings = warnings;
        Ok(state)
    }

    /// As [`Log::replay`], but hands the coverage of `known` on.
    fn follow(&self, known: &Arc<TableState>) -> Result<Arc<TableState>> {
        let mut state = Arc::clone(known);
        while let Some(commit) = self.read(state.version.next())? {
            state = Arc::new(state.followed_by(&commit, self.storage().as_ref())?);
        }
        Ok(state)
    }
}
