//! A scan of several tables: each is bound and read as it would be alone, with its own skipping; their columns go together by name.

use std::{borrow::Cow, sync::Arc};

use arrow::array::ArrayRef;
use tstable_core::{
    Error, Result,
    prune::{
        ColumnStats, Nulls, Statistics, Verdict,
        expr::{Constant, Expr},
        judge,
    },
    schema::{ColumnType, same_name},
    segment::{convert::widened_as, schema::widest},
    table::At,
};

use super::{Scan, filters::renumbered};
use crate::{
    functions::{
        arguments::SEVERAL_VERSIONS,
        report::{Cell, array, column},
        roots::{Given, expand},
    },
    host::{Args, Bound, OutColumn, Output, Rows, Session, Worker},
};

/// Binds the scan of several tables. Those that have no columns yet have no rows either and are passed over.
///
/// # Errors
/// `SchemaMismatch` when a column has types that do not go into one; as binding each, naming the table.
pub(super) fn bind(scan: &Scan, session: &dyn Session, args: &Args, given: &[Given]) -> Result<Arc<dyn Bound>> {
    let roots = expand(given, session)?;
    if roots.len() > 1 && args.named("version").is_some() {
        return Err(Error::invalid_argument(SEVERAL_VERSIONS));
    }
    let mut parts = Vec::new();
    for root in roots {
        let named = |e: Error| e.with("root", &root);
        let (_, latest) = scan.0.snapshot(&root, &At::Latest, session).map_err(named)?;
        if latest.definition().schema.is_some() {
            let bound: Arc<dyn Bound> = scan.one(session, args, &root).map_err(named)?;
            parts.push(Part { root, bound, places: Vec::new() });
        }
    }
    if parts.is_empty() {
        return Err(Error::invalid_argument("none of the tables has columns yet; append to one of them"));
    }
    let mut columns = union(&parts)?;
    let root_column = args.text("root_column")?;
    if let Some(name) = &root_column {
        if let Some(taken) = columns.iter().find(|column| same_name(&column.name, name)) {
            return Err(Error::invalid_argument(format!(
                "root_column := '{name}' is the name of a column that the tables have (\"{}\"); choose another",
                taken.name
            )));
        }
        columns.push(column(name, ColumnType::Varchar));
    }
    for part in &mut parts {
        part.places = columns.iter().map(|column| position(part.bound.columns(), &column.name)).collect();
    }
    Ok(Arc::new(Many { parts, columns, has_root: root_column.is_some() }))
}

fn position(columns: &[OutColumn], name: &str) -> Option<usize> {
    columns.iter().position(|column| same_name(&column.name, name))
}

/// The columns of all, in the order in which they are met; of two types the wider.
fn union(parts: &[Part]) -> Result<Vec<OutColumn>> {
    let mut columns: Vec<(OutColumn, &str)> = Vec::new();
    for part in parts {
        for column in part.bound.columns() {
            match columns.iter_mut().find(|(known, _)| same_name(&known.name, &column.name)) {
                None => columns.push((column.clone(), &part.root)),
                Some((known, root)) => {
                    known.ty = widest(&known.ty, &column.ty).ok_or_else(|| {
                        Error::schema_mismatch(format!(
                            "column \"{}\" is {} in '{root}' and {} in '{}', and neither type holds the values of the \
                             other; scan them apart, and cast",
                            column.name, known.ty, column.ty, part.root
                        ))
                    })?;
                }
            }
        }
    }
    Ok(columns.into_iter().map(|(column, _)| column).collect())
}

/// One of the tables.
struct Part {
    root: String,
    bound: Arc<dyn Bound>,
    /// For each column of all its place in this table's; none for one that it does not have.
    places: Vec<Option<usize>>,
}

struct Many {
    parts: Vec<Part>,
    columns: Vec<OutColumn>,
    /// Whether the last column is the root.
    has_root: bool,
}

impl Bound for Many {
    fn columns(&self) -> &[OutColumn] {
        &self.columns
    }

    fn cardinality(&self) -> Option<(u64, bool)> {
        let rows = self.parts.iter().filter_map(|part| part.bound.cardinality()).map(|(rows, _)| rows);
        Some((rows.fold(0, u64::saturating_add), false))
    }

    fn offer_filters(&self, filters: &[Expr]) -> Result<Vec<bool>> {
        for part in &self.parts {
            part.bound.offer_filters(&self.as_of_part(part, filters))?;
        }
        Ok(vec![false; filters.len()])
    }

    fn open(&self, session: &dyn Session, projection: &[usize]) -> Result<Arc<dyn Rows>> {
        let mut tables = Vec::new();
        let mut first_batch = 0_u64;
        for part in &self.parts {
            let (read, given) = self.slots(part, projection);
            let inner: Vec<_> = read.iter().map(|slot| slot.place).collect();
            let rows = part.bound.open(session, &inner).map_err(|e| e.with("root", &part.root))?;
            let batches = rows.batches();
            tables.push(Table { rows, read, given, root: part.root.clone(), first_batch });
            first_batch = first_batch.saturating_add(batches);
        }
        Ok(Arc::new(ManyRows { tables, batches: first_batch }))
    }
}

impl Many {
    /// The filters as those of one table. What is said of a column that has another type here is left to DuckDB. A table whose root satisfies
    /// none of its filters is told that nothing does.
    fn as_of_part(&self, part: &Part, filters: &[Expr]) -> Vec<Expr> {
        let root_at = self.has_root.then(|| self.columns.len().saturating_sub(1));
        let of_root: Vec<_> = (0..self.columns.len()).map(|at| (Some(at) == root_at).then_some(0)).collect();
        let stats = OnlyRoot(&part.root);
        let never = |filter: &Expr| judge(filter, &[ColumnType::Varchar], &stats) == Verdict::Never;
        if renumbered(filters, &of_root).iter().any(never) {
            return vec![Expr::Constant(Constant::Bool(false))];
        }
        let same = |(column, place): (&OutColumn, &Option<usize>)| {
            place.filter(|at| part.bound.columns().get(*at).is_some_and(|own| own.ty == column.ty))
        };
        let places: Vec<_> = self.columns.iter().zip(&part.places).map(same).collect();
        renumbered(filters, &places)
    }

    /// What is read of one table, and what is the same for all of its rows.
    fn slots(&self, part: &Part, projection: &[usize]) -> (Vec<Slot>, Vec<Same>) {
        let (mut read, mut given) = (Vec::new(), Vec::new());
        for (out, at) in projection.iter().enumerate() {
            let Some(column) = self.columns.get(*at) else { continue };
            let place = part.places.get(*at).copied().flatten();
            let own = place.and_then(|place| part.bound.columns().get(place));
            let is_root = self.has_root && at.saturating_add(1) == self.columns.len();
            match (place, own) {
                _ if is_root => given.push((out, column.ty.clone(), Some(Constant::Text(part.root.clone())))),
                (Some(place), Some(own)) if own.ty != ColumnType::Null || column.ty == own.ty => {
                    read.push(Slot { place, out, ty: column.ty.clone() });
                }
                _ => given.push((out, column.ty.clone(), None)),
            }
        }
        (read, given)
    }
}

/// Statistics of the one column that holds a root.
struct OnlyRoot<'a>(&'a str);

impl Statistics for OnlyRoot<'_> {
    fn rows(&self) -> u64 {
        1
    }

    fn column(&self, index: usize) -> Option<Cow<'_, ColumnStats>> {
        let value = || Constant::Text(self.0.to_owned());
        let stats = || ColumnStats {
            min: Some(value()),
            max: Some(value()),
            exact: true,
            nulls: Nulls::None,
            values: Some(Arc::from([value()])),
        };
        (index == 0).then(|| Cow::Owned(stats()))
    }
}

/// A column that is read.
struct Slot {
    /// Its place among the table's columns.
    place: usize,
    /// Its place in the chunk.
    out: usize,
    /// The type that all tables' values of it are shown in.
    ty: ColumnType,
}

/// A column that is one value, or NULL, in all rows of a table: its place in the chunk, its type and that value.
type Same = (usize, ColumnType, Option<Constant>);

/// A table being read.
struct Table {
    rows: Arc<dyn Rows>,
    read: Vec<Slot>,
    /// Columns that are one value, or NULL.
    given: Vec<Same>,
    root: String,
    first_batch: u64,
}

struct ManyRows {
    tables: Vec<Table>,
    batches: u64,
}

impl Rows for ManyRows {
    fn max_threads(&self) -> usize {
        self.tables.iter().map(|table| table.rows.max_threads()).fold(0, usize::saturating_add).max(1)
    }

    fn batches(&self) -> u64 {
        self.batches
    }

    fn progress(&self) -> Option<f64> {
        let parts = self.tables.iter().map(|table| table.rows.progress().unwrap_or(0.0));
        #[expect(clippy::cast_precision_loss, reason = "progress is approximate")]
        Some(parts.sum::<f64>() / self.tables.len().max(1) as f64)
    }

    fn worker(self: Arc<Self>) -> Result<Box<dyn Worker>> {
        Ok(Box::new(ManyWorker { rows: self, at: 0, inner: None }))
    }
}

/// Works in one table after the other, in the same order as all others.
struct ManyWorker {
    rows: Arc<ManyRows>,
    at: usize,
    inner: Option<Box<dyn Worker>>,
}

impl Worker for ManyWorker {
    fn fill(&mut self, session: &dyn Session, out: &mut dyn Output) -> Result<usize> {
        while let Some(table) = self.rows.tables.get(self.at) {
            let named = |e: Error| e.with("root", &table.root);
            let inner = match &mut self.inner {
                Some(inner) => inner,
                none => none.insert(Arc::clone(&table.rows).worker().map_err(named)?),
            };
            let len = inner.fill(session, &mut Placed { read: &table.read, out }).map_err(named)?;
            if len > 0 {
                for (at, ty, value) in &table.given {
                    match value {
                        Some(value) => out.write_constant(*at, ty, value, len)?,
                        None => out.write_nulls(*at, ty, len)?,
                    }
                }
                return Ok(len);
            }
            self.inner = None;
            self.at = self.at.saturating_add(1);
        }
        Ok(0)
    }

    fn batch_index(&self) -> u64 {
        let first = self.rows.tables.get(self.at).map_or(self.rows.batches, |table| table.first_batch);
        first.saturating_add(self.inner.as_ref().map_or(0, |inner| inner.batch_index()))
    }
}

/// Puts one table's columns in their places and into the types of all.
struct Placed<'a> {
    read: &'a [Slot],
    out: &'a mut dyn Output,
}

impl Placed<'_> {
    fn slot(&self, column: usize) -> Result<&Slot> {
        self.read.get(column).ok_or_else(|| Error::invalid_argument("a table gave a column that nobody asked for"))
    }
}

impl Output for Placed<'_> {
    fn write(&mut self, column: usize, ty: &ColumnType, array: &ArrayRef, offset: usize, len: usize) -> Result<()> {
        let slot = self.slot(column)?;
        let (at, wanted) = (slot.out, slot.ty.clone());
        if *ty == wanted {
            return self.out.write(at, ty, array, offset, len);
        }
        self.out.write(at, &wanted, &widened_as(&array.slice(offset, len), &wanted)?, 0, len)
    }

    fn write_nulls(&mut self, column: usize, _ty: &ColumnType, len: usize) -> Result<()> {
        let slot = self.slot(column)?;
        let (at, wanted) = (slot.out, slot.ty.clone());
        self.out.write_nulls(at, &wanted, len)
    }

    fn write_constant(&mut self, column: usize, ty: &ColumnType, value: &Constant, len: usize) -> Result<()> {
        let slot = self.slot(column)?;
        let (at, wanted) = (slot.out, slot.ty.clone());
        match value {
            Constant::Int(number) if *ty != wanted => {
                let own = array(ty, &[vec![Cell::Int(*number)]], 0)?;
                let one = widened_as(&own, &wanted)?;
                let many = arrow::compute::take(&one, &arrow::array::UInt32Array::from(vec![0; len]), None);
                let many = many.map_err(|e| Error::invalid_argument("a value cannot be repeated").caused_by(e))?;
                self.out.write(at, &wanted, &many, 0, len)
            }
            _ => self.out.write_constant(at, &wanted, value, len),
        }
    }
}
