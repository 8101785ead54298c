//! The verdict about the rows of a segment, row group or page: what statistics prove of the columns, and of where in the index they are.

use super::{
    bounds::index_bounds,
    convert::column_domain,
    domain::Domain,
    expr::Expr,
    judge::verdict,
    stats::{Statistics, Verdict},
};
use crate::schema::ColumnType;

/// What is proven about `predicate` for every row that `stats` describes.
///
/// `Never` and `Always` are proofs; an error that some row might raise prevents them, except that a conjunct proven
/// never true drops its rows whatever the others would do, as it does in the host.
#[must_use]
pub fn judge(predicate: &Expr, schema: &[ColumnType], stats: &dyn Statistics) -> Verdict {
    if stats.rows() == 0 || outside_index(predicate, schema, stats) {
        return Verdict::Never;
    }
    let columns = |index: usize| match schema.get(index) {
        Some(ty) => column_domain(ty, stats.column(index).as_deref()),
        None => Domain::unknown(),
    };
    verdict(predicate, &columns)
}

fn outside_index(predicate: &Expr, schema: &[ColumnType], stats: &dyn Statistics) -> bool {
    let Some(index) = stats.index_column() else { return false };
    let bounds = index_bounds(predicate, index, schema);
    !bounds.is_all() && !bounds.intervals().iter().any(|part| stats.may_contain_index(part.low, part.high))
}
