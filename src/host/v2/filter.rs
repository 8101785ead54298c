//! DuckDB's bound expressions as [`Expr`]. Whatever cannot be said exactly in those words becomes [`Expr::Opaque`], and
//! an expression that cannot be read is opaque too: a filter left to DuckDB is slow, one misread loses rows.

use std::sync::Arc;

use duckdb_neo::{
    Result as HostResult,
    cast::CastMode,
    connection::Context,
    expression::{Expression, ExpressionType as Type},
    logical_type::{LogicalType, LogicalTypeID as Id},
    table_function::PushdownData,
    value::Value,
};
use tstable_core::{
    prune::expr::{Comparison, Constant, Expr},
    schema::ColumnType,
    time::Offsets,
};

use super::{super::OutColumn, builtin, types, value};

/// Deeper expressions are opaque, so that converting one cannot exhaust the stack.
const MAX_DEPTH: usize = 100;

/// What column references mean.
pub(super) struct Columns<'a> {
    pub(super) offered: &'a PushdownData<'a>,
    pub(super) declared: &'a [OutColumn],
    /// Whether the session counts in the Gregorian calendar, as far as one can know: in any other, the parts of a
    /// TIMESTAMPTZ and even its cast to a TIMESTAMP are other numbers.
    pub(super) gregorian: bool,
    /// The clock of the zone of this name, or of the session; looked for where one is needed.
    pub(super) clock: &'a dyn Fn(Option<&str>) -> Option<Arc<Offsets>>,
}

impl Columns<'_> {
    /// A cast or call of these types, on the clock of the zone that it names, or the session's where a TIMESTAMPTZ has a part in it.
    fn on_clock(&self, expr: Expr, mut types: impl Iterator<Item = Id>) -> Expr {
        let clock = match &expr {
            Expr::Opaque => None,
            Expr::Function(name, arguments) if name == "timezone" => match arguments.as_slice() {
                [Expr::Constant(Constant::Text(zone)), _] => (self.clock)(Some(zone)),
                _ => None,
            },
            // Of finer and coarser units a host may think otherwise: those it has not been asked about.
            _ => types.any(|ty| ty == Id::TimestampTz).then(|| (self.clock)(None)).flatten(),
        };
        match clock {
            Some(clock) => Expr::OnClock(clock, Box::new(expr)),
            None => expr,
        }
    }
}

/// The setting that says in which calendar zoned times are counted. It comes with ICU, and so do the functions it concerns.
const CALENDAR: &str = "Calendar";

/// Whether functions and casts of a TIMESTAMPTZ mean in this session what they mean by default.
pub(super) fn is_gregorian(context: &Context) -> bool {
    let calendar = context.config().and_then(|config| Ok(config.get_value(CALENDAR)?.0));
    let name = calendar.ok().and_then(|value| value::constant(&value).ok().flatten());
    matches!(name, Some(Constant::Text(name)) if name.eq_ignore_ascii_case("gregorian"))
}

/// The expression in our words.
pub(super) fn convert(columns: &Columns<'_>, expression: &Expression<'_>) -> Expr {
    node(columns, expression, MAX_DEPTH).unwrap_or(Expr::Opaque)
}

/// The expression, `depth` levels deep at most.
fn node(columns: &Columns<'_>, expression: &Expression<'_>, depth: usize) -> HostResult<Expr> {
    let Some(depth) = depth.checked_sub(1) else { return Ok(Expr::Opaque) };
    let ty = expression.expression_type()?;
    match ty {
        Type::BoundColumnRef => return column(columns, expression),
        Type::ValueConstant => {
            let value = expression.get_constant_value()?;
            return Ok(value::constant(&value).ok().flatten().map_or(Expr::Opaque, Expr::Constant));
        }
        // Their children stand for something else than arguments, or nothing is known of them.
        Type::Invalid | Type::ValueParameter | Type::CaseExpr | Type::OperatorCoalesce => return Ok(Expr::Opaque),
        _ => {}
    }
    let parts = expression.children()?;
    let children = parts.iter().map(|child| node(columns, child, depth).unwrap_or(Expr::Opaque)).collect();
    match ty {
        Type::OperatorCast => {
            let mut types = types_of(&parts)?;
            let cast = cast(expression, &types, children, columns.gregorian)?;
            types.push(expression.return_type()?.id()?);
            let goes_by_clock = types.iter().all(|ty| matches!(ty, Id::TimestampTz | Id::Timestamp | Id::Date));
            Ok(if goes_by_clock { columns.on_clock(cast, types.into_iter()) } else { cast })
        }
        Type::BoundFunction => {
            let name = expression.function_name()?.to_lowercase();
            let types = types_of(&parts)?;
            let own = builtin::is_own(expression, &name, &types, columns.gregorian)?;
            if !own {
                return Ok(Expr::Foreign(name, children));
            }
            Ok(columns.on_clock(Expr::Function(name, children), types.into_iter()))
        }
        _ => Ok(operator(ty, children)),
    }
}

fn types_of(expressions: &[Expression<'_>]) -> HostResult<Vec<Id>> {
    expressions.iter().map(|expression| expression.return_type()?.id()).collect()
}

/// A reference to a declared column, whole: a reference to a part of it has another type.
fn column(columns: &Columns<'_>, expression: &Expression<'_>) -> HostResult<Expr> {
    let index = columns.offered.get_column_index(expression.reference_index()?)?;
    let Some(declared) = columns.declared.get(index) else { return Ok(Expr::Opaque) };
    let same = expression.return_type()?.id()? == types::type_id(&declared.ty);
    Ok(if same { Expr::Column(index) } else { Expr::Opaque })
}

/// A cast to a type without parameters, or to a decimal.
fn cast(expression: &Expression<'_>, from: &[Id], children: Vec<Expr>, gregorian: bool) -> HostResult<Expr> {
    let to = expression.return_type()?;
    let id = to.id()?;
    if !gregorian && from.iter().any(|from| is_zoned(*from) != is_zoned(id)) {
        return Ok(Expr::Opaque);
    }
    let to = match id {
        Id::Decimal => decimal(&to)?,
        id => cast_target(id, to.param_count()?),
    };
    let try_cast = expression.cast_mode()? == CastMode::Try;
    Ok(match (to, one(children)) {
        (Some(to), Some(value)) => Expr::Cast { value, to, try_cast },
        _ => Expr::Opaque,
    })
}

fn is_zoned(id: Id) -> bool {
    matches!(id, Id::TimestampTz | Id::TimestampTzNs)
}

/// The type of a cast's result; types with parameters are not modelled.
fn cast_target(id: Id, parameters: usize) -> Option<ColumnType> {
    types::column_type(id).filter(|_| parameters == 0)
}

/// A decimal type; none when its parameters are not its precision and scale.
fn decimal(ty: &LogicalType) -> HostResult<Option<ColumnType>> {
    let parameters = ty.get_params()?;
    let numbers: Option<Vec<u8>> = parameters.iter().map(|(_, value)| number(value)).collect();
    Ok(match numbers.as_deref() {
        Some([precision @ 1..=38, scale]) if scale <= precision => {
            Some(ColumnType::Decimal { precision: *precision, scale: *scale })
        }
        _ => None,
    })
}

fn number(value: &Value) -> Option<u8> {
    match value::constant(value).ok().flatten() {
        Some(Constant::Int(number)) => u8::try_from(number).ok(),
        _ => None,
    }
}

/// An operator over its operands; opaque when their number is not the operator's.
fn operator(ty: Type, children: Vec<Expr>) -> Expr {
    let made = match ty {
        Type::ConjunctionAnd => Some(Expr::And(children)),
        Type::ConjunctionOr => Some(Expr::Or(children)),
        Type::OperatorNot => one(children).map(Expr::Not),
        Type::OperatorIsNull => one(children).map(Expr::IsNull),
        Type::OperatorIsNotNull => one(children).map(Expr::IsNotNull),
        Type::CompareBetween => three(children).map(|(value, low, high)| Expr::Between(value, low, high)),
        Type::CompareIn => membership(children),
        Type::CompareNotIn => membership(children).map(|inside| Expr::Not(Box::new(inside))),
        _ => comparison(ty).and_then(|comparison| {
            let (left, right) = two(children)?;
            Some(Expr::Compare(comparison, left, right))
        }),
    };
    made.unwrap_or(Expr::Opaque)
}

fn comparison(ty: Type) -> Option<Comparison> {
    Some(match ty {
        Type::CompareEqual => Comparison::Eq,
        Type::CompareNotEqual => Comparison::Ne,
        Type::CompareLessThan => Comparison::Lt,
        Type::CompareLessThanOrEqualTo => Comparison::Le,
        Type::CompareGreaterThan => Comparison::Gt,
        Type::CompareGreaterThanOrEqualTo => Comparison::Ge,
        Type::CompareNotDistinctFrom => Comparison::NotDistinct,
        Type::CompareDistinctFrom => Comparison::Distinct,
        _ => return None,
    })
}

/// The tested value, then the candidates.
fn membership(children: Vec<Expr>) -> Option<Expr> {
    let mut children = children.into_iter();
    let value = children.next()?;
    Some(Expr::In(Box::new(value), children.collect()))
}

fn one(children: Vec<Expr>) -> Option<Box<Expr>> {
    <[Expr; 1]>::try_from(children).ok().map(|[a]| Box::new(a))
}

fn two(children: Vec<Expr>) -> Option<(Box<Expr>, Box<Expr>)> {
    <[Expr; 2]>::try_from(children).ok().map(|[a, b]| (Box::new(a), Box::new(b)))
}

fn three(children: Vec<Expr>) -> Option<(Box<Expr>, Box<Expr>, Box<Expr>)> {
    <[Expr; 3]>::try_from(children).ok().map(|[a, b, c]| (Box::new(a), Box::new(b), Box::new(c)))
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
