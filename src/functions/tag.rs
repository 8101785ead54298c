//! `tstable_tag`: names a version.

use std::sync::Arc;

use tstable_core::{Error, Result, log::Version};

use super::{
    Shared,
    answer::{Answer, Change},
    arguments::EXPECTED_VERSION,
    report::Cell,
    roots::{Given, Roots, expand},
    tag_all::tag_all,
};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Tag(pub(crate) Arc<Shared>);

impl TableFunction for Tag {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_tag",
            positional: &[Param { name: "root", ty: ParamType::Any }, Param { name: "name", ty: ParamType::Varchar }],
            named: &[Param { name: "version", ty: ParamType::BigInt }, EXPECTED_VERSION],
            description: "Names a version of a table, the newest unless told otherwise, or those of several tables at one moment.",
            example: "CALL tstable_tag('prices', 'audit 2024')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        if let Roots::Several(given) = args.roots(session)? {
            return self.all(&args, given);
        }
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

impl Tag {
    /// Binds the tagging of several tables.
    fn all(&self, args: &Args, given: Vec<Given>) -> Result<Arc<dyn Bound>> {
        if let Some(of_one) = ["version", "expected_version"].into_iter().find(|name| args.named(name).is_some()) {
            return Err(Error::invalid_argument(format!(
                "{of_one} := n is of one table; several tables are tagged as they are at one moment"
            )));
        }
        let (shared, name) = (Arc::clone(&self.0), args.text_at(1, "name")?);
        let answer = Answer::new()
            .text("name", |(_, done): &(String, Tagged)| Cell::text(&done.name))
            .count("tagged_version", |(_, done)| done.tagged.0)
            .count("version", |(_, done)| done.version.0)
            .text("root", |(root, _)| Cell::text(root));
        Ok(answer.bound(move |session| tag_all(&shared, session, &expand(&given, session)?, &name)))
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
