//! `tstable_segments`: the live segments in the order of the index.

use std::sync::Arc;

use tstable_core::{
    Result,
    log::{commit::SortOrder, definition::Definition, state::Segment},
    schema::ColumnType,
};

use super::{
    Shared,
    arguments::RANGE_AND_VERSION_PARAMS,
    question::ask,
    report::{Cell, Row, column},
    shape::Shape,
};
use crate::host::{Args, Bound, OutColumn, Param, ParamType, Session, Signature, TableFunction};

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
        ask(&self.0, session, &args, columns, |asked| {
            let segments: Vec<_> = asked.snapshot.state.segments.all()?.into_iter().cloned().collect();
            let (range, definition) = (asked.range, Arc::clone(&asked.snapshot.state.definition));
            Ok(Box::new(segments.into_iter().filter(move |s| s.meets(&range)).map(move |s| Ok(row(&s, &definition)))))
        })
    }
}

fn columns(shape: &Shape) -> Vec<OutColumn> {
    vec![
        column("segment", ColumnType::Varchar),
        column("path", ColumnType::Varchar),
        column("rows", ColumnType::BigInt),
        column("bytes", ColumnType::BigInt),
        column("index_min", shape.index.clone()),
        column("index_max", shape.index.clone()),
        column("entity_count", ColumnType::BigInt),
        column("sorted_by", ColumnType::Varchar),
        column("added_version", ColumnType::BigInt),
        column("source", ColumnType::Varchar),
        column("constants", ColumnType::Varchar),
    ]
}

fn row(segment: &Segment, definition: &Definition) -> Row {
    let record = &segment.record;
    let sources: Vec<_> = record.sources.iter().map(|source| source.path.as_str()).collect();
    let order = record.sorted_by.map(|order| match order {
        SortOrder::Index => "index",
        SortOrder::EntityIndex => "entity, index",
    });
    vec![
        Cell::text(&record.id),
        Cell::text(&record.path),
        Cell::count(record.rows),
        Cell::count(record.bytes),
        record.index_min.into(),
        record.index_max.into(),
        Cell::count(record.entities),
        Cell::maybe(order, Cell::text),
        Cell::count(segment.added.0),
        if sources.is_empty() { Cell::Null } else { Cell::text(sources.join(", ")) },
        Cell::maybe(record.constants_json(definition), Cell::text),
    ]
}
