//! `tstable_tags`: the names that versions have.

use std::{collections::BTreeMap, sync::Arc};

use tstable_core::{
    Result,
    log::{
        commit::{Action, Instant},
        state::TableState,
    },
    table::{At, Table},
};

use super::{
    Shared,
    answer::Answer,
    report::{Cell, INSTANT},
};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Tags(pub(crate) Arc<Shared>);

impl TableFunction for Tags {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_tags",
            positional: &[Param { name: "root", ty: ParamType::Varchar }],
            named: &[],
            description: "The tags of a table, each with the version that it names.",
            example: "FROM tstable_tags('prices')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let root = args.root(session)?;
        let shared = Arc::clone(&self.0);
        Ok(answer().bound(move |session| {
            let (table, snapshot) = shared.snapshot(&root, &At::Latest, session)?;
            let mut created = created(&table, &snapshot.state)?;
            let tags = snapshot.state.tags.iter();
            Ok(tags.map(|(name, version)| (name.clone(), version.0, created.remove(name))).collect::<Vec<_>>())
        }))
    }
}

/// Of a tag, the version that it names and when it was given.
type Tagged = (String, u64, Option<Instant>);

fn answer() -> Answer<Tagged> {
    Answer::new()
        .text("name", |(name, ..): &Tagged| Cell::text(name))
        .count("tagged_version", |(_, version, _)| *version)
        .column("created_at", INSTANT, |(.., at)| Cell::maybe(*at, Cell::from))
}

/// When each tag was given last, as far back as there are commits.
fn created(table: &Table, state: &TableState) -> Result<BTreeMap<String, Instant>> {
    let mut created = BTreeMap::new();
    let (commits, _) = table.log().list()?;
    for version in commits.into_iter().rev().filter(|version| *version <= state.version) {
        if created.len() == state.tags.len() {
            break;
        }
        let Some(commit) = table.log().read(version)? else { continue };
        for action in &commit.actions {
            if let Action::SetTag { name, .. } = action
                && state.tags.contains_key(name)
            {
                created.entry(name.clone()).or_insert(commit.timestamp);
            }
        }
    }
    Ok(created)
}
