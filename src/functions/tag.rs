//! `tstable_tag`: names a version.

use std::sync::Arc;

use tstable_core::{Result, log::Version};

use super::{
    Shared,
    answer::{Answer, Change},
    arguments::EXPECTED_VERSION,
    report::Cell,
};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Tag(pub(crate) Arc<Shared>);

impl TableFunction for Tag {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_tag",
            positional: &[
                Param { name: "root", ty: ParamType::Varchar },
                Param { name: "name", ty: ParamType::Varchar },
            ],
            named: &[Param { name: "version", ty: ParamType::BigInt }, EXPECTED_VERSION],
            description: "Names a version of a table, the newest unless told otherwise.",
            example: "CALL tstable_tag('prices', 'audit 2024')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let change = Change::of(&self.0, session, &args)?;
        let name = args.text_at(1, "name")?;
        let version = args.count("version")?.map(Version);
        Ok(change.bound(tagged(), move |table, snapshot, _| {
            let (tagged, changed) = table.tag(snapshot, &name, version)?;
            let version = changed.snapshot.state.version;
            Ok((changed, [Tagged { name: name.clone(), tagged, version }]))
        }))
    }
}

/// What the functions on tags did.
pub(super) struct Tagged {
    pub(super) name: String,
    /// The version that it names, or named.
    pub(super) tagged: Version,
    /// The table's version afterwards.
    pub(super) version: Version,
}

/// What they answer.
pub(super) fn tagged() -> Answer<Tagged> {
    Answer::new()
        .text("name", |done: &Tagged| Cell::text(&done.name))
        .count("tagged_version", |done| done.tagged.0)
        .count("version", |done| done.version.0)
}
