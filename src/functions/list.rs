//! `tstable_list`: the tables in a tree of directories.

use std::{path::Path, sync::Arc};

use tstable_core::{
    Result,
    log::{LOG_DIRECTORY, state::TableState},
    storage::local::roots::Found,
    table::{Snapshot, monitor::check_cancelled},
    time::format_value,
};

use super::{
    Shared, Watch, access,
    address::local_directory,
    answer::Answer,
    report::{Cell, text_map},
};
use crate::host::{Args, Bound, LogLevel, Param, ParamType, Session, Signature, TableFunction};

/// Where the properties of a table would be stands under this key why it cannot be read.
const ERROR_KEY: &str = "tstable.error";

pub(crate) struct List(pub(crate) Arc<Shared>);

impl TableFunction for List {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_list",
            positional: &[Param { name: "dir", ty: ParamType::Varchar }],
            named: &[],
            description: "The tables in a directory and the directories below it, with their properties.",
            example: "FROM tstable_list('stores')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let directory = local_directory(session, "dir", &args.text_at(0, "dir")?)?;
        let (shared, access) = (Arc::clone(&self.0), access::of(session));
        Ok(answer().bound(move |session| {
            let go_on = || check_cancelled(&Watch(session));
            let found = access.find_marked(Path::new(&directory), LOG_DIRECTORY, &go_on)?;
            let listed = found.into_iter().map(|found| go_on().map(|()| Listed::open(&shared, found, session)));
            listed.collect::<Result<Vec<_>>>()
        }))
    }
}

/// One table. One that cannot be opened, or a directory that cannot be looked into, must not hide the others: it has its root and, in
/// place of properties, what is wrong with it.
struct Listed {
    root: String,
    opened: Result<Snapshot>,
}

impl Listed {
    fn open(shared: &Shared, found: Found, session: &dyn Session) -> Self {
        let root = found.path.to_string_lossy().into_owned();
        let opened = found.error.map_or_else(|| shared.cache.latest(&root).map(|(_, snapshot)| snapshot), Err);
        if let Err(e) = &opened {
            session.log(LogLevel::Warning, &format!("'{root}' cannot be opened: {e}"));
        }
        Self { root, opened }
    }

    fn state(&self) -> Option<&TableState> {
        self.opened.as_ref().ok().map(|snapshot| snapshot.state.as_ref())
    }

    /// The least and the greatest index value as text, as the tables of a tree may have indexes of different types.
    fn bounds(&self) -> Option<[String; 2]> {
        let ty = self.opened.as_ref().ok()?.index_type().ok()?;
        let (min, max) = self.state()?.index_bounds()?;
        Some([format_value(min, ty), format_value(max, ty)])
    }

    fn properties(&self) -> Cell {
        match &self.opened {
            Ok(snapshot) => {
                Cell::Pairs(snapshot.state.properties.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
            }
            Err(e) => Cell::Pairs(vec![(ERROR_KEY.to_owned(), e.to_string())]),
        }
    }
}

fn answer() -> Answer<Listed> {
    Answer::new()
        .text("root", |table: &Listed| Cell::text(&table.root))
        .maybe_count("version", |table| table.state().map(|state| state.version.0))
        .maybe_count("rows", |table| table.state().map(TableState::rows))
        .text("index_min", |table| Cell::maybe(table.bounds(), |[min, _]| Cell::text(min)))
        .text("index_max", |table| Cell::maybe(table.bounds(), |[_, max]| Cell::text(max)))
        .column("properties", text_map(), Listed::properties)
}
