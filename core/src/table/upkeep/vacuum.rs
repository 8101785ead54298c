//! Removing files that no version which is to stay readable needs. What makes older versions unreadable is a commit like any
//! other, made before the first file goes. Files that a running writer may be about to name are left alone for a day; what is
//! older is named in that commit too, so that a writer that slept through the day finds it there (see [`commit::Amendment`]).

use std::sync::Arc;

use crate::{
    delta::{self, DELTA_DIRECTORY},
    error::{ErrorKind, Result},
    log::{
        LOG_DIRECTORY, Version,
        commit::{Action, Instant},
        state::TableState,
    },
    storage::Entry,
    table::{commit, files, handle::Table},
};

/// What to remove.
#[derive(Debug, Clone, Copy)]
pub struct VacuumRequest {
    /// Versions that were the newest at some time during the last `keep_us` microseconds stay readable.
    pub keep_us: i64,
    /// Only say what would be removed.
    pub dry_run: bool,
    /// The present instant.
    pub now: Instant,
}

/// A file that is not needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unneeded {
    /// Where it is.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Why it is not needed, or why it could not be removed.
    pub reason: String,
    /// Whether it has been removed.
    pub deleted: bool,
}

/// What a vacuum did.
#[derive(Debug)]
pub struct Vacuumed {
    /// The state after it.
    pub state: Arc<TableState>,
    /// The files.
    pub files: Vec<Unneeded>,
    /// What went wrong without harm.
    pub warnings: Vec<String>,
}

#[derive(Default)]
struct Plan {
    oldest: Version,
    /// Whether a file is needed by a version that is readable but older than `oldest`.
    ends_versions: bool,
    files: Vec<Unneeded>,
    /// Files that no version names, under names that writers give: one may wake up and be about to name them.
    condemned: Vec<String>,
}

impl Plan {
    /// What must be in the log before the first file goes.
    fn actions(&self, state: &TableState) -> Vec<Action> {
        if !self.ends_versions && self.condemned.is_empty() {
            return Vec::new();
        }
        vec![Action::Vacuum { oldest: self.oldest_readable(state), removed: self.condemned.clone() }]
    }

    /// The oldest version that can be read afterwards, unless a tag names an older one.
    fn oldest_readable(&self, state: &TableState) -> Version {
        if self.ends_versions { self.oldest } else { state.oldest }
    }
}

/// The most files that no version names which one vacuum condemns, so that its commit stays small. The next takes the others.
const MAX_CONDEMNED: usize = 20_000;

impl Table {
    /// Removes what no version within the request's time, no tag and no running writer needs.
    ///
    /// # Errors
    /// As [`Table::latest`] and publishing a commit; nothing was removed then. A file that cannot be removed is not an error: its row says why.
    pub fn vacuum(&self, request: &VacuumRequest) -> Result<Vacuumed> {
        let base = self.log().latest(None)?;
        base.check_writable(self.log().storage().as_ref())?;
        let mut plan = Plan::default();
        let changed = commit::amend(self, &base, "vacuum", None, |state| {
            plan = self.plan_vacuum(state, request)?;
            Ok(if request.dry_run { Vec::new() } else { plan.actions(state) })
        })?;
        let (state, mut warnings) = (changed.snapshot.state, changed.warnings);
        if !request.dry_run {
            warnings.extend(self.shorten_delta(&state, &mut plan));
            plan.files.iter_mut().for_each(|file| self.remove_unneeded(file));
        }
        Ok(Vacuumed { state, files: plan.files, warnings })
    }

    /// Makes the Delta log readable without what goes of it; what cannot be made so stays.
    fn shorten_delta(&self, state: &Arc<TableState>, plan: &mut Plan) -> Option<String> {
        let is_delta = |file: &Unneeded| file.path.starts_with(DELTA_DIRECTORY);
        if !plan.files.iter().any(is_delta) {
            return None;
        }
        let oldest = plan.oldest_readable(state);
        let failed = delta::upkeep::begin_with(self.log(), state, oldest).err()?;
        plan.files.retain(|file| !is_delta(file));
        Some(format!("the Delta log still offers versions before {oldest}, whose files are gone: {failed}"))
    }

    fn remove_unneeded(&self, file: &mut Unneeded) {
        match self.log().storage().remove(&file.path) {
            Ok(_) => file.deleted = true,
            Err(e) => file.reason = e.to_string(),
        }
    }

    fn plan_vacuum(&self, state: &Arc<TableState>, request: &VacuumRequest) -> Result<Plan> {
        let oldest = self.oldest_to_keep(state, request)?;
        let needed = files::named(self, state, oldest)?;
        let readable = if oldest > state.oldest { files::named(self, state, state.oldest)? } else { needed.clone() };
        let mut plan = Plan { oldest, ..Plan::default() };
        for directory in files::FILE_DIRECTORIES.into_iter().chain([LOG_DIRECTORY]) {
            for entry in self.log().storage().list(directory)? {
                let path = format!("{directory}/{}", entry.name);
                let reason = if files::is_temporary(&entry.name) {
                    old_enough(&entry, request).then_some("left behind by a write that was interrupted".to_owned())
                } else if directory == LOG_DIRECTORY || needed.contains(&path) {
                    None
                } else if readable.contains(&path) {
                    plan.ends_versions = true;
                    Some(format!("only versions before {oldest} need it"))
                } else {
                    let room = plan.condemned.len() < MAX_CONDEMNED;
                    let old = room && old_enough(&entry, request);
                    if old && files::is_of_a_segment(&entry.name) {
                        plan.condemned.push(path.clone());
                    }
                    old.then_some("no version that can be read needs it".to_owned())
                };
                plan.files.extend(reason.map(|reason| Unneeded {
                    path,
                    bytes: entry.stat.bytes,
                    reason,
                    deleted: false,
                }));
            }
        }
        let oldest = plan.oldest_readable(state);
        for entry in delta::upkeep::obsolete(self.log(), state, oldest)? {
            plan.files.push(Unneeded {
                path: format!("{DELTA_DIRECTORY}/{}", entry.name),
                bytes: entry.stat.bytes,
                reason: format!("the Delta log must not offer versions before {oldest}, whose files go"),
                deleted: false,
            });
        }
        plan.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(plan)
    }

    /// The version that was the newest when the time to keep began.
    fn oldest_to_keep(&self, state: &Arc<TableState>, request: &VacuumRequest) -> Result<Version> {
        let begin = Instant(request.now.0.saturating_sub(request.keep_us.max(0)));
        let then = match self.log().version_as_of(begin, state) {
            Ok(version) => version,
            Err(e) if e.kind() == ErrorKind::NotFound => Version(1),
            Err(e) => return Err(e),
        };
        Ok(then.max(state.oldest))
    }
}

fn old_enough(entry: &Entry, request: &VacuumRequest) -> bool {
    files::is_old(entry, request.now)
}
