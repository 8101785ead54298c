//! Tests of the wall round callbacks.
#![allow(clippy::panic, clippy::unwrap_used)]

use tstable_core::{Error, error::ErrorKind};

use super::{Contained, contain};

#[test]
fn a_panic_becomes_an_error_that_asks_for_a_report() {
    let failure = contain::<()>(|| panic!("boom {}", 7)).unwrap_err();
    assert_eq!(failure.to_string(), "tstable internal: boom 7; this is a defect of tstable, please report it");
    assert_eq!(failure.kind(), ErrorKind::Internal);
}

#[test]
fn a_panic_without_text_still_has_a_message() {
    let failure = contain::<()>(|| std::panic::panic_any(3_u8)).unwrap_err();
    assert_eq!(
        failure.to_string(),
        "tstable internal: panic without a message; this is a defect of tstable, please report it"
    );
}

#[test]
fn an_error_keeps_its_words_and_a_cancelled_one_is_known_as_such() {
    let failure = contain::<()>(|| Err(Error::cancelled("stopped after 3 rows"))).unwrap_err();
    assert_eq!(failure.to_string(), "tstable cancelled: stopped after 3 rows");
    assert_eq!(failure.kind(), ErrorKind::Cancelled);
}

#[test]
fn the_middle_of_a_message_that_quotes_a_million_values_is_left_out() {
    let whole = Error::invalid_argument(format!("tag := {} is no text; name one", "\u{e4}".repeat(1_000_000)));
    let left_out = format!(" [... {} characters ...] ", whole.to_string().chars().count() - 7000);
    let text = contain::<()>(|| Err(whole)).unwrap_err().to_string();
    assert!(text.starts_with("tstable invalid argument: tag := \u{e4}"), "{text}");
    assert!(text.contains(&left_out), "{text}");
    assert!(text.ends_with("\u{e4} is no text; name one"), "{text}");
    assert_eq!(text.chars().count(), 7000 + left_out.len());
}

#[test]
fn a_panicking_destructor_does_not_unwind_into_the_host() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in the destructor");
        }
    }
    drop(Contained::new(Bomb));
}
