//! What lies in an allowed directory, however it is spelt.
#![allow(clippy::unwrap_used)]

use std::fs;

use tempfile::TempDir;

use super::*;

fn only(directories: &[&str], paths: &[&str]) -> Access {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Access::only(owned(directories), owned(paths))
}

#[test]
fn everything_may_be_reached_unless_somebody_says_otherwise() {
    for path in ["/etc/passwd", "a", "s3://b/c", ""] {
        assert!(Access::everywhere().has_file(path) && Access::everywhere().has_directory(path));
        assert!(!only(&[], &[]).has_file(path) && !only(&[], &[]).has_directory(path), "{path}");
    }
}

#[test]
fn a_directory_holds_what_is_below_it_and_not_what_begins_like_it() {
    let home = TempDir::new().unwrap();
    let at = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    fs::create_dir_all(at("in/deep")).unwrap();
    for directory in [at("in"), at("in/"), at("in//"), at("./in"), at("in/deep/.."), format!("{}/", at("in"))] {
        let access = only(&[&directory], &[]);
        for inside in
            ["in", "in/", "in/x", "in/deep/x", "in/new/newer/x", "in/./x", "in/../in/x", "in/new/../x", "in/*.parquet"]
        {
            assert!(access.has_file(&at(inside)) && access.has_directory(&at(inside)), "{directory} {inside}");
        }
        for outside in
            ["inn", "in2/x", "x", ".", "in/..", "in/../x", "in/new/../../x", "in/deep/../../x", "in/*/../../x"]
        {
            assert!(!access.has_file(&at(outside)) && !access.has_directory(&at(outside)), "{directory} {outside}");
        }
    }
}

#[cfg(unix)]
#[test]
fn links_are_followed_on_both_sides() {
    use std::os::unix::fs::symlink;
    let home = TempDir::new().unwrap();
    let at = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    for directory in ["in/deep", "out/deep"] {
        fs::create_dir_all(at(directory)).unwrap();
    }
    fs::write(at("out/x"), "x").unwrap();
    symlink(at("out"), at("in/way")).unwrap();
    symlink("../out/x", at("in/x")).unwrap();
    symlink(at("in"), at("alias")).unwrap();
    symlink(at("in/deep"), at("in/inner")).unwrap();
    for directory in [at("in"), at("alias")] {
        let access = only(&[&directory], &[]);
        for outside in ["in/way", "in/way/x", "in/way/new/x", "in/x", "in/deep/../x", "in/way/../x", "alias/x"] {
            assert!(!access.has_file(&at(outside)), "{directory} {outside}");
        }
        // What the system makes of a step back behind a link, not what the letters say.
        assert!(!access.has_directory(&at("in/way/..")));
        for inside in ["alias", "alias/new", "in/inner/new", "in/inner/../new"] {
            assert!(access.has_directory(&at(inside)), "{directory} {inside}");
        }
        assert_eq!(access.link_out_of(Path::new(&at("in/deep"))), None);
        let found = access.link_out_of(Path::new(&directory)).unwrap();
        assert!(found.ends_with("way") || found.ends_with("x"), "{found:?}");
    }
    assert_eq!(Access::everywhere().link_out_of(Path::new(&at("in"))), None);
}

#[test]
fn a_path_that_is_allowed_is_a_file_and_nothing_below_it() {
    let access = only(&[], &["/data/in.parquet"]);
    assert!(access.has_file("/data/in.parquet") && access.has_file("/data/x/../in.parquet"));
    for other in ["/data/in.parquet/x", "/data", "/data/in", "/data/*.parquet"] {
        assert!(!access.has_file(other), "{other}");
    }
    assert!(!access.has_directory("/data/in.parquet"));
}

#[test]
fn a_relative_directory_is_one_of_where_the_process_runs() {
    let here = env::current_dir().unwrap();
    let access = only(&["data"], &[]);
    assert!(access.has_directory("data/prices") && access.has_directory(here.join("data/prices").to_str().unwrap()));
    assert!(!access.has_directory("/data/prices"));
}

#[cfg(feature = "remote")]
#[test]
fn addresses_are_compared_part_by_part_and_never_lead_back() {
    let here = env::current_dir().unwrap();
    let written = |address: &str| here.join(address).to_str().unwrap().to_owned();
    // As DuckDB 2 and as DuckDB 1.5 give back what was set.
    for [store, web] in [
        ["s3://market/eu/".to_owned(), "https://example.org/data/".to_owned()],
        [written("s3:/market/eu/"), written("https:/example.org/data/")],
    ] {
        let access = only(&[&store, &web], &["s3://other/one.parquet"]);
        for inside in ["s3://market/eu", "s3://market/eu/prices", "s3://market/eu/prices/"] {
            assert!(access.has_directory(inside), "{store} {inside}");
        }
        assert!(access.has_file("https://example.org/data/x.parquet") && access.has_file("s3://other/one.parquet"));
        for outside in [
            "s3://market/eu2",
            "s3://market",
            "s3://market/eu/../us",
            "s3://market/eu/./x",
            "s3a://market/eu/x",
            "https://example.org/data/../x",
            "https://example.org/data/%2e%2E/x",
            "https://example.org/data/..%2Fx",
            "https://example.org/database",
            "https://example.org.evil/data/x",
            "http://example.org/data/x",
            "s3:/market/eu/x",
            "/market/eu/x",
        ] {
            assert!(!access.has_directory(outside) && !access.has_file(outside), "{store} {outside}");
        }
    }
    // The directory of the process is no store.
    assert!(!only(&[here.to_str().unwrap()], &[]).has_file("s3://market/eu/x"));
}

#[test]
fn the_reason_names_the_settings_and_shows_a_few_directories() {
    let many: Vec<String> = (0..9).map(|n| format!("/data/{n}/")).collect();
    let reason = Access::only(many, vec!["/x".to_owned()]).reason();
    for part in
        ["enable_external_access = false", "allowed_directories ['/data/0/', ", "... 9 in all]", "allowed_paths ['/x']"]
    {
        assert!(reason.contains(part), "{reason}");
    }
    assert!(!reason.contains("/data/7"), "{reason}");
}
