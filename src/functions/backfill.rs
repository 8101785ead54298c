//! `tstable_backfill`: the gaps of a range, packed into requests for a data vendor, oldest first.

use std::sync::Arc;

use tstable_core::{
    Result,
    table::backfill::{Request, Requests},
    time::IndexValue,
};

use super::{
    Shared, Watch, answer::Answer, arguments::VERSION_PARAMS, bound_to::BoundTo, entity_argument::Chosen,
    literal::max_units, shape::Shape,
};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Backfill(pub(crate) Arc<Shared>);

impl TableFunction for Backfill {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_backfill",
            positional: &[
                Param { name: "root", ty: ParamType::Varchar },
                Param { name: "start", ty: ParamType::Any },
                Param { name: "until", ty: ParamType::Any },
            ],
            named: &[
                Param { name: "max_window", ty: ParamType::Any },
                Param { name: "max_requests", ty: ParamType::BigInt },
                Param { name: "entity", ty: ParamType::Any },
                Param { name: "hold", ty: ParamType::Any },
                Param { name: "min_rows", ty: ParamType::BigInt },
                VERSION_PARAMS[0],
                VERSION_PARAMS[1],
                VERSION_PARAMS[2],
            ],
            description: "The gaps of a range packed into requests for a data vendor, oldest first.",
            example: "FROM tstable_backfill('prices', '2024-01-01', '2024-04-01', max_window := INTERVAL 7 DAY, max_requests := 100)",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let root = args.root(session)?;
        let shared = Arc::clone(&self.0);
        let at = args.at(session)?;
        let (_, snapshot) = shared.snapshot(&root, &at, session)?;
        let chosen = Chosen::of(&args, &snapshot)?;
        let (shape, bound_to) = (Shape::of(&snapshot)?, BoundTo::shape(&root, &snapshot)?);
        let range = args.bounded_range_at(session, 1, &shape.index)?;
        let units = args.named("max_window").map(|arg| max_units("max_window", arg, &shape.index)).transpose()?;
        let most = args.count("max_requests")?.map(|most| usize::try_from(most).unwrap_or(usize::MAX));
        Ok(answer(&shape).bound(move |session| {
            let (_, snapshot) = shared.snapshot(&root, &at, session)?;
            bound_to.check(&snapshot)?;
            let shape = Shape::of(&snapshot)?;
            let choice = chosen.choice(&snapshot)?;
            let (subjects, _) = snapshot.counted_subjects(&shape.grid, &range, &choice, &Watch(session))?;
            let packed = Requests::new(subjects, shape.grid.clone(), units);
            Ok(packed
                .take(most.unwrap_or(usize::MAX))
                .map(move |request| (shape.bounds(request.run.first, request.run.last), request)))
        }))
    }
}

/// A request, and where it begins and ends.
type Line = ((IndexValue, IndexValue), Request);

fn answer(shape: &Shape) -> Answer<Line> {
    Answer::new()
        .entity(&shape.entities, |(_, request): &Line| Some(&request.entity))
        .index("request_start", &shape.index, |((start, _), _)| *start)
        .index("request_end", &shape.index, |((_, end), _)| *end)
        .count("missing_buckets", |(_, request)| request.buckets)
        .count("gaps", |(_, request)| request.gaps)
}
