//! Abstract values: which values an expression can have over a set of rows, as a few closed intervals. Ordering and
//! interval laws only; how types convert is in `casts`, what functions do in `functions`.

use std::cmp::Ordering;

use super::{expr::Comparison, truth::Truth};
use crate::schema::ColumnType;

/// More pairs of intervals than this are compared by their hulls.
const MAX_PAIRS: usize = 4096;

/// A value in a form that compares without regard to width and unit. Kinds that differ do not compare.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    Bool(bool),
    Int(i128),
    Float(f64),
    Decimal(i128, u8),
    Text(String),
    Bytes(Vec<u8>),
    Uuid(u128),
    /// A DATE or TIMESTAMP, nanoseconds since 1970-01-01 on the wall clock.
    Local(i128),
    /// A TIMESTAMPTZ, nanoseconds since 1970-01-01 UTC.
    Zoned(i128),
    /// A TIME, nanoseconds since midnight.
    Clock(i128),
}

/// The values from `lo` to `hi`, both included; none is unbounded.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Piece {
    pub(super) lo: Option<Scalar>,
    pub(super) hi: Option<Scalar>,
}

/// The values an expression can have. More than really occur are allowed, fewer never.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Domain {
    /// The SQL type, where it is known. A TIMESTAMP has microseconds in SQL whatever unit is stored.
    pub(super) ty: Option<ColumnType>,
    /// Where the values that are not NULL lie; empty when all are NULL.
    pub(super) pieces: Vec<Piece>,
    pub(super) null: bool,
    /// Evaluating it may end in an error instead.
    pub(super) raises: bool,
}

impl Scalar {
    /// DuckDB's order: NaN equals itself and is greater than all else, the zeros are equal, text compares by bytes.
    pub(super) fn order(&self, other: &Self) -> Option<Ordering> {
        Some(match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan())),
            (Self::Text(a), Self::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Self::Bytes(a), Self::Bytes(b)) => a.cmp(b),
            (Self::Uuid(a), Self::Uuid(b)) => a.cmp(b),
            (Self::Local(a), Self::Local(b))
            | (Self::Zoned(a), Self::Zoned(b))
            | (Self::Clock(a), Self::Clock(b))
            | (Self::Int(a), Self::Int(b)) => a.cmp(b),
            _ => return self.order_scaled(other),
        })
    }

    fn order_scaled(&self, other: &Self) -> Option<Ordering> {
        let ((a, a_scale), (b, b_scale)) = (self.scaled()?, other.scaled()?);
        let scale = a_scale.max(b_scale);
        Some(rescale(a, a_scale, scale)?.cmp(&rescale(b, b_scale, scale)?))
    }

    fn scaled(&self) -> Option<(i128, u8)> {
        match self {
            Self::Int(value) => Some((*value, 0)),
            Self::Decimal(value, scale) => Some((*value, *scale)),
            _ => None,
        }
    }

    fn at_most(&self, other: &Self) -> bool {
        matches!(self.order(other), Some(Ordering::Less | Ordering::Equal))
    }

    fn below(&self, other: &Self) -> bool {
        self.order(other) == Some(Ordering::Less)
    }
}

/// `value` of scale `from` counted in units of the finer scale `to`.
pub(super) fn rescale(value: i128, from: u8, to: u8) -> Option<i128> {
    10_i128.checked_pow(u32::from(to.checked_sub(from)?))?.checked_mul(value)
}

impl Piece {
    pub(super) const ANY: Self = Self { lo: None, hi: None };

    pub(super) fn point(value: Scalar) -> Self {
        Self { lo: Some(value.clone()), hi: Some(value) }
    }

    pub(super) fn range(lo: Scalar, hi: Scalar) -> Self {
        Self { lo: Some(lo), hi: Some(hi) }
    }

    /// Which of less, equal and greater can occur between a value of this and a value of the other.
    fn outcomes(&self, other: &Self) -> [bool; 3] {
        let below = proven(&self.hi, &other.lo, Scalar::below);
        let above = proven(&other.hi, &self.lo, Scalar::below);
        let at_most = proven(&self.hi, &other.lo, Scalar::at_most);
        let at_least = proven(&other.hi, &self.lo, Scalar::at_most);
        [!at_least, !below && !above, !at_most]
    }
}

/// Whether the relation is known to hold between two ends.
fn proven(a: &Option<Scalar>, b: &Option<Scalar>, relation: fn(&Scalar, &Scalar) -> bool) -> bool {
    matches!((a, b), (Some(a), Some(b)) if relation(a, b))
}

impl Domain {
    /// Nothing is known, not even that it can be evaluated.
    pub(super) fn unknown() -> Self {
        Self { raises: true, ..Self::any(None) }
    }

    /// Any value or NULL of a type.
    pub(super) fn any(ty: Option<ColumnType>) -> Self {
        Self { ty, pieces: vec![Piece::ANY], null: true, raises: false }
    }

    pub(super) fn null(ty: Option<ColumnType>) -> Self {
        Self { ty, pieces: Vec::new(), null: true, raises: false }
    }

    /// The values of a predicate.
    pub(super) fn from_truth(truth: Truth) -> Self {
        let mut pieces = Vec::new();
        if truth.no {
            pieces.push(Piece::point(Scalar::Bool(false)));
        }
        if truth.yes {
            pieces.push(Piece::point(Scalar::Bool(true)));
        }
        Self { ty: Some(ColumnType::Boolean), pieces, null: truth.null, raises: truth.raises }
    }

    /// The outcomes when the value itself is the predicate.
    pub(super) fn truth(&self) -> Truth {
        let mut truth = Truth { null: self.null, raises: self.raises, ..Truth::IMPOSSIBLE };
        for piece in &self.pieces {
            truth.yes |= piece.hi != Some(Scalar::Bool(false));
            truth.no |= piece.lo != Some(Scalar::Bool(true));
        }
        truth
    }

    /// Whether some end is unbounded.
    pub(super) fn is_unbounded(&self) -> bool {
        self.pieces.iter().any(|piece| piece.lo.is_none() || piece.hi.is_none())
    }

    /// Maps every end by a function that never falls. It answers with bounds of the image of one value, or none when
    /// the value has no image: then the expression may raise and nothing is known of it.
    pub(super) fn map(self, ty: Option<ColumnType>, image: impl Fn(&Scalar) -> Option<(Scalar, Scalar)>) -> Self {
        let mut out = Self { ty, pieces: Vec::new(), null: self.null, raises: self.raises };
        for piece in &self.pieces {
            let lo = piece.lo.as_ref().map(&image);
            let hi = piece.hi.as_ref().map(&image);
            if matches!(lo, Some(None)) || matches!(hi, Some(None)) {
                out.raises = true;
                out.pieces.push(Piece::ANY);
                continue;
            }
            out.pieces.push(Piece { lo: lo.flatten().map(|(low, _)| low), hi: hi.flatten().map(|(_, high)| high) });
        }
        out
    }

    /// The outcomes of a comparison.
    pub(super) fn compare(&self, op: Comparison, other: &Self) -> Truth {
        let [less, equal, greater] = self.outcomes(other);
        let (mut yes, mut no) = match op {
            Comparison::Eq | Comparison::NotDistinct => (equal, less || greater),
            Comparison::Ne | Comparison::Distinct => (less || greater, equal),
            Comparison::Lt => (less, equal || greater),
            Comparison::Le => (less || equal, greater),
            Comparison::Gt => (greater, less || equal),
            Comparison::Ge => (greater || equal, less),
        };
        let raises = self.raises || other.raises;
        if !matches!(op, Comparison::Distinct | Comparison::NotDistinct) {
            return Truth { yes, no, null: self.null || other.null, raises };
        }
        let both_null = self.null && other.null;
        let one_null = (self.null && !other.pieces.is_empty()) || (other.null && !self.pieces.is_empty());
        let distinct = op == Comparison::Distinct;
        yes |= if distinct { one_null } else { both_null };
        no |= if distinct { both_null } else { one_null };
        Truth { yes, no, null: false, raises }
    }

    fn outcomes(&self, other: &Self) -> [bool; 3] {
        let many = self.pieces.len().saturating_mul(other.pieces.len()) > MAX_PAIRS;
        let (left, right) =
            if many { (self.hull(), other.hull()) } else { (self.pieces.clone(), other.pieces.clone()) };
        let mut all = [false; 3];
        for piece in &left {
            for against in &right {
                let [less, equal, greater] = piece.outcomes(against);
                all = [all[0] || less, all[1] || equal, all[2] || greater];
            }
        }
        all
    }

    /// The pieces as at most one that spans them all.
    fn hull(&self) -> Vec<Piece> {
        let mut pieces = self.pieces.iter().cloned();
        let Some(mut hull) = pieces.next() else { return Vec::new() };
        for piece in pieces {
            hull.lo = extreme(hull.lo, piece.lo, Ordering::Less);
            hull.hi = extreme(hull.hi, piece.hi, Ordering::Greater);
        }
        vec![hull]
    }
}

/// The end that lies further out in the given direction; none when either is unbounded or they do not compare.
fn extreme(a: Option<Scalar>, b: Option<Scalar>, outward: Ordering) -> Option<Scalar> {
    let (a, b) = (a?, b?);
    let order = b.order(&a)?;
    Some(if order == outward { b } else { a })
}
