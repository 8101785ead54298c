//! Filling a regular grid: for each entity and cell the last value that was observed in it, or what takes its place, and
//! where that came from. Entities are worked on in batches, so that memory is bounded whatever the table holds.

mod cells;
mod collect;
mod lookaround;

use std::{collections::VecDeque, sync::Arc};

use arrow::{array::ArrayRef, datatypes::DataType};

use self::collect::Collection;
use crate::{
    coverage::Entity,
    error::{Error, Result},
    schema::{ColumnType, Strings},
    table::{
        Snapshot,
        ask::{choice::Choice, subject::Subject},
        cache::Cache,
    },
    time::{BucketId, Grid, IndexRange, Run},
};

/// Cells of all columns that are worked on at once; each takes some 32 bytes and its value.
const BATCH_CELLS: u64 = 2 << 20;
/// One entity has no more cells in all columns.
const MAX_CELLS: u64 = 32 << 20;

/// What stands in a cell without a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// NULL.
    Null,
    /// The last value before.
    Locf,
    /// What lies on the line between the neighbours, as a DOUBLE.
    Linear,
    /// Zero.
    Zero,
}

impl Method {
    /// # Errors
    /// `InvalidArgument` for an unknown word.
    pub fn parse(word: &str) -> Result<Self> {
        Ok(match word {
            "null" => Self::Null,
            "locf" => Self::Locf,
            "linear" => Self::Linear,
            "zero" => Self::Zero,
            _ => {
                return Err(Error::invalid_argument(format!(
                    "the method '{word}' is not known; use 'null', 'locf', 'linear' or 'zero'"
                )));
            }
        })
    }

    fn looks_back(self) -> bool {
        matches!(self, Self::Locf | Self::Linear)
    }
}

/// Where the value of a cell came from, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provenance {
    /// A row of the cell.
    Observed,
    /// The last value before.
    Carried,
    /// Between neighbours.
    Interpolated,
    /// No row; the calendar expects none.
    Closed,
    /// No row; that is confirmed.
    ConfirmedEmpty,
    /// No value, though one is expected.
    Missing,
}

impl Provenance {
    /// All of them; each stands at the place of its number.
    pub const ALL: [Self; 6] =
        [Self::Observed, Self::Carried, Self::Interpolated, Self::Closed, Self::ConfirmedEmpty, Self::Missing];

    /// The word in SQL.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Carried => "carried",
            Self::Interpolated => "interpolated",
            Self::Closed => "closed",
            Self::ConfirmedEmpty => "confirmed_empty",
            Self::Missing => "missing",
        }
    }
}

/// A column to be filled.
#[derive(Debug, Clone)]
pub struct FillColumn {
    /// Its position in the schema.
    pub position: usize,
    /// How.
    pub method: Method,
}

/// What to fill.
#[derive(Debug, Clone)]
pub struct FillRequest {
    /// The grid of cells.
    pub cells: Grid,
    /// Bounded on both sides; every cell that it meets is filled, from the rows of the whole cells.
    pub range: IndexRange,
    /// Each column once.
    pub columns: Vec<FillColumn>,
    /// In units of the index: no older value is carried, and no longer distance interpolated.
    pub max_age: Option<i128>,
    /// Whose cells, and for how long a value holds: nothing is carried or drawn into cells that it leaves without coverage.
    pub choice: Choice,
}

/// One entity's cells.
#[derive(Debug)]
pub struct Filled {
    /// The entity.
    pub entity: Entity,
    /// The cells, by number on the request's grid: ascending runs that do not touch. What the clock of the table's zone passes over is
    /// none of them, unless the table has rows there.
    pub cells: Vec<Run>,
    /// For each column its values and the numbers of their [`Provenance`], one a cell.
    pub columns: Vec<(ArrayRef, Vec<u8>)>,
}

impl Filled {
    /// How many cells there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells.iter().fold(0, |sum, run| sum.saturating_add(cell_count(*run)))
    }

    /// Whether there is no cell at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The cells from the `from`-th on.
    pub fn cells_from(&self, from: usize) -> impl Iterator<Item = BucketId> + '_ {
        let mut before = from;
        self.cells.iter().flat_map(move |run| {
            let passed = before.min(cell_count(*run));
            before -= passed;
            (passed..cell_count(*run)).map(|cell| bucket_at(*run, cell))
        })
    }
}

/// Fills entity by entity.
#[derive(Debug)]
pub struct Fill {
    snapshot: Snapshot,
    cache: Arc<Cache>,
    request: FillRequest,
    /// The cells of the range.
    cells: Run,
    types: Vec<ColumnType>,
    waiting: VecDeque<Subject>,
    batch_entities: usize,
    ready: VecDeque<Filled>,
}

/// The type of a filled column.
#[must_use]
pub fn filled_type(ty: &ColumnType, method: Method) -> ColumnType {
    if method == Method::Linear { ColumnType::Double } else { ty.clone() }
}

impl Fill {
    /// Prepares to fill; reads nothing yet.
    ///
    /// # Errors
    /// `InvalidArgument` when the range is open or a method does not suit its column; `LimitExceeded` when one entity has too
    /// many cells.
    pub fn new(snapshot: &Snapshot, cache: &Arc<Cache>, request: FillRequest) -> Result<Self> {
        let cells =
            request.cells.buckets_in(&request.range).filter(|_| request.range.start.and(request.range.until).is_some());
        let cells =
            cells.ok_or_else(|| Error::invalid_argument("the range to be filled has no end or holds no cell"))?;
        let schema = snapshot.schema()?;
        let mut types = Vec::new();
        for column in &request.columns {
            let missing = || Error::invalid_argument("a column to be filled is not in the table");
            let own = schema.columns.get(column.position).ok_or_else(missing)?;
            check_method(column.method, &own.name, &own.ty)?;
            types.push(own.ty.clone());
        }
        let per_entity = cells.buckets().saturating_mul(request.columns.len().max(1) as u64);
        if per_entity > MAX_CELLS {
            return Err(Error::limit_exceeded(format!(
                "each entity has {per_entity} cells in the range, which is more than {MAX_CELLS}; fill a shorter range, wider \
                 cells or fewer columns at once"
            )));
        }
        // The rows of whole cells decide, wherever the range begins in them.
        let whole = IndexRange::new(request.cells.start_of(cells.first), request.cells.end_of(cells.last));
        let all = Choice { entities: request.choice.entities.clone(), hold: None };
        let waiting = snapshot.chosen_subjects(&snapshot.grid()?, &whole, &all)?.into();
        let batch_entities = usize::try_from(BATCH_CELLS / per_entity.max(1)).unwrap_or(1).max(1);
        let (snapshot, cache, ready) = (snapshot.clone(), Arc::clone(cache), VecDeque::new());
        Ok(Self { snapshot, cache, request, cells, types, waiting, batch_entities, ready })
    }

    /// The next entity; none at the end.
    ///
    /// # Errors
    /// What reading the segments says.
    pub fn next_entity(&mut self) -> Result<Option<Filled>> {
        while self.ready.is_empty() {
            let count = self.batch_entities.min(self.waiting.len());
            if count == 0 {
                return Ok(None);
            }
            let all = count == self.waiting.len() && self.ready.is_empty();
            let subjects: Vec<Subject> = self.waiting.drain(..count).collect();
            self.fill(&subjects, all)?;
        }
        Ok(self.ready.pop_front())
    }

    fn fill(&mut self, subjects: &[Subject], is_last: bool) -> Result<()> {
        let mut collection = Collection::new(&self.snapshot, &self.cache, &self.request, self.cells, subjects)?;
        collection.read_cells(is_last)?;
        collection.look_around(subjects, self.request.max_age)?;
        let grid = self.snapshot.grid()?;
        let skipped = self.request.cells.skipped(self.cells);
        for (slot, subject) in subjects.iter().enumerate() {
            let states = cells::states(subject, &grid, &self.request.cells, self.cells);
            let held = cells::held(subject, &grid, &self.request, self.cells)?;
            let mut columns = Vec::new();
            for (at, (column, ty)) in self.request.columns.iter().zip(&self.types).enumerate() {
                let row = collection.row(slot, at);
                let filler = cells::Filler {
                    held: held.as_deref(),
                    cells: &self.request.cells,
                    run: self.cells,
                    max_age: self.request.max_age,
                    states: &states,
                };
                columns.push(filler.fill(column.method, ty, row, collection.values(at))?);
            }
            let kept = cells::kept(subject, &grid, &self.request.cells, self.cells, &skipped);
            let columns =
                columns.into_iter().map(|column| cells::only(column, self.cells, &kept)).collect::<Result<_>>()?;
            self.ready.push_back(Filled { entity: subject.entity.clone(), cells: kept, columns });
        }
        Ok(())
    }
}

fn check_method(method: Method, name: &str, ty: &ColumnType) -> Result<()> {
    let is_number = ty.integer_bits().is_some()
        || matches!(ty, ColumnType::Float | ColumnType::Double | ColumnType::Decimal { .. } | ColumnType::HalfFloat);
    let word = match method {
        Method::Linear => "linear",
        Method::Zero => "zero",
        Method::Null | Method::Locf => return Ok(()),
    };
    if !is_number {
        return Err(Error::invalid_argument(format!(
            "the column '{name}' is {ty}, which '{word}' cannot fill; it takes numbers"
        )));
    }
    Ok(())
}

/// The Arrow type in which the values of a column are kept.
fn kept_type(ty: &ColumnType, method: Method) -> DataType {
    filled_type(ty, method).arrow(Strings::Plain)
}

/// Where the end anchors of an entity's row stand: after its cells.
fn cell_count(run: Run) -> usize {
    usize::try_from(run.buckets()).unwrap_or(usize::MAX)
}

fn bucket_at(run: Run, cell: usize) -> BucketId {
    BucketId(run.first.0.saturating_add_unsigned(cell as u64))
}
