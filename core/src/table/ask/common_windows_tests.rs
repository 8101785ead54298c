//! Common windows against counting bucket by bucket.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation
)]

use proptest::prelude::*;

use super::*;
use crate::table::ask::subject::tests::subject;

/// Windows by counting letters: a bucket is common when enough are `c`, and breaks a window when any is `c` or `m`.
fn model(all: &[String], need: usize) -> Vec<(i64, i64, u64)> {
    let mut found: Vec<(i64, i64, u64)> = Vec::new();
    let mut joined = false;
    for at in 0..all[0].len() {
        let count = |wanted: &str| all.iter().filter(|letters| wanted.contains(&letters[at..=at])).count();
        let at = at as i64;
        if count("c") >= need {
            match found.last_mut() {
                Some(last) if joined => *last = (last.0, at, last.2 + 1),
                _ => found.push((at, at, 1)),
            }
            joined = true;
        } else if count("cm") > 0 {
            joined = false;
        }
    }
    found
}

proptest! {
    #[test]
    fn common_windows_are_those_of_counting(all in prop::collection::vec("[cme ]{40}", 1..6), need in 1_usize..7) {
        let subjects: Vec<_> = all.iter().map(|letters| subject(letters, 0, false)).collect();
        let found: Vec<_> = common_windows(&subjects, Need::AtLeast(need as u64))
            .into_iter().map(|s| (s.run.first.0, s.run.last.0, s.buckets)).collect();
        prop_assert_eq!(&found, &if need > all.len() { Vec::new() } else { model(&all, need) });
        if need == all.len() {
            let together: Vec<_> = common_windows(&subjects, Need::All)
                .into_iter().map(|s| (s.run.first.0, s.run.last.0, s.buckets)).collect();
            prop_assert_eq!(together, found);
        }
    }
}
