//! `tstable_plan`: which segments a scan of a range would read, and why not the others.

use std::sync::Arc;

use tstable_core::{
    Result,
    schema::ColumnType,
    table::select::{Reason, Selector},
};

use super::{
    Shared,
    arguments::RANGE_AND_VERSION_PARAMS,
    question::ask,
    report::{Cell, Row, column},
    shape::Shape,
};
use crate::host::{Args, Bound, OutColumn, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Plan(pub(crate) Arc<Shared>);

impl TableFunction for Plan {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_plan",
            positional: &[Param { name: "root", ty: ParamType::Varchar }],
            named: &RANGE_AND_VERSION_PARAMS,
            description: "Which segments a scan of a range would read, and why not the others.",
            example: "FROM tstable_plan('prices', start := '2024-06-01', until := '2024-07-01')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        ask(&self.0, session, &args, columns, |asked| {
            if asked.snapshot.definition().schema.is_none() {
                return Ok(Box::new(std::iter::empty()));
            }
            let selector = Selector::new(&asked.snapshot)?;
            let query = selector.prepare(asked.range, Vec::new());
            let row = |segment: &Arc<_>| -> Row {
                let segment: &tstable_core::log::state::Segment = segment;
                let reason = selector.judge(segment, &query);
                vec![Cell::text(&segment.record.id), Cell::Bool(reason == Reason::Kept), Cell::text(reason.words())]
            };
            let rows: Vec<_> = asked.snapshot.state.segments.all()?.into_iter().map(row).map(Ok).collect();
            Ok(Box::new(rows.into_iter()))
        })
    }
}

fn columns(_shape: &Shape) -> Vec<OutColumn> {
    vec![
        column("segment", ColumnType::Varchar),
        column("kept", ColumnType::Boolean),
        column("reason", ColumnType::Varchar),
    ]
}
