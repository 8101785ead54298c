//! `tstable_info`: what a table is and how much it holds, from the log alone.

use std::sync::Arc;

use tstable_core::{
    Result,
    log::{FORMAT_VERSION, universe::Universe},
    schema::ColumnType,
    table::{Snapshot, fragmentation},
};

use super::{
    Shared,
    arguments::VERSION_PARAMS,
    bound_to::BoundTo,
    report::{Cell, INSTANT, Report, Row, column, text_list},
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
        let (index, bound_to) = (Shape::of(&snapshot)?.index, BoundTo::shape(&root, &snapshot)?);
        let columns = vec![
            column("root", ColumnType::Varchar),
            column("format_version", ColumnType::Integer),
            column("version", ColumnType::BigInt),
            column("created_at", INSTANT),
            column("index_column", ColumnType::Varchar),
            column("index_type", ColumnType::Varchar),
            column("bucket", ColumnType::Varchar),
            column("timezone", ColumnType::Varchar),
            column("entity_columns", text_list()),
            column("uniqueness", ColumnType::Varchar),
            column("columns", text_list()),
            column("rows", ColumnType::BigInt),
            column("segments", ColumnType::BigInt),
            column("bytes", ColumnType::BigInt),
            column("entities", ColumnType::BigInt),
            column("index_min", index.clone()),
            column("index_max", index),
            column("last_commit_at", INSTANT),
            column("fragmentation", ColumnType::Double),
            column("recommendation", ColumnType::Varchar),
        ];
        Ok(Report::bound(columns, move |session| {
            let (_, snapshot) = shared.snapshot(&root, &at, session)?;
            bound_to.check(&snapshot)?;
            let row = row(&root, &snapshot)?;
            Ok(Box::new(std::iter::once(Ok(row))))
        }))
    }
}

fn row(root: &str, snapshot: &Snapshot) -> Result<Row> {
    let (state, definition) = (&snapshot.state, snapshot.definition());
    let names: Vec<_> = definition.schema.iter().flat_map(|schema| &schema.columns).map(|c| &c.name).collect();
    let bounds = state.index_bounds();
    let layout = fragmentation::assess(state)?;
    Ok(vec![
        Cell::text(root),
        Cell::count(u64::from(FORMAT_VERSION)),
        Cell::count(state.version.0),
        state.created_at.into(),
        Cell::text(&definition.index_column),
        Cell::maybe(definition.index_type(), |ty| Cell::text(ty.to_string())),
        Cell::text(definition.bucket.to_string()),
        Cell::maybe(definition.timezone.as_ref(), Cell::text),
        Cell::texts(&definition.entity_columns),
        Cell::text(definition.uniqueness.word()),
        Cell::texts(names),
        Cell::count(state.rows()),
        Cell::count(state.segments.len() as u64),
        Cell::count(state.bytes()),
        Cell::count(entity_count(snapshot)?),
        Cell::maybe(bounds, |(min, _)| min.into()),
        Cell::maybe(bounds, |(_, max)| max.into()),
        state.committed_at.into(),
        Cell::Float(layout.fragmentation),
        Cell::maybe(layout.recommendation, Cell::text),
    ])
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
