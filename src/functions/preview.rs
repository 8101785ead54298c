//! `tstable_preview`: what an append of files would do, changing nothing.

use std::sync::Arc;

use tstable_core::{
    Result,
    schema::ColumnType,
    storage::outside::expand,
    table::{At, incoming::Target, preview::preview},
};

use super::{
    Shared, Watch,
    report::{Cell, Report, column},
};
use crate::host::{Args, Bound, OutColumn, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Preview(pub(crate) Arc<Shared>);

impl TableFunction for Preview {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_preview",
            positional: &[Param { name: "root", ty: ParamType::Varchar }, Param { name: "source", ty: ParamType::Any }],
            named: &[],
            description: "What an append of files would do, changing nothing.",
            example: "FROM tstable_preview('prices', 'incoming/*.parquet')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let root = args.root(session)?;
        let patterns = args.paths_at(session, 1, "source")?;
        let shared = Arc::clone(&self.0);
        let (_, snapshot) = shared.snapshot(&root, &At::Latest, session)?;
        let columns = columns(entities(&snapshot, &patterns)?);
        Ok(Report::bound(columns, move |session| {
            let (_, snapshot) = shared.snapshot(&root, &At::Latest, session)?;
            let files = preview(&snapshot, &expand(&patterns)?, &Watch(session))?;
            let rows = files.into_iter().flat_map(|file| {
                let name = Cell::text(&file.file);
                file.entities.into_iter().map(move |found| {
                    let mut row = vec![name.clone()];
                    row.extend(found.entity.parts().iter().map(Cell::from));
                    row.extend([
                        Cell::count(found.rows),
                        Cell::count(found.new_buckets),
                        Cell::count(found.covered_buckets),
                        Cell::Bool(file.already_loaded),
                    ]);
                    Ok(row)
                })
            });
            Ok(Box::new(rows))
        }))
    }
}

/// The entity columns, which the files decide for a table that has no columns yet.
fn entities(snapshot: &tstable_core::table::Snapshot, patterns: &[String]) -> Result<Vec<OutColumn>> {
    let mut definition = snapshot.definition().clone();
    if definition.schema.is_none() {
        definition = Target::of(&definition, &expand(patterns)?)?.definition;
    }
    let columns = definition.entity_schema().unwrap_or_default();
    Ok(columns.into_iter().map(|c| column(&c.name, c.ty.clone())).collect())
}

fn columns(entities: Vec<OutColumn>) -> Vec<OutColumn> {
    let counts = ["rows", "new_buckets", "covered_buckets"].map(|name| column(name, ColumnType::BigInt));
    std::iter::once(column("file", ColumnType::Varchar))
        .chain(entities)
        .chain(counts)
        .chain([column("already_loaded", ColumnType::Boolean)])
        .collect()
}
