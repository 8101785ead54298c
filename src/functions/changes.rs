//! `tstable_changes`: what lies between two versions.

use std::sync::Arc;

use tstable_core::{
    Error, Result,
    log::Version,
    schema::ColumnType,
    table::{
        At,
        differences::{Difference, differences},
    },
};

use super::{
    Shared,
    bound_to::BoundTo,
    report::{Cell, Report, Row, column},
    shape::Shape,
};
use crate::host::{Args, Bound, OutColumn, Param, ParamType, Session, Signature, TableFunction};

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
        Ok(Report::bound(columns(&Shape::of(&latest)?), move |session| {
            // Versions from before the first rows have no columns, so the newest one is compared.
            bound_to.check(&shared.snapshot(&root, &At::Latest, session)?.1)?;
            let (_, until) = shared.snapshot(&root, &At::Version(until), session)?;
            let (_, from) = shared.snapshot(&root, &At::Version(from), session)?;
            let found = differences(&from, &until)?;
            Ok(Box::new(found.into_iter().map(|difference| Ok(row(&difference)))))
        }))
    }
}

fn columns(shape: &Shape) -> Vec<OutColumn> {
    vec![
        column("change", ColumnType::Varchar),
        column("segment", ColumnType::Varchar),
        column("added_version", ColumnType::BigInt),
        column("rows", ColumnType::BigInt),
        column("index_min", shape.index.clone()),
        column("index_max", shape.index.clone()),
        column("entities", ColumnType::BigInt),
        column("buckets", ColumnType::BigInt),
        column("buckets_changed", ColumnType::BigInt),
    ]
}

fn row(difference: &Difference) -> Row {
    let record = &difference.segment.record;
    vec![
        Cell::text(if difference.added { "added" } else { "removed" }),
        Cell::text(&record.id),
        Cell::count(difference.segment.added.0),
        Cell::count(record.rows),
        record.index_min.into(),
        record.index_max.into(),
        Cell::count(record.entities),
        Cell::count(record.buckets),
        Cell::count(difference.buckets),
    ]
}
