//! What a session may reach is what its settings say.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::host::LogLevel;

/// A host that tells these settings.
struct Host(Vec<(&'static str, Arg)>);

impl Session for Host {
    fn log(&self, _: LogLevel, _: &str) {}
    fn interrupted(&self) -> bool {
        false
    }
    fn setting(&self, name: &str) -> Option<Arg> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }
}

fn enabled(is: bool) -> (&'static str, Arg) {
    ("enable_external_access", Arg::Scalar(Constant::Bool(is)))
}

fn list(name: &'static str, texts: &[&str]) -> (&'static str, Arg) {
    (name, Arg::List(texts.iter().map(|text| Arg::Scalar(Constant::Text((*text).to_owned()))).collect()))
}

#[test]
fn nothing_is_refused_where_external_access_is_on_or_the_host_does_not_tell() {
    let directories = || list("allowed_directories", &["/data/"]);
    for host in [Host(vec![]), Host(vec![enabled(true), directories()]), Host(vec![directories()])] {
        assert_eq!(of(&host), Access::everywhere());
    }
}

#[test]
fn without_external_access_the_lists_are_what_is_left_and_lists_that_are_not_told_are_empty() {
    let host =
        Host(vec![enabled(false), list("allowed_directories", &["/data/"]), list("allowed_paths", &["/a.parquet"])]);
    assert_eq!(of(&host), Access::only(vec!["/data/".to_owned()], vec!["/a.parquet".to_owned()]));
    assert_eq!(of(&Host(vec![enabled(false)])), Access::only(vec![], vec![]));
    let error = check_directory(&of(&host), "root", "/o'clock").unwrap_err().to_string();
    assert!(error.contains("root := '/o''clock' cannot be accessed"), "{error}");
}
