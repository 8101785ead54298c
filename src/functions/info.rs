//! `tstable_info`: what a table is and how much it holds, from the log alone.

use std::sync::Arc;

use tstable_core::{
    Result,
    log::{FORMAT_VERSION, definition::Definition, state::TableState, universe::Universe},
    schema::ColumnType,
    table::{
        Snapshot,
        fragmentation::{self, Layout},
    },
};

use super::{
    Shared,
    answer::Answer,
    arguments::VERSION_PARAMS,
    bound_to::BoundTo,
    report::{Cell, INSTANT, text_list},
    shape::Shape,
};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Info(pub(crate) Arc<Shared>);

impl TableFunction for Info {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_info",
            positional: &[Param { name: "root", ty: ParamType::Varchar }],
            named: &VERSION_PARAMS,
            description: "What a table is and how much it holds; opens no Parquet file.",
            example: "FROM tstable_info('prices')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let root = args.root(session)?;
        let at = args.at(session)?;
        let shared = Arc::clone(&self.0);
        let (_, snapshot) = shared.snapshot(&root, &at, session)?;
        let (shape, bound_to) = (Shape::of(&snapshot)?, BoundTo::shape(&root, &snapshot)?);
        Ok(answer(&shape).bound(move |session| {
            let (_, snapshot) = shared.snapshot(&root, &at, session)?;
            bound_to.check(&snapshot)?;
            let (layout, entities) = (fragmentation::assess(&snapshot.state)?, entity_count(&snapshot)?);
            Ok([Known { root: root.clone(), snapshot, layout, entities }])
        }))
    }
}

/// What is told of a table.
struct Known {
    root: String,
    snapshot: Snapshot,
    layout: Layout,
    entities: u64,
}

impl Known {
    fn names(&self) -> Cell {
        Cell::texts(self.definition().schema.iter().flat_map(|schema| &schema.columns).map(|column| &column.name))
    }

    fn definition(&self) -> &Definition {
        self.snapshot.definition()
    }

    fn state(&self) -> &TableState {
        &self.snapshot.state
    }
}

fn answer(shape: &Shape) -> Answer<Known> {
    Answer::new()
        .text("root", |known: &Known| Cell::text(&known.root))
        .column("format_version", ColumnType::Integer, |_| Cell::count(u64::from(FORMAT_VERSION)))
        .count("version", |known| known.state().version.0)
        .column("created_at", INSTANT, |known| known.state().created_at.into())
        .text("index_column", |known| Cell::text(&known.definition().index_column))
        .text("index_type", |known| Cell::maybe(known.definition().index_type(), |ty| Cell::text(ty.to_string())))
        .text("bucket", |known| Cell::text(known.definition().bucket.to_string()))
        .text("timezone", |known| Cell::maybe(known.definition().timezone.as_ref(), Cell::text))
        .column("entity_columns", text_list(), |known| Cell::texts(&known.definition().entity_columns))
        .text("uniqueness", |known| Cell::text(known.definition().uniqueness.word()))
        .column("columns", text_list(), Known::names)
        .count("rows", |known| known.state().rows())
        .count("segments", |known| known.state().segments.len() as u64)
        .count("bytes", |known| known.state().bytes())
        .count("entities", |known| known.entities)
        .maybe_index("index_min", &shape.index, |known| known.state().index_bounds().map(|(min, _)| min))
        .maybe_index("index_max", &shape.index, |known| known.state().index_bounds().map(|(_, max)| max))
        .column("last_commit_at", INSTANT, |known| known.state().committed_at.into())
        .column("fragmentation", ColumnType::Double, |known| Cell::Float(known.layout.fragmentation))
        .text("recommendation", |known| Cell::maybe(known.layout.recommendation.as_ref(), Cell::text))
}

/// The entities that are there or should be, as tstable_entities lists them; a table without entity columns has none.
fn entity_count(snapshot: &Snapshot) -> Result<u64> {
    if snapshot.definition().entity_columns.is_empty() {
        return Ok(0);
    }
    let (coverage, expected) = (snapshot.coverage()?, Universe::of(&snapshot.state.properties)?);
    let absent = expected.entities().filter(|entity| coverage.get(entity).is_none()).count();
    Ok((coverage.entity_count() + absent) as u64)
}
