//! `tstable_list`: the tables in a tree of directories.

use std::{path::Path, sync::Arc};

use tstable_core::{
    Result, log::LOG_DIRECTORY, schema::ColumnType, storage::local::roots::find_marked, table::Snapshot,
    time::format_value,
};

use super::{
    Shared,
    report::{Cell, Report, Row, column, text_map},
};
use crate::host::{Args, Bound, LogLevel, Param, ParamType, Session, Signature, TableFunction};

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

    fn bind(&self, _session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let directory = args.root()?;
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
            let roots = find_marked(Path::new(&directory), LOG_DIRECTORY)?;
            let roots = roots.into_iter().map(|root| root.to_string_lossy().into_owned());
            let rows: Vec<_> = roots.map(|root| row(&shared, root, session)).collect();
            Ok(Box::new(rows.into_iter().map(Ok)))
        }))
    }
}

/// One table. One that cannot be opened must not hide the others: it has its root and NULLs, and the log says why.
fn row(shared: &Shared, root: String, session: &dyn Session) -> Row {
    match shared.cache.latest(&root) {
        Ok((_, snapshot)) => described(&root, &snapshot),
        Err(e) => {
            session.log(LogLevel::Warning, &format!("'{root}' cannot be opened: {e}"));
            vec![Cell::text(&root), Cell::Null, Cell::Null, Cell::Null, Cell::Null, Cell::Null]
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
