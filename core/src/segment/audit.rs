//! What a file says of its values, compared with the values: the bounds and NULLs of its row groups and pages, as far as
//! they would be used. For who reads the rows anyway.

use std::ops::Range;

use arrow::{
    array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, RecordBatch},
    compute::{max, max_boolean, min, min_boolean},
    datatypes::{
        DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
        Time32MillisecondType, Time64MicrosecondType, Time64NanosecondType, TimeUnit, TimestampMicrosecondType,
        TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
        UInt64Type,
    },
};

use super::{
    SegmentFile,
    read::{ReadColumn, ReadRequest},
    stats::{ColumnBounds, compare},
};
use crate::{error::Result, prune::expr::Constant, schema::ColumnType};

/// Rows compared together.
const BATCH_ROWS: usize = 32 * 1024;
/// Problems that are told of a file, one by one.
const MOST_PROBLEMS: usize = 5;

/// Something that a file says of its values and that is not so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lie {
    /// The column's position in the file.
    pub position: usize,
    /// The row group.
    pub row_group: usize,
    /// The page, where it is said of a page.
    pub page: Option<usize>,
}

/// Compares batches, in the order in which they are read, with what the file says of them.
#[derive(Debug)]
pub struct Audit {
    columns: Vec<Column>,
    row_group: Option<usize>,
    /// Rows of the row group that were seen.
    seen: usize,
    lies: Vec<Lie>,
}

#[derive(Debug)]
struct Column {
    /// Its place in the batches.
    place: usize,
    position: usize,
    ty: ColumnType,
    whole: Claim,
    pages: Vec<(Range<usize>, Claim)>,
}

/// What is said of some rows and what was found in those seen.
#[derive(Debug, Default)]
struct Claim {
    bounds: ColumnBounds,
    found: Found,
}

/// What some values are like.
#[derive(Debug, Default)]
struct Found {
    ends: Option<(Constant, Constant)>,
    nulls: u64,
    /// A NaN was among them, which is greater than any number.
    nan: bool,
}

impl Audit {
    /// Of batches with these columns. Columns that are read in another type than the file's are left out: what the file says
    /// of them is not used.
    #[must_use]
    pub fn new(file: &SegmentFile, columns: &[ReadColumn]) -> Self {
        let same = |column: &ReadColumn| file.columns().get(column.position).is_some_and(|has| has.ty == column.ty);
        let flat = |column: &ReadColumn| file.flat_leaf(column.position).is_some();
        let columns = columns.iter().enumerate().filter(|(_, column)| same(column) && flat(column));
        let column = |(place, column): (usize, &ReadColumn)| Column {
            place,
            position: column.position,
            ty: column.ty.clone(),
            whole: Claim::default(),
            pages: Vec::new(),
        };
        Self { columns: columns.map(column).collect(), row_group: None, seen: 0, lies: Vec::new() }
    }

    /// The next rows, which are of this row group.
    ///
    /// # Errors
    /// Those of reading the page index.
    pub fn batch(&mut self, file: &SegmentFile, row_group: usize, batch: &RecordBatch) -> Result<()> {
        if self.row_group != Some(row_group) {
            self.end_group();
            self.row_group = Some(row_group);
            for column in &mut self.columns {
                column.begin(file, row_group)?;
            }
        }
        let rows = self.seen..self.seen.saturating_add(batch.num_rows());
        for column in &mut self.columns {
            if let Some(array) = batch.columns().get(column.place) {
                column.look(array, &rows);
            }
        }
        self.seen = rows.end;
        Ok(())
    }

    fn end_group(&mut self) {
        let Some(row_group) = self.row_group.take() else { return };
        for column in &mut self.columns {
            let whole = std::iter::once((None, &column.whole));
            let claims = whole.chain(column.pages.iter().enumerate().map(|(page, (_, claim))| (Some(page), claim)));
            let wrong = claims.filter(|(_, claim)| !claim.holds());
            self.lies.extend(wrong.map(|(page, _)| Lie { position: column.position, row_group, page }));
        }
        self.seen = 0;
    }

    /// What was not so.
    #[must_use]
    pub fn finish(mut self) -> Vec<Lie> {
        self.end_group();
        self.lies
    }
}

/// Decodes every page of the file and compares what the file says of its values with them.
///
/// # Errors
/// Those of reading all rows, which name the column that cannot be decoded.
pub fn lies(file: &SegmentFile) -> Result<Vec<Lie>> {
    let request = ReadRequest { batch_rows: BATCH_ROWS, ..ReadRequest::all(file) };
    let mut audit = Audit::new(file, &request.columns);
    let mut batches = file.read(request)?;
    while let Some(batch) = batches.next() {
        audit.batch(file, batches.row_group(), &batch?)?;
    }
    Ok(audit.finish())
}

/// The value that all rows have in the column at `position`; none when they have several, and for types that are not compared.
///
/// # Errors
/// Those of reading the column.
pub fn only_value(file: &SegmentFile, position: usize) -> Result<Option<Constant>> {
    let Some(ty) = file.columns().get(position).map(|column| column.ty.clone()) else { return Ok(None) };
    let columns = vec![ReadColumn { position, ty: ty.clone() }];
    let mut all = Found::default();
    let mut rows = 0_u64;
    for batch in file.read(ReadRequest { columns, batch_rows: BATCH_ROWS, ..ReadRequest::all(file) })? {
        let batch = batch?;
        rows = rows.saturating_add(batch.num_rows() as u64);
        if let Some(array) = batch.columns().first() {
            all.add(Found::of(array, &ty));
        }
    }
    if all.nulls == rows {
        return Ok(Some(Constant::Null));
    }
    Ok(all.ends.filter(|(least, greatest)| all.nulls == 0 && !all.nan && least == greatest).map(|(value, _)| value))
}

/// Compares all that the file says of its values with the values, and its page index with its pages: what is not so, and
/// what is not used because it contradicts the pages, in words.
///
/// # Errors
/// Those of reading all rows.
pub fn problems(file: &SegmentFile) -> Result<Vec<String>> {
    let name = |position: usize| file.columns().get(position).map_or("", |column| column.name.as_str());
    let mut problems: Vec<String> = Vec::new();
    for lie in lies(file)? {
        let place =
            lie.page.map_or_else(|| "the footer".to_owned(), |page| format!("the page index, for page {page},"));
        problems.push(format!(
            "of column \"{}\" in row group {} {place} says what its rows do not",
            name(lie.position),
            lie.row_group
        ));
    }
    for row_group in 0..file.row_group_count() {
        for position in 0..file.columns().len() {
            if let Some(problem) = file.page_index_problem(row_group, position)? {
                problems.push(format!(
                    "the page index of column \"{}\" in row group {row_group} is wrong: {problem}",
                    name(position)
                ));
            }
        }
    }
    let more = problems.len().saturating_sub(MOST_PROBLEMS);
    problems.truncate(MOST_PROBLEMS);
    if more > 0 {
        problems.push(format!("and {more} more"));
    }
    Ok(problems)
}

impl Column {
    fn begin(&mut self, file: &SegmentFile, row_group: usize) -> Result<()> {
        self.whole = Claim { bounds: file.column_bounds(row_group, self.position), found: Found::default() };
        let pages = file.pages(row_group, self.position)?.unwrap_or_default();
        let claim = |bounds| Claim { bounds, found: Found::default() };
        self.pages = pages.into_iter().map(|page| (page.rows, claim(page.bounds))).collect();
        Ok(())
    }

    fn look(&mut self, array: &ArrayRef, rows: &Range<usize>) {
        let says_of_pages = self.pages.iter().any(|(_, claim)| claim.says_something());
        if !says_of_pages {
            if self.whole.says_something() {
                self.whole.found.add(Found::of(array, &self.ty));
            }
            return;
        }
        let first = self.pages.partition_point(|(page, _)| page.end <= rows.start);
        for (page, claim) in self.pages.iter_mut().skip(first) {
            let (from, to) = (page.start.max(rows.start), page.end.min(rows.end));
            let Some(length) = to.checked_sub(from).filter(|length| *length > 0) else { break };
            let part = array.slice(from.saturating_sub(rows.start), length);
            let found = Found::of(&part, &self.ty);
            self.whole.found.add(found.clone());
            claim.found.add(found);
        }
    }
}

impl Claim {
    fn says_something(&self) -> bool {
        self.bounds.min.is_some() || self.bounds.max.is_some() || self.bounds.nulls.is_some()
    }

    fn holds(&self) -> bool {
        let (bounds, found) = (&self.bounds, &self.found);
        if bounds.nulls.is_some_and(|nulls| nulls != found.nulls) || (bounds.max.is_some() && found.nan) {
            return false;
        }
        let Some((least, greatest)) = &found.ends else { return true };
        let at_most = |a: &Constant, b: &Constant| compare(a, b).is_some_and(std::cmp::Ordering::is_le);
        bounds.min.as_ref().is_none_or(|min| at_most(min, least) && (!bounds.exact || min == least))
            && bounds.max.as_ref().is_none_or(|max| at_most(greatest, max) && (!bounds.exact || max == greatest))
    }
}

impl Clone for Found {
    fn clone(&self) -> Self {
        Self { ends: self.ends.clone(), nulls: self.nulls, nan: self.nan }
    }
}

impl Found {
    fn of(array: &ArrayRef, ty: &ColumnType) -> Self {
        let nulls = array.logical_null_count() as u64;
        let nan = match array.data_type() {
            DataType::Float32 => array.as_primitive::<Float32Type>().iter().flatten().any(f32::is_nan),
            DataType::Float64 => array.as_primitive::<Float64Type>().iter().flatten().any(f64::is_nan),
            _ => false,
        };
        Self { ends: ends(array, ty), nulls, nan }
    }

    fn add(&mut self, more: Self) {
        self.nulls = self.nulls.saturating_add(more.nulls);
        self.nan |= more.nan;
        self.ends = match (self.ends.take(), more.ends) {
            (Some((low, high)), Some((least, greatest))) => {
                let low = if is_less(&least, &low) { least } else { low };
                let high = if is_less(&high, &greatest) { greatest } else { high };
                Some((low, high))
            }
            (one, other) => one.or(other),
        };
    }
}

fn is_less(a: &Constant, b: &Constant) -> bool {
    compare(a, b).is_some_and(std::cmp::Ordering::is_lt)
}

/// The least and the greatest value that is neither NULL nor NaN; none where there is none, and for types whose bounds are
/// never used.
fn ends(array: &ArrayRef, ty: &ColumnType) -> Option<(Constant, Constant)> {
    match array.data_type() {
        DataType::Boolean => {
            let array = array.as_boolean();
            Some((Constant::Bool(min_boolean(array)?), Constant::Bool(max_boolean(array)?)))
        }
        DataType::Int8 => integers::<Int8Type>(array),
        DataType::Int16 => integers::<Int16Type>(array),
        DataType::Int32 => integers::<Int32Type>(array),
        DataType::Int64 => integers::<Int64Type>(array),
        DataType::UInt8 => integers::<UInt8Type>(array),
        DataType::UInt16 => integers::<UInt16Type>(array),
        DataType::UInt32 => integers::<UInt32Type>(array),
        DataType::UInt64 => integers::<UInt64Type>(array),
        DataType::Float32 => floats(array.as_primitive::<Float32Type>().iter().flatten().map(f64::from)),
        DataType::Float64 => floats(array.as_primitive::<Float64Type>().iter().flatten()),
        DataType::Decimal128(..) => {
            let ColumnType::Decimal { scale, .. } = ty else { return None };
            let array = array.as_primitive::<Decimal128Type>();
            Some((Constant::Decimal(min(array)?, *scale), Constant::Decimal(max(array)?, *scale)))
        }
        DataType::Date32 => times::<Date32Type>(array, ty),
        DataType::Time32(_) => times::<Time32MillisecondType>(array, ty),
        DataType::Time64(TimeUnit::Microsecond) => times::<Time64MicrosecondType>(array, ty),
        DataType::Time64(_) => times::<Time64NanosecondType>(array, ty),
        DataType::Timestamp(TimeUnit::Second, _) => times::<TimestampSecondType>(array, ty),
        DataType::Timestamp(TimeUnit::Millisecond, _) => times::<TimestampMillisecondType>(array, ty),
        DataType::Timestamp(TimeUnit::Microsecond, _) => times::<TimestampMicrosecondType>(array, ty),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => times::<TimestampNanosecondType>(array, ty),
        DataType::Utf8 => texts(array.as_string::<i32>().iter().flatten()),
        DataType::Dictionary(..) => dictionary(array),
        DataType::Binary => {
            let values = || array.as_binary::<i32>().iter().flatten();
            Some((Constant::Bytes(values().min()?.to_vec()), Constant::Bytes(values().max()?.to_vec())))
        }
        _ => None,
    }
}

fn integers<T: ArrowPrimitiveType<Native: Into<i128> + arrow::datatypes::ArrowNativeTypeOp>>(
    array: &ArrayRef,
) -> Option<(Constant, Constant)> {
    let array = array.as_primitive::<T>();
    Some((Constant::Int(min(array)?.into()), Constant::Int(max(array)?.into())))
}

fn times<T: ArrowPrimitiveType<Native: Into<i64> + arrow::datatypes::ArrowNativeTypeOp>>(
    array: &ArrayRef,
    ty: &ColumnType,
) -> Option<(Constant, Constant)> {
    let array = array.as_primitive::<T>();
    let constant = |value: T::Native| Constant::Temporal(ty.clone(), value.into());
    Some((constant(min(array)?), constant(max(array)?)))
}

fn floats(values: impl Iterator<Item = f64> + Clone) -> Option<(Constant, Constant)> {
    let values = values.filter(|value| !value.is_nan());
    let least = values.clone().reduce(f64::min)?;
    Some((Constant::Float(least), Constant::Float(values.reduce(f64::max)?)))
}

fn texts<'a>(values: impl Iterator<Item = &'a str> + Clone) -> Option<(Constant, Constant)> {
    let text = |value: &str| Constant::Text(value.to_owned());
    Some((text(values.clone().min()?), text(values.max()?)))
}

/// Of the strings that rows have, not of all that stand in the dictionary.
fn dictionary(array: &ArrayRef) -> Option<(Constant, Constant)> {
    let array = array.as_dictionary_opt::<Int32Type>()?;
    let values = array.values().as_string_opt::<i32>()?;
    let mut used = vec![false; values.len()];
    for key in array.keys().iter().flatten() {
        if let Some(used) = usize::try_from(key).ok().and_then(|key| used.get_mut(key)) {
            *used = true;
        }
    }
    texts(values.iter().zip(&used).filter_map(|(value, used)| value.filter(|_| *used)))
}
