//! `tstable_preview`: what an append of files would do, changing nothing.

use std::{collections::HashMap, sync::Arc};

use tstable_core::{
    Result,
    coverage::Entity,
    schema::{ColumnType, Field},
    storage::outside::expand,
    table::{
        At, Snapshot,
        ask::stretch::Stretch,
        compare::Counts,
        intake::Intake,
        preview::{EntityPreview, FilePreview, Preview as Previewed, compared, preview},
        subject::Subject,
        write::policy::AppendRequest,
    },
};

use super::{
    Shared, Watch,
    append::{PARAMS, confirms, request},
    arguments::joined,
    bound_to::other_columns,
    report::{Cell, Report, Row, column},
    shape::{Named, give_way},
};
use crate::host::{Args, Bound, OutColumn, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Preview(pub(crate) Arc<Shared>);

/// What an append takes, whether rows are compared, and whether it is told which gaps are left.
const PREVIEW_PARAMS: [Param; PARAMS.len() + 2] = joined(&[
    &PARAMS,
    &[Param { name: "compare", ty: ParamType::Boolean }, Param { name: "gaps", ty: ParamType::Boolean }],
]);

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
        let (mut request, expected) = (request(&args)?, args.expected()?);
        request.confirms = confirms(&self.0, session, &args, &root)?;
        let shared = Arc::clone(&self.0);
        let (_, snapshot) = shared.snapshot(&root, &At::Latest, session)?;
        let (bound, index) = keys(&snapshot, &patterns, &request)?;
        // What would become of a file depends on what is asked; who asks for nothing gets the counts.
        let compare = args.flag("compare")?;
        let told = PARAMS.iter().any(|param| args.named(param.name).is_some());
        let gaps = args.flag("gaps")?;
        let shown = Shown { parts: bound.len(), told, compare, gaps };
        let columns = columns(bound.clone(), &index, shown);
        Ok(Report::bound(columns, move |session| {
            let (table, snapshot) = shared.to_change(&root, expected, session)?;
            table.check_expected(snapshot.state.version)?;
            if keys(&snapshot, &patterns, &request)? != (bound.clone(), index.clone()) {
                return Err(other_columns(&root));
            }
            let request = AppendRequest { files: expand(&patterns)?, ..request.clone() };
            let look = if compare { compared } else { preview };
            let preview = look(&snapshot, &request, &Watch(session))?;
            let mut left = if gaps { gaps_left(&snapshot, &preview)? } else { HashMap::new() };
            let mut groups = Vec::with_capacity(preview.files.len());
            // What is left of an entity stands in its last row, so the last is asked first.
            for file in preview.files.iter().rev() {
                groups.push(rows(file, shown, &mut left));
            }
            Ok(Box::new(groups.into_iter().rev().flatten().map(Ok)))
        }))
    }
}

/// Which columns there are.
#[derive(Debug, Clone, Copy)]
struct Shown {
    parts: usize,
    told: bool,
    compare: bool,
    gaps: bool,
}

/// The gaps of each entity of the files once they are in.
fn gaps_left(snapshot: &Snapshot, preview: &Previewed) -> Result<HashMap<Entity, Vec<Cell>>> {
    let Some(target) = &preview.target else { return Ok(HashMap::new()) };
    let grid = &target.grid;
    let subjects = snapshot.subjects_if(&preview.coverage, grid)?;
    let gap = |stretch: Stretch| {
        let (start, end) = (grid.start_of(stretch.run.first), grid.end_of(stretch.run.last));
        Cell::Fields(vec![Cell::from(start), Cell::from(end), Cell::count(stretch.buckets)])
    };
    let of = |subject: Subject| (subject.entity.clone(), subject.gaps(subject.extent).map(gap).collect());
    Ok(subjects.into_iter().map(of).collect())
}

/// A row for each entity of a file, and one for a file without any.
fn rows(file: &FilePreview, shown: Shown, left: &mut HashMap<Entity, Vec<Cell>>) -> Vec<Row> {
    let row = |entity: Vec<Cell>, counts: [u64; 3], compared: Option<Counts>, gaps: Option<Vec<Cell>>| {
        let mut row = vec![Cell::text(&file.file)];
        row.extend(entity);
        row.extend(counts.map(Cell::count));
        row.push(Cell::Bool(file.already_loaded));
        if shown.compare {
            let Counts { new, same, changed, missing } = compared.unwrap_or_default();
            row.extend([new, same, changed, missing].map(Cell::count));
        }
        if shown.gaps {
            row.push(Cell::maybe(gaps, Cell::List));
        }
        if shown.told {
            row.extend([Cell::text(file.status.word()), Cell::maybe(file.message.as_ref(), Cell::text)]);
        }
        row
    };
    if file.entities.is_empty() {
        return vec![row(vec![Cell::Null; shown.parts], [0; 3], None, None)];
    }
    let entities = file.entities.iter();
    let counts = |found: &EntityPreview| [found.rows, found.new_buckets, found.covered_buckets];
    let cells = |found: &EntityPreview| found.entity.parts().iter().map(Cell::from).collect();
    entities.map(|found| row(cells(found), counts(found), found.compared, left.remove(&found.entity))).collect()
}

/// The entity columns and the type of the index, which the first file decides for a table that has no columns yet.
fn keys(snapshot: &Snapshot, patterns: &[String], request: &AppendRequest) -> Result<(Vec<OutColumn>, ColumnType)> {
    let mut definition = snapshot.definition().clone();
    if definition.schema.is_none() {
        let request = AppendRequest { files: expand(patterns)?, ..request.clone() };
        let intake = Intake::new(snapshot.storage(), &definition, &request, true)?;
        definition = intake.target.map_or(definition.clone(), |target| target.definition);
    }
    let columns = definition.entity_schema().unwrap_or_default();
    let index = definition.index_type().cloned().unwrap_or(ColumnType::BigInt);
    Ok((columns.into_iter().map(|c| column(&c.name, c.ty.clone())).collect(), index))
}

/// `STRUCT(gap_start, gap_end, buckets)[]`.
fn gap_list(index: &ColumnType) -> ColumnType {
    let fields = vec![
        Field::new("gap_start", index.clone()),
        Field::new("gap_end", index.clone()),
        Field::new("buckets", ColumnType::BigInt),
    ];
    ColumnType::List(Box::new(Field::new("element", ColumnType::Struct(fields))))
}

fn columns(entities: Vec<OutColumn>, index: &ColumnType, shown: Shown) -> Vec<OutColumn> {
    let compared =
        ["rows_new", "rows_same", "rows_changed", "rows_missing"].map(|name| column(name, ColumnType::BigInt));
    let more = [column("status", ColumnType::Varchar), column("message", ColumnType::Varchar)];
    let counts = ["rows", "new_buckets", "covered_buckets"].map(|name| column(name, ColumnType::BigInt));
    let own = counts
        .into_iter()
        .chain([column("already_loaded", ColumnType::Boolean)])
        .chain(compared.into_iter().filter(|_| shown.compare))
        .chain(shown.gaps.then(|| column("gaps", gap_list(index))))
        .chain(more.into_iter().filter(|_| shown.told));
    let file = Named::Own(column("file", ColumnType::Varchar));
    give_way(std::iter::once(file).chain(entities.into_iter().map(Named::Table)).chain(own.map(Named::Own)))
}
