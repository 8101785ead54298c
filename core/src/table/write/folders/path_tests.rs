//! Which columns a path names.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use super::{Named, Rule};

fn hive(path: &str) -> Vec<Named> {
    Rule::Hive.columns(Path::new(path)).unwrap()
}

fn pattern(pattern: &str, path: &str) -> Option<Vec<Named>> {
    Rule::parse("pattern", pattern).unwrap().columns(Path::new(path)).ok()
}

fn named(columns: &[(&str, &str)]) -> Vec<Named> {
    columns.iter().map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned()))).collect()
}

fn refusal(rule: &Rule, path: &str) -> String {
    rule.columns(Path::new(path)).unwrap_err().to_string()
}

#[test]
fn folders_name_columns_and_files_do_not() {
    assert_eq!(
        hive("/a/symbol=AAPL/date=2024-01-02/v=1.parquet"),
        named(&[("symbol", "AAPL"), ("date", "2024-01-02")])
    );
    assert_eq!(hive("x=/y.parquet"), named(&[("x", "")]));
    assert_eq!(hive("=x/a=b=c/plain/y.parquet"), named(&[("a", "b=c")]));
    assert_eq!(hive("s=__HIVE_DEFAULT_PARTITION__/y.parquet"), [("s".to_owned(), None)]);
}

#[test]
fn escapes_are_decoded_in_names_and_values() {
    assert_eq!(hive("a%20b=BTC%2fUSD%3D%C3%BC+/y"), named(&[("a b", "BTC/USD=ü+")]));
    for bad in ["s=50%/y", "s=%4/y", "s=%zz/y", "s=%+1/y"] {
        assert!(refusal(&Rule::Hive, bad).contains("two hexadecimal digits"), "{bad}");
    }
    assert!(refusal(&Rule::Hive, "s=%FF/y").contains("not valid UTF-8"));
}

#[test]
fn a_column_is_named_once() {
    assert!(refusal(&Rule::Hive, "s=A/S=B/y").contains("'S' twice, as 'A' and as 'B'"));
    assert!(refusal(&Rule::Hive, "s=A/s=A/y").contains("twice"));
}

#[test]
fn a_pattern_fits_the_end_of_a_path() {
    let ticks = "ticks/{symbol}/{date}.parquet";
    let both = named(&[("symbol", "AAPL"), ("date", "2024-01-02")]);
    assert_eq!(pattern(ticks, "/data/ticks/AAPL/2024-01-02.parquet"), Some(both.clone()));
    assert_eq!(pattern("./{symbol}/*/{date}.*", "AAPL/any/2024-01-02.parquet"), Some(both));
    assert_eq!(pattern(ticks, "ticks/AAPL/2024/x.parquet"), None);
    assert_eq!(pattern(ticks, "AAPL/2024-01-02.parquet"), None);
    assert_eq!(pattern(ticks, "ticks/AAPL/.parquet"), None);
    assert_eq!(
        pattern("{exchange}_{symbol}-*.parquet", "XNAS_BRK_B-1.parquet"),
        Some(named(&[("exchange", "XNAS"), ("symbol", "BRK_B")]))
    );
}

#[test]
fn a_pattern_that_says_nothing_certain_is_refused() {
    for bad in ["a/*.parquet", "{a}{b}.parquet", "{a}*", "{a/x", "a}/{b}", "{a}/{A}", "{}/x"] {
        assert!(Rule::parse("pattern", bad).is_err(), "{bad}");
    }
}
