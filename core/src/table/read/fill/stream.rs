//! Filling entity by entity, in batches that fit into memory.

use std::{collections::VecDeque, sync::Arc};

use arrow::array::ArrayRef;

use super::{
    cells,
    collect::Collection,
    request::{FillRequest, bucket_at, cell_count, check_method},
};
use crate::{
    coverage::Entity,
    error::{Error, Result},
    schema::ColumnType,
    table::{
        ask::{choice::Choice, subject::Subject},
        cache::Cache,
        handle::Snapshot,
    },
    time::{BucketId, IndexRange, Run},
};

/// Cells of all columns that are worked on at once; each takes some 32 bytes and its value.
const BATCH_CELLS: u64 = 2 << 20;
/// One entity has no more cells in all columns.
const MAX_CELLS: u64 = 32 << 20;

/// One entity's cells.
#[derive(Debug)]
pub struct Filled {
    /// The entity.
    pub entity: Entity,
    /// The cells, by number on the request's grid: ascending runs that do not touch. What the clock of the table's zone passes over is
    /// none of them, unless the table has rows there.
    pub cells: Vec<Run>,
    /// For each column its values and the numbers of their provenance, one a cell.
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

impl Fill {
    /// Prepares to fill; reads nothing yet.
    ///
    /// # Errors
    /// `InvalidArgument` when the range is open or a method does not suit its column; `LimitExceeded` when one entity has too
    /// many cells, or the range lies where cells of this width have no numbers.
    pub fn new(snapshot: &Snapshot, cache: &Arc<Cache>, request: FillRequest) -> Result<Self> {
        request.cells.reaches(&request.range)?;
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
        let all = Choice { entities: request.choice.entities.clone(), ..Choice::default() };
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
