//! What is a path of this machine, and what is refused.
#![allow(clippy::unwrap_used)]

use tstable_core::prune::expr::Constant;

use super::*;
use crate::host::{Arg, LogLevel};

struct Home(Option<&'static str>);

impl Session for Home {
    fn log(&self, _: LogLevel, _: &str) {}
    fn interrupted(&self) -> bool {
        false
    }
    fn setting(&self, name: &str) -> Option<Arg> {
        (name == "home_directory").then(|| self.0.map(|home| Arg::Scalar(Constant::Text(home.to_owned()))))?
    }
}

const SOMEBODY: Home = Home(Some("/home/somebody"));

#[test]
fn local_names_are_taken_as_they_are() {
    for name in
        ["prices", "/data/prices", "./~odd", "a:b", "two words://x", "c:/x", "file:relative", "*.parquet", "a~b"]
    {
        assert_eq!(local(&SOMEBODY, "source", name).unwrap(), name);
    }
}

#[test]
fn addresses_that_nothing_is_known_of_are_refused_by_name() {
    for scheme in ["r2", "abfss", "http", "HTTPS", "hf", "hdfs", "ftp", "memory"] {
        let address = format!("{scheme}://bucket/prices");
        let error = root(&SOMEBODY, "root", &address).unwrap_err().to_string();
        assert!(error.contains(&format!("root := '{address}' is an address of {scheme}://")), "{error}");
    }
}

#[cfg(feature = "remote")]
#[test]
fn an_address_in_a_store_is_taken_as_it_is_where_a_table_or_a_file_may_be_and_refused_elsewhere() {
    for scheme in ["s3", "S3", "s3a", "gs", "gcs", "az", "azure"] {
        let address = format!("{scheme}://bucket/a 'b'/prices");
        assert_eq!(root(&SOMEBODY, "root", &format!("{address}/")).unwrap(), address);
        assert_eq!(place(&SOMEBODY, "source", &address).unwrap(), address);
        let error = local(&SOMEBODY, "file", &address).unwrap_err().to_string();
        assert!(error.contains("has to be a path of this machine here"), "{error}");
    }
}

#[test]
fn file_addresses_are_those_that_duckdb_reads() {
    for address in ["file:/data/p", "file:///data/p", "file://localhost/data/p", "FILE:///data/p"] {
        assert_eq!(root(&SOMEBODY, "root", &format!("{address}/")).unwrap(), "/data/p");
    }
    for address in ["file://server/data/p", "file://data"] {
        assert!(local(&SOMEBODY, "root", address).unwrap_err().to_string().contains("another machine"));
    }
}

#[test]
fn the_tilde_is_duckdbs_home_directory_and_never_a_name() {
    assert_eq!(root(&SOMEBODY, "root", "~/tables/p/").unwrap(), "/home/somebody/tables/p");
    assert_eq!(local(&SOMEBODY, "root", "~").unwrap(), "/home/somebody");
    assert_eq!(local(&Home(Some("")), "root", "~").unwrap(), std::env::var("HOME").unwrap());
    assert!(local(&SOMEBODY, "root", "~other/x").unwrap_err().to_string().contains("'~other/x'"));
    assert!(local(&Home(None), "root", "~/x").unwrap_err().to_string().contains("write it in full"));
}
