//! What a caller knows of a set of rows, and what is proven from it. Only the words: no proof is made here.

use std::{borrow::Cow, sync::Arc};

use super::expr::Constant;

/// Whether a column is NULL in a set of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Nulls {
    /// In no row.
    None,
    /// In every row.
    All,
    /// In some rows, or nobody knows.
    #[default]
    Unknown,
}

impl Nulls {
    /// From a count of NULLs among `rows` rows; none is unknown.
    #[must_use]
    pub fn from_count(count: Option<u64>, rows: u64) -> Self {
        match count {
            Some(0) => Self::None,
            Some(count) if count == rows => Self::All,
            _ => Self::Unknown,
        }
    }
}

/// What is known of one column in a set of rows. Constants are in the column's own type and unit.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ColumnStats {
    /// No value is less; floats that are NaN are not counted.
    pub min: Option<Constant>,
    /// No value is greater; floats that are NaN are not counted, text compares by bytes.
    pub max: Option<Constant>,
    /// Whether `min` and `max` occur as values. Proofs need no more than bounds, so a shortened text does as well;
    /// who wants to answer `min(x)` from metadata needs this.
    pub exact: bool,
    /// Where it is NULL.
    pub nulls: Nulls,
    /// All distinct values, when they are known and few. NULL may be among them.
    pub values: Option<Arc<[Constant]>>,
}

/// The statistics of a set of rows: a segment, a row group or a page.
pub trait Statistics {
    /// Number of rows.
    fn rows(&self) -> u64;

    /// What is known of the column at this position in the schema; none when nothing is.
    fn column(&self, index: usize) -> Option<Cow<'_, ColumnStats>>;

    /// The position of the index column, when [`Self::may_contain_index`] can rule ranges out.
    fn index_column(&self) -> Option<usize> {
        None
    }

    /// Whether any row's index value can lie in `[low, high]`, in the index column's own unit; none is unbounded.
    fn may_contain_index(&self, low: Option<i128>, high: Option<i128>) -> bool {
        let _ = (low, high);
        true
    }
}

/// What is proven about a predicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is true for no row: false or NULL for all of them.
    Never,
    /// Nothing is proven.
    Maybe,
    /// It is true, not NULL, for every row.
    Always,
}
