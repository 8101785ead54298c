//! `tstable_set` with a MAP or STRUCT: sets or removes several properties in one commit.

use std::sync::Arc;

use tstable_core::{Error, Result, log::Version, prune::expr::Constant};

use super::{
    Shared,
    answer::{Answer, Change},
    arguments::EXPECTED_VERSION,
    literal::show,
    report::Cell,
};
use crate::host::{Arg, Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct SetMany(pub(crate) Arc<Shared>);

impl TableFunction for SetMany {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_set",
            positional: &[
                Param { name: "root", ty: ParamType::Varchar },
                Param { name: "properties", ty: ParamType::Any },
            ],
            named: &[EXPECTED_VERSION],
            description: "Sets several properties of a table in one commit; NULL removes one.",
            example: "CALL tstable_set('prices', MAP {'owner': 'research', 'source': 'vendor'})",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        bind_many(Change::of(&self.0, session, &args)?, args.at_position(1, "properties")?)
    }
}

/// Binds a call that sets the properties of a map or struct.
pub(super) fn bind_many(change: Change, several: &Arg) -> Result<Arc<dyn Bound>> {
    let properties = properties(several)?;
    let answer = Answer::new()
        .text("key", |(key, ..): &(String, Option<String>, Version)| Cell::text(key))
        .text("value", |(_, value, _)| Cell::maybe(value.as_ref(), Cell::text))
        .count("version", |(.., version)| version.0);
    Ok(change.bound(answer, move |table, snapshot, _| {
        let changed = table.set_all(snapshot, &properties)?;
        let version = changed.snapshot.state.version;
        let row = move |(key, value): &(String, Option<String>)| (key.clone(), value.clone(), version);
        Ok((changed, properties.iter().map(row).collect::<Vec<_>>()))
    }))
}

fn properties(arg: &Arg) -> Result<Vec<(String, Option<String>)>> {
    let value = |key: &str, value: &Arg| match value {
        Arg::Scalar(Constant::Text(text)) => Ok(Some(text.clone())),
        Arg::Scalar(Constant::Null) => Ok(None),
        other => Err(Error::invalid_argument(format!(
            "the property '{key}' is {}, which is not a text; cast it to VARCHAR",
            show(other)
        ))),
    };
    let entries = arg.entries("properties", "MAP {'owner': 'research'}")?;
    let entries: Vec<_> =
        entries.into_iter().map(|(key, of)| Ok((key.clone(), value(&key, of)?))).collect::<Result<_>>()?;
    if entries.is_empty() {
        return Err(Error::invalid_argument("properties is empty; name one or more"));
    }
    Ok(entries)
}
