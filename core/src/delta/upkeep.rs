//! Looking for damage in the Delta log, and taking out of it the versions whose files go. What it says is compared with what the
//! table's own log says; nothing is written by a look.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::{
    DELTA_DIRECTORY, MAX_DELTA_COMMIT_BYTES, checkpoint, commit_path, export, is_on, missing, newest_exported,
    partitions::encoded, version_of_name,
};
use crate::{
    error::{Error, Result},
    log::{Version, commit::Action, state::TableState, store::Log},
    segment::SegmentFile,
    storage::Entry,
};

/// A file of the Delta log that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// Where it is.
    pub path: String,
    /// What is wrong; none when nothing is.
    pub problem: Option<String>,
}

/// Looks at the Delta log of a table, where it has one or keeps one.
///
/// # Errors
/// `Io` when the directory cannot be read, and what reading the table's own log gives. Damage is a finding, not an error.
pub fn look(log: &Log, latest: &std::sync::Arc<TableState>) -> Result<Vec<Looked>> {
    let entries = log.storage().list(DELTA_DIRECTORY)?;
    let mut versions: Vec<u64> = entries.iter().filter_map(|entry| version_of_name(&entry.name)).collect();
    versions.sort_unstable();
    let of_directory = |problem: String| vec![Looked { path: DELTA_DIRECTORY.to_owned(), problem: Some(problem) }];
    let advice = format!("tstable_export_delta('{}') writes what is missing", log.storage().root());
    let (Some(first), Some(newest)) = (versions.first().copied(), versions.last().copied()) else {
        return Ok(if is_on(latest) {
            of_directory(format!("the Delta log is missing: {advice}"))
        } else {
            Vec::new()
        });
    };
    if let Err(e) = newest_exported(log, latest) {
        return Ok(of_directory(e.to_string()));
    }
    let mut found = Vec::new();
    if is_on(latest) && newest.saturating_add(1) < latest.version.0 {
        let behind =
            format!("the Delta log ends with version {} of {}: {advice}", newest.saturating_add(1), latest.version);
        found.extend(of_directory(behind));
    }
    let mut ours = Ours::at(log, latest, first)?;
    let mut sizes = BTreeMap::new();
    for delta_version in first..=newest {
        let problem = ours.compare(log, delta_version, delta_version == first)?;
        found.push(Looked { path: commit_path(delta_version), problem });
        sizes.insert(delta_version, ours.live.len() as u64);
    }
    found.extend(checkpoints(log, &entries, &sizes)?);
    found.extend(beginning(first, latest, found.iter().any(|looked| looked.path.ends_with(".checkpoint.parquet"))));
    Ok(found)
}

/// What is wrong with where the Delta log begins.
fn beginning(first: u64, latest: &TableState, has_checkpoint: bool) -> Option<Looked> {
    let problem = if first.saturating_add(1) < latest.oldest.0 {
        format!(
            "the Delta log offers version {}, whose files vacuum may have removed; tstable_vacuum takes it out",
            first.saturating_add(1)
        )
    } else if first > 0 && !has_checkpoint {
        format!(
            "the Delta log begins with version {}, and there is no checkpoint to begin with; remove '{DELTA_DIRECTORY}' and export again",
            first.saturating_add(1)
        )
    } else {
        return None;
    };
    Some(Looked { path: commit_path(first), problem: Some(problem) })
}

/// The table's own log, followed as far as the Delta log is.
struct Ours {
    /// The path and size of each live segment, by its id.
    live: HashMap<String, (String, u64)>,
}

type Files = BTreeSet<(String, u64)>;

impl Ours {
    /// Just before the version that the first Delta commit is of.
    fn at(log: &Log, latest: &std::sync::Arc<TableState>, first: u64) -> Result<Self> {
        let mut live = HashMap::new();
        if first > 0 {
            for segment in log.state_of(Version(first), latest)?.segments.all()? {
                live.insert(segment.record.id.clone(), (encoded(&segment.record.path), segment.record.bytes));
            }
        }
        Ok(Self { live })
    }

    /// Follows the commit that a Delta commit is of, and says what is wrong with that.
    fn compare(&mut self, log: &Log, delta_version: u64, is_first: bool) -> Result<Option<String>> {
        let version = Version(delta_version.saturating_add(1));
        let commit = log.read(version)?.ok_or_else(|| missing(version))?;
        let (mut added, mut removed) = (Files::new(), BTreeSet::new());
        for action in &commit.actions {
            match action {
                Action::AddSegment(record) => {
                    let file = (encoded(&record.path), record.bytes);
                    added.insert(file.clone());
                    self.live.insert(record.id.clone(), file);
                }
                Action::RemoveSegment { id } => {
                    removed.extend(self.live.remove(id).map(|(path, _)| path));
                }
                _ => {}
            }
        }
        let stated = match Stated::read(log, delta_version) {
            Ok(stated) => stated,
            Err(problem) => return Ok(Some(problem)),
        };
        let whole = || self.live.values().cloned().collect::<Files>();
        // Files that stay are named again when the columns that folders name are others.
        let again = || stated.added.difference(&added).all(|file| whole().contains(file));
        let same = stated.added.is_superset(&added) && stated.removed == removed && again();
        Ok(match stated.version {
            Some(stated) if stated != version.0 => {
                Some(format!("it says that it is of version {stated}, and is in the place of version {version}"))
            }
            None => Some(format!("it was not written by tstable for version {version}")),
            // A log that begins late begins with everything.
            Some(_) if same || is_first && stated.removed.is_empty() && stated.added == whole() => None,
            Some(_) => Some(contradiction(&stated, &added, version)),
        })
    }
}

fn contradiction(stated: &Stated, added: &Files, version: Version) -> String {
    let odd = stated.added.symmetric_difference(added).next();
    let about = odd.map(|(path, bytes)| format!(", as about {path} of {bytes} bytes")).unwrap_or_default();
    format!(
        "it names other files than version {version} of the table{about}; remove '{DELTA_DIRECTORY}' and export again"
    )
}

/// What a Delta commit says.
#[derive(Default)]
struct Stated {
    added: Files,
    removed: BTreeSet<String>,
    version: Option<u64>,
}

impl Stated {
    fn read(log: &Log, delta_version: u64) -> std::result::Result<Self, String> {
        let bytes =
            log.storage().read(&commit_path(delta_version), MAX_DELTA_COMMIT_BYTES).map_err(|e| e.to_string())?;
        let bytes = bytes.ok_or_else(|| "it is missing, though later ones are there".to_owned())?;
        let mut stated = Self::default();
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        for (line, text) in lines.enumerate() {
            let damaged = |e| format!("line {} of it is not JSON: {e}", line.saturating_add(1));
            stated.take(&serde_json::from_slice(text).map_err(damaged)?);
        }
        Ok(stated)
    }

    fn take(&mut self, action: &Value) {
        let path = |of: &Value| of.get("path").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(add) = action.get("add") {
            self.added.insert((path(add), add.get("size").and_then(Value::as_u64).unwrap_or_default()));
        }
        if let Some(remove) = action.get("remove") {
            self.removed.insert(path(remove));
        }
        if let Some(info) = action.get("commitInfo").and_then(|info| info.get("tstable")) {
            self.version = info.get("version").and_then(Value::as_u64);
        }
    }
}

/// Looks at the checkpoints; `segments` says how many segments each version has.
fn checkpoints(log: &Log, entries: &[Entry], segments: &BTreeMap<u64, u64>) -> Result<Vec<Looked>> {
    let mut found = Vec::new();
    let mut there = BTreeSet::new();
    for entry in entries {
        let Some(version) = entry.name.strip_suffix(".checkpoint.parquet").and_then(|name| name.parse::<u64>().ok())
        else {
            continue;
        };
        there.insert(version);
        let path = format!("{DELTA_DIRECTORY}/{}", entry.name);
        let rows = log.storage().open(&path).and_then(SegmentFile::open).map(|file| file.rows());
        let problem = match (rows, segments.get(&version)) {
            (Err(e), _) => Some(e.to_string()),
            (Ok(rows), Some(segments)) if rows != segments.saturating_add(2) => Some(format!(
                "it has {} segments; the table has {segments} in version {}",
                rows.saturating_sub(2),
                version.saturating_add(1)
            )),
            _ => None,
        };
        found.push(Looked { path, problem });
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    if entries.iter().any(|entry| entry.name == "_last_checkpoint") {
        let problem = match checkpoint::pointed_at(log)? {
            Some(version) if there.contains(&version) => None,
            Some(version) => {
                Some(format!("it points at the checkpoint of Delta version {version}, which is not there"))
            }
            None => Some("it is damaged; engines that read it may not find the newest version".to_owned()),
        };
        found.push(Looked { path: format!("{DELTA_DIRECTORY}/_last_checkpoint"), problem });
    }
    Ok(found)
}

/// The files of the Delta log that are of versions before `oldest` only; none where the log is not this table's.
///
/// # Errors
/// `Io` when the directory cannot be read.
pub fn obsolete(log: &Log, latest: &TableState, oldest: Version) -> Result<Vec<Entry>> {
    let keep = oldest.0.saturating_sub(1);
    let entries = log.storage().list(DELTA_DIRECTORY)?;
    if keep == 0 || newest_exported(log, latest).ok().flatten().is_none() {
        return Ok(Vec::new());
    }
    let version = |entry: &Entry| entry.name.get(..20).and_then(|digits| digits.parse::<u64>().ok());
    Ok(entries.into_iter().filter(|entry| version(entry).is_some_and(|version| version < keep)).collect())
}

/// Makes the Delta log readable without what is before `oldest`: it is brought up to the newest version and gets a checkpoint of `oldest`.
///
/// # Errors
/// As [`export`]; then nothing may be taken out of it.
pub fn begin_with(log: &Log, latest: &std::sync::Arc<TableState>, oldest: Version) -> Result<()> {
    export(log, latest, None)?;
    let state = log.at(oldest, latest)?;
    checkpoint::write(log, &state, oldest.0.saturating_sub(1)).map_err(|e: Error| e.with("version", oldest))
}
