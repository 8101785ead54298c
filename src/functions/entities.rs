//! `tstable_entities`: the entities of a table, how far each reaches and how far it lags behind the newest.

use std::{collections::HashMap, sync::Arc};

use tstable_core::{Result, coverage::Entity, schema::ColumnType};

use super::{
    Shared,
    arguments::VERSION_PARAMS,
    question::{Asked, ask},
    report::{Cell, column},
    shape::{Shape, row},
};
use crate::host::{Args, Bound, OutColumn, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Entities(pub(crate) Arc<Shared>);

impl TableFunction for Entities {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_entities",
            positional: &[Param { name: "root", ty: ParamType::Varchar }],
            named: &VERSION_PARAMS,
            description: "The entities of a table, how far each reaches and how far it lags behind the newest.",
            example: "FROM tstable_entities('prices') ORDER BY lag DESC",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        ask(&self.0, session, &args, columns, |asked| {
            let segments = segments_by_entity(&asked)?;
            let entities = asked.subjects()?;
            let newest = entities.iter().map(|subject| subject.extent.last).max();
            let rows = entities.into_iter().map(move |subject| {
                let (entity, extent) = (&subject.entity, subject.extent);
                let shape = &asked.shape;
                let newest_end = shape.end(newest.unwrap_or(extent.last));
                let cells = [
                    shape.start(extent.first).into(),
                    shape.start(extent.last).into(),
                    Cell::count(subject.covered().len()),
                    Cell::count(segments.get(entity).copied().unwrap_or(0)),
                    shape.duration(shape.end(extent.last), newest_end),
                ];
                Ok(row(entity, cells))
            });
            Ok(Box::new(rows))
        })
    }
}

fn columns(shape: &Shape) -> Vec<OutColumn> {
    shape.columns([
        column("first_bucket", shape.index.clone()),
        column("last_bucket", shape.index.clone()),
        column("buckets", ColumnType::BigInt),
        column("segments", ColumnType::BigInt),
        column("lag", shape.duration_type()),
    ])
}

fn segments_by_entity(asked: &Asked) -> Result<HashMap<Entity, u64>> {
    let mut segments = HashMap::new();
    for segment in asked.snapshot.state.segments.all()? {
        for entity in segment.coverage(asked.snapshot.storage().as_ref())?.entities() {
            *segments.entry(entity.clone()).or_default() += 1;
        }
    }
    Ok(segments)
}
