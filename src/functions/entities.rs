//! `tstable_entities`: the entities of a table, how far each reaches and how far it lags behind the newest.

use std::{collections::HashMap, sync::Arc};

use tstable_core::{
    Result,
    coverage::Entity,
    table::subject::Subject,
    time::{IndexValue, Run},
};

use super::{
    Shared,
    answer::Answer,
    arguments::VERSION_PARAMS,
    question::{Asked, ask},
    report::Cell,
    shape::Shape,
};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

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
        ask(&self.0, session, &args, answer, |asked| {
            let segments = segments_by_entity(&asked)?;
            let subjects = asked.subjects()?;
            let newest = subjects.iter().filter_map(|subject| subject.covered().last()).max();
            let shape = Arc::new(asked.shape);
            let newest = newest.map(|bucket| shape.end(bucket));
            Ok(subjects.into_iter().map(move |subject| Line {
                segments: segments.get(&subject.entity).copied().unwrap_or(0),
                shape: Arc::clone(&shape),
                newest,
                subject,
            }))
        })
    }
}

/// One entity.
struct Line {
    shape: Arc<Shape>,
    subject: Subject,
    segments: u64,
    /// Where the newest bucket of any entity ends.
    newest: Option<IndexValue>,
}

impl Line {
    /// Its covered buckets. An entity that should be there may have none yet.
    fn has(&self) -> Option<Run> {
        self.subject.covered().extent()
    }

    fn lag(&self) -> Cell {
        let ends = self.has().map(|has| self.shape.end(has.last)).zip(self.newest);
        Cell::maybe(ends, |(own, newest)| self.shape.duration(own, newest))
    }
}

fn answer(shape: &Shape) -> Answer<Line> {
    Answer::new()
        .entity(&shape.entities, |line: &Line| Some(&line.subject.entity))
        .maybe_index("first_bucket", &shape.index, |line| line.has().map(|has| line.shape.start(has.first)))
        .maybe_index("last_bucket", &shape.index, |line| line.has().map(|has| line.shape.start(has.last)))
        .count("buckets", |line| line.subject.covered().len())
        .count("segments", |line| line.segments)
        .column("lag", shape.duration_type(), Line::lag)
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
