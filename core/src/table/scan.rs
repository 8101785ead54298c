//! Reading rows: the kept segments of a snapshot cut into units, one a row group, that threads may read independently and
//! whose numbers are their order. A unit's file is opened when it is read, never before.

use std::{borrow::Cow, ops::Range, sync::Arc};

use super::{
    Snapshot,
    cache::Cache,
    select::{Query, Reason, Selector, has_field},
};
use crate::{
    error::{Error, Result},
    log::state::Segment,
    prune::{
        ColumnStats, Interval, Nulls, Statistics, Verdict,
        expr::{Constant, Expr},
        judge,
    },
    schema::{ColumnType, Strings},
    segment::{IndexFilter, ReadColumn, ReadRequest, RowGroupRead, SegmentFile, SegmentReader},
    time::IndexRange,
};

/// What to read.
#[derive(Debug, Clone, Default)]
pub struct ScanRequest {
    /// Positions of the columns to deliver, each once.
    pub columns: Vec<usize>,
    /// Rows outside are not delivered.
    pub range: IndexRange,
    /// Rows for which one of these is not true may be left out.
    pub predicates: Vec<Expr>,
}

/// A segment that is read.
#[derive(Debug)]
struct Kept {
    segment: Arc<Segment>,
    /// The number of its first unit.
    first_unit: usize,
    /// Where its rows that are of use lie, when that is not everywhere.
    clip: Option<Interval>,
}

/// How much there was to choose from and what was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Selection {
    /// Live segments.
    pub segments: usize,
    /// Segments that are read.
    pub kept: usize,
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
    query: Query,
    kept: Vec<Kept>,
    units: usize,
    types: Vec<ColumnType>,
    index: usize,
    /// What was chosen.
    pub selection: Selection,
}

/// A unit being read.
#[derive(Debug)]
pub struct Unit {
    /// The segment that it is of.
    pub segment: Arc<Segment>,
    /// For each requested column its place in the batches; none when the segment does not have the column.
    pub places: Vec<Option<usize>>,
    /// The rows.
    pub rows: UnitRows,
}

/// The rows of a unit.
#[derive(Debug)]
pub enum UnitRows {
    /// So many, of which no column is wanted.
    Counted(u64),
    /// Batches with the columns that the segment has.
    Read(Box<SegmentReader>),
}

impl Scan {
    /// Chooses the segments.
    ///
    /// # Errors
    /// As [`Snapshot::schema`].
    pub fn new(snapshot: &Snapshot, cache: &Arc<Cache>, request: ScanRequest) -> Result<Self> {
        let selector = Selector::new(snapshot)?;
        let query = selector.prepare(request.range, request.predicates);
        let mut selection = Selection { segments: snapshot.state.segments.len(), ..Selection::default() };
        let (mut kept, mut units) = (Vec::new(), 0_usize);
        for segment in snapshot.state.segments.all()? {
            if selector.judge(segment, &query) != Reason::Kept {
                continue;
            }
            let record = &segment.record;
            let clip = query.within(record.index_min, record.index_max);
            let whole = Interval { low: Some(record.index_min.0), high: Some(record.index_max.0) };
            let clip = (clip != whole).then_some(clip);
            kept.push(Kept { segment: Arc::clone(segment), first_unit: units, clip });
            units = units.saturating_add(usize::try_from(record.row_groups).unwrap_or(usize::MAX));
            selection.rows = selection.rows.saturating_add(record.rows);
            selection.bytes = selection.bytes.saturating_add(record.bytes);
        }
        selection.kept = kept.len();
        Ok(Self {
            snapshot: snapshot.clone(),
            cache: Arc::clone(cache),
            columns: request.columns,
            query,
            kept,
            units,
            types: selector.types().to_vec(),
            index: snapshot.index_position()?,
            selection,
        })
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

    /// Starts reading a unit; none when it cannot hold rows that are asked for.
    ///
    /// # Errors
    /// `NotFound` or `Corrupt` with path and version when the segment is not as the log says.
    pub fn unit(&self, number: usize, strings: Strings, batch_rows: usize) -> Result<Option<Unit>> {
        let at = self.kept.partition_point(|kept| kept.first_unit <= number).checked_sub(1);
        let Some(kept) = at.and_then(|at| self.kept.get(at)) else { return Ok(None) };
        let row_group = number.saturating_sub(kept.first_unit);
        let file = self.cache.segment(self.snapshot.storage(), &kept.segment)?;
        if file.row_group_count() as u64 != kept.segment.record.row_groups {
            return Err(Error::corrupt("a segment has another number of row groups than the log says")
                .with("path", &kept.segment.record.path)
                .with("version", kept.segment.added));
        }
        let (columns, places) = self.columns(&kept.segment, &file)?;
        let stats = GroupStats { scan: self, segment: &kept.segment, file: &file, row_group };
        if self.query.predicates().iter().any(|predicate| judge(predicate, &self.types, &stats) == Verdict::Never) {
            return Ok(None);
        }
        let clip = kept.clip.and_then(|clip| stats.clip(clip));
        if clip.is_some_and(|clip| clip.is_empty()) {
            return Ok(None);
        }
        let rows = if columns.is_empty() && clip.is_none() {
            UnitRows::Counted(file.row_group_rows(row_group) as u64)
        } else {
            let filter = clip.map(|clip| self.filter(&file, clip)).transpose()?;
            let row_groups = vec![RowGroupRead { row_group, rows: self.pages(&file, row_group, clip)? }];
            let reader = file.read(ReadRequest { columns, row_groups, strings, batch_rows, filter });
            let reader = reader.map_err(|e| e.with("version", kept.segment.added))?;
            UnitRows::Read(Box::new(reader.naming("version", kept.segment.added)))
        };
        Ok(Some(Unit { segment: Arc::clone(&kept.segment), places, rows }))
    }

    /// The rows of the pages whose index values can lie in `clip`; none when they are not known.
    fn pages(&self, file: &SegmentFile, row_group: usize, clip: Option<Interval>) -> Result<Option<Vec<Range<usize>>>> {
        let Some(clip) = clip else { return Ok(None) };
        let name = self.snapshot.schema()?.columns.get(self.index).map_or("", |column| column.name.as_str());
        let position =
            file.position(name).filter(|at| file.columns().get(*at).map(|c| &c.ty) == self.types.get(self.index));
        let Some(position) = position else { return Ok(None) };
        let Some(pages) = file.pages(row_group, position)? else { return Ok(None) };
        let of_use = pages.into_iter().filter(|page| {
            let whole = Interval { low: value(page.bounds.min.as_ref()), high: value(page.bounds.max.as_ref()) };
            !whole.intersect(&clip).is_empty()
        });
        let mut rows: Vec<Range<usize>> = Vec::new();
        for page in of_use {
            match rows.last_mut() {
                Some(last) if last.end == page.rows.start => last.end = page.rows.end,
                _ => rows.push(page.rows),
            }
        }
        Ok(Some(rows))
    }

    fn columns(&self, segment: &Segment, file: &SegmentFile) -> Result<(Vec<ReadColumn>, Vec<Option<usize>>)> {
        let schema = self.snapshot.schema()?;
        let (mut columns, mut places) = (Vec::new(), Vec::new());
        for position in &self.columns {
            let column = schema.columns.get(*position).ok_or_else(|| Error::invalid_argument("no such column"))?;
            if !has_field(segment, column.id) {
                places.push(None);
                continue;
            }
            places.push(Some(columns.len()));
            columns.push(read_column(file, &column.name, &column.ty, segment)?);
        }
        Ok((columns, places))
    }

    fn filter(&self, file: &SegmentFile, clip: Interval) -> Result<IndexFilter> {
        let schema = self.snapshot.schema()?;
        let index = schema.columns.get(self.index).ok_or_else(|| Error::corrupt("the table has no index column"))?;
        let position = file.position(&index.name).ok_or_else(|| Error::corrupt("a segment has no index column"))?;
        let column = ReadColumn { position, ty: index.ty.clone() };
        Ok(IndexFilter::closed(column, clip.low.unwrap_or(i128::MIN), clip.high.unwrap_or(i128::MAX)))
    }
}

/// An index value as a number.
fn value(constant: Option<&Constant>) -> Option<i128> {
    match constant {
        Some(Constant::Int(value)) => Some(*value),
        Some(Constant::Temporal(_, value)) => Some(i128::from(*value)),
        _ => None,
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

/// What a footer says of one row group, in the table's columns.
struct GroupStats<'a> {
    scan: &'a Scan,
    segment: &'a Segment,
    file: &'a SegmentFile,
    row_group: usize,
}

impl GroupStats<'_> {
    /// The part of `clip` that the row group's own bounds leave; none when all of its rows lie in it.
    fn clip(&self, clip: Interval) -> Option<Interval> {
        let Some(stats) = self.column(self.scan.index) else { return Some(clip) };
        let (Some(low), Some(high)) = (value(stats.min.as_ref()), value(stats.max.as_ref())) else { return Some(clip) };
        let whole = Interval { low: Some(low), high: Some(high) };
        let part = whole.intersect(&clip);
        (part != whole).then_some(part)
    }
}

impl Statistics for GroupStats<'_> {
    fn rows(&self) -> u64 {
        self.file.row_group_rows(self.row_group) as u64
    }

    fn column(&self, index: usize) -> Option<Cow<'_, ColumnStats>> {
        let column = self.scan.snapshot.schema().ok()?.columns.get(index)?;
        if !has_field(self.segment, column.id) {
            return Some(Cow::Owned(ColumnStats { nulls: Nulls::All, ..ColumnStats::default() }));
        }
        let position = self.file.position(&column.name)?;
        // Bounds of a narrower type are in another unit than the table's.
        if self.file.columns().get(position)?.ty != column.ty {
            return None;
        }
        let bounds = self.file.column_bounds(self.row_group, position);
        Some(Cow::Owned(ColumnStats {
            min: bounds.min,
            max: bounds.max,
            exact: bounds.exact,
            nulls: Nulls::from_count(bounds.nulls, self.rows()),
            values: None,
        }))
    }
}
