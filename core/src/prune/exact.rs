//! What a predicate says of a column without any approximation: the exact range of the index, and the values an entity
//! column may have. Only forms whose meaning is certain; all else is none.

use super::{
    calendar::{MICRO, floor_to},
    convert::{integer_range, is_special, sql_type, unit_nanos},
    expr::{Comparison, Constant, Expr},
    interval::Interval,
};
use crate::{
    schema::{ColumnType, TimeUnit},
    time::Offsets,
};

const TIMESTAMPTZ: ColumnType = ColumnType::TimestampTz(TimeUnit::Us);

/// Longer lists of values are not taken apart: each value is compared with the others.
const MAX_VALUES: usize = 1024;

/// The range of index values, in the index column's own unit, that is exactly the predicate: a row satisfies it if and
/// only if its index is not NULL and lies in the range, but for rows for which a cast raises an error. Never for BETWEEN, whose ends are
/// not known.
#[must_use]
pub fn exact_range(expr: &Expr, index_column: usize, schema: &[ColumnType]) -> Option<Interval> {
    match expr {
        Expr::And(parts) if !parts.is_empty() => parts
            .iter()
            .try_fold(Interval::ALL, |range, part| Some(range.intersect(&exact_range(part, index_column, schema)?))),
        Expr::Compare(op, a, b) => match (a.as_ref(), b.as_ref()) {
            (Expr::Column(index), Expr::Constant(constant)) if *index == index_column => {
                compared(*op, constant, schema.get(index_column)?)
            }
            (Expr::Constant(constant), Expr::Column(index)) if *index == index_column => {
                compared(mirrored(*op), constant, schema.get(index_column)?)
            }
            (Expr::OnClock(clock, cast), Expr::Constant(constant)) => {
                compared(*op, &shown(clock, cast, constant, index_column, schema)?, schema.get(index_column)?)
            }
            (Expr::Constant(constant), Expr::OnClock(clock, cast)) => {
                compared(mirrored(*op), &shown(clock, cast, constant, index_column, schema)?, schema.get(index_column)?)
            }
            _ => None,
        },
        _ => None,
    }
}

/// Of a comparison of an index without zone, cast to a TIMESTAMPTZ, with an instant: what the clock shows at that instant, with which
/// the index itself can be compared. None where the clock changes near it: times before and after are then not in the order of their
/// instants.
fn shown(
    clock: &Offsets,
    cast: &Expr,
    instant: &Constant,
    index_column: usize,
    schema: &[ColumnType],
) -> Option<Constant> {
    let Expr::Cast { value, to: TIMESTAMPTZ, try_cast: false } = cast else { return None };
    let is_plain =
        matches!(schema.get(index_column)?, ColumnType::Timestamp(TimeUnit::S | TimeUnit::Ms | TimeUnit::Us));
    if !is_plain || **value != Expr::Column(index_column) {
        return None;
    }
    let Constant::Temporal(TIMESTAMPTZ, micros) = instant else { return None };
    let at = i128::from(*micros) * MICRO;
    match clock.wall_times_of(at)? {
        (least, greatest) if least == greatest && clock.instants_of(least)? == (at, at) => {
            let micros = i64::try_from(least.div_euclid(MICRO)).ok()?;
            Some(Constant::Temporal(ColumnType::Timestamp(TimeUnit::Us), micros))
        }
        _ => None,
    }
}

/// The comparison with its sides exchanged.
fn mirrored(op: Comparison) -> Comparison {
    match op {
        Comparison::Lt => Comparison::Gt,
        Comparison::Le => Comparison::Ge,
        Comparison::Gt => Comparison::Lt,
        Comparison::Ge => Comparison::Le,
        same => same,
    }
}

fn compared(op: Comparison, constant: &Constant, ty: &ColumnType) -> Option<Interval> {
    let (floor, ceil) = in_units(constant, ty)?;
    Some(match op {
        Comparison::Eq | Comparison::NotDistinct if floor == ceil => Interval { low: Some(floor), high: Some(floor) },
        Comparison::Eq | Comparison::NotDistinct => Interval::EMPTY,
        Comparison::Lt => Interval { low: None, high: Some(ceil.checked_sub(1)?) },
        Comparison::Le => Interval { low: None, high: Some(floor) },
        Comparison::Gt => Interval { low: Some(floor.checked_add(1)?), high: None },
        Comparison::Ge => Interval { low: Some(ceil), high: None },
        Comparison::Ne | Comparison::Distinct => return None,
    })
}

/// The whole units of the index column just below and just above a constant of the same SQL type.
fn in_units(constant: &Constant, ty: &ColumnType) -> Option<(i128, i128)> {
    match constant {
        Constant::Int(value) if integer_range(ty).is_some() => Some((*value, *value)),
        // What SQL sees of a TIMESTAMPTZ stored in nanoseconds has been rounded.
        Constant::Temporal(..) if *ty == ColumnType::TimestampTz(TimeUnit::Ns) => None,
        Constant::Temporal(of, count) if of == ty => Some((i128::from(*count), i128::from(*count))),
        Constant::Temporal(of, count) if sql_type(of) == sql_type(ty) => {
            let (count, unit) = (i128::from(*count), unit_nanos(ty)?);
            let nanos = count.checked_mul(unit_nanos(of)?)?;
            let floor = floor_to(nanos, unit) / unit;
            (!is_special(of, count)).then(|| (floor, floor + i128::from(floor * unit != nanos)))
        }
        _ => None,
    }
}

/// The values of a column with which a row can satisfy the predicate; none when that is not known. NULL is among them
/// only where a row with NULL can.
#[must_use]
pub fn entity_values(predicate: &Expr, column: usize, schema: &[ColumnType]) -> Option<Vec<Constant>> {
    let ty = schema.get(column).filter(|ty| ty.can_identify())?;
    values(predicate, column, ty)
}

fn values(predicate: &Expr, column: usize, ty: &ColumnType) -> Option<Vec<Constant>> {
    match predicate {
        Expr::And(parts) => {
            let known = parts.iter().filter_map(|part| values(part, column, ty));
            known.reduce(|kept, next| kept.into_iter().filter(|value| next.contains(value)).collect())
        }
        Expr::Or(parts) if (1..=MAX_VALUES).contains(&parts.len()) => {
            let mut out = Vec::new();
            for part in parts {
                values(part, column, ty)?.into_iter().for_each(|value| insert(&mut out, value));
            }
            Some(out)
        }
        Expr::Compare(Comparison::Eq, a, b) if is_column(a, column, ty) => equal(b, ty),
        Expr::Compare(Comparison::Eq, a, b) if is_column(b, column, ty) => equal(a, ty),
        Expr::Compare(Comparison::NotDistinct, a, b) if is_column(a, column, ty) => same(b, ty),
        Expr::Compare(Comparison::NotDistinct, a, b) if is_column(b, column, ty) => same(a, ty),
        // A column of truths is a condition itself.
        Expr::Column(index) if *index == column && *ty == ColumnType::Boolean => Some(vec![Constant::Bool(true)]),
        Expr::Not(value) if **value == Expr::Column(column) && *ty == ColumnType::Boolean => {
            Some(vec![Constant::Bool(false)])
        }
        Expr::IsNull(value) if is_column(value, column, ty) => Some(vec![Constant::Null]),
        Expr::In(value, list) if list.len() <= MAX_VALUES && is_column(value, column, ty) => {
            let mut out = Vec::new();
            for item in list {
                equal(item, ty)?.into_iter().for_each(|value| insert(&mut out, value));
            }
            Some(out)
        }
        _ => None,
    }
}

fn insert(values: &mut Vec<Constant>, value: Constant) {
    if !values.contains(&value) {
        values.push(value);
    }
}

/// The column itself, or cast to a wider integer type, which keeps its values.
fn is_column(expr: &Expr, column: usize, ty: &ColumnType) -> bool {
    match expr {
        Expr::Column(index) => *index == column,
        Expr::Cast { value, to, .. } => {
            let wider = match (integer_range(ty), integer_range(to)) {
                (Some((least, greatest)), Some((low, high))) => low <= least && greatest <= high,
                _ => false,
            };
            wider && **value == Expr::Column(column)
        }
        _ => false,
    }
}

/// What equals a constant: nothing equals NULL.
fn equal(expr: &Expr, ty: &ColumnType) -> Option<Vec<Constant>> {
    same(expr, ty).map(|values| values.into_iter().filter(|value| *value != Constant::Null).collect())
}

fn same(expr: &Expr, ty: &ColumnType) -> Option<Vec<Constant>> {
    match expr {
        Expr::Constant(constant @ Constant::Null) => Some(vec![constant.clone()]),
        Expr::Constant(constant @ Constant::Text(_)) if *ty == ColumnType::Varchar => Some(vec![constant.clone()]),
        Expr::Constant(constant @ Constant::Int(_)) if integer_range(ty).is_some() => Some(vec![constant.clone()]),
        Expr::Constant(constant @ Constant::Bool(_)) if *ty == ColumnType::Boolean => Some(vec![constant.clone()]),
        Expr::Constant(constant @ Constant::Uuid(_)) if *ty == ColumnType::Uuid => Some(vec![constant.clone()]),
        Expr::Constant(constant @ Constant::Temporal(ColumnType::Date, _)) if *ty == ColumnType::Date => {
            Some(vec![constant.clone()])
        }
        _ => None,
    }
}

/// Whether the predicate says which values a column has, and nothing else: what [`entity_values`] tells of it is what rows must have,
/// not only what they may.
#[must_use]
pub fn is_exact(predicate: &Expr) -> bool {
    match predicate {
        Expr::Compare(Comparison::Eq, ..) | Expr::In(..) | Expr::Column(_) => true,
        Expr::Not(value) => matches!(**value, Expr::Column(_)),
        _ => false,
    }
}
