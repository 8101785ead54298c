//! What a cast makes of a domain. Each is monotone, so ends map to ends; roundings and session time zones widen outward.
//! A cast that is not modelled yields any value and may raise.

use super::{
    calendar::{MICRO, ceil_to, floor_to},
    clock::{Clock, ZONE_SLACK},
    convert::{integer_range, is_special, unit_nanos},
    domain::{Domain, Scalar, rescale},
};
use crate::schema::{ColumnType, TimeUnit};

/// The values of `CAST(value AS to)`, or of `TRY_CAST` whose failures are NULL. `to` is the type that SQL names: a cast to
/// TIMESTAMP_MS rounds, although a column that is stored in milliseconds is a TIMESTAMP. `clock` is between a TIMESTAMPTZ and the others.
pub(super) fn cast(value: Domain, to: &ColumnType, try_cast: bool, clock: Clock<'_>) -> Domain {
    let before = value.raises;
    let from = value.ty.clone();
    let mut result = match &from {
        Some(from) if from == to => value,
        Some(from) => known(value, from, to, clock),
        None => constant(value, to),
    };
    if try_cast && result.raises && !before {
        result.null = true;
        result.raises = false;
    }
    // A host without ICU lacks some of the casts between the clock of a zone and UTC: there they fail for every value.
    result.null |= try_cast && from.is_some_and(|from| is_zoned(&from) != is_zoned(to));
    result
}

/// Folded constants carry no width. Whoever casts one says the width, but folding has done that before.
fn constant(value: Domain, to: &ColumnType) -> Domain {
    Domain { ty: Some(to.clone()), raises: true, ..Domain { null: true, ..any_like(&value) } }
}

fn any_like(value: &Domain) -> Domain {
    Domain { null: value.null, raises: value.raises, ..Domain::any(None) }
}

fn known(value: Domain, from: &ColumnType, to: &ColumnType, clock: Clock<'_>) -> Domain {
    use ColumnType as T;
    match (from, to) {
        (_, T::Varchar) => Domain { ty: Some(T::Varchar), ..any_like(&value) },
        (T::Boolean, _) if integer_range(to).is_some() => {
            value.map(Some(to.clone()), |end| same(Scalar::Int(i128::from(end == &Scalar::Bool(true)))))
        }
        (T::Float, T::Double) => Domain { ty: Some(T::Double), ..value },
        (T::Double, T::Float) => narrow(value),
        (_, T::Float | T::Double) => number_to_float(value, from, to),
        (_, T::Decimal { precision, scale }) => to_decimal(value, to, *precision, *scale),
        (T::Decimal { .. }, _) if integer_range(to).is_some() => to_integer(value, to),
        _ if integer_range(from).is_some() && integer_range(to).is_some() => to_integer(value, to),
        // DuckDB has no such cast.
        (T::Timestamp(TimeUnit::Ns), T::Timestamp(TimeUnit::S)) => unmodelled(&value, to),
        _ if is_instant(from) && is_instant(to) => instant(value, from, to, clock),
        _ => unmodelled(&value, to),
    }
}

fn unmodelled(value: &Domain, to: &ColumnType) -> Domain {
    Domain { ty: Some(to.clone()), raises: true, null: true, ..any_like(value) }
}

/// Whether the type is a point in time: DATE, TIMESTAMP or TIMESTAMPTZ.
pub(super) fn is_instant(ty: &ColumnType) -> bool {
    matches!(ty, ColumnType::Date | ColumnType::Timestamp(_) | ColumnType::TimestampTz(_))
}

fn same(value: Scalar) -> Option<(Scalar, Scalar)> {
    Some((value.clone(), value))
}

/// DOUBLE to FLOAT raises beyond FLOAT's range and rounds to nearest within it.
fn narrow(value: Domain) -> Domain {
    let unbounded = value.is_unbounded();
    let mut out = value.map(Some(ColumnType::Float), |end| match end {
        Scalar::Float(wide) => {
            #[allow(clippy::cast_possible_truncation, reason = "the cast under proof rounds just so")]
            let float = f64::from(*wide as f32);
            (float.is_infinite() == wide.is_infinite()).then(|| same(Scalar::Float(float)))?
        }
        _ => None,
    });
    out.raises |= unbounded;
    out
}

fn number_to_float(value: Domain, from: &ColumnType, to: &ColumnType) -> Domain {
    let modelled = from.integer_bits().is_some() || matches!(from, ColumnType::Decimal { .. });
    if !modelled {
        return unmodelled(&value, to);
    }
    value.map(Some(to.clone()), |end| {
        let (units, scale) = match end {
            Scalar::Int(units) => (*units, 0),
            Scalar::Decimal(units, scale) => (*units, *scale),
            _ => return None,
        };
        #[allow(clippy::cast_precision_loss, reason = "the ends are widened for it")]
        let near = units as f64 / 10_f64.powi(i32::from(scale));
        if *to == ColumnType::Double && scale == 0 {
            return same(Scalar::Float(near));
        }
        // Two roundings, and for FLOAT a coarser one: step out by as much as they can differ.
        let slack = near.abs() * if *to == ColumnType::Float { 1.0 / f64::from(1 << 22) } else { 1e-14 };
        Some((Scalar::Float(near - slack), Scalar::Float(near + slack)))
    })
}

/// The least and greatest value that a coarser decimal scale can round to.
fn coarsen(units: i128, from: u8, to: u8) -> Option<(i128, i128)> {
    if let Some(finer) = rescale(units, from, to) {
        return Some((finer, finer));
    }
    let step = rescale(1, to, from)?;
    Some((floor_to(units, step) / step, ceil_to(units, step) / step))
}

fn to_decimal(value: Domain, to: &ColumnType, precision: u8, scale: u8) -> Domain {
    let Some(limit) = 10_i128.checked_pow(u32::from(precision)) else { return Domain::unknown() };
    let unbounded = value.is_unbounded();
    let mut out = value.map(Some(to.clone()), |end| {
        let (low, high) = match end {
            Scalar::Int(units) => coarsen(*units, 0, scale)?,
            Scalar::Decimal(units, from) => coarsen(*units, *from, scale)?,
            _ => return None,
        };
        (low > -limit && high < limit).then_some((Scalar::Decimal(low, scale), Scalar::Decimal(high, scale)))
    });
    out.raises |= unbounded;
    out
}

fn to_integer(value: Domain, to: &ColumnType) -> Domain {
    let Some((least, greatest)) = integer_range(to) else { return Domain::unknown() };
    let unbounded = value.is_unbounded();
    let mut out = value.map(Some(to.clone()), |end| {
        let (low, high) = match end {
            Scalar::Int(units) => (*units, *units),
            Scalar::Decimal(units, scale) => coarsen(*units, *scale, 0)?,
            _ => return None,
        };
        (low >= least && high <= greatest).then_some((Scalar::Int(low), Scalar::Int(high)))
    });
    out.raises |= unbounded;
    out
}

/// Nanoseconds of a point in time.
pub(super) fn nanos(value: &Scalar) -> Option<i128> {
    match value {
        Scalar::Local(nanos) | Scalar::Zoned(nanos) => Some(*nanos),
        _ => None,
    }
}

/// A point in time of the given type.
pub(super) fn at(ty: &ColumnType, nanos: i128) -> Scalar {
    if matches!(ty, ColumnType::TimestampTz(_)) { Scalar::Zoned(nanos) } else { Scalar::Local(nanos) }
}

fn is_zoned(ty: &ColumnType) -> bool {
    matches!(ty, ColumnType::TimestampTz(_))
}

/// DuckDB rounds away from 1970 where a unit becomes coarser; the model steps out to both neighbours. It fails where a
/// count overflows the unit of the result, or the microseconds in which it shifts between zones and finds days.
fn instant(value: Domain, from: &ColumnType, to: &ColumnType, clock: Clock<'_>) -> Domain {
    let across = |nanos| match (is_zoned(from), is_zoned(to)) {
        (true, false) => clock.wall_times(nanos),
        (false, true) => clock.instants(nanos),
        _ => (nanos, nanos),
    };
    // Nanoseconds are rounded to microseconds first, which may carry into the next day.
    let carries = *from == ColumnType::Timestamp(TimeUnit::Ns) && *to == ColumnType::Date;
    let rounding = if carries { MICRO } else { 0 };
    let slack = rounding + if is_zoned(from) == is_zoned(to) { 0 } else { ZONE_SLACK };
    let unbounded = value.is_unbounded();
    let day = *to == ColumnType::Date;
    let unit = unit_nanos(to).unwrap_or(1);
    let limit = i128::from(i64::MAX) * unit.min(MICRO) - slack - if day { 0 } else { unit };
    let mut out = value.map(Some(to.clone()), |end| {
        let nanos = nanos(end).filter(|nanos| nanos.abs() <= limit)?;
        let (low, high) = across(nanos);
        let (low, high) = (low - rounding, high + rounding);
        let (low, high) = (floor_to(low, unit), if day { floor_to(high, unit) } else { ceil_to(high, unit) });
        (!is_special(to, low / unit) && !is_special(to, high / unit)).then_some((at(to, low), at(to, high)))
    });
    let never_fails = day && matches!(from, ColumnType::Timestamp(TimeUnit::Us | TimeUnit::Ns));
    out.raises |= unbounded && !never_fails;
    out
}
