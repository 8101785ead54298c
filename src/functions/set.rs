//! `tstable_set`: sets or removes a property of a table.

use std::sync::Arc;

use tstable_core::{Error, Result, log::Version};

use super::{
    Shared,
    answer::{Answer, Change},
    arguments::EXPECTED_VERSION,
    report::Cell,
    set_many::bind_many,
};
use crate::host::{Arg, Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Set(pub(crate) Arc<Shared>);

impl TableFunction for Set {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_set",
            positional: &[
                Param { name: "root", ty: ParamType::Varchar },
                Param { name: "key", ty: ParamType::Any },
                Param { name: "value", ty: ParamType::Varchar },
            ],
            named: &[EXPECTED_VERSION],
            description: "Sets a property of a table; NULL removes it.",
            example: "CALL tstable_set('prices', 'owner', 'research')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let change = Change::of(&self.0, session, &args)?;
        if let several @ (Arg::Map(_) | Arg::Struct(_)) = args.at_position(1, "key")? {
            if args.text_or_null_at(2, "value")?.is_some() {
                return Err(Error::invalid_argument(
                    "the map of properties has their values; leave value out, or give NULL",
                ));
            }
            return bind_many(change, several);
        }
        let key = args.text_at(1, "key")?;
        let value = args.text_or_null_at(2, "value")?;
        let answer = Answer::new()
            .text("key", |done: &Done| Cell::text(&done.key))
            .text("value", |done| Cell::maybe(done.value.as_ref(), Cell::text))
            .count("version", |done| done.version.0);
        Ok(change.bound(answer, move |table, snapshot, _| {
            let changed = table.set(snapshot, &key, value.as_deref())?;
            let version = changed.snapshot.state.version;
            Ok((changed, [Done { key: key.clone(), value: value.clone(), version }]))
        }))
    }
}

struct Done {
    key: String,
    value: Option<String>,
    /// The table's version afterwards.
    version: Version,
}
