//! What is expected is written down and read again.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use super::{UNIVERSE_PROPERTY, Universe};
use crate::{
    coverage::{Entity, EntityPart},
    error::ErrorKind,
    time::{IndexRange, IndexValue},
};

fn entity(name: &str) -> Entity {
    Entity::from(vec![EntityPart::from(name)])
}

fn until(value: i64) -> IndexRange {
    IndexRange { start: None, until: Some(IndexValue::from(value)) }
}

fn from(value: i64) -> IndexRange {
    IndexRange { start: Some(IndexValue::from(value)), until: None }
}

fn stored(text: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(UNIVERSE_PROPERTY.to_owned(), text.to_owned())])
}

#[test]
fn what_is_written_down_is_read_again() {
    let universe: Universe = [
        (entity("relisted"), from(50)),
        (entity("relisted"), until(20)),
        (entity("always"), IndexRange::ALL),
        (entity("always"), IndexRange::ALL),
        (Entity::from(vec![EntityPart::Int(7), EntityPart::from("it's")]), until(-3)),
    ]
    .into_iter()
    .collect();
    assert_eq!(universe.len(), 3);
    assert_eq!(universe.ranges_of(&entity("always")), Some([IndexRange::ALL].as_slice()));
    assert_eq!(universe.ranges_of(&entity("relisted")), Some([until(20), from(50)].as_slice()));
    assert_eq!(universe.ranges_of(&entity("unknown")), None);
    assert_eq!(Universe::of(&stored(&universe.encode().unwrap())).unwrap(), universe);
    assert!(Universe::of(&BTreeMap::new()).unwrap().is_empty());
}

#[test]
fn a_property_that_is_damaged_is_told_as_such() {
    for text in ["", "{}", "[{\"entity\":5}]", "[1"] {
        let error = Universe::of(&stored(text)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{text}");
    }
}
