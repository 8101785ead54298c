//! `tstable_stale`: the buckets of a source that are not what they were when a table was made of it.

use std::sync::Arc;

use tstable_core::{
    Result,
    schema::ColumnType,
    table::{At, origins::derived_version, since::Since},
    time::BucketId,
};

use super::{
    Shared, Watch,
    bound_to::BoundTo,
    report::{Cell, Report, column},
    shape::{Shape, row},
};
use crate::host::{Args, Bound, OutColumn, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Stale(pub(crate) Arc<Shared>);

impl TableFunction for Stale {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_stale",
            positional: &[
                Param { name: "root", ty: ParamType::Varchar },
                Param { name: "source", ty: ParamType::Varchar },
            ],
            named: &[],
            description: "The buckets of a source that changed after the version that a derived table records.",
            example: "FROM tstable_stale('bars', 'ticks')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let root = args.root(session)?;
        let source = super::address::root(session, "source", &args.text_at(1, "source")?)?;
        let shared = Arc::clone(&self.0);
        let (_, bound) = shared.snapshot(&source, &At::Latest, session)?;
        let bound_to = BoundTo::shape(&source, &bound)?;
        Ok(Report::bound(columns(&Shape::of(&bound)?), move |session| {
            let (_, derived) = shared.snapshot(&root, &At::Latest, session)?;
            let (table, now) = shared.snapshot(&source, &At::Latest, session)?;
            bound_to.check(&now)?;
            if now.definition().schema.is_none() {
                return Ok(Box::new(std::iter::empty()));
            }
            let recorded = derived_version(&derived.state, &now.definition().table_id)?;
            let since = Since::new(&table, &now, recorded, &shared.cache).map_err(|e| e.with("source", &source))?;
            let changed = since.changed(&Watch(session))?;
            let (shape, version) = (Arc::new(Shape::of(&now)?), now.state.version.0);
            let sets: Vec<_> =
                changed.iter().map(|(entity, set)| (entity.clone(), set.runs().collect::<Vec<_>>())).collect();
            let rows = sets.into_iter().flat_map(move |(entity, runs)| {
                let shape = Arc::clone(&shape);
                runs.into_iter().flat_map(|run| run.first.0..=run.last.0).map(BucketId).map(move |bucket| {
                    let bounds = [shape.start(bucket).into(), shape.end(bucket).into(), Cell::count(version)];
                    Ok(row(&entity, bounds))
                })
            });
            Ok(Box::new(rows))
        }))
    }
}

fn columns(shape: &Shape) -> Vec<OutColumn> {
    shape.columns([
        column("bucket_start", shape.index.clone()),
        column("bucket_end", shape.index.clone()),
        column("source_version", ColumnType::BigInt),
    ])
}
