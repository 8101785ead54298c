//! `tstable_drop`: removes a table, and nothing that is not its own.

use std::sync::Arc;

use tstable_core::{
    Error, ErrorKind, Result,
    table::{
        At,
        drop::{Dropped, drop_table},
    },
};

use super::{Shared, answer::Answer, arguments::EXPECTED_VERSION, report::Cell};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Drop(pub(crate) Arc<Shared>);

impl TableFunction for Drop {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_drop",
            positional: &[Param { name: "root", ty: ParamType::Varchar }],
            named: &[
                Param { name: "confirm", ty: ParamType::Boolean },
                Param { name: "tags", ty: ParamType::Boolean },
                EXPECTED_VERSION,
            ],
            description: "Removes the files that belong to a table and nothing else; without confirm it lists them.",
            example: "FROM tstable_drop('prices', confirm := true)",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let (root, expected) = (args.root(session)?, args.expected()?);
        let (confirmed, with_tags) = (args.flag("confirm")?, args.flag("tags")?);
        let shared = Arc::clone(&self.0);
        let answer =
            Answer::new().text("path", |file: &Dropped| Cell::text(&file.path)).flag("deleted", |file| file.deleted);
        Ok(answer.bound(move |session| {
            let found = shared.snapshot(&root, &At::Latest, session);
            let latest = match found {
                Ok((_, snapshot)) => Some(snapshot),
                // What an interrupted drop left is not a table any more.
                Err(e) if e.kind() == ErrorKind::NotFound => None,
                Err(e) => return Err(unopened(&root, e)),
            };
            let table = shared.cache.table(&root).expecting(expected.0);
            if let Some(latest) = &latest {
                table.check_expected(latest.state.version)?;
            }
            drop_table(&table, latest.as_ref(), with_tags, !confirmed)
        }))
    }
}

/// Whose files they are cannot be told of a table that cannot be opened.
fn unopened(root: &str, cause: Error) -> Error {
    Error::new(cause.kind(), format!("the table at '{root}' cannot be opened, so nothing was dropped")).caused_by(cause)
}
