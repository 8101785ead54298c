//! Requests cover what is missing and keep to their bounds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation
)]

use proptest::prelude::*;

use super::*;
use crate::{
    schema::{ColumnType, TimeUnit},
    table::ask::subject::tests::subject,
    time::BucketWidth,
};

fn hours() -> Grid {
    Grid::new(&BucketWidth::parse("1h").unwrap(), &ColumnType::Timestamp(TimeUnit::S), None, None).unwrap()
}

fn requests(subjects: &[Subject], grid: &Grid, max_units: Option<i128>, most: Option<usize>) -> Vec<Request> {
    Requests::new(subjects.to_vec(), grid.clone(), max_units).take(most.unwrap_or(usize::MAX)).collect()
}

fn flat(requests: &[Request]) -> Vec<(i64, i64, u64, u64)> {
    requests.iter().map(|r| (r.run.first.0, r.run.last.0, r.buckets, r.gaps)).collect()
}

#[test]
fn near_gaps_share_a_request_and_long_ones_are_split() {
    let subjects = [subject("cmmcmcccccccmmmmmmmmmc", 0, true)];
    let packed = requests(&subjects, &hours(), Some(5 * 3_600), None);
    assert_eq!(flat(&packed), [(1, 4, 3, 2), (12, 16, 5, 1), (17, 20, 4, 1)]);
    assert_eq!(flat(&requests(&subjects, &hours(), None, None)), [(1, 20, 12, 3)]);
    assert_eq!(flat(&requests(&subjects, &hours(), Some(60), Some(2))), [(1, 1, 1, 1), (2, 2, 1, 1)]);
}

proptest! {
    #[test]
    fn requests_cover_exactly_what_is_missing(all in prop::collection::vec("[cme ]{1,60}", 1..4), span in 1_i128..20, most in 1_usize..9) {
        let subjects: Vec<_> = all.iter().map(|letters| subject(letters, 0, false)).collect();
        let packed = requests(&subjects, &hours(), Some(span * 3_600), None);
        prop_assert!(packed.is_sorted());
        let missing = all.iter().map(|letters| letters.matches('m').count() as u64).sum::<u64>();
        prop_assert_eq!(packed.iter().map(|r| r.buckets).sum::<u64>(), missing);
        prop_assert!(packed.iter().all(|r| i128::from(r.run.last.0 - r.run.first.0) < span));
        let kept = requests(&subjects, &hours(), Some(span * 3_600), Some(most));
        prop_assert_eq!(flat(&kept), flat(&packed[..most.min(packed.len())]));
    }
}
