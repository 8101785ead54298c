//! `PRAGMA tstable_views`: a view for each table of a store, so that whatever lists tables sees them.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use tstable_core::{
    Error, Result, log::LOG_DIRECTORY, prune::expr::Constant, storage::local::roots::has_pattern,
    table::monitor::check_cancelled,
};

use super::{Shared, Watch, access, address::local_directory};
use crate::host::{Arg, LogLevel, Pragma, Session};

/// The schema of the views where none is named.
const DEFAULT_SCHEMA: &str = "tstable";

pub(crate) struct Views(pub(crate) Arc<Shared>);

impl Pragma for Views {
    fn name(&self) -> &'static str {
        "tstable_views"
    }

    fn parameters(&self) -> &'static [(&'static str, Option<&'static str>)] {
        &[("store", None), ("schema", Some(DEFAULT_SCHEMA))]
    }

    fn description(&self) -> &'static str {
        "Makes a view for each table below a directory."
    }

    fn query(&self, session: &dyn Session, arguments: &[Arg]) -> Result<String> {
        let store = local_directory(session, "store", text(arguments, 0, "store")?)?;
        let schema = text(arguments, 1, "schema")?;
        let store = std::path::absolute(&store).map_err(|e| Error::io("find", &store, e))?;
        let views = self.views(session, &store)?;
        if views.is_empty() {
            return Err(Error::not_found(format!("there is no table with columns below '{}'", store.display())));
        }
        let schema = quoted(schema, '"');
        let mut sql = format!("CREATE SCHEMA IF NOT EXISTS {schema};");
        for (name, root) in views {
            let (name, source) = (quoted(&name, '"'), source(&root));
            sql.push_str(&format!("\nCREATE OR REPLACE VIEW {schema}.{name} AS FROM {source};"));
        }
        Ok(sql)
    }
}

impl Views {
    /// The tables below `store` by the names of their views. A table without columns has nothing to show, and one that cannot be
    /// opened must not hide the others.
    fn views(&self, session: &dyn Session, store: &Path) -> Result<BTreeMap<String, String>> {
        let mut views = BTreeMap::new();
        let go_on = || check_cancelled(&Watch(session));
        for found in access::of(session).find_marked(store, LOG_DIRECTORY, &go_on)? {
            let root = found.path.to_string_lossy().into_owned();
            let opened = found.error.map_or_else(|| self.0.cache.latest(&root), Err);
            match opened {
                Ok((_, snapshot)) if snapshot.definition().schema.is_none() => continue,
                Ok(_) => {}
                Err(e) => {
                    session.log(LogLevel::Warning, &format!("'{root}' gets no view: {e}"));
                    continue;
                }
            }
            let name = name_of(store, &found.path);
            if let Some(other) = views.insert(name.clone(), root.clone()) {
                return Err(Error::already_exists(format!(
                    "'{other}' and '{root}' would both be the view \"{name}\"; rename one of the directories"
                )));
            }
        }
        Ok(views)
    }
}

/// What a view reads: the path alone, so that its filters leave the plan as they do in a query of the path. A path that DuckDB, or the
/// extension of another format, takes for something else is named to our function.
fn source(root: &str) -> String {
    let is_plain = !has_pattern(root) && Path::new(root).extension().is_none();
    let root = quoted(root, '\'');
    if is_plain { root } else { format!("tstable_scan({root})") }
}

/// The parts of the path below the store, joined; the directory's own name for the store itself.
fn name_of(store: &Path, root: &Path) -> String {
    let below = root.strip_prefix(store).ok().filter(|below| !below.as_os_str().is_empty());
    let named = below.unwrap_or_else(|| root.file_name().map_or(root, Path::new));
    let parts: Vec<_> = named.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    parts.join("_")
}

fn text<'a>(arguments: &'a [Arg], at: usize, name: &str) -> Result<&'a str> {
    match arguments.get(at) {
        Some(Arg::Scalar(Constant::Text(text))) if !text.is_empty() => Ok(text),
        _ => Err(Error::invalid_argument(format!(
            "{name} must be a text, as in PRAGMA tstable_views('store', 'market')"
        ))),
    }
}

fn quoted(text: &str, quote: char) -> String {
    let mut quoted = String::from(quote);
    for letter in text.chars() {
        if letter == quote {
            quoted.push(quote);
        }
        quoted.push(letter);
    }
    quoted.push(quote);
    quoted
}
