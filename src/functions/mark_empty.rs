//! `tstable_mark_empty`: records that there is nothing to be had for buckets, so that they are no gap any more.

use std::sync::Arc;

use tstable_core::{
    Result,
    schema::ColumnType,
    table::{At, expect::EmptyRequest},
};

use super::{
    Shared,
    arguments::EXPECTED_VERSION,
    bound_to::BoundTo,
    entity_argument::resolve,
    report::{Cell, Report, column},
    shape::Shape,
};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct MarkEmpty(pub(crate) Arc<Shared>);

impl TableFunction for MarkEmpty {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_mark_empty",
            positional: &[
                Param { name: "root", ty: ParamType::Varchar },
                Param { name: "start", ty: ParamType::Any },
                Param { name: "until", ty: ParamType::Any },
            ],
            named: &[
                Param { name: "entity", ty: ParamType::Any },
                Param { name: "reason", ty: ParamType::Varchar },
                Param { name: "undo", ty: ParamType::Boolean },
                EXPECTED_VERSION,
            ],
            description: "Records buckets as confirmed empty: they are no gap and no data.",
            example: "CALL tstable_mark_empty('prices', '2024-06-01', '2024-06-02', entity := {'symbol': 'NVDA'}, reason := 'halted')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let (root, expected) = (args.root(session)?, args.expected()?);
        let shared = Arc::clone(&self.0);
        let (_, snapshot) = shared.snapshot(&root, &At::Latest, session)?;
        let (shape, bound_to) = (Shape::of(&snapshot)?, BoundTo::shape(&root, &snapshot)?);
        let range = args.bounded_range_at(session, 1, &shape.index)?;
        let (entities, reason, undo) = (args.entities()?, args.text("reason")?, args.flag("undo")?);
        let columns = vec![
            column("root", ColumnType::Varchar),
            column("version", ColumnType::BigInt),
            column("start", shape.index.clone()),
            column("until", shape.index),
            column("buckets", ColumnType::BigInt),
        ];
        Ok(Report::bound(columns, move |session| {
            let (table, snapshot) = shared.to_change(&root, expected, session)?;
            bound_to.check(&snapshot)?;
            let entities = resolve(&snapshot, &entities)?;
            let request = EmptyRequest { range, entities, reason: reason.clone(), undo };
            let marked = table.mark_empty(&snapshot, &request)?;
            shared.cache.remember(&root, &table, &marked.snapshot.state);
            let grid = marked.snapshot.grid()?;
            let row = vec![
                Cell::text(&root),
                Cell::count(marked.snapshot.state.version.0),
                grid.start_of(marked.run.first).into(),
                grid.end_of(marked.run.last).into(),
                Cell::count(marked.run.buckets()),
            ];
            Ok(Box::new(std::iter::once(Ok(row))))
        }))
    }
}
