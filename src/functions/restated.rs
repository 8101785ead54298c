//! `tstable_restated`: the values that files restate, cell by cell, before anything is loaded.

use std::{path::PathBuf, sync::Arc};

use tstable_core::{
    Error, Result,
    table::{
        Snapshot,
        compare::{Comparison, Restated as Value},
        folders::Folders,
        incoming::Arrival,
        monitor::{Monitor, Unwatched},
        target::Target,
    },
};

use super::{Shared, Watch, answer::Answer, arguments::VERSION_PARAMS, bound_to::BoundTo, report::Cell, shape::Shape};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Restated(pub(crate) Arc<Shared>);

impl TableFunction for Restated {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_restated",
            positional: &[Param { name: "root", ty: ParamType::Varchar }, Param { name: "source", ty: ParamType::Any }],
            named: &VERSION_PARAMS,
            description: "The values that files restate: rows of an entity and index that the table has with others.",
            example: "FROM tstable_restated('prices', 'corrections.parquet')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let root = args.root(session)?;
        let sources = args.files_at(session, 1, "source")?;
        let at = args.at(session)?;
        let shared = Arc::clone(&self.0);
        let (_, snapshot) = shared.snapshot(&root, &at, session)?;
        snapshot.schema()?;
        let (shape, bound_to) = (Shape::of(&snapshot)?, BoundTo::shape(&root, &snapshot)?);
        Ok(answer(&shape).bound_to_each(move |session| {
            let (_, snapshot) = shared.snapshot(&root, &at, session)?;
            bound_to.check(&snapshot)?;
            let mut files = sources.files()?.into_iter();
            // The first file is looked at while the caller can be heard.
            let first = files.next().map(|path| compared(&snapshot, path, &Watch(session))).transpose()?.flatten();
            let others = files.filter_map(move |path| compared(&snapshot, path, &Unwatched).transpose());
            let all = first.map(Ok).into_iter().chain(others);
            Ok(all.flat_map(|file| -> Box<dyn Iterator<Item = Result<Value>> + Send> {
                match file {
                    Ok(values) => Box::new(values),
                    Err(e) => Box::new(std::iter::once(Err(e))),
                }
            }))
        }))
    }
}

fn answer(shape: &Shape) -> Answer<Value> {
    Answer::new()
        .entity(&shape.entities, |value: &Value| Some(&value.entity))
        .index("index", &shape.index, |value| value.index)
        .text("column", |value| Cell::text(&value.column))
        .text("old_value", |value| Cell::maybe(value.old.as_ref(), Cell::text))
        .text("new_value", |value| Cell::maybe(value.new.as_ref(), Cell::text))
}

/// The values that a file restates; none of a file without rows.
fn compared(snapshot: &Snapshot, path: PathBuf, monitor: &dyn Monitor) -> Result<Option<Comparison>> {
    let target = Target::of_table(snapshot.definition())?;
    let arrival = Arrival::read(&path, Some(&target), &Folders::default(), monitor)?;
    let Some(file) = arrival.rows() else { return Ok(None) };
    let named = |e: Error| e.with("file", path.display());
    Comparison::new(snapshot.storage(), &snapshot.state, &target, file, true, monitor).map(Some).map_err(named)
}
