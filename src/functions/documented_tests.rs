//! docs/SQL.md has a section for everything that is registered, and its index leads to each.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::registry;

const PAGE: &str = include_str!("../../docs/SQL.md");

/// The address that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase().chars().filter(|c| c.is_alphanumeric() || "_- ".contains(*c)).collect::<String>();
    kept.replace(' ', "-")
}

/// What a heading is about: `tstable_tag, tstable_untag` is about both.
fn subjects(heading: &str) -> impl Iterator<Item = &str> {
    heading.split(", ")
}

fn headings() -> Vec<&'static str> {
    PAGE.lines().filter_map(|line| line.strip_prefix("### ")).collect()
}

fn index() -> &'static str {
    PAGE.split_once("\n## ").unwrap().0
}

fn registered() -> Vec<String> {
    let registry = registry();
    let tables = registry.tables.iter().map(|function| function.signature().name.to_owned());
    tables.chain(registry.scalars.iter().map(|function| function.name().to_owned())).collect()
}

#[test]
fn every_registered_function_has_a_section_and_a_line_in_the_index() {
    let headings = headings();
    for name in registered() {
        let heading = headings.iter().find(|heading| subjects(heading).any(|subject| subject == name));
        let heading = heading.unwrap_or_else(|| panic!("docs/SQL.md has no section for {name}"));
        let link = format!("[{name}](#{})", anchor(heading));
        assert!(index().contains(&link), "the index of docs/SQL.md lacks {link}");
    }
}

#[test]
fn every_section_about_a_function_is_about_one_that_is_registered() {
    let registered = registered();
    for subject in headings().into_iter().flat_map(subjects).filter(|subject| subject.starts_with("tstable_")) {
        assert!(
            registered.iter().any(|name| name == subject),
            "docs/SQL.md describes {subject}, which is not registered"
        );
    }
}
