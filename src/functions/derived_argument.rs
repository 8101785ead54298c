//! `derived_from`: `{'root': ..., 'version': ...}` or a list of such, which an append records.

use tstable_core::{
    Error, Result,
    log::Version,
    prune::expr::Constant,
    table::{At, origins::Derivation},
};

use super::{Shared, address, literal::show};
use crate::host::{Arg, Args, Session};

/// A source as it was given.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    root: String,
    version: Version,
}

impl Args {
    /// The sources of the argument `derived_from`; none when it was not given.
    pub(crate) fn derived_from(&self, session: &dyn Session) -> Result<Vec<Source>> {
        match self.named("derived_from") {
            None => Ok(Vec::new()),
            Some(Arg::List(items)) => items.iter().map(|item| source(session, item)).collect(),
            Some(arg) => Ok(vec![source(session, arg)?]),
        }
    }
}

fn source(session: &dyn Session, arg: &Arg) -> Result<Source> {
    let unfit = || {
        Error::invalid_argument(format!(
            "derived_from := {} is not a source; give its directory and the version that was read, as in derived_from := \
             {{'root': 'ticks', 'version': 7}}",
            show(arg)
        ))
    };
    let Arg::Struct(fields) = arg else { return Err(unfit()) };
    let field = |name: &str| fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    match (field("root"), field("version"), fields.len()) {
        (Some(Arg::Scalar(Constant::Text(root))), Some(Arg::Scalar(Constant::Int(version))), 2) => {
            let version = u64::try_from(*version).ok().filter(|version| *version > 0).ok_or_else(unfit)?;
            Ok(Source { root: address::root(session, "derived_from", root)?, version: Version(version) })
        }
        _ => Err(unfit()),
    }
}

impl Shared {
    /// The sources as they are recorded.
    ///
    /// # Errors
    /// `NotFound` when there is no such table or version.
    pub(crate) fn derivations(&self, sources: &[Source], session: &dyn Session) -> Result<Vec<Derivation>> {
        let derivation = |source: &Source| {
            let (_, snapshot) = self.snapshot(&source.root, &At::Version(source.version), session)?;
            let table_id = snapshot.definition().table_id.clone();
            Ok(Derivation { table_id, root: source.root.clone(), version: source.version })
        };
        sources.iter().map(derivation).collect()
    }
}
