//! The rule by which filters are accepted.
#![allow(clippy::unwrap_used)]

use tstable_core::prune::expr::{Constant, Expr};

use super::{LEAST_KNOWN, References};

fn filters() -> Vec<Expr> {
    vec![Expr::Constant(Constant::Bool(true))]
}

#[test]
fn the_first_offer_to_a_call_that_was_bound_once_is_accepted() {
    let references = References::default();
    let reference = references.bind(references.issue()).unwrap();
    assert!(reference.accept(filters()));
    assert_eq!(reference.accepted(), filters());
}

#[test]
fn a_second_offer_is_not_accepted_and_changes_nothing() {
    let references = References::default();
    let reference = references.bind(references.issue()).unwrap();
    assert!(reference.accept(Vec::new()));
    assert!(!reference.accept(filters()));
    assert_eq!(reference.accepted(), []);
}

#[test]
fn a_copy_that_is_bound_after_the_offer_inherits_what_was_accepted() {
    let references = References::default();
    let number = references.issue();
    let original = references.bind(number).unwrap();
    assert!(original.accept(filters()));
    let copy = references.bind(number).unwrap();
    assert_eq!(copy.accepted(), filters());
    assert!(!copy.accept(Vec::new()));
    drop(original);
    assert_eq!(references.bind(number).unwrap().accepted(), filters());
}

#[test]
fn nothing_is_accepted_for_a_call_that_was_copied_before_the_offer() {
    let references = References::default();
    let number = references.issue();
    let original = references.bind(number).unwrap();
    drop(references.bind(number).unwrap());
    assert!(!original.accept(filters()));
    assert!(!original.accept(filters()));
    assert_eq!(original.accepted(), []);
}

#[test]
fn a_number_that_was_never_given_out_or_whose_calls_have_all_ended_is_an_error() {
    let references = References::default();
    let number = references.issue();
    drop(references.bind(number).unwrap());
    for unknown in [number, number + 1, 0, -1] {
        assert!(references.bind(unknown).unwrap_err().to_string().contains("has ended"));
    }
}

#[test]
fn what_has_ended_is_forgotten_and_what_is_alive_is_not() {
    let references = References::default();
    let number = references.issue();
    let alive = references.bind(number).unwrap();
    for _ in 0..10 * LEAST_KNOWN {
        drop(references.bind(references.issue()).unwrap());
    }
    assert!(references.known.lock().unwrap().entries.len() <= 3 * LEAST_KNOWN);
    assert!(alive.accept(filters()));
    assert_eq!(references.bind(number).unwrap().accepted(), filters());
}
