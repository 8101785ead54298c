//! What to fill and how, and the places of cells.

use arrow::datatypes::DataType;

use crate::{
    error::{Error, Result},
    schema::{ColumnType, Strings},
    table::ask::choice::Choice,
    time::{BucketId, Grid, IndexRange, Run},
};

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

    pub(super) fn looks_back(self) -> bool {
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

/// The type of a filled column.
#[must_use]
pub fn filled_type(ty: &ColumnType, method: Method) -> ColumnType {
    if method == Method::Linear { ColumnType::Double } else { ty.clone() }
}

pub(super) fn check_method(method: Method, name: &str, ty: &ColumnType) -> Result<()> {
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
pub(super) fn kept_type(ty: &ColumnType, method: Method) -> DataType {
    filled_type(ty, method).arrow(Strings::Plain)
}

/// Where the end anchors of an entity's row stand: after its cells.
pub(super) fn cell_count(run: Run) -> usize {
    usize::try_from(run.buckets()).unwrap_or(usize::MAX)
}

pub(super) fn bucket_at(run: Run, cell: usize) -> BucketId {
    BucketId(run.first.0.saturating_add_unsigned(cell as u64))
}
