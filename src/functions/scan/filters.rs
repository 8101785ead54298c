//! The filters that a host has offered to one bound scan. They only ever narrow what is read: DuckDB may share a bound
//! call between copies of a plan and may offer filters several times or never.

use std::sync::{Mutex, PoisonError};

use tstable_core::prune::expr::Expr;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Filters {
    offered: Mutex<Vec<Expr>>,
}

impl Filters {
    /// Remembers filters and says which of them are applied exactly: none, so DuckDB checks every row itself.
    pub(super) fn record(&self, filters: &[Expr]) -> Vec<bool> {
        let mut offered = self.offered.lock().unwrap_or_else(PoisonError::into_inner);
        for filter in filters {
            if !offered.contains(filter) {
                offered.push(filter.clone());
            }
        }
        vec![false; filters.len()]
    }

    /// The filters with their columns counted as the scanned schema counts them; `positions` says where each bound
    /// column stands there. A column that stands nowhere makes its expression opaque.
    pub(super) fn for_columns(&self, positions: &[Option<usize>]) -> Vec<Expr> {
        renumbered(&self.offered.lock().unwrap_or_else(PoisonError::into_inner), positions)
    }
}

/// Filters with their columns counted otherwise; see [`Filters::for_columns`].
pub(super) fn renumbered(filters: &[Expr], positions: &[Option<usize>]) -> Vec<Expr> {
    filters.iter().map(|filter| renumber(filter, positions)).collect()
}

fn renumber(expr: &Expr, positions: &[Option<usize>]) -> Expr {
    let one = |e: &Expr| Box::new(renumber(e, positions));
    let all = |list: &[Expr]| list.iter().map(|e| renumber(e, positions)).collect();
    match expr {
        Expr::Column(at) => positions.get(*at).copied().flatten().map_or(Expr::Opaque, Expr::Column),
        Expr::Constant(_) | Expr::Opaque => expr.clone(),
        Expr::Compare(how, a, b) => Expr::Compare(*how, one(a), one(b)),
        Expr::Between(value, low, high) => Expr::Between(one(value), one(low), one(high)),
        Expr::In(value, list) => Expr::In(one(value), all(list)),
        Expr::Not(value) => Expr::Not(one(value)),
        Expr::And(list) => Expr::And(all(list)),
        Expr::Or(list) => Expr::Or(all(list)),
        Expr::IsNull(value) => Expr::IsNull(one(value)),
        Expr::IsNotNull(value) => Expr::IsNotNull(one(value)),
        Expr::Cast { value, to, try_cast } => Expr::Cast { value: one(value), to: to.clone(), try_cast: *try_cast },
        Expr::Function(name, list) => Expr::Function(name.clone(), all(list)),
        Expr::Foreign(name, list) => Expr::Foreign(name.clone(), all(list)),
    }
}
