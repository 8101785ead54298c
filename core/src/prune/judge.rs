//! From a predicate and statistics to a verdict: evaluates expressions over domains, bottom up, and splits cases where
//! that proves more. What types and functions do is said elsewhere.

use super::{
    casts,
    clock::Clock,
    convert::constant_domain,
    domain::Domain,
    expr::{Comparison, Expr},
    functions,
    stats::Verdict,
    truth::Truth,
};

/// More cases of one column than this are not tried one by one.
const MAX_CASES: usize = 256;

/// What is proven about `predicate` when the columns have these domains.
pub(super) fn verdict(predicate: &Expr, columns: &dyn Fn(usize) -> Domain) -> Verdict {
    if is_never(predicate, columns) {
        return Verdict::Never;
    }
    if by_cases(predicate, columns).is_always() { Verdict::Always } else { Verdict::Maybe }
}

/// One conjunct that is never true is enough, whatever the others may raise; of alternatives all must be.
pub(super) fn is_never(predicate: &Expr, columns: &dyn Fn(usize) -> Domain) -> bool {
    let parts = match predicate {
        Expr::And(parts) => parts.iter().any(|part| is_never(part, columns)),
        Expr::Or(parts) => !parts.is_empty() && parts.iter().all(|part| is_never(part, columns)),
        _ => false,
    };
    parts || by_cases(predicate, columns).is_never()
}

/// Evaluates for each known value, each range and NULL of one column apart: `x >= 5 AND x < 9` is then seen not to hold
/// although one value satisfies the one side and another the other.
fn by_cases(predicate: &Expr, columns: &dyn Fn(usize) -> Domain) -> Truth {
    let mut used = Vec::new();
    columns_of(predicate, &mut used);
    let split = used
        .into_iter()
        .map(|index| (index, columns(index)))
        .filter(|(_, domain)| (2..=MAX_CASES).contains(&(domain.pieces.len() + usize::from(domain.null))))
        .max_by_key(|(_, domain)| domain.pieces.len());
    let Some((index, domain)) = split else { return truth(predicate, columns) };
    cases(&domain)
        .map(|case| truth(predicate, &|column| if column == index { case.clone() } else { columns(column) }))
        .fold(Truth::IMPOSSIBLE, Truth::union)
}

fn cases(domain: &Domain) -> impl Iterator<Item = Domain> + '_ {
    let one = |pieces, null| Domain { pieces, null, ..Domain { pieces: Vec::new(), ..domain.clone() } };
    let values = domain.pieces.iter().map(move |piece| one(vec![piece.clone()], false));
    values.chain(domain.null.then(move || one(Vec::new(), true)))
}

/// Adds the columns that an expression names, each once.
pub fn columns_of(expr: &Expr, into: &mut Vec<usize>) {
    match expr {
        Expr::Column(index) if !into.contains(index) => into.push(*index),
        Expr::Column(_) | Expr::Constant(_) | Expr::Opaque => {}
        Expr::Compare(_, a, b) => [a, b].into_iter().for_each(|part| columns_of(part, into)),
        Expr::Between(a, b, c) => [a, b, c].into_iter().for_each(|part| columns_of(part, into)),
        Expr::In(value, list) => {
            columns_of(value, into);
            list.iter().for_each(|part| columns_of(part, into));
        }
        Expr::Not(value)
        | Expr::IsNull(value)
        | Expr::IsNotNull(value)
        | Expr::Cast { value, .. }
        | Expr::OnClock(_, value) => columns_of(value, into),
        Expr::And(parts) | Expr::Or(parts) | Expr::Function(_, parts) | Expr::Foreign(_, parts) => {
            parts.iter().for_each(|part| columns_of(part, into));
        }
    }
}

/// The outcomes of an expression as a predicate.
pub(super) fn truth(expr: &Expr, columns: &dyn Fn(usize) -> Domain) -> Truth {
    match expr {
        Expr::Compare(op, a, b) => value(a, columns).compare(*op, &value(b, columns)),
        Expr::Between(of, low, high) => between(&value(of, columns), &value(low, columns), &value(high, columns)),
        Expr::In(of, list) => {
            let of = value(of, columns);
            let equals = list.iter().map(|item| of.compare(Comparison::Eq, &value(item, columns)));
            equals.fold(Truth { null: false, raises: of.raises, ..Truth::NO }, Truth::or)
        }
        Expr::Not(of) => truth(of, columns).not(),
        Expr::And(parts) => parts.iter().map(|part| truth(part, columns)).fold(Truth::YES, Truth::and),
        Expr::Or(parts) => parts.iter().map(|part| truth(part, columns)).fold(Truth::NO, Truth::or),
        Expr::IsNull(of) => {
            let of = value(of, columns);
            Truth { yes: of.null, no: !of.pieces.is_empty(), null: false, raises: of.raises }
        }
        Expr::IsNotNull(of) => truth(&Expr::IsNull(of.clone()), columns).not(),
        Expr::Opaque | Expr::Foreign(..) => Truth::UNKNOWN,
        Expr::Column(_) | Expr::Constant(_) | Expr::Cast { .. } | Expr::Function(..) | Expr::OnClock(..) => {
            value(expr, columns).truth()
        }
    }
}

/// The host does not say which ends belong to it, so what holds either way is what is known.
fn between(of: &Domain, low: &Domain, high: &Domain) -> Truth {
    let closed = of.compare(Comparison::Ge, low).and(of.compare(Comparison::Le, high));
    let open = of.compare(Comparison::Gt, low).and(of.compare(Comparison::Lt, high));
    closed.union(open)
}

/// The values of an expression.
pub(super) fn value(expr: &Expr, columns: &dyn Fn(usize) -> Domain) -> Domain {
    value_on(Clock::Unknown, expr, columns)
}

/// The values of an expression that is a cast or a call on `clock`.
fn value_on(clock: Clock<'_>, expr: &Expr, columns: &dyn Fn(usize) -> Domain) -> Domain {
    match expr {
        Expr::Column(index) => columns(*index),
        Expr::Constant(constant) => constant_domain(constant),
        Expr::Cast { value: of, to, try_cast } => casts::cast(value(of, columns), to, *try_cast, clock),
        Expr::Function(name, arguments) => {
            functions::call(name, arguments, clock, &|argument| value(argument, columns))
        }
        Expr::OnClock(offsets, of) => value_on(Clock::Of(offsets), of, columns),
        Expr::Opaque | Expr::Foreign(..) => Domain::unknown(),
        predicate => Domain::from_truth(truth(predicate, columns)),
    }
}
