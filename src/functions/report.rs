//! Functions that answer with a few columns of computed rows: the frame that runs them once an execution, and the cells
//! that their rows are made of.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use arrow::{
    array::{
        ArrayRef, BooleanArray, FixedSizeBinaryArray, Float64Array, IntervalMonthDayNanoArray, ListArray, MapArray,
        MapBuilder, MapFieldNames, StringArray, StringBuilder, StructArray,
    },
    buffer::{NullBuffer, OffsetBuffer},
    datatypes::IntervalMonthDayNano,
};
use tstable_core::{
    Error, Result,
    coverage::EntityPart,
    log::commit::Instant,
    schema::{ColumnType, Field, Strings, TimeUnit},
    time::IndexValue,
};

use crate::host::{Bound, CHUNK_ROWS, LogLevel, OutColumn, Output, Rows, Session, Statement, Worker};

/// One value of a computed row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Null,
    Bool(bool),
    /// Any integer column, and the index in its own unit: a bucket may begin or end where the type does not reach, and is shown from its first
    /// value or to its last.
    Int(i128),
    /// A count or a length, which its column has to hold.
    Length(i128),
    Float(f64),
    Text(Arc<str>),
    Uuid(u128),
    /// A LIST of its element's cells.
    List(Vec<Cell>),
    /// A STRUCT: the cells of its fields in order.
    Fields(Vec<Cell>),
    /// A MAP of texts.
    Pairs(Vec<(String, String)>),
    /// An INTERVAL of whole days and nanoseconds.
    Interval {
        days: i32,
        nanos: i64,
    },
}

impl Cell {
    pub(crate) fn text(text: impl AsRef<str>) -> Self {
        Self::Text(Arc::from(text.as_ref()))
    }

    /// A LIST of VARCHAR.
    pub(crate) fn texts<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::List(texts.into_iter().map(Self::text).collect())
    }

    pub(crate) fn count(count: u64) -> Self {
        Self::Length(i128::from(count))
    }

    /// A value or NULL.
    pub(crate) fn maybe<T>(value: Option<T>, cell: impl FnOnce(T) -> Self) -> Self {
        value.map_or(Self::Null, cell)
    }

    fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    fn as_int(&self) -> Option<i128> {
        if let Self::Int(value) | Self::Length(value) = self { Some(*value) } else { None }
    }

    fn as_float(&self) -> Option<f64> {
        if let Self::Float(value) = self { Some(*value) } else { None }
    }

    fn as_text(&self) -> Option<&str> {
        if let Self::Text(value) = self { Some(value) } else { None }
    }

    fn as_uuid(&self) -> Option<u128> {
        if let Self::Uuid(value) = self { Some(*value) } else { None }
    }

    fn as_list(&self) -> Option<&[Self]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    fn as_fields(&self) -> Option<&[Self]> {
        if let Self::Fields(fields) = self { Some(fields) } else { None }
    }

    fn as_pairs(&self) -> Option<&[(String, String)]> {
        if let Self::Pairs(pairs) = self { Some(pairs) } else { None }
    }

    fn as_interval(&self) -> Option<IntervalMonthDayNano> {
        if let Self::Interval { days, nanos } = self { Some(IntervalMonthDayNano::new(0, *days, *nanos)) } else { None }
    }
}

impl From<IndexValue> for Cell {
    fn from(value: IndexValue) -> Self {
        Self::Int(value.0)
    }
}

impl From<Instant> for Cell {
    fn from(instant: Instant) -> Self {
        Self::Int(i128::from(instant.0))
    }
}

impl From<&EntityPart> for Cell {
    fn from(part: &EntityPart) -> Self {
        match part {
            EntityPart::Text(text) => Self::Text(Arc::clone(text)),
            EntityPart::Int(number) => Self::Int(*number),
            EntityPart::Bool(value) => Self::Bool(*value),
            EntityPart::Date(days) => Self::Int((*days).into()),
            EntityPart::Uuid(number) => Self::Uuid(*number),
        }
    }
}

/// A row of cells in the order of the function's columns.
pub(crate) type Row = Vec<Cell>;
/// The rows of one execution.
pub(crate) type RowStream = Box<dyn Iterator<Item = Result<Row>> + Send>;

/// VARCHAR[].
pub(crate) fn text_list() -> ColumnType {
    ColumnType::List(Box::new(Field::new("element", ColumnType::Varchar)))
}

/// MAP(VARCHAR, VARCHAR).
pub(crate) fn text_map() -> ColumnType {
    let key = Field { name: "key".to_owned(), ty: ColumnType::Varchar, nullable: false };
    ColumnType::Map(Box::new(key), Box::new(Field::new("value", ColumnType::Varchar)))
}

/// The instant type of commit times.
pub(crate) const INSTANT: ColumnType = ColumnType::TimestampTz(TimeUnit::Us);

pub(crate) fn column(name: impl Into<String>, ty: ColumnType) -> OutColumn {
    OutColumn { name: name.into(), ty }
}

type Run = Box<dyn Fn(&dyn Session) -> Result<RowStream> + Send + Sync>;

/// A bound call of such a function. Whatever effect it has happens when the first rows are asked for, once an execution.
pub(crate) struct Report {
    columns: Vec<OutColumn>,
    run: Arc<Run>,
}

impl Report {
    pub(crate) fn bound(
        columns: Vec<OutColumn>,
        run: impl Fn(&dyn Session) -> Result<RowStream> + Send + Sync + 'static,
    ) -> Arc<dyn Bound> {
        Arc::new(Self { columns, run: Arc::new(Box::new(run)) })
    }
}

impl Bound for Report {
    fn columns(&self) -> &[OutColumn] {
        &self.columns
    }

    fn open(&self, _session: &dyn Session, _projection: &[usize]) -> Result<Arc<dyn Rows>> {
        let types = self.columns.iter().map(|column| column.ty.clone()).collect();
        let run = Mutex::new(Some(Arc::clone(&self.run)));
        Ok(Arc::new(Execution { types, run, done: AtomicU64::new(0) }))
    }
}

struct Execution {
    types: Vec<ColumnType>,
    /// Taken by the one worker that runs it.
    run: Mutex<Option<Arc<Run>>>,
    /// The bits of the part of its work that is done, 0 to 1.
    done: AtomicU64,
}

impl Rows for Execution {
    fn progress(&self) -> Option<f64> {
        Some(f64::from_bits(self.done.load(Ordering::Relaxed)))
    }

    fn worker(self: Arc<Self>) -> Result<Box<dyn Worker>> {
        Ok(Box::new(Emitter { execution: self, rows: None }))
    }
}

/// The running query, with the progress of this execution.
struct Reporting<'a> {
    session: &'a dyn Session,
    done: &'a AtomicU64,
}

impl Session for Reporting<'_> {
    fn log(&self, level: LogLevel, message: &str) {
        self.session.log(level, message);
    }

    fn interrupted(&self) -> bool {
        self.session.interrupted()
    }

    fn statement(&self) -> Option<&Statement> {
        self.session.statement()
    }

    fn progress(&self, done: f64) {
        self.done.store(done.clamp(0.0, 1.0).to_bits(), Ordering::Relaxed);
    }
}

struct Emitter {
    execution: Arc<Execution>,
    rows: Option<RowStream>,
}

impl Worker for Emitter {
    /// Hears an interrupt before the first rows are asked for and between chunks, never right after: what a call has done
    /// by then may be committed, and an error would say that it is not.
    fn fill(&mut self, session: &dyn Session, out: &mut dyn Output) -> Result<usize> {
        if session.interrupted() {
            return Err(Error::cancelled("the query was interrupted"));
        }
        if self.rows.is_none() {
            let run = self.execution.run.lock().unwrap_or_else(PoisonError::into_inner).take();
            let Some(run) = run else { return Ok(0) };
            self.rows = Some(run(&Reporting { session, done: &self.execution.done })?);
        }
        let rows = self.rows.iter_mut().flatten().take(CHUNK_ROWS).collect::<Result<Vec<_>>>()?;
        if rows.is_empty() {
            return Ok(0);
        }
        for (i, ty) in self.execution.types.iter().enumerate() {
            out.write(i, ty, &array(ty, &rows, i)?, 0, rows.len())?;
        }
        Ok(rows.len())
    }
}

/// A length or a count of buckets, which a result column of type `ty` has to hold.
///
/// # Errors
/// `LimitExceeded` when it does not.
pub(crate) fn fitting(value: i128, ty: &ColumnType) -> Result<i128> {
    if ty.holds(value) {
        return Ok(value);
    }
    Err(Error::limit_exceeded(format!(
        "a stretch of the index has a length of {value}, which {ty} does not hold; ask for a part of it with start and until"
    )))
}

/// The cells of one column as an array of the column's type.
///
/// # Errors
/// `Internal` when a cell is not of that type; `LimitExceeded` when that does not hold a count or a length.
pub(crate) fn array(ty: &ColumnType, rows: &[Row], at: usize) -> Result<ArrayRef> {
    let cells: Vec<&Cell> = rows.iter().map(|row| row.get(at).unwrap_or(&Cell::Null)).collect();
    for cell in &cells {
        if let Cell::Length(length) = cell {
            fitting(*length, ty)?;
        }
    }
    Ok(match ty {
        ColumnType::Boolean => Arc::new(BooleanArray::from(values(ty, &cells, Cell::as_bool)?)),
        ColumnType::Double => Arc::new(Float64Array::from(values(ty, &cells, Cell::as_float)?)),
        ColumnType::Varchar => Arc::new(StringArray::from(values(ty, &cells, Cell::as_text)?)),
        ColumnType::Interval => Arc::new(IntervalMonthDayNanoArray::from(values(ty, &cells, Cell::as_interval)?)),
        ColumnType::List(element) => Arc::new(lists(element, &values(ty, &cells, Cell::as_list)?)?),
        ColumnType::Struct(fields) => Arc::new(structs(fields, &values(ty, &cells, Cell::as_fields)?)?),
        ColumnType::Map(..) => Arc::new(maps(&values(ty, &cells, Cell::as_pairs)?)?),
        ColumnType::Uuid => Arc::new(uuids(values(ty, &cells, Cell::as_uuid)?)?),
        other => other
            .array_of(values(ty, &cells, Cell::as_int)?)
            .ok_or_else(|| Error::internal(format!("a report cannot show a column of type {other}")))?,
    })
}

/// What `take` finds in each cell; none of a NULL.
fn values<'a, T>(ty: &ColumnType, cells: &[&'a Cell], take: impl Fn(&'a Cell) -> Option<T>) -> Result<Vec<Option<T>>> {
    let other = |cell: &Cell| Error::internal(format!("a column of type {ty} was to show {cell:?}"));
    let value = |cell: &&'a Cell| match (*cell, take(cell)) {
        (Cell::Null, _) => Ok(None),
        (cell, None) => Err(other(cell)),
        (_, value) => Ok(value),
    };
    cells.iter().map(value).collect()
}

fn uuids(numbers: Vec<Option<u128>>) -> Result<FixedSizeBinaryArray> {
    let bytes = numbers.into_iter().map(|number| number.map(u128::to_be_bytes));
    FixedSizeBinaryArray::try_from_sparse_iter_with_size(bytes, 16)
        .map_err(|e| Error::internal("a report cannot show a UUID").caused_by(e))
}

fn lists(element: &Field, lists: &[Option<&[Cell]>]) -> Result<ListArray> {
    let lengths = lists.iter().map(|list| list.map_or(0, <[Cell]>::len));
    let valid = NullBuffer::from_iter(lists.iter().map(Option::is_some));
    let items: Vec<Row> = lists.iter().flatten().flat_map(|list| list.iter().map(|cell| vec![cell.clone()])).collect();
    let field = Arc::new(element.ty.arrow_field(&element.name, Strings::Plain));
    let values = array(&element.ty, &items, 0)?;
    ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), values, Some(valid))
        .map_err(|e| Error::internal("a report cannot show a list").caused_by(e))
}

fn structs(fields: &[Field], structs: &[Option<&[Cell]>]) -> Result<StructArray> {
    let rows: Vec<Row> = structs.iter().map(|fields| fields.map_or_else(Row::new, <[Cell]>::to_vec)).collect();
    let parts = fields.iter().enumerate().map(|(i, field)| {
        let arrow = Arc::new(field.ty.arrow_field(&field.name, Strings::Plain));
        Ok((arrow, array(&field.ty, &rows, i)?))
    });
    Ok(StructArray::from(parts.collect::<Result<Vec<_>>>()?))
}

fn maps(maps: &[Option<&[(String, String)]>]) -> Result<MapArray> {
    let names = MapFieldNames { entry: "key_value".to_owned(), key: "key".to_owned(), value: "value".to_owned() };
    let mut builder = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    for pairs in maps {
        for (key, value) in pairs.iter().flat_map(|pairs| pairs.iter()) {
            builder.keys().append_value(key);
            builder.values().append_value(value);
        }
        let appended = builder.append(pairs.is_some());
        appended.map_err(|e| Error::internal("a report cannot show a map").caused_by(e))?;
    }
    Ok(builder.finish())
}
