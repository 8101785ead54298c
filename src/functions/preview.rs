//! `tstable_preview`: what an append of files would do, changing nothing.

use std::{collections::HashMap, sync::Arc};

use tstable_core::{
    Result,
    coverage::Entity,
    schema::{ColumnType, Field},
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
    access::Sources,
    answer::Answer,
    append::{PARAMS, confirms, request},
    arguments::joined,
    bound_to::other_columns,
    report::{Cell, column},
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
        let sources = args.files_at(session, 1, "source")?;
        let (mut request, expected) = (request(&args)?, args.expected()?);
        request.confirms = confirms(&self.0, session, &args, &root)?;
        let shared = Arc::clone(&self.0);
        let (_, snapshot) = shared.snapshot(&root, &At::Latest, session)?;
        let (bound, index) = keys(&snapshot, &sources, &request)?;
        // What would become of a file depends on what is asked; who asks for nothing gets the counts.
        let compare = args.flag("compare")?;
        let told = PARAMS.iter().any(|param| args.named(param.name).is_some());
        let gaps = args.flag("gaps")?;
        Ok(answer(&bound, &index, Shown { told, compare, gaps }).bound(move |session| {
            let (table, snapshot) = shared.to_change(&root, expected, session)?;
            table.check_expected(snapshot.state.version)?;
            if keys(&snapshot, &sources, &request)? != (bound.clone(), index.clone()) {
                return Err(other_columns(&root));
            }
            let request = AppendRequest { files: sources.files()?, ..request.clone() };
            let look = if compare { compared } else { preview };
            let preview = look(&snapshot, &request, &Watch(session))?;
            let left = if gaps { gaps_left(&snapshot, &preview)? } else { HashMap::new() };
            Ok(lines(preview, left))
        }))
    }
}

/// Which columns there are.
#[derive(Debug, Clone, Copy)]
struct Shown {
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

/// An entity of a file, or a file without any.
struct Line {
    file: Arc<FilePreview>,
    entity: Option<EntityPreview>,
    /// In the last line of an entity.
    gaps: Option<Vec<Cell>>,
}

impl Line {
    fn count(&self, of: impl Fn(&EntityPreview) -> u64) -> u64 {
        self.entity.as_ref().map_or(0, of)
    }

    fn compared(&self) -> Counts {
        self.entity.as_ref().and_then(|entity| entity.compared).unwrap_or_default()
    }
}

/// A line for each entity of a file, and one for a file without any.
fn lines(preview: Previewed, mut left: HashMap<Entity, Vec<Cell>>) -> Vec<Line> {
    let mut lines = Vec::new();
    // What is left of an entity is told in its last line, so the last file is asked first.
    for mut file in preview.files.into_iter().rev() {
        let entities = std::mem::take(&mut file.entities);
        let file = Arc::new(file);
        if entities.is_empty() {
            lines.push(Line { file, entity: None, gaps: None });
            continue;
        }
        lines.extend(entities.into_iter().rev().map(|entity| Line {
            gaps: left.remove(&entity.entity),
            file: Arc::clone(&file),
            entity: Some(entity),
        }));
    }
    lines.reverse();
    lines
}

/// The entity columns and the type of the index, which the first file decides for a table that has no columns yet.
fn keys(snapshot: &Snapshot, sources: &Sources, request: &AppendRequest) -> Result<(Vec<OutColumn>, ColumnType)> {
    let mut definition = snapshot.definition().clone();
    if definition.schema.is_none() {
        let request = AppendRequest { files: sources.files()?, ..request.clone() };
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

fn answer(entities: &[OutColumn], index: &ColumnType, shown: Shown) -> Answer<Line> {
    let mut answer = Answer::new()
        .text("file", |line: &Line| Cell::text(&line.file.file))
        .entity(entities, |line| line.entity.as_ref().map(|entity| &entity.entity))
        .count("rows", |line| line.count(|entity| entity.rows))
        .count("new_buckets", |line| line.count(|entity| entity.new_buckets))
        .count("covered_buckets", |line| line.count(|entity| entity.covered_buckets))
        .flag("already_loaded", |line| line.file.already_loaded);
    if shown.compare {
        answer = answer
            .count("rows_new", |line| line.compared().new)
            .count("rows_same", |line| line.compared().same)
            .count("rows_changed", |line| line.compared().changed)
            .count("rows_missing", |line| line.compared().missing);
    }
    if shown.gaps {
        answer = answer.column("gaps", gap_list(index), |line| Cell::maybe(line.gaps.clone(), Cell::List));
    }
    if shown.told {
        answer = answer
            .text("status", |line| Cell::text(line.file.status.word()))
            .text("message", |line| Cell::maybe(line.file.message.as_ref(), Cell::text));
    }
    answer
}
