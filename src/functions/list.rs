//! `tstable_list`: the tables in a tree of directories.

use std::{path::Path, sync::Arc};

use tstable_core::{
    Result,
    log::LOG_DIRECTORY,
    schema::ColumnType,
    storage::local::roots::{Found, find_marked},
    table::Snapshot,
    time::format_value,
};

use super::{
    Shared,
    address::local,
    report::{Cell, Report, Row, column, text_map},
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
        let directory = local(session, "dir", &args.text_at(0, "dir")?)?;
        let shared = Arc::clone(&self.0);
        let columns = vec![
            column("root", ColumnType::Varchar),
            column("version", ColumnType::BigInt),
            column("rows", ColumnType::BigInt),
            column("index_min", ColumnType::Varchar),
            column("index_max", ColumnType::Varchar),
            column("properties", text_map()),
        ];
        Ok(Report::bound(columns, move |session| {
            let found = find_marked(Path::new(&directory), LOG_DIRECTORY)?;
            let rows: Vec<_> = found.into_iter().map(|found| row(&shared, found, session)).collect();
            Ok(Box::new(rows.into_iter().map(Ok)))
        }))
    }
}

/// One table. One that cannot be opened, or a directory that cannot be looked into, must not hide the others: it has its root and, in
/// place of properties, what is wrong with it.
fn row(shared: &Shared, found: Found, session: &dyn Session) -> Row {
    let root = found.path.to_string_lossy().into_owned();
    let opened = found.error.map_or_else(|| shared.cache.latest(&root), Err);
    match opened {
        Ok((_, snapshot)) => described(&root, &snapshot),
        Err(e) => {
            session.log(LogLevel::Warning, &format!("'{root}' cannot be opened: {e}"));
            let error = Cell::Pairs(vec![(ERROR_KEY.to_owned(), e.to_string())]);
            vec![Cell::text(&root), Cell::Null, Cell::Null, Cell::Null, Cell::Null, error]
        }
    }
}

fn described(root: &str, snapshot: &Snapshot) -> Row {
    let state = &snapshot.state;
    let bounds = state.index_bounds().zip(snapshot.index_type().ok());
    let (min, max) = match bounds {
        Some(((min, max), ty)) => (Cell::text(format_value(min, ty)), Cell::text(format_value(max, ty))),
        None => (Cell::Null, Cell::Null),
    };
    let properties = state.properties.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    vec![Cell::text(root), Cell::count(state.version.0), Cell::count(state.rows()), min, max, Cell::Pairs(properties)]
}
