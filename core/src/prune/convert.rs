//! Between constants in their own units and the scalars that proofs are made of, and the domain of a column from its
//! statistics. Conversions are exact or widen outward; what has no scalar is unbounded.

use std::cmp::Ordering;

use super::{
    calendar::{MICRO, ceil_to, floor_to},
    domain::{Domain, Piece, Scalar},
    expr::Constant,
    stats::{ColumnStats, Nulls},
};
use crate::schema::{ColumnType, TimeUnit};

/// More distinct values than this are seen as a range only.
const MAX_VALUES: usize = 1024;

/// The type an expression over a column has in SQL, whatever unit is stored.
pub(super) fn sql_type(ty: &ColumnType) -> ColumnType {
    match ty {
        ColumnType::Timestamp(TimeUnit::Ms) => ColumnType::Timestamp(TimeUnit::Us),
        ColumnType::TimestampTz(_) => ColumnType::TimestampTz(TimeUnit::Us),
        ColumnType::HalfFloat => ColumnType::Float,
        ColumnType::Null => ColumnType::Integer,
        other => other.clone(),
    }
}

/// Nanoseconds in one unit of a date, time or timestamp type; none for every other type.
pub(super) fn unit_nanos(ty: &ColumnType) -> Option<i128> {
    ty.unit_nanos()
}

/// Whether DuckDB gives the count a meaning of its own: the infinities, and what lies beyond them.
pub(super) fn is_special(ty: &ColumnType, value: i128) -> bool {
    let limit = if *ty == ColumnType::Date { i128::from(i32::MAX) } else { i128::from(i64::MAX) };
    !matches!(ty, ColumnType::Time(_)) && (value >= limit || value <= -limit)
}

/// The least and greatest value of an integer type.
pub(super) fn integer_range(ty: &ColumnType) -> Option<(i128, i128)> {
    if *ty == ColumnType::HugeInt {
        return Some((i128::MIN, i128::MAX));
    }
    let (bits, signed) = ty.integer_bits()?;
    let span = 1_i128.checked_shl(bits)?;
    Some(if signed { (-(span / 2), span / 2 - 1) } else { (0, span - 1) })
}

/// A constant as a piece; none when it is NULL or of a type that is not modelled.
pub(super) fn constant_piece(constant: &Constant) -> Option<Piece> {
    let Constant::Temporal(ty, count) = constant else { return scalar(constant).map(Piece::point) };
    let value = temporal(ty, i128::from(*count))?;
    Some(match is_special(ty, i128::from(*count)) {
        // What an infinity is in another unit is not a matter of arithmetic: only that it is beyond all that is finite.
        true if *count > 0 => Piece { lo: Some(value), hi: None },
        true => Piece { lo: None, hi: Some(value) },
        false => Piece::point(value),
    })
}

/// A constant as a domain.
pub(super) fn constant_domain(constant: &Constant) -> Domain {
    if *constant == Constant::Null {
        return Domain::null(None);
    }
    let piece = constant_piece(constant).unwrap_or(Piece::ANY);
    Domain { ty: constant_type(constant), pieces: vec![piece], null: false, raises: false }
}

fn constant_type(constant: &Constant) -> Option<ColumnType> {
    match constant {
        Constant::Bool(_) => Some(ColumnType::Boolean),
        Constant::Text(_) => Some(ColumnType::Varchar),
        Constant::Bytes(_) => Some(ColumnType::Blob),
        Constant::Uuid(_) => Some(ColumnType::Uuid),
        Constant::Temporal(ty, _) => Some(ty.clone()),
        Constant::Interval { .. } => Some(ColumnType::Interval),
        Constant::Null | Constant::Int(_) | Constant::Float(_) | Constant::Decimal(..) => None,
    }
}

fn scalar(constant: &Constant) -> Option<Scalar> {
    Some(match constant {
        Constant::Bool(value) => Scalar::Bool(*value),
        Constant::Int(value) => Scalar::Int(*value),
        Constant::Float(value) => Scalar::Float(*value),
        Constant::Decimal(value, scale) => Scalar::Decimal(*value, *scale),
        Constant::Text(value) => Scalar::Text(value.clone()),
        Constant::Bytes(value) => Scalar::Bytes(value.clone()),
        Constant::Uuid(value) => Scalar::Uuid(*value),
        Constant::Temporal(ty, count) => temporal(ty, i128::from(*count))?,
        Constant::Null | Constant::Interval { .. } => return None,
    })
}

fn temporal(ty: &ColumnType, count: i128) -> Option<Scalar> {
    let nanos = count.checked_mul(unit_nanos(ty)?)?;
    Some(match ty {
        ColumnType::TimestampTz(_) => Scalar::Zoned(nanos),
        ColumnType::Time(_) => Scalar::Clock(nanos),
        _ => Scalar::Local(nanos),
    })
}

/// The domain of a column of type `ty` stored as such, from what is known of it.
pub(super) fn column_domain(ty: &ColumnType, stats: Option<&ColumnStats>) -> Domain {
    let Some(stats) = stats else {
        return Domain { pieces: ranged(ty, None, None), ..Domain::any(Some(sql_type(ty))) };
    };
    if stats.nulls == Nulls::All {
        return Domain::null(Some(sql_type(ty)));
    }
    let listed = stats.values.as_deref().and_then(|values| listed(ty, values));
    let null_listed = stats.values.as_deref().is_some_and(|values| values.contains(&Constant::Null));
    Domain {
        ty: Some(sql_type(ty)),
        pieces: listed.unwrap_or_else(|| ranged(ty, stats.min.as_ref(), stats.max.as_ref())),
        null: stats.nulls != Nulls::None || null_listed,
        raises: false,
    }
}

/// The domain of an index column whose stored values lie in `[lo, hi]`.
pub(super) fn index_domain(ty: &ColumnType, lo: Option<i128>, hi: Option<i128>) -> Domain {
    let constant = |value: i128| match ty.integer_bits() {
        Some(_) => Some(Constant::Int(value)),
        None => i64::try_from(value).ok().map(|count| Constant::Temporal(ty.clone(), count)),
    };
    let pieces = ranged(ty, lo.and_then(constant).as_ref(), hi.and_then(constant).as_ref());
    Domain { pieces, ..Domain::any(Some(sql_type(ty))) }
}

fn listed(ty: &ColumnType, values: &[Constant]) -> Option<Vec<Piece>> {
    if values.len() > MAX_VALUES {
        return None;
    }
    values.iter().filter(|value| **value != Constant::Null).map(|value| stored_piece(ty, value)).collect()
}

fn ranged(ty: &ColumnType, min: Option<&Constant>, max: Option<&Constant>) -> Vec<Piece> {
    let lo = min.and_then(|min| bound(ty, min));
    let hi = max.and_then(|max| bound(ty, max));
    // A present end that says nothing may come from a value that wraps on its way into SQL: then nothing holds.
    let odd = (min.is_some() && lo.is_none()) || (max.is_some() && hi.is_none());
    let mut piece = if odd { Piece::ANY } else { Piece { lo: lo.and_then(|p| p.lo), hi: hi.and_then(|p| p.hi) } };
    if let (Some(lo), Some(hi)) = (&piece.lo, &piece.hi)
        && !matches!(lo.order(hi), Some(Ordering::Less | Ordering::Equal))
    {
        piece = Piece::ANY;
    }
    fill(ty, &mut piece);
    match ty {
        ColumnType::HalfFloat | ColumnType::Float | ColumnType::Double => {
            vec![piece, Piece::point(Scalar::Float(f64::NAN))]
        }
        _ => vec![piece],
    }
}

/// A NaN bounds nothing: some writers record it whenever a NaN comes first.
fn bound(ty: &ColumnType, value: &Constant) -> Option<Piece> {
    if matches!(value, Constant::Float(float) if float.is_nan()) {
        return None;
    }
    stored_piece(ty, value)
}

/// Bounds an open end by the type's own range.
fn fill(ty: &ColumnType, piece: &mut Piece) {
    let range = match ty {
        ColumnType::Boolean => Some((Scalar::Bool(false), Scalar::Bool(true))),
        _ => integer_range(ty).map(|(lo, hi)| (Scalar::Int(lo), Scalar::Int(hi))),
    };
    if let Some((lo, hi)) = range {
        piece.lo.get_or_insert(lo);
        piece.hi.get_or_insert(hi);
    }
}

/// One stored value as SQL sees it; none when it is not a value of the type or SQL may see it as anything.
fn stored_piece(ty: &ColumnType, value: &Constant) -> Option<Piece> {
    if !is_of(ty, value) {
        return None;
    }
    let piece = constant_piece(value)?;
    match (ty, piece) {
        (ColumnType::TimestampTz(TimeUnit::Ns), Piece { lo, hi }) => Some(Piece {
            lo: lo.map(|lo| shown_in_micros(lo, floor_to)),
            hi: hi.map(|hi| shown_in_micros(hi, ceil_to)),
        }),
        (ColumnType::Timestamp(_) | ColumnType::TimestampTz(_), piece) => fits_micros(&piece).then_some(piece),
        (_, piece) => Some(piece),
    }
}

/// TIMESTAMPTZ has microseconds in SQL; which way finer values are rounded is left open.
fn shown_in_micros(value: Scalar, round: fn(i128, i128) -> i128) -> Scalar {
    match value {
        Scalar::Zoned(nanos) => Scalar::Zoned(round(nanos, MICRO)),
        other => other,
    }
}

fn fits_micros(piece: &Piece) -> bool {
    [&piece.lo, &piece.hi].into_iter().flatten().all(|end| match end {
        Scalar::Local(nanos) | Scalar::Zoned(nanos) => nanos.abs() <= i128::from(i64::MAX) * MICRO,
        _ => true,
    })
}

/// Whether the constant is a value of the column type in its own unit.
fn is_of(ty: &ColumnType, value: &Constant) -> bool {
    match (ty, value) {
        (ColumnType::Boolean, Constant::Bool(_))
        | (ColumnType::Varchar, Constant::Text(_))
        | (ColumnType::Blob, Constant::Bytes(_))
        | (ColumnType::Uuid, Constant::Uuid(_))
        | (ColumnType::HalfFloat | ColumnType::Float | ColumnType::Double, Constant::Float(_)) => true,
        (ColumnType::Decimal { precision, scale }, Constant::Decimal(units, of)) => {
            let limit = 10_u128.checked_pow(u32::from(*precision));
            scale == of && limit.is_some_and(|limit| units.unsigned_abs() < limit)
        }
        (_, Constant::Temporal(of, _)) => of == ty,
        (_, Constant::Int(value)) => integer_range(ty).is_some_and(|(lo, hi)| (lo..=hi).contains(value)),
        _ => false,
    }
}
