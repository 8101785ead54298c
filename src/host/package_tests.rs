//! Tests of the marker's text.
#![allow(clippy::unwrap_used)]

use super::{Block, Package, numbers};

fn block(from: Option<usize>, count: usize) -> Block {
    Block { from, count }
}

#[test]
fn a_library_that_is_no_package_says_how_to_make_one() {
    let error = Package::own().unwrap_err().to_string();
    assert!(error.contains("tools/package.py"), "{error}");
}

#[test]
fn a_marker_names_the_api_and_where_its_functions_are() {
    let package = Package::parse("v2.0.1 21*300 -*2 330*318").unwrap();
    assert_eq!(package.api, "v2.0.1");
    assert_eq!(package.layout, [block(Some(21), 300), block(None, 2), block(Some(330), 318)]);
    assert_eq!(Package::parse("v1.5.6").unwrap().layout, []);
}

#[test]
fn anything_else_is_not_a_marker() {
    for text in ["", "unset", "v2.0.1 21", "v2.0.1 x*3"] {
        assert_eq!(Package::parse(text), None, "{text}");
    }
}

#[test]
fn versions_compare_by_number() {
    assert!(numbers("v1.10.0") > numbers("v1.5.6"));
    assert!(numbers("v1.4.5") < numbers("v1.5.6"));
    assert_eq!(numbers("v2.1.0-dev7"), numbers("v2.1.0"));
    assert_eq!(numbers("0123abc"), None);
}

#[test]
fn a_refusal_names_the_package_to_take() {
    let package = Package::parse("v2.0.0 0*620").unwrap();
    for (running, right) in [
        ("v1.4.5", "this DuckDB is v1.4.5; take the package v1"),
        ("v1.5.6", "take the package v1.5.6"),
        ("v2.0.1", "take the package v2.0.1, or v1.5.6"),
        ("0123abc", "take the package 0123abc, or v1.5.6"),
    ] {
        let error = package.refusal(running).to_string();
        assert!(error.contains(right), "{error}");
    }
}
