//! `tstable_stale`: the buckets of a source that are not what they were when a table was made of it.

use std::sync::Arc;

use tstable_core::{
    Result,
    coverage::Entity,
    table::{At, origins::derived_version, since::Since},
    time::{BucketId, IndexValue},
};

use super::{Shared, Watch, answer::Answer, bound_to::BoundTo, shape::Shape};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

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
        Ok(answer(&Shape::of(&bound)?).bound(move |session| {
            let (_, derived) = shared.snapshot(&root, &At::Latest, session)?;
            let (table, now) = shared.snapshot(&source, &At::Latest, session)?;
            bound_to.check(&now)?;
            let (shape, version) = (Arc::new(Shape::of(&now)?), now.state.version.0);
            let mut changed = Vec::new();
            if now.definition().schema.is_some() {
                let recorded = derived_version(&derived.state, &now.definition().table_id)?;
                let since = Since::new(&table, &now, recorded, &shared.cache).map_err(|e| e.with("source", &source))?;
                let sets = since.changed(&Watch(session))?;
                changed.extend(sets.iter().map(|(entity, set)| (entity.clone(), set.runs().collect::<Vec<_>>())));
            }
            Ok(changed.into_iter().flat_map(move |(entity, runs)| {
                let shape = Arc::clone(&shape);
                let buckets = runs.into_iter().flat_map(|run| run.first.0..=run.last.0);
                buckets.map(BucketId).map(move |bucket| Line {
                    entity: entity.clone(),
                    bounds: shape.bounds(bucket, bucket),
                    version,
                })
            }))
        }))
    }
}

/// One bucket of an entity.
struct Line {
    entity: Entity,
    bounds: (IndexValue, IndexValue),
    /// Of the source.
    version: u64,
}

fn answer(shape: &Shape) -> Answer<Line> {
    Answer::new()
        .entity(&shape.entities, |line: &Line| Some(&line.entity))
        .index("bucket_start", &shape.index, |line| line.bounds.0)
        .index("bucket_end", &shape.index, |line| line.bounds.1)
        .count("source_version", |line| line.version)
}
