//! Opening beneath a root while others change what is there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{fs, io::Read, os::unix::fs::symlink};

use tempfile::TempDir;

use super::open;
use crate::{error::ErrorKind, storage::local::swapping::Swapping};

fn contents(root: &std::path::Path, path: &str) -> Result<Option<String>, ErrorKind> {
    let mut text = String::new();
    match open(root, path) {
        Ok(None) => Ok(None),
        Ok(Some(mut file)) => file.read_to_string(&mut text).map(|_| Some(text)).map_err(|_| ErrorKind::Io),
        Err(e) => Err(e.kind()),
    }
}

#[test]
fn links_are_followed_as_long_as_they_stay_under_the_root() {
    let directory = TempDir::new().unwrap();
    let root = directory.path().join("root");
    for (path, text) in [("root/real/x", "inside"), ("out/x", "outside")] {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    symlink("real", root.join("relative")).unwrap();
    symlink(root.join("real"), root.join("absolute")).unwrap();
    symlink("../out", root.join("leads_out")).unwrap();
    symlink(directory.path().join("out"), root.join("leads_out_too")).unwrap();
    symlink("x", root.join("real/link")).unwrap();
    symlink("nowhere", root.join("dangling")).unwrap();
    symlink(&root, directory.path().join("root_link")).unwrap();
    for root in [root.clone(), directory.path().join("root_link")] {
        for path in ["real/x", "relative/x", "absolute/x"] {
            assert_eq!(contents(&root, path), Ok(Some("inside".to_owned())), "{path}");
        }
        for path in ["leads_out/x", "leads_out_too/x", "real/link", "relative/link", "real"] {
            assert_eq!(contents(&root, path), Err(ErrorKind::Corrupt), "{path}");
        }
        for path in ["real/y", "absent/x", "relative/y", "leads_out/../x"] {
            assert_ne!(contents(&root, path).ok().flatten().as_deref(), Some("outside"), "{path}");
        }
        assert_eq!(contents(&root, "real/y"), Ok(None));
    }
}

#[test]
fn a_link_that_is_swapped_in_meanwhile_never_leads_out() {
    let swapping = Swapping::new("x", "x");
    let mut inside = 0;
    swapping.during(|| {
        for _ in 0..20_000 {
            let found = contents(&swapping.at("root"), "data/x");
            assert_ne!(found, Ok(Some("outside".to_owned())));
            inside += usize::from(found == Ok(Some("inside".to_owned())));
        }
    });
    assert!(inside > 0, "the file was never read");
}
