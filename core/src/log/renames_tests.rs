//! What was renamed to what.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::Renames;
use crate::{
    coverage::{Entity, EntityPart},
    log::commit::Action,
};

fn entity(name: &str) -> Entity {
    Entity::from(vec![EntityPart::from(name)])
}

#[test]
fn names_follow_each_other_and_a_name_taken_back_is_forgotten() {
    let mut renames = Renames::default();
    renames.add(&entity("A"), &entity("B"));
    renames.add(&entity("B"), &entity("C"));
    assert_eq!(renames.now_called(&entity("A")), Some(&entity("C")));
    let Action::SetProperty { key, value } = renames.action().unwrap() else { panic!("no property") };
    let kept = Renames::of(&[(key, value.unwrap())].into_iter().collect()).unwrap();
    assert_eq!(kept, renames);
    renames.add(&entity("C"), &entity("A"));
    assert_eq!(renames.now_called(&entity("A")), None);
    assert_eq!(renames.now_called(&entity("B")), Some(&entity("A")));
}
