//! Which segments the versions that can be read are made of, and from which version to which: what must be there, though the newest
//! version may not need it any more.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use crate::{
    error::{Error, Result},
    log::{
        Version,
        commit::{Action, CoverageRecord},
        definition::Definition,
        segment::Segment,
        state::TableState,
    },
    table::handle::Table,
};

/// A tag whose version cannot be put together, and why.
type Unreadable = (String, Error);

/// A segment's Parquet file, and its coverage file where it has one.
type Files = (String, Option<String>);

/// The files of a segment and the versions that need them.
#[derive(Debug)]
pub(crate) struct Life {
    /// As the newest of these versions records it.
    pub(crate) segment: Arc<Segment>,
    /// What the table was by then.
    pub(crate) definition: Arc<Definition>,
    /// First and last versions of the spans that need it.
    spans: Vec<(Version, Version)>,
    /// Tags of older versions that need it.
    tags: Vec<String>,
}

impl Life {
    /// Whether the newest version needs it, or a tag: what rows say of the coverage of other versions is past correction.
    pub(crate) fn is_of(&self, newest: Version) -> bool {
        !self.tags.is_empty() || self.spans.iter().any(|(_, last)| *last == newest)
    }

    /// Who needs it, in words.
    pub(crate) fn needed_by(&self) -> String {
        let spans = self.spans.iter().map(|(first, last)| match first == last {
            true => format!("version {first}"),
            false => format!("the versions {first} to {last}"),
        });
        spans.chain(self.tags.iter().map(|tag| format!("the tag {tag}"))).collect::<Vec<_>>().join(", ")
    }
}

/// The segments of every version that can be read, each pair of files once, in order of their paths; and the tags whose versions cannot be
/// put together, with the reason.
///
/// # Errors
/// As reading the log: then the versions cannot be told.
pub(crate) fn lives(table: &Table, latest: &Arc<TableState>) -> Result<(Vec<Life>, Vec<Unreadable>)> {
    let oldest = table.log().at(latest.oldest.min(latest.version), latest)?;
    let mut lives =
        Lives { by_files: BTreeMap::new(), live: HashMap::new(), definition: Arc::clone(&oldest.definition) };
    for segment in oldest.segments.all()? {
        lives.begin(Arc::clone(segment), oldest.version);
    }
    table.log().each_commit(oldest.version, latest.version, |commit| {
        lives.follow(&commit.actions, commit.version);
        Ok(())
    })?;
    lives.end(latest.version);
    let mut unreadable = Vec::new();
    for (tag, tagged) in latest.tags.iter().filter(|(_, tagged)| **tagged < oldest.version) {
        match table.log().at(*tagged, latest).and_then(|state| lives.tag(tag, &state)) {
            Ok(()) => {}
            Err(e) => unreadable.push((tag.clone(), e)),
        }
    }
    Ok((lives.by_files.into_values().collect(), unreadable))
}

struct Lives {
    by_files: BTreeMap<Files, Life>,
    /// Files and beginning of the segments that live, by their ids.
    live: HashMap<String, (Files, Version)>,
    definition: Arc<Definition>,
}

impl Lives {
    fn follow(&mut self, actions: &[Action], version: Version) {
        for action in actions {
            match action {
                Action::DefineTable(definition) => self.definition = Arc::new(definition.as_ref().clone()),
                Action::RemoveSegment { id } => self.close(id, Version(version.0.saturating_sub(1))),
                _ => {}
            }
        }
        // A restored segment is removed under one id and added under the same or another: removals come first.
        for action in actions {
            if let Action::AddSegment(record) = action {
                self.begin(Arc::new(Segment::new(record.as_ref().clone(), version)), version);
            }
        }
    }

    fn begin(&mut self, segment: Arc<Segment>, version: Version) {
        self.live.insert(segment.record.id.clone(), (files_of(&segment), version));
        let definition = Arc::clone(&self.definition);
        let life = self.life(&segment);
        (life.segment, life.definition) = (segment, definition);
    }

    fn life(&mut self, segment: &Arc<Segment>) -> &mut Life {
        let definition = &self.definition;
        self.by_files.entry(files_of(segment)).or_insert_with(|| Life {
            segment: Arc::clone(segment),
            definition: Arc::clone(definition),
            spans: Vec::new(),
            tags: Vec::new(),
        })
    }

    fn close(&mut self, id: &str, last: Version) {
        let Some((files, first)) = self.live.remove(id) else { return };
        if let Some(life) = self.by_files.get_mut(&files) {
            life.spans.push((first, last));
        }
    }

    fn end(&mut self, last: Version) {
        let mut live: Vec<String> = self.live.keys().cloned().collect();
        live.sort();
        live.iter().for_each(|id| self.close(id, last));
    }

    fn tag(&mut self, tag: &str, state: &TableState) -> Result<()> {
        self.definition = Arc::clone(&state.definition);
        for segment in state.segments.all()? {
            self.life(segment).tags.push(tag.to_owned());
        }
        Ok(())
    }
}

fn files_of(segment: &Segment) -> Files {
    let sidecar = match &segment.record.coverage {
        CoverageRecord::File(path) => Some(path.clone()),
        CoverageRecord::Inline(_) => None,
    };
    (segment.record.path.clone(), sidecar)
}
