#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;

/// Columns as a release 0.9 writes them into its log.
fn columns(types: &[&str]) -> Vec<String> {
    let columns: Vec<_> = types
        .iter()
        .enumerate()
        .map(|(i, ty)| format!(r#"{{"name":"c{i}","data_type":{ty},"nullable":true}}"#))
        .collect();
    let commit = format!(
        r#"{{"version":3,"base_version":2,"timestamp":"2024-06-01T00:00:00Z","actions":[{{"UpdateTableMeta":{{"kind":{{"TimeSeries":
        {{"column":"ts","entity_columns":[],"kind":{{"type":"timestamp","index_granularity":{{"Hours":1}}}}}}}},"logical_schema":
        {{"columns":[{}]}},"protocol_version":7,"required_reader_features":["schema_add_columns"]}}}}]}}"#,
        columns.join(",")
    );
    let meta = decode(commit.as_bytes(), Version(3)).unwrap().meta.unwrap();
    meta.columns.into_iter().map(|(_, ty)| ty.map_or_else(|| "?".to_owned(), |ty| ty.to_string())).collect()
}

#[test]
fn nested_types_are_known_by_the_log_alone() {
    // No file has a column that was added and not filled yet.
    let text = r#"{"name":"item","data_type":"Utf8","nullable":true}"#;
    let found = columns(&[
        &format!(r#"{{"List":{{"elements":{text}}}}}"#),
        &format!(
            r#"{{"Struct":{{"fields":[{text},{{"name":"b","data_type":{{"List":{{"elements":{text}}}}},"nullable":true}}]}}}}"#
        ),
        &format!(
            r#"{{"Map":{{"key":{text},"value":{{"name":"value","data_type":"Int64","nullable":true}},"keys_sorted":false}}}}"#
        ),
        r#"{"FixedBinary":{"byte_width":2}}"#,
        r#"{"Decimal":{"precision":10,"scale":2}}"#,
        r#"{"Timestamp":{"unit":"Micros","timezone":"+02:00"}}"#,
        r#"{"Union":{}}"#,
        &format!(r#"{{"List":{{"elements":{}}}}}"#, text.replace("Utf8", "Union")),
    ]);
    let expected = [
        "VARCHAR[]",
        r#"STRUCT("item" VARCHAR, "b" VARCHAR[])"#,
        "MAP(VARCHAR, BIGINT)",
        "BLOB",
        "DECIMAL(10,2)",
        "TIMESTAMP WITH TIME ZONE",
        "?",
        "?",
    ];
    assert_eq!(found, expected);
}
