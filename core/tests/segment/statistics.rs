//! Bounds of row groups and pages: present where they can be relied on, absent elsewhere, and never wrong.

use tstable_core::{
    prune::expr::Constant,
    schema::{ColumnType as T, TimeUnit},
    segment::{ColumnBounds, ReadRequest, RowGroupRead, SegmentFile},
};

use super::{fixture, read, shown};

fn bounds(file: &SegmentFile, row_group: usize, name: &str) -> ColumnBounds {
    file.column_bounds(row_group, file.position(name).unwrap())
}

fn ends(file: &SegmentFile, name: &str) -> (Option<Constant>, Option<Constant>) {
    let found = bounds(file, 0, name);
    (found.min, found.max)
}

fn both(min: Constant, max: Constant) -> (Option<Constant>, Option<Constant>) {
    (Some(min), Some(max))
}

#[test]
fn bounds_of_duckdb_come_in_the_columns_own_type() {
    let file = fixture("duckdb_types");
    let us = T::Timestamp(TimeUnit::Us);
    assert_eq!(ends(&file, "i8"), both(Constant::Int(-128), Constant::Int(1)));
    assert_eq!(ends(&file, "u32"), both(Constant::Int(7), Constant::Int(4_294_967_295)));
    assert_eq!(ends(&file, "u64"), both(Constant::Int(8), Constant::Int(u64::MAX.into())));
    assert_eq!(ends(&file, "d9"), both(Constant::Decimal(1, 3), Constant::Decimal(123_456_789, 3)));
    assert_eq!(ends(&file, "text"), both(Constant::Text(String::new()), Constant::Text("héllo".to_owned())));
    assert_eq!(ends(&file, "date"), both(Constant::Temporal(T::Date, -1), Constant::Temporal(T::Date, 19_782)));
    let last = Constant::Temporal(us.clone(), 1_709_208_000_000_000);
    assert_eq!(ends(&file, "ts"), both(Constant::Temporal(us, -1), last));
    assert_eq!(bounds(&file, 0, "ts").nulls, Some(1));
    for name in ["iv", "uuid", "list", "struct", "map", "deep"] {
        assert_eq!(ends(&file, name), (None, None), "{name}");
    }
}

#[test]
fn a_maximum_that_may_hide_nan_is_unknown() {
    let file = fixture("duckdb_types");
    assert_eq!(bounds(&file, 0, "f64").max, None);
    let prices = fixture("pyarrow_pages");
    let price = bounds(&prices, 0, "price");
    assert_eq!((price.min, price.max, price.nulls), (Some(Constant::Float(0.0)), None, Some(50)));
}

#[test]
fn int96_has_no_order() {
    let file = fixture("pyarrow_int96");
    assert_eq!(ends(&file, "ts"), (None, None));
}

#[test]
fn row_groups_have_bounds_of_their_own() {
    let file = fixture("pyarrow_pages");
    let ms = T::Timestamp(TimeUnit::Ms);
    let found = bounds(&file, 1, "ts");
    assert_eq!(found.min, Some(Constant::Temporal(ms.clone(), 500_000)));
    assert_eq!(found.max, Some(Constant::Temporal(ms, 999_000)));
    assert!(found.exact);
    assert_eq!(bounds(&file, 1, "symbol").min, Some(Constant::Text("BBB".to_owned())));
    assert_eq!(file.column_bounds(2, 0), ColumnBounds::default());
    assert_eq!(file.column_bounds(0, 9), ColumnBounds::default());
}

#[test]
fn pages_cover_the_row_group_and_their_bounds_hold() {
    let file = fixture("pyarrow_pages");
    let pages = file.pages(1, 0).unwrap().unwrap();
    assert!(pages.len() > 3, "{} pages", pages.len());
    let mut next = 0;
    for page in &pages {
        assert_eq!(page.rows.start, next);
        next = page.rows.end;
        let value = |row: usize| Some(Constant::Temporal(T::Timestamp(TimeUnit::Ms), (500 + row as i64) * 1000));
        assert_eq!(page.bounds.min, value(page.rows.start));
        assert_eq!(page.bounds.max, value(page.rows.end - 1));
        assert_eq!(page.bounds.nulls, Some(0));
    }
    assert_eq!(next, 500);
}

#[test]
fn rows_of_one_page_are_those_that_its_bounds_promise() {
    let file = fixture("pyarrow_pages");
    let page = file.pages(1, 0).unwrap().unwrap()[2].clone();
    let row_groups = vec![RowGroupRead { row_group: 1, rows: Some(vec![page.rows.clone()]) }];
    let values = shown(&read(&file, ReadRequest { row_groups, ..ReadRequest::all(&file) }), 0);
    assert_eq!(values.len(), page.rows.len());
    let minute = (500 + page.rows.start) / 60;
    assert_eq!(values[0], format!("1970-01-01T00:{minute:02}:{:02}", (500 + page.rows.start) % 60));
}

#[test]
fn a_file_without_page_index_says_nothing_of_pages() {
    let file = fixture("duckdb_rows");
    assert_eq!(file.pages(0, 0).unwrap(), None);
    assert_eq!(fixture("duckdb_types").pages(0, 33).unwrap(), None);
}
