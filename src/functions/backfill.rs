//! `tstable_backfill`: the gaps of a range, packed into requests for a data vendor, oldest first.

use std::sync::Arc;

use tstable_core::{Result, schema::ColumnType, table::backfill::Requests};

use super::{
    Shared, Watch,
    arguments::VERSION_PARAMS,
    bound_to::BoundTo,
    entity_argument::Chosen,
    literal::max_units,
    report::{Cell, Report, column},
    shape::{Shape, row},
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
        let columns = shape.columns([
            column("request_start", shape.index.clone()),
            column("request_end", shape.index.clone()),
            column("missing_buckets", ColumnType::BigInt),
            column("gaps", ColumnType::BigInt),
        ]);
        Ok(Report::bound(columns, move |session| {
            let (_, snapshot) = shared.snapshot(&root, &at, session)?;
            bound_to.check(&snapshot)?;
            let shape = Shape::of(&snapshot)?;
            let choice = chosen.choice(&snapshot)?;
            let (subjects, _) = snapshot.counted_subjects(&shape.grid, &range, &choice, &Watch(session))?;
            let packed = Requests::new(subjects, shape.grid.clone(), units);
            Ok(Box::new(packed.take(most.unwrap_or(usize::MAX)).map(move |request| {
                let cells = [
                    shape.start(request.run.first).into(),
                    shape.end(request.run.last).into(),
                    Cell::count(request.buckets),
                    Cell::count(request.gaps),
                ];
                Ok(row(&request.entity, cells))
            })))
        }))
    }
}
