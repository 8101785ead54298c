//! `tstable_mark_empty`: records that there is nothing to be had for buckets, so that they no longer count as gaps.

use std::sync::Arc;

use tstable_core::{
    Result,
    table::{
        At,
        expect::{EmptyRequest, Marked},
    },
    time::Grid,
};

use super::{
    Shared,
    answer::{Answer, Change},
    arguments::EXPECTED_VERSION,
    bound_to::BoundTo,
    entity_argument::resolve,
    report::Cell,
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
            description: "Records buckets as confirmed empty: they count neither as a gap nor as data.",
            example: "CALL tstable_mark_empty('prices', '2024-06-01', '2024-06-02', entity := {'symbol': 'NVDA'}, reason := 'halted')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let change = Change::of(&self.0, session, &args)?;
        let root = change.root.clone();
        let (_, snapshot) = self.0.snapshot(&root, &At::Latest, session)?;
        let (shape, bound_to) = (Shape::of(&snapshot)?, BoundTo::shape(&root, &snapshot)?);
        let range = args.bounded_range_at(session, 1, &shape.index)?;
        let (entities, reason, undo) = (args.entities()?, args.text("reason")?, args.flag("undo")?);
        let answer = Answer::new()
            .text("root", move |_| Cell::text(&root))
            .count("version", |(marked, _): &(Marked, Grid)| marked.changed.snapshot.state.version.0)
            .column("start", shape.index.clone(), |(marked, grid)| grid.start_of(marked.run.first).into())
            .column("until", shape.index, |(marked, grid)| grid.end_of(marked.run.last).into())
            .count("buckets", |(marked, _)| marked.run.buckets());
        Ok(change.bound(answer, move |table, snapshot, _| {
            bound_to.check(snapshot)?;
            let entities = resolve(snapshot, &entities)?;
            let request = EmptyRequest { range, entities, reason: reason.clone(), undo };
            let marked = table.mark_empty(snapshot, &request)?;
            let grid = marked.changed.snapshot.grid()?;
            Ok((marked.changed.clone(), [(marked, grid)]))
        }))
    }
}
