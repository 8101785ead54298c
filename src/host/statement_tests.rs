//! Tests of which executions belong together.

use std::sync::Arc;

use super::{Statements, directory};

#[test]
fn executions_that_are_alive_together_on_a_connection_are_of_one_statement() {
    let statements = Statements::default();
    let first = statements.running_on(1);
    assert!(Arc::ptr_eq(&first, &statements.running_on(1)));
    assert!(!Arc::ptr_eq(&first, &statements.running_on(2)));
}

#[test]
fn a_statement_begins_when_the_one_before_has_ended() {
    let statements = Statements::default();
    let (first, second) = (statements.running_on(1), statements.running_on(1));
    let before = Arc::downgrade(&first);
    drop((first, second));
    assert!(before.upgrade().is_none());
    let _next = statements.running_on(1);
    assert!(before.upgrade().is_none());
}

#[test]
fn a_root_is_one_directory_however_it_is_spelt() -> std::io::Result<()> {
    let whole = std::env::current_dir()?.join("src");
    for spelling in ["src", "./src", "src/", "src/../src", &whole.to_string_lossy()] {
        assert_eq!(directory(spelling), directory("src"), "{spelling}");
    }
    assert_ne!(directory("src"), directory("tests"));
    assert_eq!(directory("no such directory"), directory("./no such directory"));
    Ok(())
}
