#![allow(clippy::unwrap_used)]

use super::*;
use crate::{
    coverage::EntityPart,
    schema::{Column, Schema, TimeUnit},
    table::CreateRequest,
};

fn definition(index: ColumnType, bucket: &str) -> Definition {
    let request = CreateRequest {
        entity_columns: vec!["symbol".to_owned(), "venue".to_owned()],
        ..CreateRequest::new("ts", bucket)
    };
    let mut definition = request.definition().unwrap();
    let column = |id, name: &str, ty| Column { id, name: name.to_owned(), ty };
    let columns =
        vec![column(1, "ts", index), column(2, "symbol", ColumnType::Varchar), column(3, "venue", ColumnType::Integer)];
    definition.adopt_schema(Schema { columns }).unwrap();
    definition
}

fn clock() -> Definition {
    definition(ColumnType::Timestamp(TimeUnit::S), "1h")
}

/// The hours of the range that a name says.
fn hours_said(pattern: &str, path: &str) -> Option<(i128, i128)> {
    let definition = clock();
    let said = Delivery::parse(pattern, &definition).unwrap().of(Path::new(path), &definition).ok()?;
    Some((said.range.start.unwrap().0 / 3600, said.range.until.unwrap().0 / 3600))
}

#[test]
fn a_date_is_a_year_a_month_a_day_or_an_hour() {
    let day = 19_724 * 24; // 2024-01-02
    let of = |date: &str| hours_said("x_{date}.parquet", &format!("in/x_{date}.parquet"));
    assert_eq!(of("2024"), Some((day - 24, day - 24 + 366 * 24)));
    assert_eq!(of("2024-01"), Some((day - 24, day + 30 * 24)));
    assert_eq!(of("2023-12"), Some((day - 32 * 24, day - 24)));
    for date in ["2024-01-02", "2024_01_02", "2024.01.02", "20240102"] {
        assert_eq!(of(date), Some((day, day + 24)), "{date}");
    }
    for hour in ["2024-01-02T05", "2024-01-02_05", "2024-01-02 05", "2024010205"] {
        assert_eq!(of(hour), Some((day + 5, day + 6)), "{hour}");
    }
    for bad in
        ["24-01-02", "2024-13", "2023-02-29", "2024-01-02T24", "202401", "2024-1-2", "x", "2024-01-02T05-00", "٢٠٢٤"]
    {
        assert_eq!(of(bad), None, "{bad}");
    }
}

#[test]
fn folders_say_it_part_by_part_and_start_and_until_by_themselves() {
    let day = 19_724 * 24;
    assert_eq!(hours_said("y={year}/m={month}/d={day}/*", "y=2024/m=1/d=2/p0.parquet"), Some((day, day + 24)));
    assert_eq!(hours_said("{year}/{month}/*", "a/2024/01/p0.parquet"), Some((day - 24, day + 30 * 24)));
    let ends = "{start}_{until}.parquet";
    assert_eq!(hours_said(ends, "2024-01-02_2024-01-03.parquet"), Some((day, day + 24)));
    assert_eq!(hours_said(ends, "20240102_20240103.parquet"), Some((day, day + 24)));
    assert_eq!(hours_said(ends, "2024-01-02 06:00:00_2024-01-03.parquet"), Some((day + 6, day + 24)));
    assert_eq!(hours_said(ends, "2024-01-03_2024-01-02.parquet"), None);
}

#[test]
fn an_entity_is_named_whole_and_of_its_types() {
    let definition = clock();
    let delivery = Delivery::parse("{VENUE}/{symbol}-{date}.parquet", &definition).unwrap();
    let said = delivery.of(Path::new("7/A%20B-2024-01-02.parquet"), &definition).unwrap();
    assert_eq!(said.entity, Some(Entity::from(vec![EntityPart::from("A B"), EntityPart::Int(7)])));
    let refused = delivery.of(Path::new("x/A-2024-01-02.parquet"), &definition).unwrap_err().to_string();
    assert!(refused.contains("venue") && refused.contains("'x'") && refused.contains("INTEGER"), "{refused}");
}

#[test]
fn patterns_that_say_no_range_or_two_or_something_else_are_refused() {
    let definition = clock();
    for bad in [
        "x.parquet",
        "{symbol}/{venue}/x.parquet",
        "{symbol}_{date}.parquet",
        "{date}/{start}_{until}.parquet",
        "{start}.parquet",
        "{month}/{day}.parquet",
        "{year}/{day}.parquet",
        "{date}/{part}.parquet",
        "{date}_{year}.parquet",
        "{date",
    ] {
        let refused = Delivery::parse(bad, &definition).unwrap_err().to_string();
        assert!(refused.contains("empty_range"), "{bad}: {refused}");
    }
}

#[test]
fn an_instant_and_a_number_are_said_by_start_and_until() {
    for (index, bucket, path) in [
        (ColumnType::TimestampTz(TimeUnit::Us), "1h", "2024-01-02T00:00:00Z_2024-01-02T01:00:00Z"),
        (ColumnType::BigInt, "10", "100_200"),
    ] {
        let definition = definition(index, bucket);
        let ends = Delivery::parse("{start}_{until}", &definition).unwrap();
        let range = ends.of(Path::new(path), &definition).unwrap().range;
        assert!(range.start < range.until, "{range:?}");
        let date = Delivery::parse("{date}", &definition).unwrap();
        assert!(date.of(Path::new("2024-01-02"), &definition).unwrap_err().to_string().contains("{start} and {until}"));
    }
    let days = definition(ColumnType::Date, "1d");
    let date = Delivery::parse("{date}", &days).unwrap();
    assert!(date.of(Path::new("2024-01"), &days).is_ok() && date.of(Path::new("2024-01-02T05"), &days).is_err());
}
