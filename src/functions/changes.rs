//! `tstable_changes`: what lies between two versions.

use std::sync::Arc;

use tstable_core::{
    Error, Result,
    log::Version,
    table::{
        At,
        differences::{Difference, differences},
    },
};

use super::{Shared, answer::Answer, bound_to::BoundTo, report::Cell, shape::Shape};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Changes(pub(crate) Arc<Shared>);

impl TableFunction for Changes {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_changes",
            positional: &[
                Param { name: "root", ty: ParamType::Varchar },
                Param { name: "from_version", ty: ParamType::BigInt },
                Param { name: "until_version", ty: ParamType::BigInt },
            ],
            named: &[],
            description: "The segments and buckets that came and went between two versions.",
            example: "FROM tstable_changes('prices', 3, 7)",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let root = args.root(session)?;
        let from = Version(args.count_at(1, "from_version")?);
        let until = Version(args.count_at(2, "until_version")?);
        if from > until {
            return Err(Error::invalid_argument(format!(
                "from_version := {from} is after until_version := {until}; give the earlier version first"
            )));
        }
        let shared = Arc::clone(&self.0);
        let (_, latest) = shared.snapshot(&root, &At::Latest, session)?;
        let bound_to = BoundTo::shape(&root, &latest)?;
        Ok(answer(&Shape::of(&latest)?).bound(move |session| {
            // Versions from before the first rows have no columns, so the newest one is compared.
            bound_to.check(&shared.snapshot(&root, &At::Latest, session)?.1)?;
            let (_, until) = shared.snapshot(&root, &At::Version(until), session)?;
            let (_, from) = shared.snapshot(&root, &At::Version(from), session)?;
            differences(&from, &until)
        }))
    }
}

fn answer(shape: &Shape) -> Answer<Difference> {
    Answer::new()
        .text("change", |found: &Difference| Cell::text(if found.added { "added" } else { "removed" }))
        .text("segment", |found| Cell::text(&found.segment.record.id))
        .count("added_version", |found| found.segment.added.0)
        .count("rows", |found| found.segment.record.rows)
        .column("index_min", shape.index.clone(), |found| found.segment.record.index_min.into())
        .column("index_max", shape.index.clone(), |found| found.segment.record.index_max.into())
        .count("entities", |found| found.segment.record.entities)
        .count("buckets", |found| found.segment.record.buckets)
        .count("buckets_changed", |found| found.buckets)
}
