//! Makes a table of minutes for timing questions about coverage: `coverage_table <directory> <entities> <minutes> [minutes of a
//! segment]`. The log and the coverage are those of 0.1 % holes; the segments that they name are not there, since their billions
//! of rows are never read by such questions. Run with `cargo run --release -p tstable-core --example coverage_table`.

use std::{env, error::Error, ops::Range, sync::Arc};

use serde_json::Map;
use tstable_core::{
    coverage::{BucketSet, Coverage, Entity, EntityPart},
    log::{
        FORMAT_VERSION, Version,
        commit::{Action, Commit, CoverageRecord, Fingerprint, Instant, SegmentRecord},
    },
    schema::{ColumnType, Schema, TimeUnit},
    storage::{Storage, local::LocalStorage},
    table::{CreateRequest, Table},
    time::{BucketId, IndexValue},
};

/// 2024-01-01 00:00 in minutes since 1970.
const FIRST_MINUTE: i64 = 28_401_120;
const MICROS_PER_MINUTE: i64 = 60_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (root, entities, minutes, each) = match arguments.as_slice() {
        [root, entities, minutes] => (root, entities, minutes, minutes),
        [root, entities, minutes, each] => (root, entities, minutes, each),
        _ => {
            return Err(
                "give a directory, a number of entities, of minutes, and perhaps of minutes of a segment".into()
            );
        }
    };
    let (entities, minutes, each): (i64, i64, i64) = (entities.parse()?, minutes.parse()?, each.parse()?);
    let storage: Arc<dyn Storage> = Arc::new(LocalStorage::new(root));
    let table = Table::new(Arc::clone(&storage));
    let columns = [("entity", ColumnType::BigInt), ("ts", ColumnType::Timestamp(TimeUnit::Us))];
    let request = CreateRequest {
        entity_columns: vec!["entity".to_owned()],
        schema: Some(Schema::new(columns.map(|(name, ty)| (name.to_owned(), ty)))?),
        ..CreateRequest::new("ts", "1m")
    };
    let created = table.create(request.definition()?, false)?;
    let mut actions = Vec::new();
    for (number, first) in (0..minutes).step_by(usize::try_from(each)?).enumerate() {
        let range = first..minutes.min(first + each);
        let coverage = coverage(entities, range.clone())?;
        let path = format!("_coverage/minutes-{number}.cov");
        let _ = storage.create(&path, &coverage.to_bytes())?;
        actions.push(Action::AddSegment(Box::new(record(&coverage, range, number, path))));
    }
    let commit = Commit {
        format_version: FORMAT_VERSION,
        requires: Vec::new(),
        version: Version(2),
        base_version: Version(1),
        timestamp: Instant::now().max(created.snapshot.state.committed_at),
        operation: "append".to_owned(),
        writer: "coverage_table".to_owned(),
        message: None,
        rows_rewritten: 0,
        actions,
        extra: Map::new(),
        foreign: None,
    };
    let _ = table.log().publish(&commit)?;
    Ok(())
}

/// The same rule of holes as in `bench/run.py`.
fn is_hole(entity: i64, minute: i64) -> bool {
    let mixed = (minute * 48_271 + entity * 69_621 + 12_345) % 2_147_483_647;
    mixed * 16_807 % 2_147_483_647 % 1_000 == 0
}

fn coverage(entities: i64, minutes: Range<i64>) -> Result<Coverage, Box<dyn Error>> {
    let mut coverage = Coverage::new();
    for entity in 0..entities {
        let mut set = BucketSet::new();
        set.insert_run(BucketId(FIRST_MINUTE + minutes.start), BucketId(FIRST_MINUTE + minutes.end - 1))?;
        for minute in minutes.clone().filter(|minute| is_hole(entity, *minute)) {
            set.remove_run(BucketId(FIRST_MINUTE + minute), BucketId(FIRST_MINUTE + minute));
        }
        set.optimize();
        coverage.insert_set(&Entity::from(vec![EntityPart::from(entity)]), set);
    }
    Ok(coverage)
}

fn record(coverage: &Coverage, minutes: Range<i64>, number: usize, path: String) -> SegmentRecord {
    let at = |minute: i64| IndexValue::from((FIRST_MINUTE + minute) * MICROS_PER_MINUTE);
    SegmentRecord {
        id: format!("{number:016x}"),
        path: format!("data/{number:016x}.parquet"),
        rows: coverage.buckets(),
        row_groups: 1,
        bytes: 1,
        checksum: Fingerprint(0),
        footer_checksum: None,
        index_min: at(minutes.start),
        index_max: at(minutes.end - 1),
        sorted_by: None,
        last_field_id: 2,
        missing_fields: Vec::new(),
        entities: coverage.entity_count() as u64,
        buckets: coverage.buckets(),
        coverage: CoverageRecord::File(path),
        sources: Vec::new(),
        extra: Map::new(),
    }
}
