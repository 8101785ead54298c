//! See the module that is tested.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::{Address, Kind, check_endpoint, is_address};
use crate::ErrorKind;

#[test]
fn an_address_has_a_bucket_and_a_key_without_slashes_at_its_ends() {
    let address = Address::parse("S3://market//prices/daily/").unwrap();
    assert_eq!((address.kind, address.bucket.as_str(), address.key.as_str()), (Kind::S3, "market", "prices/daily"));
    assert_eq!(Address::parse("gs://market").unwrap().key, "");
    assert_eq!(Address::parse("az://market/a b/ü'x").unwrap().key, "a b/ü'x");
}

#[test]
fn what_leads_nowhere_is_refused() {
    for bad in ["s3://", "s3:///x", "s3://a b/x", "s3://m/a/../b", "s3://m/a//b", "s3://m/a\nb"] {
        assert_eq!(Address::parse(bad).unwrap_err().kind(), ErrorKind::InvalidArgument, "{bad}");
    }
}

#[test]
fn only_the_schemes_of_stores_are_addresses_of_stores() {
    assert!(is_address("s3://x") && is_address("GCS://x/y") && is_address("azure://x"));
    assert!(!is_address("https://x/y") && !is_address("/s3://x") && !is_address("prices") && !is_address("s3:/x"));
}

#[test]
fn plain_http_is_spoken_only_when_it_was_allowed() {
    assert!(check_endpoint("https://x", false, "E", "A").is_ok());
    assert!(check_endpoint("http://x", true, "E", "A").is_ok());
    let refused = check_endpoint("http://x", false, "E", "A").unwrap_err();
    assert!(refused.message().contains("A=true"), "{refused}");
    assert!(check_endpoint("x:9000", true, "E", "A").is_err());
}
