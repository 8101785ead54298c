//! The last value of each cell, collected from rows in any order. Keeps for every cell where its value is, and the values
//! of the winners only.

use std::{collections::HashMap, sync::Arc};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};

use super::request::{FillColumn, FillRequest, Method, cell_count};
use crate::{
    coverage::{Entity, EntityPart},
    error::{Error, Result},
    prune::expr::Expr,
    schema::{Strings, integers},
    segment::values::{Kind, numbers},
    table::{
        ask::subject::Subject,
        cache::Cache,
        handle::Snapshot,
        numbers::{doubles, gather},
        read::scan::{Scan, ScanRequest, UnitRows},
    },
    time::{Cursor, IndexRange, IndexValue, Run},
};

const BATCH_ROWS: usize = 16 * 1024;

/// Where a value is, and the index value of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) at: i128,
    pub(super) array: u32,
    pub(super) row: u32,
}

/// The cells of a batch of entities.
pub(super) struct Collection<'a> {
    pub(super) snapshot: &'a Snapshot,
    cache: &'a Arc<Cache>,
    pub(super) request: &'a FillRequest,
    pub(super) cells: Run,
    slots: HashMap<Entity, usize>,
    /// Index, entities, then the columns to be filled.
    read: Vec<usize>,
    entity_columns: usize,
    columns: Vec<Column>,
}

/// A column's places: for each entity its cells, then the last value before them and the first after.
struct Column {
    method: Method,
    places: Vec<Option<Place>>,
    values: Vec<ArrayRef>,
    /// Places that rows of the batch in hand have taken.
    touched: Vec<usize>,
}

/// Which cells a row may fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Cells,
    Before,
    After,
}

/// As many cells without a value.
///
/// # Errors
/// `LimitExceeded` when there is no memory for them: a range that somebody asks for must not end the process.
fn unfilled(size: usize) -> Result<Vec<Option<Place>>> {
    let mut places = Vec::new();
    places.try_reserve_exact(size).map_err(|_| {
        Error::limit_exceeded(format!("there is no memory for {size} cells; fill a shorter range or wider cells"))
    })?;
    places.resize(size, None);
    Ok(places)
}

impl<'a> Collection<'a> {
    pub(super) fn new(
        snapshot: &'a Snapshot,
        cache: &'a Arc<Cache>,
        request: &'a FillRequest,
        cells: Run,
        subjects: &[Subject],
    ) -> Result<Self> {
        let schema = snapshot.schema()?;
        let mut read = vec![snapshot.index_position()?];
        for name in &snapshot.definition().entity_columns {
            let missing = || Error::corrupt(format!("the entity column '{name}' is not among the columns"));
            read.push(schema.position(name).ok_or_else(missing)?);
        }
        let entity_columns = read.len().saturating_sub(1);
        read.extend(request.columns.iter().map(|column| column.position));
        let size = subjects.len().saturating_mul(cell_count(cells).saturating_add(2));
        let column = |column: &FillColumn| {
            let (places, values, touched) = (unfilled(size)?, Vec::new(), Vec::new());
            Ok(Column { method: column.method, places, values, touched })
        };
        let slots = subjects.iter().enumerate().map(|(slot, subject)| (subject.entity.clone(), slot)).collect();
        let columns = request.columns.iter().map(column).collect::<Result<_>>()?;
        Ok(Self { snapshot, cache, request, cells, slots, read, entity_columns, columns })
    }

    /// The places of an entity's cells in a column, and those of the values before and after them.
    pub(super) fn row(&self, slot: usize, column: usize) -> &[Option<Place>] {
        let stride = cell_count(self.cells).saturating_add(2);
        let from = slot.saturating_mul(stride);
        self.columns
            .get(column)
            .and_then(|column| column.places.get(from..from.saturating_add(stride)))
            .unwrap_or_default()
    }

    pub(super) fn values(&self, column: usize) -> &[ArrayRef] {
        self.columns.get(column).map(|column| column.values.as_slice()).unwrap_or_default()
    }

    pub(super) fn methods(&self) -> impl Iterator<Item = Method> {
        self.columns.iter().map(|column| column.method)
    }

    /// Reads the rows of all cells. The batch of entities is named to the scan unless it is most of the table.
    pub(super) fn read_cells(&mut self, is_last: bool) -> Result<()> {
        let (start, until) =
            (self.request.cells.start_of(self.cells.first), self.request.cells.end_of(self.cells.last));
        let range = IndexRange::new(start, until);
        let named = self.slots.len() < 64 || !is_last;
        self.read_rows(range, Side::Cells, named)
    }

    /// Reads rows of a range into the cells that `target` says.
    pub(super) fn read_rows(&mut self, range: IndexRange, target: Side, named: bool) -> Result<()> {
        let predicates = if named { self.entity_predicate() } else { Vec::new() };
        // A column that is filled in more than one way is read once for each.
        let mut columns: Vec<usize> = Vec::new();
        for position in &self.read {
            if !columns.contains(position) {
                columns.push(*position);
            }
        }
        let places: Vec<_> = self.read.iter().map(|p| columns.iter().position(|c| c == p)).collect();
        let scan =
            Scan::new(self.snapshot, self.cache, ScanRequest { columns, range, predicates, ..ScanRequest::default() })?;
        for number in 0..scan.units() {
            let Some(unit) = scan.unit(number, Strings::Plain, BATCH_ROWS)? else { continue };
            let UnitRows::Read(reader) = unit.rows else { continue };
            let own: Vec<_> =
                places.iter().map(|at| at.and_then(|at| unit.places.get(at).copied().flatten())).collect();
            for batch in *reader {
                self.take(&batch?, &own, target)?;
            }
        }
        Ok(())
    }

    /// What may leave out rows of other entities, by their first column.
    fn entity_predicate(&self) -> Vec<Expr> {
        let Some(position) = self.read.get(1).filter(|_| self.entity_columns > 0) else { return Vec::new() };
        let mut parts: Vec<_> = self.slots.keys().filter_map(|entity| entity.parts().first()).collect();
        parts.sort_unstable();
        parts.dedup();
        let constants = parts.into_iter().map(|part| Expr::Constant(part.into())).collect();
        vec![Expr::In(Box::new(Expr::Column(*position)), constants)]
    }

    fn take(&mut self, batch: &RecordBatch, places: &[Option<usize>], target: Side) -> Result<()> {
        let array = |at: usize| places.get(at).copied().flatten().and_then(|place| batch.columns().get(place));
        let index = array(0).ok_or_else(|| Error::corrupt("a segment has no index column"))?;
        let index = integers(index.as_ref())?;
        let entities: Vec<_> =
            (1..=self.entity_columns).map(|at| array(at).map(EntityValues::of).transpose()).collect::<Result<_>>()?;
        let slots = self.slots_of(&entities, index.len());
        let grid = &self.request.cells;
        let (cells, width) = (self.cells, cell_count(self.cells));
        for (at, column) in self.columns.iter_mut().enumerate() {
            if target != Side::Cells && !column.method.looks_back()
                || target == Side::After && column.method != Method::Linear
            {
                continue;
            }
            let Some(values) = array(self.entity_columns.saturating_add(1).saturating_add(at)) else { continue };
            let mut cursor = grid.cursor();
            for (row, (value, slot)) in index.iter().zip(&slots).enumerate() {
                let (Some(slot), false) = (slot, values.is_null(row)) else { continue };
                let cell = match target {
                    Side::Cells => match cell_of(&mut cursor, *value, cells)? {
                        Some(cell) => cell,
                        None => continue,
                    },
                    Side::Before => width,
                    Side::After => width.saturating_add(1),
                };
                let place = slot.saturating_mul(width.saturating_add(2)).saturating_add(cell);
                column.offer(place, *value, row, target, &mut cursor)?;
            }
            column.keep(values)?;
        }
        Ok(())
    }

    /// The slot of each row's entity; none for entities that are not of the batch.
    fn slots_of(&self, entities: &[Option<EntityValues<'_>>], rows: usize) -> Vec<Option<usize>> {
        let mut slots = Vec::with_capacity(rows);
        let mut last: Option<usize> = None;
        for row in 0..rows {
            let same = row > 0 && entities.iter().flatten().all(|values| values.same_as_before(row));
            if !same {
                let entity: Option<Entity> =
                    entities.iter().map(|values| values.as_ref().and_then(|v| v.part(row))).collect();
                last = entity.and_then(|entity| self.slots.get(&entity).copied());
            }
            slots.push(last);
        }
        slots
    }
}

fn cell_of(cursor: &mut Cursor<'_>, value: i128, cells: Run) -> Result<Option<usize>> {
    let bucket = cursor.bucket_of(IndexValue(value))?;
    let inside = cells.first <= bucket && bucket <= cells.last;
    Ok(inside.then(|| usize::try_from(bucket.0.abs_diff(cells.first.0)).unwrap_or(usize::MAX)))
}

impl Column {
    /// Takes the row for its place when it is later than what is there; after the cells, when its cell is earlier.
    fn offer(&mut self, place: usize, at: i128, row: usize, target: Side, cursor: &mut Cursor<'_>) -> Result<()> {
        let pending = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        let Some(own) = self.places.get_mut(place) else { return Ok(()) };
        let wins = match own {
            None => true,
            Some(known) if target == Side::After => {
                let (cell, known_cell) = (cursor.bucket_of(IndexValue(at))?, cursor.bucket_of(IndexValue(known.at))?);
                cell < known_cell || cell == known_cell && at >= known.at
            }
            Some(known) => at >= known.at,
        };
        if wins {
            *own = Some(Place { at, array: pending, row: u32::try_from(row).unwrap_or(u32::MAX) });
            self.touched.push(place);
        }
        Ok(())
    }

    /// Copies the winners out of the batch.
    fn keep(&mut self, values: &ArrayRef) -> Result<()> {
        if self.touched.is_empty() {
            return Ok(());
        }
        self.touched.sort_unstable();
        self.touched.dedup();
        let mut rows = Vec::with_capacity(self.touched.len());
        for place in self.touched.drain(..) {
            if let Some(Some(own)) = self.places.get_mut(place) {
                rows.push(own.row);
                own.row = u32::try_from(rows.len().saturating_sub(1)).unwrap_or(u32::MAX);
            }
        }
        let winners = rows.into_iter().map(|row| (0, row as usize));
        let taken = gather(&[values.as_ref()], winners)?;
        self.values.push(if self.method == Method::Linear { doubles(taken.as_ref())? } else { taken });
        Ok(())
    }
}

/// An entity column of a batch.
enum EntityValues<'a> {
    Texts(&'a arrow::array::StringArray),
    Numbers(Kind, Vec<i128>),
}

impl<'a> EntityValues<'a> {
    fn of(array: &'a ArrayRef) -> Result<Self> {
        if let Some(texts) = array.as_string_opt::<i32>() {
            return Ok(Self::Texts(texts));
        }
        let unfit = || Error::corrupt(format!("an entity column came as {}", array.data_type()));
        numbers(array).map(|(kind, numbers)| Self::Numbers(kind, numbers)).ok_or_else(unfit)
    }

    fn same_as_before(&self, row: usize) -> bool {
        match self {
            Self::Texts(texts) => texts.value(row) == texts.value(row.saturating_sub(1)),
            Self::Numbers(_, numbers) => numbers.get(row) == numbers.get(row.saturating_sub(1)),
        }
    }

    fn part(&self, row: usize) -> Option<EntityPart> {
        match self {
            Self::Texts(texts) => (row < texts.len()).then(|| EntityPart::from(texts.value(row))),
            Self::Numbers(kind, numbers) => numbers.get(row).map(|value| kind.part(*value)),
        }
    }
}
