//! `tstable_segments`: the live segments in the order of the index.

use std::sync::Arc;

use tstable_core::{
    Result,
    log::{commit::SortOrder, definition::Definition, segment::Segment},
};

use super::{Shared, answer::Answer, arguments::RANGE_AND_VERSION_PARAMS, question::ask, report::Cell, shape::Shape};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Segments(pub(crate) Arc<Shared>);

impl TableFunction for Segments {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_segments",
            positional: &[Param { name: "root", ty: ParamType::Varchar }],
            named: &RANGE_AND_VERSION_PARAMS,
            description: "The live segments of a table in the order of its index; opens no Parquet file.",
            example: "FROM tstable_segments('prices')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        ask(&self.0, session, &args, answer, |asked| {
            let (range, definition) = (asked.range, &asked.snapshot.state.definition);
            let segments = asked.snapshot.state.segments.all()?.into_iter().filter(|segment| segment.meets(&range));
            Ok(segments.map(|segment| (Arc::clone(segment), Arc::clone(definition))).collect::<Vec<_>>())
        })
    }
}

type Line = (Arc<Segment>, Arc<Definition>);

fn answer(shape: &Shape) -> Answer<Line> {
    Answer::new()
        .text("segment", |(segment, _): &Line| Cell::text(&segment.record.id))
        .text("path", |(segment, _)| Cell::text(&segment.record.path))
        .count("rows", |(segment, _)| segment.record.rows)
        .count("bytes", |(segment, _)| segment.record.bytes)
        .index("index_min", &shape.index, |(segment, _)| segment.record.index_min)
        .index("index_max", &shape.index, |(segment, _)| segment.record.index_max)
        .count("entity_count", |(segment, _)| segment.record.entities)
        .text("sorted_by", |(segment, _)| Cell::maybe(segment.record.sorted_by.map(order), Cell::text))
        .count("added_version", |(segment, _)| segment.added.0)
        .text("source", |(segment, _)| sources(segment))
        .text("constants", |(segment, definition)| Cell::maybe(segment.record.constants_json(definition), Cell::text))
}

fn order(order: SortOrder) -> &'static str {
    match order {
        SortOrder::Index => "index",
        SortOrder::EntityIndex => "entity, index",
    }
}

fn sources(segment: &Segment) -> Cell {
    let sources: Vec<_> = segment.record.sources.iter().map(|source| source.path.as_str()).collect();
    if sources.is_empty() { Cell::Null } else { Cell::text(sources.join(", ")) }
}
