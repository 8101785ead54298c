//! Where in the index the rows of a predicate can lie. Bounds are found by asking the judge about ever larger ranges of
//! the index, so they are as sound as its proofs and know every function that it knows.

use super::{
    calendar::{DAY, MAX_TAME, MICRO, MIN_TAME},
    convert::{column_domain, index_domain, integer_range, unit_nanos},
    domain::Domain,
    exact::exact_range,
    expr::{Comparison, Expr},
    interval::Interval,
    judge::{is_never, truth},
};
use crate::schema::ColumnType;

/// More intervals than this are joined across their smallest gaps.
const MAX_INTERVALS: usize = 256;

/// A longer IN list over an expression of the index is bounded as a whole.
const MAX_SEARCHES: usize = 32;

impl From<Interval> for Bounds {
    fn from(interval: Interval) -> Self {
        Self::of(vec![interval])
    }
}

/// Disjoint intervals of index values in rising order; none of them when no row can satisfy the predicate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds(Vec<Interval>);

impl Bounds {
    /// Nothing is known.
    #[must_use]
    pub fn all() -> Self {
        Self(vec![Interval::ALL])
    }

    /// No row satisfies the predicate.
    #[must_use]
    pub fn empty() -> Self {
        Self(Vec::new())
    }

    /// The intervals.
    #[must_use]
    pub fn intervals(&self) -> &[Interval] {
        &self.0
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.0.first() == Some(&Interval::ALL)
    }

    /// Whether no row satisfies the predicate.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a row with this index value can satisfy the predicate.
    #[must_use]
    pub fn contains(&self, value: i128) -> bool {
        self.overlaps(value, value)
    }

    /// Whether a row with an index value from `low` to `high`, both included, can satisfy the predicate.
    #[must_use]
    pub fn overlaps(&self, low: i128, high: i128) -> bool {
        let range = Interval { low: Some(low), high: Some(high) };
        self.0.iter().any(|part| !part.intersect(&range).is_empty())
    }

    /// The one interval that spans the values from `low` to `high`, both included; empty when there are none.
    #[must_use]
    pub fn within(&self, low: i128, high: i128) -> Interval {
        let range = Interval { low: Some(low), high: Some(high) };
        let mut parts = self.0.iter().map(|part| part.intersect(&range)).filter(|part| !part.is_empty());
        match parts.next() {
            None => Interval::EMPTY,
            Some(first) => Interval { low: first.low, high: parts.next_back().map_or(first.high, |last| last.high) },
        }
    }

    /// The one interval that spans all of them.
    #[must_use]
    pub fn hull(&self) -> Interval {
        match (self.0.first(), self.0.last()) {
            (Some(first), Some(last)) => Interval { low: first.low, high: last.high },
            _ => Interval::EMPTY,
        }
    }

    fn of(mut parts: Vec<Interval>) -> Self {
        parts.retain(|part| !part.is_empty());
        parts.sort_by_key(|part| part.low);
        let mut out: Vec<Interval> = Vec::with_capacity(parts.len());
        for part in parts {
            match out.last_mut() {
                Some(last) if touches(last, &part) => last.high = last.high.and_then(|a| part.high.map(|b| a.max(b))),
                _ => out.push(part),
            }
        }
        Self(coarsen(out))
    }

    /// The values in both.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        Self::of(self.0.iter().flat_map(|a| other.0.iter().map(|b| a.intersect(b))).collect())
    }

    fn union(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        Self::of(self.0)
    }
}

/// Whether the next interval begins within the last one or right behind it.
fn touches(last: &Interval, next: &Interval) -> bool {
    match (last.high, next.low) {
        (Some(high), Some(low)) => low <= high.saturating_add(1),
        _ => true,
    }
}

fn coarsen(parts: Vec<Interval>) -> Vec<Interval> {
    let Some(excess) = parts.len().checked_sub(MAX_INTERVALS).filter(|excess| *excess > 0) else { return parts };
    let gap = |a: &Interval, b: &Interval| b.low.unwrap_or(0).saturating_sub(a.high.unwrap_or(0));
    let mut gaps: Vec<i128> = parts.iter().zip(parts.iter().skip(1)).map(|(a, b)| gap(a, b)).collect();
    gaps.sort_unstable();
    let widest = gaps.get(excess - 1).copied().unwrap_or(i128::MAX);
    let mut out: Vec<Interval> = Vec::with_capacity(MAX_INTERVALS);
    for part in parts {
        match out.last_mut() {
            Some(last) if gap(last, &part) <= widest => last.high = part.high,
            _ => out.push(part),
        }
    }
    out
}

/// Every row that satisfies `predicate` has its index value in the bounds. Rows whose predicate raises an error do not
/// satisfy it, yet ranges in which it may raise are kept.
#[must_use]
pub fn index_bounds(predicate: &Expr, index_column: usize, schema: &[ColumnType]) -> Bounds {
    let Some(ty) = schema.get(index_column).filter(|ty| ty.can_index()) else { return Bounds::all() };
    Search { index: index_column, ty, schema }.bounds(predicate)
}

struct Search<'a> {
    index: usize,
    ty: &'a ColumnType,
    schema: &'a [ColumnType],
}

impl Search<'_> {
    fn bounds(&self, predicate: &Expr) -> Bounds {
        match predicate {
            Expr::And(parts) => parts.iter().fold(Bounds::all(), |bounds, part| bounds.intersect(&self.bounds(part))),
            Expr::Or(parts) => parts.iter().fold(Bounds::empty(), |bounds, part| bounds.union(self.bounds(part))),
            Expr::In(value, list) if **value == Expr::Column(self.index) || list.len() <= MAX_SEARCHES => {
                let equal = |item: &Expr| Expr::Compare(Comparison::Eq, value.clone(), Box::new(item.clone()));
                Bounds::of(list.iter().flat_map(|item| self.bounds(&equal(item)).0).collect())
            }
            _ => match exact_range(predicate, self.index, self.schema) {
                Some(range) => Bounds::of(vec![range]),
                None => self.search(predicate),
            },
        }
    }

    fn domain(&self, column: usize, range: Interval) -> Domain {
        match self.schema.get(column) {
            Some(ty) if column == self.index => index_domain(ty, range.low, range.high),
            Some(ty) => column_domain(ty, None),
            None => Domain::unknown(),
        }
    }

    fn rules_out(&self, predicate: &Expr, range: Interval) -> bool {
        is_never(predicate, &|column| self.domain(column, range))
    }

    fn search(&self, predicate: &Expr) -> Bounds {
        if self.rules_out(predicate, Interval::ALL) {
            return Bounds::empty();
        }
        if !truth(predicate, &|column| self.domain(column, Interval::ALL)).raises {
            let (least, greatest) = span(self.ty);
            return Bounds::of(vec![self.narrow(predicate, Interval::ALL, least, greatest)]);
        }
        // It may raise for values at the ends of the type. What lies there is kept, what lies between is searched.
        let (least, greatest) = window(self.ty);
        let between = Interval { low: Some(least), high: Some(greatest) };
        let core = match self.rules_out(predicate, between) {
            true => Interval::EMPTY,
            false => self.narrow(predicate, between, least, greatest),
        };
        let below = Interval { low: None, high: Some(least - 1) };
        Bounds::of(vec![below, core, Interval { low: Some(greatest + 1), high: None }])
    }

    /// Takes from both ends of `range` what is ruled out. The range as a whole is not.
    fn narrow(&self, predicate: &Expr, range: Interval, least: i128, greatest: i128) -> Interval {
        let low = bisect(least, greatest, |high| self.rules_out(predicate, Interval { high: Some(high), ..range }));
        // Mirrored, so that the same search finds the other end.
        let high = bisect(-greatest, -least, |low| self.rules_out(predicate, Interval { low: Some(-low), ..range }));
        Interval { low: low.or(range.low), high: high.map(|high| -high).or(range.high) }
    }
}

/// One past the greatest value at which `holds`, when it holds at `least`. If it is not one run of holding values, any
/// end of such a run.
fn bisect(least: i128, greatest: i128, holds: impl Fn(i128) -> bool) -> Option<i128> {
    if !holds(least) {
        return None;
    }
    let (mut held, mut failed) = (least, greatest);
    while failed - held > 1 {
        let middle = held + (failed - held) / 2;
        if holds(middle) {
            held = middle;
        } else {
            failed = middle;
        }
    }
    Some(held + 1)
}

/// The index values that SQL can tell apart, without the infinities.
fn span(ty: &ColumnType) -> (i128, i128) {
    let Some(unit) = unit_nanos(ty) else { return integer_range(ty).unwrap_or((0, 0)) };
    let most = if *ty == ColumnType::Date { i128::from(i32::MAX) } else { i128::from(i64::MAX) };
    let limit = (i128::from(i64::MAX) * MICRO / unit).min(most) - 1;
    (-limit, limit)
}

/// The index values about which functions can be computed without overflow.
fn window(ty: &ColumnType) -> (i128, i128) {
    let Some(unit) = unit_nanos(ty) else {
        let (least, greatest) = integer_range(ty).unwrap_or((0, 0));
        return (least / 2, greatest / 2);
    };
    let margin = 400 * DAY;
    let limit = i128::from(i64::MAX) - 4 * DAY;
    (((MIN_TAME + margin) / unit).max(-limit), ((MAX_TAME - margin) / unit).min(limit))
}
