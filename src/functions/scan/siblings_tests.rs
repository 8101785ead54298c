//! What a scan may leave out when plans have been merged.
#![allow(clippy::unwrap_used)]

use tstable_core::prune::expr::{Constant, Expr};

use super::Siblings;

fn filter(number: i128) -> Expr {
    Expr::Constant(Constant::Int(number))
}

fn and(numbers: &[i128]) -> Expr {
    Expr::And(numbers.iter().map(|number| filter(*number)).collect())
}

#[test]
fn a_call_alone_goes_by_its_own_filters() {
    let siblings = Siblings::default();
    let call = siblings.bind("t".to_owned());
    call.offer(filter(1));
    call.offer(filter(2));
    call.offer(filter(1));
    assert_eq!(call.advice(), [filter(1), filter(2)]);
    assert_eq!(call.advice(), [filter(1), filter(2)]);
}

#[test]
fn a_sibling_that_was_dropped_before_it_ran_still_gets_its_rows() {
    let siblings = Siblings::default();
    let (kept, dropped) = (siblings.bind("t".to_owned()), siblings.bind("t".to_owned()));
    kept.offer(filter(1));
    dropped.offer(filter(2));
    dropped.offer(filter(3));
    drop(dropped);
    assert_eq!(kept.advice(), [Expr::Or(vec![and(&[1]), and(&[2, 3])])]);
}

#[test]
fn nothing_is_left_out_when_a_dropped_sibling_had_no_filter() {
    let siblings = Siblings::default();
    let (dropped, kept) = (siblings.bind("t".to_owned()), siblings.bind("t".to_owned()));
    kept.offer(filter(1));
    drop(dropped);
    assert_eq!(kept.advice(), []);
}

#[test]
fn siblings_that_run_themselves_do_not_count() {
    let siblings = Siblings::default();
    let (a, b, c) = (siblings.bind("t".to_owned()), siblings.bind("t".to_owned()), siblings.bind("t".to_owned()));
    a.offer(filter(1));
    b.offer(filter(2));
    c.offer(filter(3));
    assert_eq!(c.advice(), [filter(3)]);
    drop(c);
    assert_eq!(a.advice(), [filter(1)]);
    assert_eq!(b.advice(), [filter(2)]);
}

#[test]
fn calls_with_other_arguments_do_not_count() {
    let siblings = Siblings::default();
    let (kept, other) = (siblings.bind("t".to_owned()), siblings.bind("u".to_owned()));
    kept.offer(filter(1));
    drop(other);
    assert_eq!(kept.advice(), [filter(1)]);
}

#[test]
fn what_was_dropped_before_or_after_the_statement_was_planned_does_not_count() {
    let siblings = Siblings::default();
    drop(siblings.bind("t".to_owned()));
    let prepared = siblings.bind("t".to_owned());
    prepared.offer(filter(1));
    assert_eq!(prepared.advice(), [filter(1)]);
    drop(siblings.bind("t".to_owned()));
    assert_eq!(prepared.advice(), [filter(1)]);
}
