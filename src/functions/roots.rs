//! Several tables as one argument: a list of directories, or a pattern like `store/*`.

use std::{collections::HashSet, path::Path};

use tstable_core::{
    Error, Result,
    log::LOG_DIRECTORY,
    prune::expr::Constant,
    storage::{
        access::Access,
        is_remote,
        local::roots::{has_pattern, matching},
    },
    table::monitor::check_cancelled,
};

use super::{
    Watch,
    access::{self, check_directory},
    address,
    literal::show,
};
use crate::host::{Arg, Args, Session};

/// The tables that an argument is about.
#[derive(Debug, Clone)]
pub(crate) enum Roots {
    /// One that was named.
    One(String),
    /// Those of a list or a pattern, each once, in the order of the list and of their names.
    Several(Vec<Given>),
}

/// A member of a list, or the one pattern: a directory or a pattern.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    root: String,
    /// What the session may reach.
    access: Access,
}

impl Given {
    pub(crate) fn new(session: &dyn Session, root: String) -> Self {
        Self { root, access: access::of(session) }
    }
}

impl Args {
    /// The first argument: a directory, a pattern, or a list of either.
    pub(crate) fn roots(&self, session: &dyn Session) -> Result<Roots> {
        let given = |root| Given::new(session, root);
        let text = |arg: &Arg| match arg {
            Arg::Scalar(Constant::Text(text)) => address::root(session, "root", text),
            other => Err(Error::invalid_argument(format!(
                "root := {} is not the directory of a table, nor a list of such",
                show(other)
            ))),
        };
        match self.at_position(0, "root")? {
            Arg::List(items) if items.is_empty() => {
                Err(Error::invalid_argument("root := [] names no table; name one or more"))
            }
            Arg::List(items) => {
                Ok(Roots::Several(items.iter().map(|item| text(item).map(given)).collect::<Result<_>>()?))
            }
            one => {
                let root = text(one)?;
                // A directory may be called like a pattern.
                let plain = !has_pattern(&root) || Path::new(&root).join(LOG_DIRECTORY).is_dir();
                Ok(if plain { Roots::One(root) } else { Roots::Several(vec![given(root)]) })
            }
        }
    }
}

/// The directories that are meant; those of a pattern are the tables that match it now.
///
/// # Errors
/// `Cancelled`; `NotFound` when a pattern matches no table.
pub(crate) fn expand(given: &[Given], session: &dyn Session) -> Result<Vec<String>> {
    let mut roots = Vec::new();
    let mut seen = HashSet::new();
    for Given { root, access } in given {
        if is_remote(root) {
            if has_pattern(root) {
                return Err(Error::invalid_argument(format!(
                    "'{root}' is a pattern of tables in a store, where none are looked for; list their addresses"
                )));
            }
            if seen.insert(root.into()) {
                roots.push(root.clone());
            }
            continue;
        }
        let found = if has_pattern(root) && !Path::new(root).join(LOG_DIRECTORY).is_dir() {
            matching(root, LOG_DIRECTORY, &|| check_cancelled(&Watch(session)))?
        } else {
            vec![Path::new(root).to_owned()]
        };
        if found.is_empty() {
            return Err(Error::not_found(format!("no table matches '{root}'")));
        }
        for path in found {
            check_directory(access, "root", &path.to_string_lossy())?;
            // By what they lead to: named twice, or through a link, a table is one table.
            if seen.insert(std::fs::canonicalize(&path).unwrap_or_else(|_| path.clone())) {
                roots.push(path.to_string_lossy().into_owned());
            }
        }
    }
    Ok(roots)
}
