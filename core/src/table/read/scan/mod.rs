//! Reading rows: the kept segments of a snapshot cut into units, one a row group, that threads may read independently and
//! whose numbers are their order. A unit's file is opened when it is read, never before.

mod applied;
mod chosen;
mod held;
mod pages;
mod stats;

use std::sync::Arc;

pub use self::applied::{Appliable, Applied, Required};
use self::{applied::AllApplied, chosen::Chosen, stats::GroupStats};
use super::select::{Question, Reason, Selector, constant_of};
use crate::{
    coverage::{Entity, EntityPart},
    error::{Error, Result},
    log::segment::Segment,
    prune::{
        Interval, Nulls, Statistics, Verdict,
        expr::{Constant, Expr},
        judge,
    },
    schema::{Column, ColumnType, Strings},
    segment::{IndexFilter, ReadColumn, ReadRequest, RowGroupRead, SegmentFile, SegmentReader, ValueFilter},
    table::{cache::Cache, handle::Snapshot},
    time::IndexRange,
};

/// Rows are chosen by entity where a segment has at least this many for each that is asked for.
const ENTITIES_PER_CHOSEN: u64 = 16;

/// What to read.
#[derive(Debug, Clone, Default)]
pub struct ScanRequest {
    /// Positions of the columns to deliver, each once.
    pub columns: Vec<usize>,
    /// Rows outside are not delivered.
    pub range: IndexRange,
    /// Rows for which one of these is not true may be left out.
    pub predicates: Vec<Expr>,
    /// Only rows of these entities are delivered, those of all when empty.
    pub entities: Vec<Entity>,
    /// Rows for which one of these is not true are not delivered. Only what [`Appliable::read`] can read.
    pub applied: Vec<Expr>,
    /// Whether a column may be given as a constant where all rows of a unit are known to have one value.
    pub constants: bool,
}

/// A segment that is read.
#[derive(Debug)]
struct Kept {
    segment: Arc<Segment>,
    /// The number of its first unit.
    first_unit: usize,
    /// Where its rows that are of use lie, when that is not everywhere.
    clip: Option<Interval>,
    /// Whether all of its rows have the values that are required.
    settled: bool,
}

/// How much there was to choose from and what was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Selection {
    /// Live segments.
    pub segments: usize,
    /// Segments that are read.
    pub kept: usize,
    /// Row groups of the live segments.
    pub row_groups: u64,
    /// Rows of those.
    pub rows: u64,
    /// Bytes of those.
    pub bytes: u64,
}

/// A scan of one snapshot, shared by its readers.
#[derive(Debug)]
pub struct Scan {
    snapshot: Snapshot,
    cache: Arc<Cache>,
    columns: Vec<usize>,
    constants: bool,
    query: Question,
    chosen: Option<Chosen>,
    applied: AllApplied,
    /// How many of the predicates, counted from the first, are applied; the others only advise.
    applied_count: usize,
    /// How many of the predicates, counted from the first, need no look at the rows that are left.
    exact_count: usize,
    kept: Vec<Kept>,
    units: usize,
    types: Vec<ColumnType>,
    index: usize,
    /// Positions of the entity columns.
    entities: Vec<usize>,
    /// What was chosen.
    pub selection: Selection,
}

/// A unit being read.
#[derive(Debug)]
pub struct Unit {
    /// The segment that it is of.
    pub segment: Arc<Segment>,
    /// For each requested column its place in the batches; none when the segment does not have the column or `constants`
    /// has its value.
    pub places: Vec<Option<usize>>,
    /// For each requested column the value of all rows, where that is known and was asked for.
    pub constants: Vec<Option<Constant>>,
    /// The rows.
    pub rows: UnitRows,
}

/// The rows of a unit.
#[derive(Debug)]
pub enum UnitRows {
    /// This many rows, of which no column is wanted.
    Counted(u64),
    /// Batches with the columns that the segment has.
    Read(Box<SegmentReader>),
}

impl Scan {
    /// Chooses the segments.
    ///
    /// # Errors
    /// As [`Snapshot::schema`]; `InvalidArgument` when the entities are not all combinations of some values, `Internal` when a
    /// predicate cannot be applied.
    pub fn new(snapshot: &Snapshot, cache: &Arc<Cache>, request: ScanRequest) -> Result<Self> {
        let selector = Selector::new(snapshot)?;
        let appliable = Appliable::by(&selector, snapshot.index_position()?);
        let applied = AllApplied::new(&appliable, request.range, &request.applied)?;
        let chosen = Chosen::of(&request.entities, selector.entities())?;
        let mut predicates = request.applied;
        let applied_count = predicates.len();
        predicates.extend(chosen.iter().flat_map(Chosen::predicates));
        let exact_count = predicates.len();
        predicates.extend(request.predicates);
        let query = selector.prepare(applied.range, predicates);
        let mut selection = Selection { segments: snapshot.state.segments.len(), ..Selection::default() };
        let (mut kept, mut units) = (Vec::new(), 0_usize);
        for segment in snapshot.state.segments.all()? {
            selection.row_groups = selection.row_groups.saturating_add(segment.record.row_groups);
            if selector.judge(segment, &query) != Reason::Kept {
                continue;
            }
            let record = &segment.record;
            let clip = query.within(record.index_min, record.index_max);
            let whole = Interval { low: Some(record.index_min.0), high: Some(record.index_max.0) };
            let clip = (clip != whole).then_some(clip);
            let settled = applied.holds_for_all_of(segment, snapshot.storage().as_ref());
            kept.push(Kept { segment: Arc::clone(segment), first_unit: units, clip, settled });
            units = units.saturating_add(usize::try_from(record.row_groups).unwrap_or(usize::MAX));
            selection.rows = selection.rows.saturating_add(record.rows);
            selection.bytes = selection.bytes.saturating_add(record.bytes);
        }
        selection.kept = kept.len();
        Ok(Self {
            snapshot: snapshot.clone(),
            cache: Arc::clone(cache),
            columns: request.columns,
            constants: request.constants,
            query,
            chosen,
            applied,
            applied_count,
            exact_count,
            kept,
            units,
            types: selector.types().to_vec(),
            entities: selector.entities().to_vec(),
            index: snapshot.index_position()?,
            selection,
        })
    }

    /// The predicates of the request, those that are applied first.
    #[must_use]
    pub fn predicates(&self) -> &[Expr] {
        self.query.predicates()
    }

    /// Those that are applied.
    #[must_use]
    pub fn applied(&self) -> &[Expr] {
        self.query.predicates().get(..self.applied_count).unwrap_or_default()
    }

    /// The types of the table's columns.
    #[must_use]
    pub fn types(&self) -> &[ColumnType] {
        &self.types
    }

    /// The names of the table's columns.
    #[must_use]
    pub fn column_names(&self) -> Vec<&str> {
        self.snapshot
            .schema()
            .map_or_else(|_| Vec::new(), |schema| schema.columns.iter().map(|c| c.name.as_str()).collect())
    }

    /// The snapshot that is scanned.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The number of units; those from 0 on are in the order of the index.
    #[must_use]
    pub fn units(&self) -> usize {
        self.units
    }

    /// Gives back what is held of files; what is read again is opened again. What is not read any more must not keep the disk full
    /// once it is removed.
    pub fn release(&self) {
        self.snapshot.storage().release();
    }

    /// Starts reading a unit; none when it cannot hold rows that are asked for.
    ///
    /// # Errors
    /// `NotFound` or `Corrupt` with path and version when the segment is not as the log says.
    pub fn unit(&self, number: usize, strings: Strings, batch_rows: usize) -> Result<Option<Unit>> {
        let at = self.kept.partition_point(|kept| kept.first_unit <= number).checked_sub(1);
        let Some(kept) = at.and_then(|at| self.kept.get(at)) else { return Ok(None) };
        let row_group = number.saturating_sub(kept.first_unit);
        let storage = self.snapshot.storage().as_ref();
        let chosen = self.chosen.as_ref().filter(|chosen| !chosen.has_all_of(&kept.segment, storage));
        let whole = kept.clip.is_none() && kept.settled && chosen.is_none();
        let is_advised = self.query.predicates().len() > self.exact_count;
        if self.columns.is_empty() && !is_advised && whole {
            return Ok((row_group == 0).then(|| counted(&kept.segment, Vec::new())));
        }
        if let Some(constants) = self.known(&kept.segment).filter(|_| whole) {
            return Ok((row_group == 0).then(|| counted(&kept.segment, constants)));
        }
        let file = self.cache.segment(self.snapshot.storage(), &kept.segment, self.snapshot.definition());
        let file = file.map_err(|e| self.snapshot.unless_vacuumed(e))?;
        let stats = GroupStats {
            schema: self.snapshot.schema()?,
            definition: self.snapshot.definition(),
            index: self.index,
            segment: &kept.segment,
            file: &file,
            row_group,
        };
        if self.query.predicates().iter().any(|predicate| judge(predicate, &self.types, &stats) == Verdict::Never) {
            return Ok(None);
        }
        let clip = kept.clip.and_then(|clip| stats.clip(clip));
        if clip.is_some_and(|clip| clip.is_empty()) {
            return Ok(None);
        }
        let constants: Vec<_> = self.columns.iter().map(|column| self.constant(&stats, *column)).collect();
        let (columns, places) = self.columns(&kept.segment, &file, &constants)?;
        let required = self.required(kept, &file)?;
        let rows = if columns.is_empty() && clip.is_none() && chosen.is_none() && required.is_empty() {
            UnitRows::Counted(file.row_group_rows(row_group) as u64)
        } else {
            let filter = clip.map(|clip| self.filter(&file, clip)).transpose()?;
            let row_groups = vec![RowGroupRead { row_group, rows: self.pages(&kept.segment, &file, row_group, clip)? }];
            let mut values = self.values(&kept.segment, &file, chosen)?;
            values.extend(required);
            let reader = file.read(ReadRequest { columns, row_groups, strings, batch_rows, filter, values });
            let reader = reader.map_err(|e| e.with("version", kept.segment.added))?;
            UnitRows::Read(Box::new(reader.naming("version", kept.segment.added)))
        };
        Ok(Some(Unit { segment: Arc::clone(&kept.segment), places, constants, rows }))
    }

    /// The values of all columns that are wanted, when none of them is in the segment's file: then nobody opens it.
    fn known(&self, segment: &Segment) -> Option<Vec<Option<Constant>>> {
        if !self.constants || !segment.record.has_constants() {
            return None;
        }
        let schema = self.snapshot.schema().ok()?;
        let value = |position: &usize| {
            let column = schema.columns.get(*position).filter(|_| *position != self.index)?;
            let missing = || (!segment.has_field(column.id)).then_some(None);
            constant_of(segment, column, self.snapshot.definition()).map(Some).or_else(missing)
        };
        self.columns.iter().map(value).collect()
    }

    /// The value that all rows of a row group have in a column; none when that is not known.
    fn constant(&self, stats: &GroupStats<'_>, column: usize) -> Option<Constant> {
        // The index is always read: buckets are made of it.
        if !self.constants || column == self.index {
            return None;
        }
        let part = self.entities.iter().position(|entity| *entity == column);
        if let Some(part) = part.filter(|_| stats.segment.record.entities == 1) {
            let coverage = stats.segment.coverage(self.snapshot.storage().as_ref()).ok()?;
            return coverage.entities().next().and_then(|entity| entity.parts().get(part)).map(Constant::from);
        }
        if let Some(constant) = stats.constant(column) {
            return Some(constant);
        }
        if !stats.is_proven() {
            return None;
        }
        let known = stats.column(column)?;
        match (&known.nulls, &known.min, &known.max) {
            (Nulls::All, ..) => Some(Constant::Null),
            // Other types have values that differ and compare as equal, or bounds that are another value's.
            (Nulls::None, Some(min @ (Constant::Text(_) | Constant::Int(_))), Some(max))
                if known.exact && min == max =>
            {
                Some(min.clone())
            }
            _ => None,
        }
    }

    fn columns(
        &self,
        segment: &Segment,
        file: &SegmentFile,
        constants: &[Option<Constant>],
    ) -> Result<(Vec<ReadColumn>, Vec<Option<usize>>)> {
        let schema = self.snapshot.schema()?;
        let (mut columns, mut places) = (Vec::new(), Vec::new());
        for (position, constant) in self.columns.iter().zip(constants) {
            let column = schema.columns.get(*position).ok_or_else(|| Error::invalid_argument("no such column"))?;
            if constant.is_some() || !segment.has_field(column.id) {
                places.push(None);
                continue;
            }
            places.push(Some(columns.len()));
            columns.push(read_column(file, &column.name, &column.ty, segment)?);
        }
        Ok((columns, places))
    }

    /// The values of entity columns with which alone rows are delivered: those of the entities that were chosen, and those of
    /// the predicates where they are few among those of the segment. Rows are then chosen before the other columns are
    /// decoded; where many rows remain that costs more than it saves.
    fn values(&self, segment: &Segment, file: &SegmentFile, chosen: Option<&Chosen>) -> Result<Vec<ValueFilter>> {
        let own: Vec<_> = chosen.iter().flat_map(|chosen| chosen.columns()).collect();
        let few = |(column, values): &(usize, &[EntityPart])| {
            (values.len() as u64).saturating_mul(ENTITIES_PER_CHOSEN) <= segment.record.entities
                && !own.iter().any(|(known, _)| known == column)
                && !self.is_required(*column)
        };
        let advised = self.query.entities().filter(few).filter_map(|(column, values)| {
            Some(value_filter(self.snapshot.schema().ok()?.columns.get(column)?, file, values))?.ok()
        });
        let advised: Vec<_> = advised.collect();
        let mut filters = Vec::with_capacity(own.len().saturating_add(advised.len()));
        for (position, values) in own {
            let column = self.snapshot.schema()?.columns.get(position);
            let column = column.ok_or_else(|| Error::corrupt("an entity column is not among the columns"))?;
            filters.push(value_filter(column, file, values).map_err(|e| e.with("path", &segment.record.path))?);
        }
        filters.extend(advised);
        Ok(filters)
    }

    fn filter(&self, file: &SegmentFile, clip: Interval) -> Result<IndexFilter> {
        let schema = self.snapshot.schema()?;
        let index = schema.columns.get(self.index).ok_or_else(|| Error::corrupt("the table has no index column"))?;
        let position = file.position(&index.name).ok_or_else(|| Error::corrupt("a segment has no index column"))?;
        let column = ReadColumn { position, ty: index.ty.clone() };
        Ok(IndexFilter::closed(column, clip.low.unwrap_or(i128::MIN), clip.high.unwrap_or(i128::MAX)))
    }
}

fn value_filter(column: &Column, file: &SegmentFile, values: &[EntityPart]) -> Result<ValueFilter> {
    let unfit = || Error::corrupt(format!("a segment has no entities in its column '{}'", column.name));
    if !ValueFilter::can_choose(&column.ty) {
        return Err(unfit());
    }
    let column = ReadColumn { position: file.position(&column.name).ok_or_else(unfit)?, ty: column.ty.clone() };
    Ok(ValueFilter { column, values: values.to_vec() })
}

/// All rows of a segment, of which no column is wanted that is in its file: the log knows how many they are, and the others.
fn counted(segment: &Arc<Segment>, constants: Vec<Option<Constant>>) -> Unit {
    let rows = UnitRows::Counted(segment.record.rows);
    Unit { segment: Arc::clone(segment), places: vec![None; constants.len()], constants, rows }
}

impl Drop for Scan {
    fn drop(&mut self) {
        self.release();
    }
}

fn read_column(file: &SegmentFile, name: &str, ty: &ColumnType, segment: &Segment) -> Result<ReadColumn> {
    let position = file.position(name).ok_or_else(|| {
        Error::corrupt(format!("a segment has no column '{name}', which the log says it has"))
            .with("path", &segment.record.path)
            .with("version", segment.added)
    })?;
    Ok(ReadColumn { position, ty: ty.clone() })
}
