//! `tstable_preview`: what an append of files would do, changing nothing.

use std::sync::Arc;

use tstable_core::{
    Result,
    schema::ColumnType,
    storage::outside::expand,
    table::{
        At, Snapshot,
        compare::Counts,
        intake::Intake,
        preview::{EntityPreview, FilePreview, compared, preview},
        write::policy::AppendRequest,
    },
};

use super::{
    Shared, Watch,
    append::{PARAMS, request},
    arguments::joined,
    bound_to::other_columns,
    report::{Cell, Report, Row, column},
    shape::{Named, give_way},
};
use crate::host::{Args, Bound, OutColumn, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Preview(pub(crate) Arc<Shared>);

/// What an append takes, and whether rows are compared.
const PREVIEW_PARAMS: [Param; PARAMS.len() + 1] =
    joined(&[&PARAMS, &[Param { name: "compare", ty: ParamType::Boolean }]]);

impl TableFunction for Preview {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_preview",
            positional: &[Param { name: "root", ty: ParamType::Varchar }, Param { name: "source", ty: ParamType::Any }],
            named: &PREVIEW_PARAMS,
            description: "What an append of files would do, changing nothing.",
            example: "FROM tstable_preview('prices', 'incoming/*.parquet')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let root = args.root(session)?;
        let patterns = args.files_at(session, 1, "source")?;
        let (request, expected) = (request(&args)?, args.expected()?);
        let shared = Arc::clone(&self.0);
        let (_, snapshot) = shared.snapshot(&root, &At::Latest, session)?;
        let bound = entities(&snapshot, &patterns, &request)?;
        let parts = bound.len();
        // What would become of a file depends on what is asked; who asks for nothing gets the counts.
        let compare = args.flag("compare")?;
        let told = PARAMS.iter().any(|param| args.named(param.name).is_some());
        let columns = columns(bound.clone(), told, compare);
        Ok(Report::bound(columns, move |session| {
            let (table, snapshot) = shared.to_change(&root, expected, session)?;
            table.check_expected(snapshot.state.version)?;
            if entities(&snapshot, &patterns, &request)? != bound {
                return Err(other_columns(&root));
            }
            let request = AppendRequest { files: expand(&patterns)?, ..request.clone() };
            let look = if compare { compared } else { preview };
            let files = look(&snapshot, &request, &Watch(session))?;
            Ok(Box::new(files.into_iter().flat_map(move |file| rows(&file, parts, told, compare)).map(Ok)))
        }))
    }
}

/// A row for each entity of a file, and one for a file without any.
fn rows(file: &FilePreview, parts: usize, told: bool, compare: bool) -> Vec<Row> {
    let row = |entity: Vec<Cell>, counts: [u64; 3], compared: Option<Counts>| {
        let mut row = vec![Cell::text(&file.file)];
        row.extend(entity);
        row.extend(counts.map(Cell::count));
        row.push(Cell::Bool(file.already_loaded));
        if compare {
            let Counts { new, same, changed, missing } = compared.unwrap_or_default();
            row.extend([new, same, changed, missing].map(Cell::count));
        }
        if told {
            row.extend([Cell::text(file.status.word()), Cell::maybe(file.message.as_ref(), Cell::text)]);
        }
        row
    };
    if file.entities.is_empty() {
        return vec![row(vec![Cell::Null; parts], [0; 3], None)];
    }
    let entities = file.entities.iter();
    let counts = |found: &EntityPreview| [found.rows, found.new_buckets, found.covered_buckets];
    let cells = |found: &EntityPreview| found.entity.parts().iter().map(Cell::from).collect();
    entities.map(|found| row(cells(found), counts(found), found.compared)).collect()
}

/// The entity columns, which the first file decides for a table that has no columns yet.
fn entities(snapshot: &Snapshot, patterns: &[String], request: &AppendRequest) -> Result<Vec<OutColumn>> {
    let mut definition = snapshot.definition().clone();
    if definition.schema.is_none() {
        let request = AppendRequest { files: expand(patterns)?, ..request.clone() };
        let intake = Intake::new(snapshot.storage(), &definition, &request, true)?;
        definition = intake.target.map_or(definition.clone(), |target| target.definition);
    }
    let columns = definition.entity_schema().unwrap_or_default();
    Ok(columns.into_iter().map(|c| column(&c.name, c.ty.clone())).collect())
}

fn columns(entities: Vec<OutColumn>, told: bool, compare: bool) -> Vec<OutColumn> {
    let compared =
        ["rows_new", "rows_same", "rows_changed", "rows_missing"].map(|name| column(name, ColumnType::BigInt));
    let more = [column("status", ColumnType::Varchar), column("message", ColumnType::Varchar)];
    let counts = ["rows", "new_buckets", "covered_buckets"].map(|name| column(name, ColumnType::BigInt));
    let own = counts
        .into_iter()
        .chain([column("already_loaded", ColumnType::Boolean)])
        .chain(compared.into_iter().filter(|_| compare))
        .chain(more.into_iter().filter(|_| told));
    let file = Named::Own(column("file", ColumnType::Varchar));
    give_way(std::iter::once(file).chain(entities.into_iter().map(Named::Table)).chain(own.map(Named::Own)))
}
