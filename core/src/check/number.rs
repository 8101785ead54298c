//! Numbers of checks, row by row: whole numbers and DECIMAL exactly, FLOAT and DOUBLE as DuckDB computes them. What 128 bits cannot
//! hold is not a number, and its row is marked instead of a value that has wrapped.

use std::cmp::Ordering;

/// How numbers of an expression are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// In units of ten to the minus scale.
    Exact(u8),
    Single,
    Double,
}

impl Kind {
    /// What DuckDB casts both to before it compares them: DOUBLE before FLOAT before what is exact.
    pub(super) fn common(self, other: Self) -> Self {
        match (self, other) {
            (Self::Double, _) | (_, Self::Double) => Self::Double,
            (Self::Single, _) | (_, Self::Single) => Self::Single,
            (Self::Exact(a), Self::Exact(b)) => Self::Exact(a.max(b)),
        }
    }
}

/// A number of some kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Exact(i128, u8),
    Single(f32),
    Double(f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl Number {
    fn kind(self) -> Kind {
        match self {
            Self::Exact(_, scale) => Kind::Exact(scale),
            Self::Single(_) => Kind::Single,
            Self::Double(_) => Kind::Double,
        }
    }

    /// As FLOAT or DOUBLE when the kind is one; what is exact needs no cast.
    pub(super) fn cast(self, kind: Kind) -> Self {
        match kind {
            Kind::Exact(_) => self,
            Kind::Single => Self::Single(self.single()),
            Kind::Double => Self::Double(self.double()),
        }
    }

    fn single(self) -> f32 {
        match self {
            #[allow(clippy::cast_precision_loss)] // the nearest, as a cast to FLOAT gives
            Self::Exact(value, 0) => value as f32,
            Self::Exact(value, scale) => format!("{value}e-{scale}").parse().unwrap_or(f32::NAN),
            Self::Single(value) => value,
            #[allow(clippy::cast_possible_truncation)] // never asked for: DOUBLE goes before FLOAT
            Self::Double(value) => value as f32,
        }
    }

    fn double(self) -> f64 {
        match self {
            #[allow(clippy::cast_precision_loss)] // the nearest, as a cast to DOUBLE gives
            Self::Exact(value, 0) => value as f64,
            // Both are exact below these bounds, so that the quotient is the nearest.
            #[allow(clippy::cast_precision_loss)]
            Self::Exact(value, scale @ 1..=22) if value.unsigned_abs() < 1 << 53 => {
                value as f64 / 10_f64.powi(i32::from(scale))
            }
            Self::Exact(value, scale) => format!("{value}e-{scale}").parse().unwrap_or(f64::NAN),
            Self::Single(value) => f64::from(value),
            Self::Double(value) => value,
        }
    }

    /// None when 128 bits cannot hold the result.
    pub(super) fn compute(self, op: Arithmetic, other: Self) -> Option<Self> {
        let kind = match (self.kind().common(other.kind()), op) {
            (Kind::Exact(_), Arithmetic::Divide) => Kind::Double,
            (kind, _) => kind,
        };
        match (self.cast(kind), other.cast(kind)) {
            (Self::Exact(a, left), Self::Exact(b, right)) if op == Arithmetic::Multiply => {
                Some(Self::Exact(a.checked_mul(b)?, left.checked_add(right)?))
            }
            (Self::Exact(a, left), Self::Exact(b, right)) => {
                let scale = left.max(right);
                let (a, b) = (rescale(a, scale - left)?, rescale(b, scale - right)?);
                let sum = if op == Arithmetic::Add { a.checked_add(b) } else { a.checked_sub(b) };
                Some(Self::Exact(sum?, scale))
            }
            (Self::Single(a), Self::Single(b)) => Some(Self::Single(match op {
                Arithmetic::Add => a + b,
                Arithmetic::Subtract => a - b,
                Arithmetic::Multiply => a * b,
                Arithmetic::Divide => a / b,
            })),
            (a, b) => {
                let (a, b) = (a.double(), b.double());
                Some(Self::Double(match op {
                    Arithmetic::Add => a + b,
                    Arithmetic::Subtract => a - b,
                    Arithmetic::Multiply => a * b,
                    Arithmetic::Divide => a / b,
                }))
            }
        }
    }

    pub(super) fn negate(self) -> Option<Self> {
        Some(match self {
            Self::Exact(value, scale) => Self::Exact(value.checked_neg()?, scale),
            Self::Single(value) => Self::Single(-value),
            Self::Double(value) => Self::Double(-value),
        })
    }

    pub(super) fn abs(self) -> Option<Self> {
        Some(match self {
            Self::Exact(value, scale) => Self::Exact(value.checked_abs()?, scale),
            Self::Single(value) => Self::Single(value.abs()),
            Self::Double(value) => Self::Double(value.abs()),
        })
    }

    /// The order of DuckDB: both zeros are equal, NaN is equal to itself and the greatest.
    pub(super) fn order(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Exact(a, left), Self::Exact(b, right)) => {
                let scale = left.max(right);
                match (rescale(a, scale - left), rescale(b, scale - right)) {
                    (Some(a), Some(b)) => a.cmp(&b),
                    // Only one needs more digits; if it has no room for them, it is the one farther from zero.
                    (None, _) => a.cmp(&0),
                    (_, None) => 0.cmp(&b),
                }
            }
            (Self::Single(a), Self::Single(b)) => floats(f64::from(a), f64::from(b)),
            (a, b) => floats(a.double(), b.double()),
        }
    }
}

fn rescale(value: i128, digits: u8) -> Option<i128> {
    value.checked_mul(10_i128.checked_pow(u32::from(digits))?)
}

fn floats(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}
