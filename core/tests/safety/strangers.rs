//! Tables of another program with a log of the same name: sound, and not ours. Their first commits are written out here in the layouts
//! of its releases.

use std::sync::Arc;

use tstable_core::{
    ErrorKind,
    log::{Version, commit::Instant},
    storage::{Storage, memory::MemoryStorage},
    table::monitor::Unwatched,
};

use super::world::{definition, table};

/// The format's number and the member that holds it, as the releases 0.1, 0.3, 0.4 and 0.6 to 0.9 write the first commit.
const LAYOUTS: [(u64, &str); 4] = [
    (
        1,
        r#"{"UpdateTableMeta":{"kind":{"TimeSeries":{"timestamp_column":"ts","entity_columns":["symbol"],"bucket":{"Hours":1}}},"logical_schema":null,"created_at":"2026-01-02T03:04:05.678901234Z","format_version":1}}"#,
    ),
    (
        2,
        r#"{"UpdateTableMeta":{"kind":{"TimeSeries":{"timestamp_column":"ts","entity_columns":[],"bucket":{"Days":1}}},"logical_schema":null,"created_at":"2026-01-02T03:04:05.678901234Z","format_version":2}}"#,
    ),
    (
        6,
        r#"{"UpdateTableMeta":{"kind":{"TimeSeries":{"column":"n","entity_columns":["symbol"],"kind":{"type":"int64","bucket_width":10}}},"logical_schema":null,"created_at":"2026-01-02T03:04:05.678901234Z","format_version":6}}"#,
    ),
    (
        7,
        r#"{"UpdateTableMeta":{"kind":{"TimeSeries":{"column":"ts","entity_columns":["symbol"],"kind":{"type":"timestamp","index_granularity":{"Hours":1}}}},"logical_schema":null,"created_at":"2026-01-02T03:04:05.678901234Z","protocol_version":7,"required_reader_features":[],"required_writer_features":[]}}"#,
    ),
];

fn commit(version: u64, actions: &str) -> String {
    format!(
        r#"{{"version":{version},"base_version":{},"timestamp":"2026-01-02T03:04:05.678901234Z","actions":[{actions}]}}"#,
        version - 1
    )
}

#[test]
fn tables_of_timeseries_table_format_are_read_and_never_written() {
    for (number, meta) in LAYOUTS {
        let memory = MemoryStorage::new("other");
        memory.prepare(&["_timeseries_log"]).unwrap();
        memory.replace(&Version(1).commit_path(), commit(1, meta).as_bytes()).unwrap();
        let segment = r#"{"AddSegment":{"segment_id":"seg-1","path":"data/a.parquet"}},{"UpdateTableCoverage":{}}"#;
        memory.replace(&Version(2).commit_path(), commit(2, segment).as_bytes()).unwrap();
        memory.replace("_timeseries_log/CURRENT", b"2\n").unwrap();
        let table = table(&(Arc::new(memory.clone()) as Arc<dyn Storage>));
        let before = memory.paths();
        // The second commit adds a segment before the table has columns, which no release does.
        let error = table.latest(None).map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert!(error.to_string().contains("before the table has columns"), "{error}");
        memory.replace("_timeseries_log/CURRENT", b"1\n").unwrap();
        let latest = table.latest(None).unwrap();
        assert_eq!(latest.state.version, Version(1));
        let program = format!("timeseries-table-format (format {number})");
        assert_eq!(latest.state.foreign.as_deref(), Some(program.as_str()));
        for error in [
            table.create(definition(), true).map(drop).unwrap_err(),
            table.set(&latest, "owner", Some("me")).map(drop).unwrap_err(),
            table.repair(false, Instant(i64::MAX / 2)).map(drop).unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::UnsupportedFormat, "{error}");
            assert!(error.message().contains("timeseries-table-format") && error.message().contains("tstable_import"));
        }
        for finding in table.verify(false, &Unwatched).unwrap() {
            assert!(finding.problem.is_none(), "{}: {:?}", finding.path, finding.problem);
        }
        assert_eq!(memory.paths(), before);
    }
}

#[test]
fn what_only_looks_like_it_is_damage() {
    for bytes in [
        commit(1, ""),
        commit(1, r#"{"add_segment":{}}"#),
        commit(1, r#"{"UpdateTableMeta":{}},{"add_segment":{}}"#),
        commit(1, LAYOUTS[0].1).replace("base_version", "base"),
        commit(1, LAYOUTS[0].1).replace("}]}", ""),
    ] {
        let memory = MemoryStorage::new("other");
        memory.prepare(&["_timeseries_log"]).unwrap();
        memory.replace(&Version(1).commit_path(), bytes.as_bytes()).unwrap();
        let table = table(&(Arc::new(memory) as Arc<dyn Storage>));
        assert_eq!(table.latest(None).map(drop).unwrap_err().kind(), ErrorKind::Corrupt, "{bytes}");
    }
}
