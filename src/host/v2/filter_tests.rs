//! Tests of the parts of the conversion that need no host.

use duckdb_neo::{expression::ExpressionType as Type, logical_type::LogicalTypeID as Id};
use tstable_core::{
    prune::expr::{Comparison, Constant, Expr},
    schema::{ColumnType, TimeUnit},
};

use super::{cast_target, operator};

fn column() -> Expr {
    Expr::Column(3)
}

fn int(value: i128) -> Expr {
    Expr::Constant(Constant::Int(value))
}

#[test]
fn every_comparison_keeps_its_sides() {
    let cases = [
        (Type::CompareEqual, Comparison::Eq),
        (Type::CompareNotEqual, Comparison::Ne),
        (Type::CompareLessThan, Comparison::Lt),
        (Type::CompareLessThanOrEqualTo, Comparison::Le),
        (Type::CompareGreaterThan, Comparison::Gt),
        (Type::CompareGreaterThanOrEqualTo, Comparison::Ge),
        (Type::CompareNotDistinctFrom, Comparison::NotDistinct),
        (Type::CompareDistinctFrom, Comparison::Distinct),
    ];
    for (ty, comparison) in cases {
        let expected = Expr::Compare(comparison, Box::new(column()), Box::new(int(7)));
        assert_eq!(operator(ty, vec![column(), int(7)]), expected);
    }
}

#[test]
fn between_keeps_value_low_and_high_in_order() {
    let expected = Expr::Between(Box::new(column()), Box::new(int(1)), Box::new(int(9)));
    assert_eq!(operator(Type::CompareBetween, vec![column(), int(1), int(9)]), expected);
}

#[test]
fn not_in_is_the_negation_of_in() {
    let inside = Expr::In(Box::new(column()), vec![int(1), int(2)]);
    assert_eq!(operator(Type::CompareIn, vec![column(), int(1), int(2)]), inside);
    assert_eq!(operator(Type::CompareNotIn, vec![column(), int(1), int(2)]), Expr::Not(Box::new(inside)));
}

#[test]
fn conjunctions_keep_all_their_parts_even_opaque_ones() {
    let parts = vec![column(), Expr::Opaque, int(1)];
    assert_eq!(operator(Type::ConjunctionAnd, parts.clone()), Expr::And(parts.clone()));
    assert_eq!(operator(Type::ConjunctionOr, parts.clone()), Expr::Or(parts));
}

#[test]
fn an_operator_with_another_number_of_operands_is_opaque() {
    for ty in [Type::CompareEqual, Type::OperatorNot, Type::OperatorIsNull, Type::CompareBetween] {
        assert_eq!(operator(ty, Vec::new()), Expr::Opaque);
        assert_eq!(operator(ty, vec![column(); 4]), Expr::Opaque);
    }
}

#[test]
fn what_is_no_operator_is_opaque() {
    assert_eq!(operator(Type::ValueParameter, vec![column(), int(1)]), Expr::Opaque);
    assert_eq!(operator(Type::CaseExpr, vec![column(), int(1)]), Expr::Opaque);
}

#[test]
fn casts_to_types_with_parameters_are_not_modelled() {
    assert_eq!(cast_target(Id::TimestampTz, 0), Some(ColumnType::TimestampTz(TimeUnit::Us)));
    assert_eq!(cast_target(Id::Decimal, 2), None);
    assert_eq!(cast_target(Id::Varchar, 1), None);
    assert_eq!(cast_target(Id::Enum, 0), None);
}
