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
            let newest = entities.iter().filter_map(|subject| subject.covered().last()).max();
            let rows = entities.into_iter().map(move |subject| {
                // An entity that should be there may have nothing yet.
                let (entity, has) = (&subject.entity, subject.covered().extent());
                let shape = &asked.shape;
                let lag = has.zip(newest).map(|(has, newest)| shape.duration(shape.end(has.last), shape.end(newest)));
                let cells = [
                    Cell::maybe(has, |has| shape.start(has.first).into()),
                    Cell::maybe(has, |has| shape.start(has.last).into()),
                    Cell::count(subject.covered().len()),
                    Cell::count(segments.get(entity).copied().unwrap_or(0)),
                    lag.unwrap_or(Cell::Null),
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
