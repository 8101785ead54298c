#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;
use crate::schema::ColumnType;

fn column(id: u32, name: &str) -> Column {
    Column { id, name: name.to_owned(), ty: ColumnType::Double }
}

fn record(last_field_id: u32) -> SegmentRecord {
    serde_json::from_value(json!({
        "id": "0123456789abcdef", "path": "data/x.parquet", "rows": 1, "row_groups": 1, "bytes": 1,
        "checksum": "00000000000000000000000000000000", "index_min": 0, "index_max": 0, "last_field_id": last_field_id,
        "entities": 1, "buckets": 1, "coverage": {"inline": ""}, "sources": []
    }))
    .unwrap()
}

/// Columns a and b; then a is called c and b goes; then a new b comes.
fn definition() -> Definition {
    let mut definition: Definition =
        serde_json::from_value(json!({"table_id": "t", "index_column": "ts", "bucket": "1h"})).unwrap();
    definition.schema = Some(Schema { columns: vec![column(1, "a"), column(2, "b")] });
    definition.last_field_id = 2;
    definition.alter(Schema { columns: vec![column(1, "c")] }).unwrap();
    definition.schema.as_mut().unwrap().columns.push(column(4, "b"));
    definition.last_field_id = 4;
    definition
}

#[test]
fn a_column_is_called_in_a_segment_what_it_was_called_when_that_was_written() {
    let definition = definition();
    let shown = |name, at| definition.shown_name(name, &record(at)).map(str::to_owned);
    assert_eq!(shown("A", 2).as_deref(), Some("c"));
    assert_eq!(shown("c", 2), None);
    assert_eq!(shown("b", 2), None);
    assert_eq!(shown("c", 3).as_deref(), Some("c"));
    assert_eq!(shown("a", 3), None);
    assert_eq!(shown("b", 4).as_deref(), Some("b"));
}

#[test]
fn what_changes_nothing_gives_out_no_id() {
    let mut definition = definition();
    let before = definition.clone();
    definition.alter(before.schema.clone().unwrap()).unwrap();
    assert_eq!(definition, before);
}

#[test]
fn a_column_that_comes_back_was_not_there_in_between() {
    let mut definition = definition();
    definition.alter(Schema { columns: vec![column(1, "c"), column(2, "b")] }).unwrap();
    let shown = |at| definition.shown_name("b", &record(at)).map(str::to_owned);
    assert_eq!((shown(2).as_deref(), shown(3), shown(4), shown(5).as_deref()), (Some("b"), None, None, Some("b")));
    assert!(!definition.knows(2, &record(4)) && definition.knows(2, &record(2)));
}

#[test]
fn other_programs_are_estranged_by_another_name_and_by_a_name_that_was_used_again() {
    let definition = definition();
    assert_eq!(definition.estranged(&record(2)), Some(("c", "a")));
    assert_eq!(definition.estranged(&record(4)), None);
    let mut reused = definition.clone();
    reused.schema = Some(Schema { columns: vec![column(4, "b")] });
    assert_eq!(reused.estranged(&record(2)), Some(("b", "b")));
}
