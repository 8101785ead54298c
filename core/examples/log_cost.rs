//! What the log costs as it grows: opening a table of many commits, appending to it, and the space that log and coverage take.
//! Run with `make bench-log`; a number of commits may be given. Fails when a bound of the design is not kept.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant as Clock},
};

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use tstable_core::{
    Result,
    log::{
        Version,
        commit::{Action, CoverageRecord},
        state::TableState,
    },
    schema::{ColumnType, TimeUnit},
    segment::{SegmentWriter, WriteColumn, WriteOptions},
    storage::local::LocalStorage,
    table::{
        CreateRequest, Table,
        append::{AppendRequest, Unwatched},
        cache::Cache,
        change, random_id,
    },
    time::IndexValue,
};

const HOUR_US: i64 = 3_600_000_000;
const SYMBOLS: [&str; 4] = ["AAPL", "MSFT", "NVDA", "TSLA"];
/// Appends whose middle one counts.
const SAMPLES: u64 = 41;

type Anything<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn write_file(path: &Path, hour: i64) -> Anything<()> {
    let column = |name: &str, ty| WriteColumn { name: name.to_owned(), ty, field_id: None };
    let columns = [
        column("ts", ColumnType::Timestamp(TimeUnit::Us)),
        column("symbol", ColumnType::Varchar),
        column("price", ColumnType::Double),
    ];
    let ts: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![hour * HOUR_US; SYMBOLS.len()]));
    let symbol: ArrayRef = Arc::new(StringArray::from(SYMBOLS.to_vec()));
    let price: ArrayRef = Arc::new(Float64Array::from(vec![1.5; SYMBOLS.len()]));
    let batch = RecordBatch::try_from_iter([("ts", ts), ("symbol", symbol), ("price", price)])?;
    let name = path.display().to_string();
    let mut writer = SegmentWriter::create(name, std::fs::File::create(path)?, &columns, &WriteOptions::default())?;
    writer.write(&batch)?;
    writer.finish()?;
    Ok(())
}

/// The table with hourly appends up to `commits` versions: the log as appends would have made it, written without syncing, over one
/// segment's file.
fn grow(root: &Path, table: &Table, state: &Arc<TableState>, commits: u64) -> Anything<Arc<TableState>> {
    let template = state.segments.first().ok_or("the table is empty")?.record.clone();
    let mut state = Arc::clone(state);
    let mut coverage = tstable_core::coverage::Coverage::default();
    while state.version.0 < commits {
        let hour = i64::try_from(state.version.0)?;
        let mut record = template.clone();
        record.id = random_id();
        (record.index_min, record.index_max) = (IndexValue::from(hour * HOUR_US), IndexValue::from(hour * HOUR_US));
        coverage = tstable_core::coverage::Coverage::default();
        for symbol in SYMBOLS {
            coverage.insert(&vec![symbol.into()].into(), tstable_core::coverage::BucketId(hour));
        }
        record.coverage = CoverageRecord::Inline(coverage.to_bytes());
        let commit = change::commit(&state, "append", None, vec![Action::AddSegment(Box::new(record))]);
        std::fs::write(root.join(commit.version.commit_path()), commit.encode()?)?;
        state = Arc::new(state.followed_by(&commit, table.log().storage().as_ref())?);
        table.log().after_commit(&state).into_iter().for_each(drop);
    }
    let _ = coverage;
    Ok(state)
}

/// The middle time of appends to the table, warm as in a running program, cold as in one that has just started.
fn append_times(root: &str, files: &Path, from: u64) -> Anything<(Duration, Duration)> {
    let cache = Cache::new(1 << 26);
    let (mut warm, mut cold) = (Vec::new(), Vec::new());
    for i in 0..SAMPLES * 2 {
        let hour = 10_000_000 + i64::try_from(from * 1000 + i)?;
        let file = files.join("append.parquet");
        write_file(&file, hour)?;
        let request = AppendRequest { files: vec![file], ..AppendRequest::default() };
        let start = Clock::now();
        if i % 2 == 0 {
            let (table, snapshot) = cache.latest(root)?;
            let appended = table.append(&snapshot, &request, &Unwatched)?;
            cache.remember(root, &table, &appended.snapshot.state)?;
            warm.push(start.elapsed());
        } else {
            let (table, snapshot) = Cache::new(0).latest(root)?;
            table.append(&snapshot, &request, &Unwatched)?;
            cold.push(start.elapsed());
            cache.latest(root)?;
        }
    }
    Ok((middle(warm), middle(cold)))
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn cold_open(root: &str) -> Result<(Duration, Version, usize)> {
    let start = Clock::now();
    let (_, snapshot) = Cache::new(0).latest(root)?;
    Ok((start.elapsed(), snapshot.state.version, snapshot.state.segments.len()))
}

fn bytes_in(directory: &Path) -> Anything<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(directory)? {
        sum += entry?.metadata()?.len();
    }
    Ok(sum)
}

#[allow(clippy::print_stdout, clippy::cast_precision_loss, clippy::too_many_lines)]
fn main() -> Anything<()> {
    let commits: u64 = std::env::args().nth(1).map_or(Ok(100_000), |commits| commits.parse())?;
    let directory = tempfile::tempdir()?;
    let root = directory.path().join("table");
    let root_text = root.display().to_string();
    let table = Table::new(Arc::new(LocalStorage::new(&root_text)));
    let request = CreateRequest {
        index_column: "ts".to_owned(),
        bucket: "1h".to_owned(),
        timezone: None,
        origin: None,
        entity_columns: vec!["symbol".to_owned()],
        uniqueness: "bucket".to_owned(),
        schema: None,
    };
    table.create(request.definition()?, false)?;
    let first = directory.path().join("first.parquet");
    write_file(&first, 0)?;
    let request = AppendRequest { files: vec![first], ..AppendRequest::default() };
    let mut state = table.append(&table.latest(None)?, &request, &Unwatched)?.snapshot.state;
    let mut measured = Vec::new();
    for target in [101, 1_001, 10_001, commits] {
        if target < state.version.0 || target > commits {
            continue;
        }
        grow(&root, &table, &state, target)?;
        let log = bytes_in(&root.join("_timeseries_log"))? + bytes_in(&root.join("_coverage"))?;
        let (open, version, segments) = cold_open(&root_text)?;
        let (warm, cold) = append_times(&root_text, directory.path(), target)?;
        println!(
            "{version:>7} commits, {segments:>6} segments: open {:>7.2} ms, append {:>6.2} ms warm, {:>7.2} ms cold, log {:>6.0} bytes a commit",
            open.as_secs_f64() * 1e3,
            warm.as_secs_f64() * 1e3,
            cold.as_secs_f64() * 1e3,
            log as f64 / version.0 as f64,
        );
        measured.push((target, warm, open));
        state = table.latest(None)?.state;
    }
    let warm_at = |at: u64| measured.iter().find(|(target, ..)| *target == at).map(|(_, warm, _)| warm.as_secs_f64());
    if let (Some(early), Some(late)) = (warm_at(101), warm_at(10_001)) {
        println!("the 10,001st append costs {:.2} times the 101st (at most 1.2)", late / early);
    }
    if let Some((_, _, open)) = measured.last() {
        println!("opening {commits} commits cold takes {:.1} ms (at most 150)", open.as_secs_f64() * 1e3);
    }
    Ok(())
}
