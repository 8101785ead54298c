//! The functions that proofs know, by name. Chooses the model; dates and times are in `temporal`, text in `strings`.
//! A name or argument that is not known here yields any value and may raise.

use super::{
    buckets,
    calendar::{DAY, MAX_TAME, MICRO, MIN_TAME, Part},
    casts::is_instant,
    clock::Clock,
    convert::{integer_range, is_special, unit_nanos},
    domain::{Domain, Scalar},
    expr::{Constant, Expr},
    step::Step,
    strings, temporal,
};
use crate::schema::{ColumnType, TimeUnit};

/// The values of a function call; `value` evaluates an argument.
pub(super) fn call(name: &str, arguments: &[Expr], clock: Clock<'_>, value: &dyn Fn(&Expr) -> Domain) -> Domain {
    modelled(name, arguments, clock, value).unwrap_or_else(Domain::unknown)
}

fn modelled(name: &str, arguments: &[Expr], clock: Clock<'_>, value: &dyn Fn(&Expr) -> Domain) -> Option<Domain> {
    match (name, arguments) {
        ("+" | "add", [a, b]) => plus(a, b, clock, value),
        ("-" | "subtract", [a, b]) => minus(a, b, clock, value),
        ("date_trunc" | "datetrunc", [part, of]) => temporal::truncate(Part::parse(text(part)?)?, value(of), clock),
        ("time_bucket", [width, of, rest @ ..]) => temporal::bucket(Step::of(width)?, value(of), origin(rest)?),
        ("tstable_bucket", [of, width]) => buckets::starts(value(of), width, None),
        ("tstable_bucket", [of, width, zone]) => buckets::starts(value(of), width, Some(text(zone)?)),
        ("date_part" | "datepart", [part, of]) => match text(part)?.to_ascii_lowercase().as_str() {
            "epoch" => temporal::epoch(value(of)),
            part => temporal::part(Part::parse(part)?, value(of), clock),
        },
        ("epoch", [of]) => temporal::epoch(value(of)),
        ("epoch_ms", [of]) => temporal::epoch_count(value(of), TimeUnit::Ms),
        ("epoch_us", [of]) => temporal::epoch_count(value(of), TimeUnit::Us),
        ("epoch_ns", [of]) => temporal::epoch_count(value(of), TimeUnit::Ns),
        ("make_timestamp", [of]) => temporal::from_count(value(of), TimeUnit::Us),
        ("to_timestamp", [of]) => temporal::from_seconds(value(of)),
        ("timezone", [zone, of]) => temporal::at_time_zone(text(zone)?, value(of), clock),
        ("strftime", [of, Expr::Constant(Constant::Text(format))])
        | ("strftime", [Expr::Constant(Constant::Text(format)), of]) => strings::formatted(format, value(of)),
        ("prefix" | "starts_with" | "^@", [of, start]) => strings::starts_with(value(of), text(start)?),
        ("~~", [of, pattern]) => strings::like(value(of), text(pattern)?),
        (part, [of]) if is_part_function(part) => temporal::part(Part::parse(part)?, value(of), clock),
        _ => None,
    }
}

/// The functions that are named after the part they extract; other names of parts are not functions.
const OF_PARTS: [&str; 21] = [
    "year",
    "month",
    "day",
    "hour",
    "minute",
    "second",
    "millisecond",
    "microsecond",
    "quarter",
    "week",
    "weekofyear",
    "dayofmonth",
    "dayofweek",
    "weekday",
    "isodow",
    "dayofyear",
    "isoyear",
    "yearweek",
    "decade",
    "century",
    "millennium",
];

/// Whether DuckDB has a function of this name, in lower case, that gives a part of its one argument, a date or time.
#[must_use]
pub fn is_part_function(name: &str) -> bool {
    OF_PARTS.contains(&name)
}

fn text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Constant(Constant::Text(text)) => Some(text),
        _ => None,
    }
}

/// What else `time_bucket` was given. None when it may be invalid or so far away that computing with it overflows.
fn origin(rest: &[Expr]) -> Option<temporal::Origin> {
    const FAR_DAYS: i32 = 400_000;
    match rest {
        [] => Some(temporal::Origin::Default),
        [Expr::Constant(Constant::Text(zone))] => {
            crate::time::check_zone(zone).is_ok().then_some(temporal::Origin::Given)
        }
        [offset @ Expr::Constant(Constant::Interval { .. })] => {
            let Step { months, days, micros } = Step::of(offset)?;
            let moved = i128::from(days) * DAY + i128::from(micros) * MICRO;
            let near = moved.abs() <= i128::from(FAR_DAYS) * DAY
                && (-FAR_DAYS..=FAR_DAYS).contains(&days)
                && (-FAR_DAYS / 31..=FAR_DAYS / 31).contains(&months);
            let origin =
                if months == 0 { temporal::Origin::At(temporal::ORIGIN + moved) } else { temporal::Origin::Given };
            near.then_some(origin)
        }
        [Expr::Constant(Constant::Temporal(ty, count))] => {
            let at = i128::from(*count).checked_mul(unit_nanos(ty)?)?;
            let zoned = matches!(ty, ColumnType::TimestampTz(_));
            let origin = if zoned { temporal::Origin::Given } else { temporal::Origin::At(at) };
            (is_instant(ty) && (MIN_TAME..=MAX_TAME).contains(&at)).then_some(origin)
        }
        _ => None,
    }
}

fn plus(a: &Expr, b: &Expr, clock: Clock<'_>, value: &dyn Fn(&Expr) -> Domain) -> Option<Domain> {
    match (Step::of(a), Step::of(b)) {
        (None, None) => sum(value(a), value(b), 1),
        (Some(step), None) => temporal::add(value(b), step, clock),
        (None, Some(step)) => temporal::add(value(a), step, clock),
        (Some(_), Some(_)) => None,
    }
}

fn minus(a: &Expr, b: &Expr, clock: Clock<'_>, value: &dyn Fn(&Expr) -> Domain) -> Option<Domain> {
    match (Step::of(a), Step::of(b)) {
        (None, None) => sum(value(a), value(b), -1),
        (None, Some(step)) => temporal::add(value(a), step.negated()?, clock),
        _ => None,
    }
}

/// Integers added to or taken from integers of the same type, or from a DATE as days.
fn sum(a: Domain, b: Domain, sign: i128) -> Option<Domain> {
    let (left, right) = match (&a.ty, &b.ty) {
        // `integer + date` is the other way round.
        (left, Some(ColumnType::Date)) if sign == 1 && *left != Some(ColumnType::Date) => (b, a),
        _ => (a, b),
    };
    let date = left.ty == Some(ColumnType::Date);
    let ty = match (&left.ty, &right.ty) {
        (Some(ColumnType::Date), Some(other)) if integer_range(other).is_none() => return None,
        (Some(ColumnType::Date), _) => ColumnType::Date,
        (Some(a), Some(b)) if a == b => a.clone(),
        (Some(ty), None) | (None, Some(ty)) => ty.clone(),
        _ => return None,
    };
    if !date {
        integer_range(&ty)?;
    }
    let [(a, b), (c, d)] = [ends(&left, date)?, ends(&right, false)?];
    let (c, d) = if sign == 1 { (c, d) } else { (d.checked_neg()?, c.checked_neg()?) };
    let (low, high) = (a.checked_add(c)?, b.checked_add(d)?);
    let fits = match integer_range(&ty) {
        Some((least, greatest)) => low >= least && high <= greatest,
        None => !is_special(&ty, low) && !is_special(&ty, high),
    };
    let scalar = |count: i128| if date { Scalar::Local(count * DAY) } else { Scalar::Int(count) };
    let null = left.null || right.null;
    let raises = left.raises || right.raises;
    if left.pieces.is_empty() || right.pieces.is_empty() {
        return Some(Domain { raises, ..Domain::null(Some(ty)) });
    }
    fits.then(|| Domain {
        ty: Some(ty),
        pieces: vec![super::domain::Piece::range(scalar(low), scalar(high))],
        null,
        raises,
    })
}

/// The least and greatest integer or day of a domain, when it is bounded.
fn ends(domain: &Domain, date: bool) -> Option<(i128, i128)> {
    let count = |scalar: &Option<Scalar>| match scalar {
        Some(Scalar::Int(count)) if !date => Some(*count),
        Some(Scalar::Local(nanos)) if date => Some(nanos.div_euclid(DAY)),
        _ => None,
    };
    let mut all = Some((i128::MAX, i128::MIN));
    for piece in &domain.pieces {
        let (least, greatest) = all?;
        all = Some((least.min(count(&piece.lo)?), greatest.max(count(&piece.hi)?)));
    }
    if domain.pieces.is_empty() { Some((0, 0)) } else { all }
}
