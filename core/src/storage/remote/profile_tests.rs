//! See the module that is tested.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::section;

const FILE: &str = "# a comment\n[default]\naws_access_key_id = A\naws_secret_access_key=b=c\ns3 =\n  endpoint_url = nested\n\n[profile two]\nregion = eu-west-1\n";

#[test]
fn a_section_ends_where_the_next_begins_and_nested_lines_are_passed_over() {
    let default = section(FILE, "default").unwrap();
    assert_eq!(default.get("aws_access_key_id").map(String::as_str), Some("A"));
    assert_eq!(default.get("aws_secret_access_key").map(String::as_str), Some("b=c"));
    assert_eq!(default.get("endpoint_url"), None);
    assert_eq!(default.get("region"), None);
    assert_eq!(section(FILE, "profile two").unwrap().get("region").map(String::as_str), Some("eu-west-1"));
    assert!(section(FILE, "three").is_none());
}
