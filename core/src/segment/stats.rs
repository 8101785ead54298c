//! What a file says of its values without being read: least and greatest value and number of NULLs of row groups and
//! pages. Says nothing where the file's word cannot be relied on; a bound that is given always holds.

use std::ops::Range;

use parquet::{
    basic::{ColumnOrder, SortOrder, Type as Physical},
    file::{
        metadata::ColumnChunkMetaData,
        page_index::{column_index::ColumnIndexMetaData, offset_index::PageLocation},
        statistics::Statistics,
    },
};

use super::{
    SegmentFile,
    guard::{damaged, guarded},
};
use crate::{
    error::{Error, Result},
    prune::expr::Constant,
    schema::ColumnType,
};

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
        // Statistics are advice: whatever goes wrong, nothing is known.
        guarded(self.path(), || Ok(self.footer_bounds(row_group, position))).ok().flatten().unwrap_or_default()
    }

    fn footer_bounds(&self, row_group: usize, position: usize) -> Option<ColumnBounds> {
        let (leaf, ty) = self.flat_leaf(position)?;
        let chunk = self.chunk(row_group, leaf)?;
        let statistics = chunk.statistics()?;
        let nulls = statistics.null_count_opt();
        let order = if statistics.is_min_max_deprecated() { Order::Signed } else { self.order(leaf) };
        if !reliable(chunk, ty, order) {
            return Some(ColumnBounds { nulls, ..ColumnBounds::default() });
        }
        let raw = |bytes: Option<&[u8]>, end| constant(ty, chunk.column_type(), bytes?, end);
        let no_nan = statistics.nan_count_opt() == Some(0);
        Some(ColumnBounds {
            min: raw(statistics.min_bytes_opt(), End::Low),
            max: raw(statistics.max_bytes_opt(), End::High).filter(|max| no_nan || !matches!(max, Constant::Float(_))),
            nulls,
            exact: is_exact(statistics),
        })
    }

    /// What the page index says of the column at `position` in a row group, page by page in order; none for nested
    /// columns and where the file has no page index for the column. Loads the page index.
    ///
    /// # Errors
    /// `Corrupt` when the page index is damaged, and errors of the source.
    pub fn pages(&self, row_group: usize, position: usize) -> Result<Option<Vec<PageBounds>>> {
        let Some((leaf, ty)) = self.flat_leaf(position) else { return Ok(None) };
        let Some(chunk) = self.chunk(row_group, leaf).filter(|chunk| chunk.offset_index_offset().is_some()) else {
            return Ok(None);
        };
        let indexed = self.indexed()?;
        guarded(self.path(), || {
            let group = indexed.page_index_for_row_group(row_group);
            let Some(locations) = group.page_locations(leaf) else { return Ok(None) };
            let rows = page_rows(locations, self.row_group_rows(row_group)).ok_or_else(|| self.bad_index())?;
            let Some(index) = group.column_index(leaf) else { return Ok(Some(unbounded(rows))) };
            if usize::try_from(index.num_pages()).ok() != Some(rows.len()) {
                return Err(self.bad_index());
            }
            let reliable = reliable(chunk, ty, self.order(leaf));
            let page = |(page, rows): (usize, Range<usize>)| PageBounds {
                bounds: page_bounds(index, page, rows.len(), ty, reliable),
                rows,
            };
            Ok(Some(rows.into_iter().enumerate().map(page).collect()))
        })
    }

    fn bad_index(&self) -> Error {
        damaged(self.path()).with("problem", "its page index contradicts itself")
    }

    /// The one leaf of a column that is not nested, and its type.
    fn flat_leaf(&self, position: usize) -> Option<(usize, &ColumnType)> {
        let ty = &self.columns().get(position)?.ty;
        if matches!(ty, ColumnType::List(_) | ColumnType::Struct(_) | ColumnType::Map(..)) {
            return None;
        }
        Some((self.leaves(position).next()?, ty))
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

fn is_exact(statistics: &Statistics) -> bool {
    // Only byte strings are ever shortened; many writers leave the flags out.
    let shortened = matches!(statistics, Statistics::ByteArray(_) | Statistics::FixedLenByteArray(_));
    !shortened || (statistics.min_is_exact() && statistics.max_is_exact())
}

fn unbounded(rows: Vec<Range<usize>>) -> Vec<PageBounds> {
    rows.into_iter().map(|rows| PageBounds { rows, bounds: ColumnBounds::default() }).collect()
}

/// The rows of each page; none when the pages do not follow each other inside the row group.
fn page_rows(locations: &[PageLocation], total: usize) -> Option<Vec<Range<usize>>> {
    let first = |location: &PageLocation| usize::try_from(location.first_row_index).ok();
    let ends = locations.iter().skip(1).map(first).chain([Some(total)]);
    let rows: Vec<_> = locations.iter().map(first).zip(ends).map(|(a, b)| Some(a?..b?)).collect::<Option<_>>()?;
    let starts_at_zero = rows.first().map_or(total == 0, |range| range.start == 0);
    (starts_at_zero && rows.iter().all(|range| range.start <= range.end && range.end <= total)).then_some(rows)
}

fn page_bounds(index: &ColumnIndexMetaData, page: usize, rows: usize, ty: &ColumnType, reliable: bool) -> ColumnBounds {
    if index.null_counts().is_none_or(|counts| page < counts.len()) && index.is_null_page(page) {
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
        // Smaller unsigned numbers lie in 32 bits, whose highest is no sign.
        ColumnType::UInteger | ColumnType::USmallInt | ColumnType::UTinyInt => {
            Constant::Int((value & 0xFFFF_FFFF).into())
        }
        ColumnType::BigInt | ColumnType::Integer | ColumnType::SmallInt | ColumnType::TinyInt => {
            Constant::Int(value.into())
        }
        ColumnType::Date
        | ColumnType::Time(_)
        | ColumnType::TimeTz(_)
        | ColumnType::Timestamp(_)
        | ColumnType::TimestampTz(_) => Constant::Temporal(ty.clone(), value),
        _ => return None,
    })
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
mod tests {
    use super::{PageLocation, page_rows};

    fn page(first_row_index: i64) -> PageLocation {
        PageLocation { offset: 0, compressed_page_size: 0, first_row_index }
    }

    #[test]
    fn pages_hold_all_rows_of_their_row_group_or_are_not_believed() {
        assert_eq!(page_rows(&[page(0), page(4)], 10), Some(vec![0..4, 4..10]));
        assert_eq!(page_rows(&[], 0), Some(Vec::new()));
        assert_eq!(page_rows(&[], 10), None);
        assert_eq!(page_rows(&[page(1)], 10), None);
        assert_eq!(page_rows(&[page(0), page(11)], 10), None);
        assert_eq!(page_rows(&[page(0), page(-1)], 10), None);
    }
}
