//! What a file says of its values without being read: least and greatest value and number of NULLs of row groups and
//! pages. Says nothing where the file's word cannot be relied on; a bound that is given always holds.

use std::{cmp::Ordering, ops::Range};

use parquet::{
    basic::{ColumnOrder, SortOrder, Type as Physical},
    file::{metadata::ColumnChunkMetaData, page_index::column_index::ColumnIndexMetaData, statistics::Statistics},
};

use super::{SegmentFile, guard::guarded, leaf::leaf_type, page_index::page_rows};
use crate::{error::Result, prune::expr::Constant, schema::ColumnType};

/// What is known of the values of a column in some rows. Nothing known is `None`, everywhere.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ColumnBounds {
    /// No value is less.
    pub min: Option<Constant>,
    /// No value is greater. For FLOAT and DOUBLE only where the file says that there is no NaN, which is greatest of all.
    pub max: Option<Constant>,
    /// The number of NULLs.
    pub nulls: Option<u64>,
    /// Whether the bounds that there are occur as values; otherwise they may be shortened or just not known to.
    pub exact: bool,
}

/// What is known of one page.
#[derive(Debug, Clone, PartialEq)]
pub struct PageBounds {
    /// The page's rows, counted from the row group's first.
    pub rows: Range<usize>,
    /// What is known of the column's values in these rows.
    pub bounds: ColumnBounds,
}

impl SegmentFile {
    /// What the footer says of the values of the column at `position` in a row group, in the file's own type and unit.
    /// Nothing for nested columns and for types whose order Parquet does not define or Parquet writers got wrong.
    #[must_use]
    pub fn column_bounds(&self, row_group: usize, position: usize) -> ColumnBounds {
        if let Some(constant) = self.constant(position) {
            let bound = (constant.value != Constant::Null).then(|| constant.value.clone());
            let nulls = Some(if bound.is_some() { 0 } else { self.row_group_rows(row_group) as u64 });
            return ColumnBounds { min: bound.clone(), max: bound, nulls, exact: true };
        }
        // Statistics are advice: whatever goes wrong, nothing is known.
        guarded(self.path(), || Ok(self.footer_bounds(row_group, position))).ok().flatten().unwrap_or_default()
    }

    fn footer_bounds(&self, row_group: usize, position: usize) -> Option<ColumnBounds> {
        let (leaf, ty) = self.flat_leaf(position)?;
        let chunk = self.chunk(row_group, leaf)?;
        let statistics = chunk.statistics()?;
        let nulls = statistics.null_count_opt().filter(|nulls| *nulls <= self.row_group_rows(row_group) as u64);
        let nulls = nulls.filter(|_| !counts_nulls_wrongly(self.created_by()));
        let reliable = if statistics.is_min_max_deprecated() {
            reliable(chunk, ty, Order::Signed)
        } else {
            self.is_reliable(leaf, ty)
        };
        if !reliable {
            return Some(ColumnBounds { nulls, ..ColumnBounds::default() });
        }
        let raw = |bytes: Option<&[u8]>, end| constant(ty, chunk.column_type(), bytes?, end);
        let no_nan = statistics.nan_count_opt() == Some(0);
        let (min, max) = (raw(statistics.min_bytes_opt(), End::Low), raw(statistics.max_bytes_opt(), End::High));
        if min.as_ref().zip(max.as_ref()).and_then(|(min, max)| compare(min, max)) == Some(Ordering::Greater) {
            return Some(ColumnBounds { nulls, ..ColumnBounds::default() });
        }
        let max = max.filter(|max| no_nan || !matches!(max, Constant::Float(_)));
        // Writers that shorten texts are to increase what is left of a greatest one, but need not say that they did.
        let max = if self.is_own() || statistics.max_is_exact() { max } else { max.and_then(with_all_that_begin_so) };
        Some(ColumnBounds { min, max, nulls, exact: is_exact(statistics) })
    }

    /// The bounds of the parts of a nested column, each with its path and type, as far as the footer tells. None of a column that
    /// is not nested.
    pub(super) fn nested_bounds(
        &self,
        row_group: usize,
        position: usize,
    ) -> Vec<(String, ColumnType, [Option<Constant>; 2])> {
        if self.flat_leaf(position).is_some() {
            return Vec::new();
        }
        let schema = self.metadata().file_metadata().schema_descr();
        let bounds = |leaf: usize| {
            let column = schema.column(leaf);
            let ty = leaf_type(column.self_type())?;
            let chunk = self.chunk(row_group, leaf)?;
            let statistics = chunk.statistics().filter(|_| self.is_reliable(leaf, &ty))?;
            let read = |bytes: Option<&[u8]>, end| constant(&ty, chunk.column_type(), bytes?, end);
            let bounds = [read(statistics.min_bytes_opt(), End::Low), read(statistics.max_bytes_opt(), End::High)];
            Some((column.path().string(), ty, bounds))
        };
        guarded(self.path(), || Ok(self.leaves(position).filter_map(bounds).collect())).unwrap_or_default()
    }

    /// What the page index says of the column at `position` in a row group, page by page in order; none for nested
    /// columns and where the file has no page index for the column or one that cannot be believed. Loads the page index.
    ///
    /// # Errors
    /// Those of the source.
    pub fn pages(&self, row_group: usize, position: usize) -> Result<Option<Vec<PageBounds>>> {
        let Some((leaf, ty)) = self.flat_leaf(position) else { return Ok(None) };
        let Some(pages) = self.chunk_pages(row_group, leaf)? else { return Ok(None) };
        let Some(offsets) = &pages.offsets else { return Ok(None) };
        let rows = page_rows(offsets.page_locations(), self.row_group_rows(row_group)).unwrap_or_default();
        let Some(index) = &pages.bounds else { return Ok(Some(unbounded(rows))) };
        let reliable = self.is_reliable(leaf, ty);
        let page = |(page, rows): (usize, Range<usize>)| PageBounds {
            bounds: page_bounds(index, page, rows.len(), ty, reliable),
            rows,
        };
        Ok(Some(rows.into_iter().enumerate().map(page).collect()))
    }

    /// Why the page index of the column at `position` is not used, or not all of it, where the file has one.
    ///
    /// # Errors
    /// Those of the source.
    pub fn page_index_problem(&self, row_group: usize, position: usize) -> Result<Option<&'static str>> {
        for leaf in self.leaves(position) {
            if let Some(problem) = self.chunk_pages(row_group, leaf)?.and_then(|pages| pages.problem) {
                return Ok(Some(problem));
            }
        }
        Ok(None)
    }

    /// The one leaf of a column that is not nested, and its type.
    pub(super) fn flat_leaf(&self, position: usize) -> Option<(usize, &ColumnType)> {
        let ty = &self.columns().get(position)?.ty;
        if matches!(ty, ColumnType::List(_) | ColumnType::Struct(_) | ColumnType::Map(..)) {
            return None;
        }
        Some((self.leaves(position).next()?, ty))
    }

    /// Whether bounds that are not of the deprecated kind hold for the leaf's values, which are of type `ty`.
    pub(super) fn is_reliable(&self, leaf: usize, ty: &ColumnType) -> bool {
        self.chunk(0, leaf).is_some_and(|chunk| reliable(chunk, ty, self.order(leaf)))
            && !(self.orders_wrongly(ty) && self.is_bytes(leaf))
    }

    /// Whether the file's program is known to have taken wrong bounds of values of that type where it stores bytes.
    fn orders_wrongly(&self, ty: &ColumnType) -> bool {
        let by = self.created_by();
        orders_bytes_wrongly(by) || (matches!(ty, ColumnType::Decimal { .. }) && orders_decimals_wrongly(by))
    }

    fn is_bytes(&self, leaf: usize) -> bool {
        let stored = self.chunk(0, leaf).map(ColumnChunkMetaData::column_type);
        matches!(stored, Some(Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY))
    }

    fn order(&self, leaf: usize) -> Order {
        match self.metadata().file_metadata().column_order(leaf) {
            ColumnOrder::TYPE_DEFINED_ORDER(SortOrder::UNDEFINED) | ColumnOrder::UNKNOWN => Order::Undefined,
            // DuckDB fills in the bounds by the type's own order without saying so.
            ColumnOrder::UNDEFINED if !self.created_by().is_some_and(|by| by.starts_with("DuckDB")) => Order::Signed,
            _ => Order::OfType,
        }
    }
}

/// By which order a file computed its bounds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// As the column's type demands.
    OfType,
    /// By signed comparison whatever the type, as old writers did.
    Signed,
    Undefined,
}

/// Whether bounds computed by `order` hold for values of type `ty`.
fn reliable(chunk: &ColumnChunkMetaData, ty: &ColumnType, order: Order) -> bool {
    let stored = chunk.column_type();
    match ty {
        _ if order == Order::Undefined || stored == Physical::INT96 => false,
        ColumnType::Boolean | ColumnType::Date | ColumnType::Time(_) | ColumnType::TimeTz(_) => true,
        ColumnType::Timestamp(_) | ColumnType::TimestampTz(_) | ColumnType::Float | ColumnType::Double => true,
        ColumnType::Decimal { .. } => order == Order::OfType || matches!(stored, Physical::INT32 | Physical::INT64),
        ColumnType::Varchar | ColumnType::Blob => order == Order::OfType,
        other => other.integer_bits().is_some_and(|(_, signed)| signed || order == Order::OfType),
    }
}

/// Whether the program of this name is known to have counted NULLs wrongly. Up to 0.9 at least DuckDB counted those of a row group together
/// with those of all before it, and up to 1.0 it gave no version. Polars, which gives none, left NULLs of texts out up to 0.19 at least.
fn counts_nulls_wrongly(created_by: Option<&str>) -> bool {
    matches!(created_by, Some("DuckDB" | "Polars"))
}

/// Whether the program of this name is known to have compared bytes as signed numbers: parquet-mr before 1.10 and
/// parquet-cpp before 1.3 (PARQUET-251, PARQUET-686, PARQUET-1025).
fn orders_bytes_wrongly(created_by: Option<&str>) -> bool {
    is_before(created_by, "parquet-mr", (1, 10)) || is_before(created_by, "parquet-cpp", (1, 3))
}

/// Whether the program of this name is known to have compared the bytes of decimals each as a signed number: Arrow's C++ until it called
/// itself parquet-cpp-arrow (PARQUET-1655).
fn orders_decimals_wrongly(created_by: Option<&str>) -> bool {
    is_before(created_by, "parquet-cpp", (u32::MAX, 0))
}

/// Whether a file is of the program of this name before that version. One that cannot be read, or is not there, may be any.
pub(super) fn is_before(created_by: Option<&str>, name: &str, fixed: (u32, u32)) -> bool {
    let Some(rest) = created_by.and_then(|by| by.strip_prefix(name)).map(str::trim_start) else { return false };
    let Some(version) = rest.strip_prefix("version") else { return rest.is_empty() };
    let mut numbers = version.trim_start().split('.');
    let mut number = || numbers.next()?.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok();
    number().zip(number()).is_none_or(|version: (u32, u32)| version < fixed)
}

/// The order of two values of one type, in which FLOAT's zeros are one; none for values of different types.
pub(super) fn compare(a: &Constant, b: &Constant) -> Option<Ordering> {
    match (a, b) {
        (Constant::Bool(a), Constant::Bool(b)) => Some(a.cmp(b)),
        (Constant::Int(a), Constant::Int(b)) => Some(a.cmp(b)),
        (Constant::Float(a), Constant::Float(b)) => a.partial_cmp(b),
        (Constant::Decimal(a, scale), Constant::Decimal(b, other)) if scale == other => Some(a.cmp(b)),
        (Constant::Text(a), Constant::Text(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
        (Constant::Bytes(a), Constant::Bytes(b)) => Some(a.cmp(b)),
        (Constant::Temporal(ty, a), Constant::Temporal(other, b)) if ty == other => Some(a.cmp(b)),
        _ => None,
    }
}

/// A bound that holds as well for values of which the given one is only the beginning.
fn with_all_that_begin_so(max: Constant) -> Option<Constant> {
    match max {
        // No character comes after this one, and no text goes on with it.
        Constant::Text(max) => Some(Constant::Text(format!("{max}{}", char::MAX))),
        Constant::Bytes(_) => None,
        other => Some(other),
    }
}

fn is_exact(statistics: &Statistics) -> bool {
    // Only byte strings are ever shortened; many writers leave the flags out.
    let shortened = matches!(statistics, Statistics::ByteArray(_) | Statistics::FixedLenByteArray(_));
    !shortened || (statistics.min_is_exact() && statistics.max_is_exact())
}

fn unbounded(rows: Vec<Range<usize>>) -> Vec<PageBounds> {
    rows.into_iter().map(|rows| PageBounds { rows, bounds: ColumnBounds::default() }).collect()
}

/// What a page index whose lists are as long as it has pages says of the page, which has `rows` rows.
pub(super) fn page_bounds(
    index: &ColumnIndexMetaData,
    page: usize,
    rows: usize,
    ty: &ColumnType,
    reliable: bool,
) -> ColumnBounds {
    if index.is_null_page(page) {
        return ColumnBounds { nulls: Some(rows as u64), ..ColumnBounds::default() };
    }
    let nulls = index.null_count(page).and_then(|nulls| u64::try_from(nulls).ok());
    let mut bounds = ColumnBounds { nulls, ..ColumnBounds::default() };
    if !reliable {
        return bounds;
    }
    let no_nan = index.nan_count(page) == Some(0);
    match index {
        ColumnIndexMetaData::BOOLEAN(values) => {
            bounds.min = values.min_value(page).map(|value| Constant::Bool(*value));
            bounds.max = values.max_value(page).map(|value| Constant::Bool(*value));
        }
        ColumnIndexMetaData::INT32(values) => {
            bounds.min = values.min_value(page).and_then(|value| integer(ty, (*value).into()));
            bounds.max = values.max_value(page).and_then(|value| integer(ty, (*value).into()));
        }
        ColumnIndexMetaData::INT64(values) => {
            bounds.min = values.min_value(page).and_then(|value| integer(ty, *value));
            bounds.max = values.max_value(page).and_then(|value| integer(ty, *value));
        }
        ColumnIndexMetaData::FLOAT(values) => {
            bounds.min = values.min_value(page).and_then(|value| float((*value).into()));
            bounds.max = values.max_value(page).and_then(|value| float((*value).into())).filter(|_| no_nan);
        }
        ColumnIndexMetaData::DOUBLE(values) => {
            bounds.min = values.min_value(page).and_then(|value| float(*value));
            bounds.max = values.max_value(page).and_then(|value| float(*value)).filter(|_| no_nan);
        }
        ColumnIndexMetaData::BYTE_ARRAY(values) | ColumnIndexMetaData::FIXED_LEN_BYTE_ARRAY(values) => {
            bounds.min = values.min_value(page).and_then(|value| bytes(ty, value, End::Low));
            bounds.max = values.max_value(page).and_then(|value| bytes(ty, value, End::High));
        }
        ColumnIndexMetaData::INT96(_) => {}
    }
    bounds
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Low,
    High,
}

/// A bound from its plain encoding.
fn constant(ty: &ColumnType, stored: Physical, raw: &[u8], end: End) -> Option<Constant> {
    match stored {
        Physical::BOOLEAN => raw.first().map(|byte| Constant::Bool(*byte != 0)),
        Physical::INT32 => integer(ty, i32::from_le_bytes(raw.try_into().ok()?).into()),
        Physical::INT64 => integer(ty, i64::from_le_bytes(raw.try_into().ok()?)),
        Physical::FLOAT => float(f32::from_le_bytes(raw.try_into().ok()?).into()),
        Physical::DOUBLE => float(f64::from_le_bytes(raw.try_into().ok()?)),
        Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY => bytes(ty, raw, end),
        Physical::INT96 => None,
    }
}

fn integer(ty: &ColumnType, value: i64) -> Option<Constant> {
    Some(match ty {
        ColumnType::Decimal { scale, .. } => Constant::Decimal(value.into(), *scale),
        ColumnType::UBigInt => Constant::Int(value.cast_unsigned().into()),
        // Smaller unsigned numbers lie in 32 bits, whose highest is not a sign.
        ColumnType::UInteger | ColumnType::USmallInt | ColumnType::UTinyInt => {
            within(ty, (value & 0xFFFF_FFFF).into())?
        }
        ColumnType::BigInt | ColumnType::Integer | ColumnType::SmallInt | ColumnType::TinyInt => {
            within(ty, value.into())?
        }
        ColumnType::Date
        | ColumnType::Time(_)
        | ColumnType::TimeTz(_)
        | ColumnType::Timestamp(_)
        | ColumnType::TimestampTz(_) => Constant::Temporal(ty.clone(), value),
        _ => return None,
    })
}

/// The number, unless no value of the integer type is that.
fn within(ty: &ColumnType, value: i128) -> Option<Constant> {
    let (bits, signed) = ty.integer_bits()?;
    let range = if signed {
        let half = 1_i128.checked_shl(bits.checked_sub(1)?)?;
        half.checked_neg()?..=half.checked_sub(1)?
    } else {
        0..=1_i128.checked_shl(bits)?.checked_sub(1)?
    };
    range.contains(&value).then_some(Constant::Int(value))
}

fn float(value: f64) -> Option<Constant> {
    (!value.is_nan()).then_some(Constant::Float(value))
}

fn bytes(ty: &ColumnType, raw: &[u8], end: End) -> Option<Constant> {
    match ty {
        ColumnType::Varchar => text(raw, end).map(Constant::Text),
        ColumnType::Blob => Some(Constant::Bytes(raw.to_vec())),
        ColumnType::Decimal { scale, .. } => Some(Constant::Decimal(big_endian(raw)?, *scale)),
        _ => None,
    }
}

/// A text bound. A least value may be cut inside a character; what comes before that character is still a lower bound.
fn text(raw: &[u8], end: End) -> Option<String> {
    match std::str::from_utf8(raw) {
        Ok(text) => Some(text.to_owned()),
        Err(error) if end == End::Low => {
            let whole = raw.get(..error.valid_up_to())?;
            std::str::from_utf8(whole).ok().map(str::to_owned)
        }
        Err(_) => None,
    }
}

/// A signed number of at most 16 bytes, highest byte first.
fn big_endian(raw: &[u8]) -> Option<i128> {
    let (first, rest) = raw.split_first()?;
    if raw.len() > size_of::<i128>() {
        return None;
    }
    let sign = i128::from(first.cast_signed());
    Some(rest.iter().fold(sign, |value, byte| (value << 8) | i128::from(*byte)))
}

#[cfg(test)]
#[path = "stats_tests.rs"]
mod tests;
