//! `tstable_fill`: the regular grid of each entity, filled, with where each value came from.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, DictionaryArray, Int32Array, StringArray};
use tstable_core::{
    Error, Result,
    log::definition::Definition,
    schema::{ColumnType, same_name},
    table::{
        Snapshot,
        fill::{Fill as CoreFill, FillColumn, FillRequest, Filled, Method, Provenance, filled_type},
    },
    time::{BucketWidth, Grid, IndexRange},
};

use super::{
    Shared,
    bound_to::BoundTo,
    columnar::{Chunk, Chunks, Columnar},
    entity_argument::Chosen,
    literal::{max_units, width},
    report::{Cell, array, column},
    shape::{Named, Shape, give_way},
    stretches::index_array,
};
use crate::host::{Arg, Args, Bound, CHUNK_ROWS, OutColumn, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Fill(pub(crate) Arc<Shared>);

impl TableFunction for Fill {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_fill",
            positional: &[
                Param { name: "root", ty: ParamType::Varchar },
                Param { name: "every", ty: ParamType::Any },
                Param { name: "start", ty: ParamType::Any },
                Param { name: "until", ty: ParamType::Any },
            ],
            named: &[
                Param { name: "columns", ty: ParamType::Any },
                Param { name: "max_age", ty: ParamType::Any },
                Param { name: "entity", ty: ParamType::Any },
                Param { name: "hold", ty: ParamType::Any },
                Param { name: "version", ty: ParamType::BigInt },
                Param { name: "as_of", ty: ParamType::Any },
                Param { name: "tag", ty: ParamType::Varchar },
            ],
            description: "A regular grid of each entity with gaps filled, and where each value came from.",
            example: "FROM tstable_fill('prices', '1h', '2024-06-01', '2024-06-02', columns := {'close': 'locf'})",
            projects: true,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let root = args.root(session)?;
        let at = args.at(session)?;
        let every = width("every", args.at_position(1, "every")?)?;
        let methods = methods(args.named("columns"))?;
        let shared = Arc::clone(&self.0);
        let (_, snapshot) = shared.snapshot(&root, &at, session)?;
        let index = snapshot.index_type()?.clone();
        let range = args.bounded_range_at(session, 2, &index)?;
        let max_age = args.named("max_age").map(|arg| max_units("max_age", arg, &index)).transpose()?;
        let chosen = Chosen::of(&args, &snapshot)?;
        let wanted = Wanted { every, methods, range, max_age, chosen };
        let columns = wanted.columns(&snapshot)?;
        // Whatever is wrong with the request is said now.
        let request = wanted.request(&snapshot)?;
        let bound_to = BoundTo::chosen(&root, &snapshot, request.columns.iter().map(|column| column.position))?;
        CoreFill::new(&snapshot, &shared.cache, request)?;
        Ok(Columnar::bound(columns, move |session, projection| {
            let (_, snapshot) = shared.snapshot(&root, &at, session)?;
            bound_to.check(&snapshot)?;
            let request = wanted.request(&snapshot)?;
            let (shape, cells) = (Shape::of(&snapshot)?, request.cells.clone());
            let fill = CoreFill::new(&snapshot, &shared.cache, request)?;
            Ok(Box::new(FilledRows {
                fill,
                shape,
                cells,
                projection: projection.to_vec(),
                entity: None,
                words: words(),
            }))
        }))
    }
}

struct Wanted {
    every: BucketWidth,
    methods: Vec<(String, Method)>,
    range: IndexRange,
    max_age: Option<i128>,
    chosen: Chosen,
}

impl Wanted {
    fn request(&self, snapshot: &Snapshot) -> Result<FillRequest> {
        let schema = snapshot.schema()?;
        let definition = snapshot.definition();
        let mut columns = Vec::new();
        for (name, method) in &self.methods {
            let position = schema.columns.iter().position(|column| same_name(&column.name, name));
            let is_key = same_name(name, &definition.index_column)
                || definition.entity_columns.iter().any(|entity| same_name(entity, name));
            let Some(position) = position.filter(|_| !is_key) else {
                return Err(Error::invalid_argument(format!(
                    "columns names '{name}', which is {}",
                    if is_key { "an index or entity column and so never missing" } else { "not a column of the table" }
                )));
            };
            columns.push(FillColumn { position, method: *method });
        }
        // Cells are laid out as the table's own buckets of that width would be.
        let cells = Definition { bucket: self.every, ..definition.clone() };
        let cells = cells.grid(snapshot.index_type()?).map_err(|e| {
            Error::invalid_argument(format!("every := '{}' does not suit the index: {}", self.every, e.message()))
        })?;
        Ok(FillRequest {
            cells,
            range: self.range,
            columns,
            max_age: self.max_age,
            choice: self.chosen.choice(snapshot)?,
        })
    }

    fn columns(&self, snapshot: &Snapshot) -> Result<Vec<OutColumn>> {
        let request = self.request(snapshot)?;
        let schema = snapshot.schema()?;
        let shape = Shape::of(snapshot)?;
        let mut columns: Vec<_> = shape.entities.iter().cloned().map(Named::Table).collect();
        columns.push(Named::Own(column("bucket_start", shape.index.clone())));
        for filled in &request.columns {
            let Some(own) = schema.columns.get(filled.position) else { continue };
            columns.push(Named::Table(column(&own.name, filled_type(&own.ty, filled.method))));
            columns.push(Named::Own(column(format!("{}_source", own.name), ColumnType::Varchar)));
        }
        Ok(give_way(columns))
    }
}

fn methods(arg: Option<&Arg>) -> Result<Vec<(String, Method)>> {
    let example = "MAP {'close': 'locf', 'volume': 'zero'}";
    let Some(arg) = arg else {
        return Err(Error::invalid_argument(format!(
            "columns is missing; name the columns to be filled and how, as in columns := {example}"
        )));
    };
    let method = |(name, word): (String, String)| Ok((name, Method::parse(&word)?));
    let pairs: Vec<_> = arg.text_entries("columns", example)?.into_iter().map(method).collect::<Result<_>>()?;
    for (at, (name, _)) in pairs.iter().enumerate() {
        if pairs.iter().take(at).any(|(other, _)| same_name(other, name)) {
            return Err(Error::invalid_argument(format!("columns names '{name}' twice")));
        }
    }
    if pairs.is_empty() {
        return Err(Error::invalid_argument(format!("columns is empty; write it like columns := {example}")));
    }
    Ok(pairs)
}

fn words() -> ArrayRef {
    Arc::new(StringArray::from_iter_values(Provenance::ALL.map(Provenance::word)))
}

/// The rows of all entities in order.
struct FilledRows {
    fill: CoreFill,
    shape: Shape,
    cells: Grid,
    projection: Vec<usize>,
    /// The entity that is being written, and how many of its cells have been.
    entity: Option<(Filled, usize)>,
    words: ArrayRef,
}

impl Chunks for FilledRows {
    fn next(&mut self, _session: &dyn Session) -> Result<Option<Chunk>> {
        loop {
            let Some((filled, from)) = self.entity.take() else {
                let Some(filled) = self.fill.next_entity()? else { return Ok(None) };
                self.entity = Some((filled, 0));
                continue;
            };
            let left = filled.len().saturating_sub(from);
            if left == 0 {
                continue;
            }
            let rows = left.min(CHUNK_ROWS);
            let arrays =
                self.projection.iter().map(|at| self.column(*at, &filled, from, rows)).collect::<Result<_>>()?;
            self.entity = Some((filled, from.saturating_add(rows)));
            return Ok(Some(Chunk { rows, arrays }));
        }
    }
}

impl FilledRows {
    fn column(&self, at: usize, filled: &Filled, from: usize, rows: usize) -> Result<ArrayRef> {
        let entities = self.shape.entities.len();
        if let Some(own) = self.shape.entities.get(at) {
            let row: Vec<Cell> = filled.entity.parts().iter().map(Cell::from).collect();
            return array(&own.ty, &vec![row; rows], at);
        }
        let Some(own) = at.checked_sub(entities.saturating_add(1)) else {
            let starts: Vec<i128> =
                filled.cells_from(from).take(rows).map(|cell| self.cells.start_of(cell).0).collect();
            return index_array(&self.shape.index, &starts);
        };
        let missing = || Error::invalid_argument("a column that is not there was asked for");
        let (values, provenance) = filled.columns.get(own / 2).ok_or_else(missing)?;
        if own % 2 == 0 {
            return Ok(values.slice(from, rows));
        }
        let keys = provenance.iter().skip(from).take(rows).map(|number| i32::from(*number));
        let keys = Int32Array::from_iter_values(keys);
        let broken = |e| Error::invalid_argument("the sources cannot be listed").caused_by(e);
        Ok(Arc::new(DictionaryArray::try_new(keys, Arc::clone(&self.words)).map_err(broken)?))
    }
}
