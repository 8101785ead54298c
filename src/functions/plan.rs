//! `tstable_plan`: which segments a scan of a range would read, and why not the others.

use std::sync::Arc;

use tstable_core::{
    Result,
    table::select::{Reason, Selector},
};

use super::{Shared, answer::Answer, arguments::RANGE_AND_VERSION_PARAMS, question::ask, report::Cell};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

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
        ask(
            &self.0,
            session,
            &args,
            |_| answer(),
            |asked| {
                if asked.snapshot.definition().schema.is_none() {
                    return Ok(Vec::new());
                }
                let selector = Selector::new(&asked.snapshot)?;
                let query = selector.prepare(asked.range, Vec::new());
                let segments = asked.snapshot.state.segments.all()?;
                Ok(segments
                    .into_iter()
                    .map(|segment| (segment.record.id.clone(), selector.judge(segment, &query)))
                    .collect())
            },
        )
    }
}

/// Of a segment's name and what becomes of it.
fn answer() -> Answer<(String, Reason)> {
    Answer::new()
        .text("segment", |(id, _): &(String, Reason)| Cell::text(id))
        .flag("kept", |(_, reason)| *reason == Reason::Kept)
        .text("reason", |(_, reason)| Cell::text(reason.words()))
}
