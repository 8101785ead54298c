//! What a file says of rows that the table has: new, the same, restated (same entity and index, other values), and rows of the
//! table's that the file lacks in the buckets that it covers.
//!
//! The rows of both go into one sorter by entity and index, the table's before the file's, and come out side by side: memory is
//! bounded by the sorter's, whatever their number; runs too long for it are written below the root and removed again. Only rows of one
//! entity and index are held beside that.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use arrow::{
    array::{Array, ArrayRef, BooleanArray, RecordBatch},
    compute::cast,
    datatypes::{DataType, Field, FieldRef, Schema},
    row::{RowConverter, Rows, SortField},
    util::display::{ArrayFormatter, FormatOptions},
};

use super::{
    checks::Checks,
    incoming::Incoming,
    sieve::Sieve,
    sorter::{MEMORY_BYTES, Sorted, Sorter},
    within::{range_filter, row_groups},
};
use crate::{
    coverage::Entity,
    error::{Error, Result},
    log::state::TableState,
    schema::{Column, ColumnType},
    segment::{
        look::RowLook,
        rewrite::TableRows,
        visit::{EntityBatch, IndexValues, RowVisitor},
    },
    storage::Storage,
    table::{
        monitor::{Monitor, check_cancelled},
        opened,
        target::{KeyColumns, Target, write_columns},
    },
    time::{IndexRange, IndexValue},
};

/// How an entity's rows in a file compare with the table's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Rows of which the table has none of that entity and index, or fewer.
    pub new: u64,
    /// Rows that the table has, value for value.
    pub same: u64,
    /// Rows that the table has with other values.
    pub changed: u64,
    /// Rows that the table has, and the file does not, in the buckets that the file covers.
    pub missing: u64,
}

/// A value that a file restates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restated {
    /// Whose row.
    pub entity: Entity,
    /// The row's index.
    pub index: IndexValue,
    /// The column's name.
    pub column: String,
    /// What the table has, as text; none for NULL.
    pub old: Option<String>,
    /// What the file has.
    pub new: Option<String>,
}

/// The values that a file restates, by entity and index; [`Comparison::counts`] is complete once they have all been taken.
#[derive(Debug)]
pub struct Comparison {
    rows: SideBySide,
    columns: Vec<(usize, String)>,
    /// Whether cells are listed, or rows counted only.
    cells: bool,
    ready: VecDeque<Restated>,
    counts: BTreeMap<Entity, Counts>,
}

impl Comparison {
    /// Compares `file`, which is for a table with the columns of `target`, with the live rows of `state`.
    ///
    /// # Errors
    /// What reading rows says, `Io` when they are too many for memory and cannot be written down, and `Cancelled`.
    pub fn new(
        storage: &Arc<dyn Storage>,
        state: &TableState,
        target: &Target,
        file: &Incoming,
        cells: bool,
        monitor: &dyn Monitor,
    ) -> Result<Self> {
        let wide = Arc::new(with_side(target)?);
        let keys = KeyColumns::of(target)?;
        let side = target.schema.columns.len();
        let sort_by = keys.sort_order().into_iter().chain([side]).collect();
        let mut sorter = Sorter::new(storage, &wide, sort_by, MEMORY_BYTES);
        push_table(&mut sorter, storage.as_ref(), state, target, file, monitor)?;
        let checks = if file.checked_out { Checks::of(&state.properties, &target.schema)? } else { Checks::default() };
        for batch in TableRows::new(&file.reopen()?, &write_columns(target))? {
            check_cancelled(monitor)?;
            push(&mut sorter, &checks.pass(&batch?)?, true)?;
        }
        let is_key = |at: &usize| *at == keys.index || keys.entities.contains(at);
        let values: Vec<usize> = (0..side).filter(|at| !is_key(at)).collect();
        let named = |at: &usize| Some((*at, target.schema.columns.get(*at)?.name.clone()));
        let columns = values.iter().filter_map(named).collect();
        let rows = SideBySide::new(sorter.sorted(monitor)?, keys, side, values);
        Ok(Self { rows, columns, cells, ready: VecDeque::new(), counts: BTreeMap::new() })
    }

    /// Counts the rows that are left, and gives what there was of each entity.
    ///
    /// # Errors
    /// As the next cell.
    pub fn counts(mut self) -> Result<BTreeMap<Entity, Counts>> {
        while self.advance()? {
            self.ready.clear();
        }
        Ok(self.counts)
    }

    /// Compares the next rows of one entity and index; false at the end.
    fn advance(&mut self) -> Result<bool> {
        let Some(group) = self.rows.next_group()? else { return Ok(false) };
        let matched = group.matched();
        let counts = self.counts.entry(group.entity.clone()).or_default();
        let (old, new) = (matched.old.len() as u64, matched.new.len() as u64);
        let changed = old.min(new);
        counts.same = counts.same.saturating_add(matched.same);
        counts.changed = counts.changed.saturating_add(changed);
        counts.new = counts.new.saturating_add(new.saturating_sub(changed));
        counts.missing = counts.missing.saturating_add(old.saturating_sub(changed));
        if self.cells {
            for (old, new) in matched.old.iter().zip(&matched.new) {
                for (at, name) in &self.columns {
                    let (old, new) = (old.text(*at)?, new.text(*at)?);
                    if old != new {
                        let (entity, index, column) = (group.entity.clone(), group.index, name.clone());
                        self.ready.push_back(Restated { entity, index, column, old, new });
                    }
                }
            }
        }
        Ok(true)
    }
}

impl Iterator for Comparison {
    type Item = Result<Restated>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(cell) = self.ready.pop_front() {
                return Some(Ok(cell));
            }
            match self.advance() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(e) => return Some(Err(e)),
            }
        }
    }
}

/// The target with a column that says where a row is from: false for the table, true for the file.
fn with_side(target: &Target) -> Result<Target> {
    let mut definition = target.definition.clone();
    let mut name = "tstable_side".to_owned();
    while target.schema.find(&name).is_some() {
        name.push('_');
    }
    let id = definition.last_field_id.saturating_add(1);
    let mut schema = target.schema.clone();
    schema.columns.push(Column { id, name, ty: ColumnType::Boolean });
    definition.schema = Some(schema);
    Target::with_columns(definition)
}

fn push(sorter: &mut Sorter, batch: &RecordBatch, side: bool) -> Result<()> {
    let broken = |e| Error::corrupt("rows cannot be put side by side").caused_by(e);
    let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
    columns.push(Arc::new(BooleanArray::from(vec![side; batch.num_rows()])));
    let schema = batch.schema();
    let side = Field::new("side", DataType::Boolean, true);
    let fields: Vec<_> = schema.fields().iter().cloned().chain([Arc::new(side)]).collect();
    let schema = Arc::new(Schema::new(fields));
    sorter.push(RecordBatch::try_new(schema, columns).map_err(broken)?)
}

/// The live rows in the buckets that the file covers.
fn push_table(
    sorter: &mut Sorter,
    storage: &dyn Storage,
    state: &TableState,
    target: &Target,
    file: &Incoming,
    monitor: &dyn Monitor,
) -> Result<()> {
    let (min, max) = (target.grid.bucket_of(file.bounds.0)?, target.grid.bucket_of(file.bounds.1)?);
    let range = IndexRange::new(target.grid.start_of(min), target.grid.end_of(max));
    for segment in state.segments.all()?.into_iter().filter(|segment| segment.meets(&range)) {
        check_cancelled(monitor)?;
        let own = segment.coverage(storage)?;
        if own.is_disjoint(&file.coverage) {
            continue;
        }
        let opened = opened::open(storage, segment, &state.definition)?;
        let named = |e: Error| e.with("version", segment.added);
        let (groups, filter) = (row_groups(&opened, target, &range), range_filter(&opened, target, &range)?);
        let mut inside = Sieve::of_inside(target, &file.coverage)?;
        let rows = TableRows::known(&opened, &write_columns(target), groups, filter, &|id| segment.has_field(id));
        for batch in rows.map_err(named)? {
            check_cancelled(monitor)?;
            push(sorter, &inside.pass(&batch.map_err(named)?)?, false)?;
        }
    }
    Ok(())
}

/// Sorted rows, of which those of one entity and index are taken together.
struct SideBySide {
    sorted: Sorted,
    keys: KeyColumns,
    side: usize,
    values: Values,
    look: RowLook,
    batch: Option<Arc<Batch>>,
    at: usize,
}

impl std::fmt::Debug for SideBySide {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SideBySide").field("at", &self.at).finish_non_exhaustive()
    }
}

/// A sorted batch, its keys, and its values in a form that is compared at once.
struct Batch {
    rows: RecordBatch,
    keys: Vec<(Entity, IndexValue)>,
    values: Encoded,
}

/// A row of a batch.
#[derive(Clone)]
struct Place(Arc<Batch>, usize);

impl Place {
    fn text(&self, column: usize) -> Result<Option<String>> {
        let missing = || Error::corrupt("a batch lacks a column");
        let array = self.0.rows.columns().get(column).ok_or_else(missing)?;
        text(array, self.1)
    }
}

/// The rows of one entity and index, of the table and of the file.
struct Group {
    entity: Entity,
    index: IndexValue,
    old: Vec<Place>,
    new: Vec<Place>,
}

/// What is left when rows that are the same are taken away in pairs.
struct Matched {
    same: u64,
    old: Vec<Place>,
    new: Vec<Place>,
}

impl Group {
    fn matched(&self) -> Matched {
        let mut known: HashMap<&[u8], Vec<&Place>> = HashMap::new();
        for place in self.old.iter().rev() {
            known.entry(place.0.values.row(place.1)).or_default().push(place);
        }
        let (mut same, mut new) = (0, Vec::new());
        for place in &self.new {
            match known.get_mut(place.0.values.row(place.1)).and_then(Vec::pop) {
                Some(_) => same += 1,
                None => new.push(place.clone()),
            }
        }
        let left: usize = known.values().map(Vec::len).sum();
        let mut old = Vec::with_capacity(left);
        if left > 0 {
            // In the table's order, so that the answer is always the same.
            for place in &self.old {
                let rest = known.get_mut(place.0.values.row(place.1));
                if rest.and_then(Vec::pop).is_some() {
                    old.push(place.clone());
                }
            }
        }
        Matched { same, old, new }
    }
}

impl SideBySide {
    fn new(sorted: Sorted, keys: KeyColumns, side: usize, values: Vec<usize>) -> Self {
        let look = RowLook::new(keys.entities.len());
        Self { sorted, keys, side, values: Values { columns: values }, look, batch: None, at: 0 }
    }

    fn next_group(&mut self) -> Result<Option<Group>> {
        let mut group: Option<Group> = None;
        loop {
            let Some(batch) = self.current()? else { return Ok(group) };
            let missing = || Error::corrupt("a sorted row has no key");
            let (entity, index) = batch.keys.get(self.at).ok_or_else(missing)?;
            let open = match &mut group {
                Some(group) if group.entity == *entity && group.index == *index => group,
                Some(_) => return Ok(group),
                none => none.insert(Group { entity: entity.clone(), index: *index, old: Vec::new(), new: Vec::new() }),
            };
            let side = batch.rows.columns().get(self.side).and_then(|c| c.as_any().downcast_ref::<BooleanArray>());
            let is_new = side.is_some_and(|side| self.at < side.len() && side.value(self.at));
            let place = Place(Arc::clone(&batch), self.at);
            if is_new {
                open.new.push(place)
            } else {
                open.old.push(place)
            }
            self.at += 1;
        }
    }

    /// The batch of the next row; none at the end.
    fn current(&mut self) -> Result<Option<Arc<Batch>>> {
        while self.batch.as_ref().is_none_or(|batch| self.at >= batch.rows.num_rows()) {
            let Some(rows) = self.sorted.next().transpose()? else { return Ok(None) };
            let (index, entities) = self.keys.arrays(&rows)?;
            let mut keys = Keyed::default();
            self.look.batch(index, &entities, &mut keys)?;
            let values = self.values.encode(&rows)?;
            self.batch = Some(Arc::new(Batch { keys: keys.0, values, rows }));
            self.at = 0;
        }
        Ok(self.batch.clone())
    }
}

/// Entity and index of each row.
#[derive(Default)]
struct Keyed(Vec<(Entity, IndexValue)>);

impl RowVisitor for Keyed {
    fn batch(&mut self, index: IndexValues<'_>, entities: &EntityBatch<'_>) -> Result<()> {
        let mut last: Option<(u32, Entity)> = None;
        let mut add = |value: i128, code: u32| {
            if last.as_ref().is_none_or(|(known, _)| *known != code) {
                let values = usize::try_from(code).ok().and_then(|code| entities.entities.get(code));
                last = Some((code, values.cloned().unwrap_or_default()));
            }
            self.0.extend(last.as_ref().map(|(_, entity)| (entity.clone(), IndexValue(value))));
        };
        match index {
            IndexValues::Signed(values) => values.iter().zip(entities.codes).for_each(|(v, c)| add((*v).into(), *c)),
            IndexValues::Unsigned(values) => values.iter().zip(entities.codes).for_each(|(v, c)| add((*v).into(), *c)),
        }
        Ok(())
    }
}

/// The columns that are compared.
struct Values {
    columns: Vec<usize>,
}

/// The values of rows, each as bytes that are equal when the values are.
enum Encoded {
    Rows(Rows),
    Texts(Vec<Vec<u8>>),
    Nothing,
}

impl Encoded {
    fn row(&self, at: usize) -> &[u8] {
        match self {
            Self::Rows(rows) if at < rows.num_rows() => rows.row(at).data(),
            Self::Texts(texts) => texts.get(at).map(Vec::as_slice).unwrap_or_default(),
            Self::Rows(_) | Self::Nothing => &[],
        }
    }
}

impl Values {
    fn encode(&self, rows: &RecordBatch) -> Result<Encoded> {
        let arrays: Vec<ArrayRef> = self.columns.iter().filter_map(|at| rows.columns().get(*at)).cloned().collect();
        if arrays.is_empty() {
            return Ok(Encoded::Nothing);
        }
        let fields = arrays.iter().map(|array| SortField::new(array.data_type().clone())).collect();
        let encoded = RowConverter::new(fields).and_then(|converter| converter.convert_columns(&arrays));
        if let Ok(encoded) = encoded {
            return Ok(Encoded::Rows(encoded));
        }
        // Types that have no such form are compared by what they show.
        let mut texts = Vec::with_capacity(rows.num_rows());
        for at in 0..rows.num_rows() {
            let mut bytes = Vec::new();
            for array in &arrays {
                let value = text(array, at)?;
                bytes.push(u8::from(value.is_some()));
                let value = value.unwrap_or_default();
                bytes.extend_from_slice(&(value.len() as u64).to_le_bytes());
                bytes.extend_from_slice(value.as_bytes());
            }
            texts.push(bytes);
        }
        Ok(Encoded::Texts(texts))
    }
}

/// A value as text; none for NULL.
fn text(array: &ArrayRef, at: usize) -> Result<Option<String>> {
    if array.is_null(at) {
        return Ok(None);
    }
    let options = FormatOptions::new()
        .with_null("NULL")
        .with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"))
        .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f+00"));
    let broken = |e| Error::corrupt("a value cannot be shown").caused_by(e);
    let one = array.slice(at, 1);
    // The formatter knows zones by their offsets only.
    let one = cast(&one, &by_offset(one.data_type())).map_err(broken)?;
    let formatter = ArrayFormatter::try_new(one.as_ref(), &options).map_err(broken)?;
    formatter.value(0).try_to_string().map(Some).map_err(broken)
}

/// The same type, in which instants are shown by the offset of UTC instead of its name.
fn by_offset(ty: &DataType) -> DataType {
    let field = |field: &FieldRef| Arc::new(field.as_ref().clone().with_data_type(by_offset(field.data_type())));
    match ty {
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some(Arc::from("+00:00"))),
        DataType::List(element) => DataType::List(field(element)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field).collect()),
        other => other.clone(),
    }
}
