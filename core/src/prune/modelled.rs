//! Whether a predicate is understood: whether some statistics could ever prove that it holds for no row. For plans and
//! logs only: proofs are made without asking here.

use std::sync::Arc;

use super::{
    convert::{column_domain, unit_nanos},
    domain::Domain,
    expr::{Constant, Expr},
    judge::{columns_of, value},
    stats::{ColumnStats, Nulls},
};
use crate::schema::ColumnType;

/// Whether statistics of the columns can prove of some rows that the predicate is not true.
#[must_use]
pub fn is_modelled(predicate: &Expr, schema: &[ColumnType]) -> bool {
    can_fail(predicate, true, schema)
}

/// Whether it can be proven that `expr` is not true, or not false when `wanted` is false.
fn can_fail(expr: &Expr, wanted: bool, schema: &[ColumnType]) -> bool {
    match expr {
        Expr::Not(value) => can_fail(value, !wanted, schema),
        // One part that is false makes a conjunction false; all of them must be true to make it true.
        Expr::And(parts) if wanted => parts.iter().any(|part| can_fail(part, wanted, schema)),
        Expr::Or(parts) if !wanted => parts.iter().any(|part| can_fail(part, wanted, schema)),
        Expr::And(parts) | Expr::Or(parts) => parts.iter().all(|part| can_fail(part, wanted, schema)),
        Expr::Compare(_, a, b) => [a, b].into_iter().all(|part| is_known(part, schema)),
        Expr::Between(a, b, c) => [a, b, c].into_iter().all(|part| is_known(part, schema)),
        Expr::In(value, list) => is_known(value, schema) && list.iter().all(|item| is_known(item, schema)),
        Expr::IsNull(value) | Expr::IsNotNull(value) => is_known(value, schema),
        Expr::Opaque | Expr::Foreign(..) => false,
        Expr::Column(_) | Expr::Constant(_) | Expr::Cast { .. } | Expr::Function(..) | Expr::OnClock(..) => {
            is_known(expr, schema)
        }
    }
}

/// Whether the value is known of rows whose columns are: all are held at one value that nothing overflows at, and at another.
fn is_known(expr: &Expr, schema: &[ColumnType]) -> bool {
    let mut used = Vec::new();
    columns_of(expr, &mut used);
    if !used.iter().all(|at| schema.get(*at).is_some_and(|ty| sample(ty, false).is_some())) {
        return false;
    }
    [false, true].into_iter().any(|other| {
        let at = |column: usize| schema.get(column).and_then(|ty| sample(ty, other)).unwrap_or_else(Domain::unknown);
        let known = value(expr, &at);
        let bounded = known.pieces.iter().all(|piece| piece.lo.is_some() || piece.hi.is_some());
        let truth = known.truth();
        // A condition that may be either is not known.
        let open = known.ty == Some(ColumnType::Boolean) && truth.yes && truth.no;
        !known.raises && bounded && !open
    })
}

/// A column that is the same in all rows; none for types without statistics.
fn sample(ty: &ColumnType, other: bool) -> Option<Domain> {
    let value = match ty {
        ColumnType::Boolean => Constant::Bool(other),
        ColumnType::Varchar => Constant::Text(if other { char::MAX.to_string() } else { "a".to_owned() }),
        ColumnType::Blob => Constant::Bytes(vec![0]),
        ColumnType::Uuid => Constant::Uuid(0),
        ColumnType::HalfFloat | ColumnType::Float | ColumnType::Double => Constant::Float(1.0),
        ColumnType::Decimal { scale, .. } => Constant::Decimal(0, *scale),
        _ if unit_nanos(ty).is_some() => Constant::Temporal(ty.clone(), 0),
        _ => Constant::Int(1),
    };
    let domain = column_domain(
        ty,
        Some(&ColumnStats { values: Some(Arc::from([value])), nulls: Nulls::None, ..ColumnStats::default() }),
    );
    (!domain.is_unbounded()).then_some(domain)
}
