//! A table of hourly rows of symbols in a temporary directory, and files to append to it.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use arrow::{
    array::{Array, AsArray, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray},
    datatypes::{Field, Float64Type, Schema, TimestampMicrosecondType},
};
use tempfile::TempDir;
use tstable_core::{
    Result,
    schema::{ColumnType, Strings, TimeUnit},
    segment::{SegmentWriter, WriteColumn, WriteOptions, rewrite::TableRows},
    storage::local::LocalStorage,
    table::{
        CreateRequest, Snapshot, Table,
        append::Appended,
        monitor::{Monitor, Unwatched},
        opened,
        write::policy::{AppendRequest, OnOverlap},
    },
};

/// A row: hours since 1970 (with a fraction for minutes), symbol, price.
pub(crate) type Row = (f64, &'static str, f64);

pub(crate) const HOUR_US: i64 = 3_600_000_000;

pub(crate) struct World {
    pub(crate) directory: TempDir,
    pub(crate) table: Table,
    files: AtomicUsize,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with("bucket")
    }

    pub(crate) fn with(uniqueness: &str) -> Self {
        Self::of(uniqueness, false)
    }

    /// A table that tells the rows of each bucket.
    pub(crate) fn counting() -> Self {
        Self::of("bucket", true)
    }

    fn of(uniqueness: &str, counts: bool) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("t");
        let table = Table::new(Arc::new(LocalStorage::new(root.to_str().unwrap())));
        let request = CreateRequest {
            entity_columns: vec!["symbol".to_owned()],
            uniqueness: uniqueness.to_owned(),
            counts,
            ..CreateRequest::new("ts", "1h")
        };
        table.create(request.definition().unwrap(), false).unwrap();
        Self { directory, table, files: AtomicUsize::new(0) }
    }

    pub(crate) fn latest(&self) -> Snapshot {
        self.table.latest(None).unwrap()
    }

    pub(crate) fn at(&self, version: u64) -> Snapshot {
        let at = tstable_core::table::At::Version(tstable_core::log::Version(version));
        self.table.at(&at, &self.latest()).unwrap()
    }

    /// A new Parquet file with these rows.
    pub(crate) fn file(&self, rows: &[Row]) -> PathBuf {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        let path = self.directory.path().join(format!("{number:04}.parquet"));
        write(&path, &batch(rows));
        path
    }

    pub(crate) fn append(&self, files: &[PathBuf], on_overlap: OnOverlap) -> Result<Appended> {
        self.append_watched(files, on_overlap, &Unwatched)
    }

    pub(crate) fn append_watched(
        &self,
        files: &[PathBuf],
        on_overlap: OnOverlap,
        monitor: &dyn Monitor,
    ) -> Result<Appended> {
        let request = AppendRequest { files: files.to_vec(), on_overlap, ..AppendRequest::default() };
        self.table.append(&self.latest(), &request, monitor)
    }

    /// Files below the root that are not part of any version's log.
    pub(crate) fn unreferenced(&self) -> Vec<String> {
        let latest = self.latest();
        let mut referenced = Vec::new();
        for version in 1..=latest.state.version.0 {
            referenced
                .extend(self.at(version).state.segments.all().unwrap().into_iter().map(|s| s.record.path.clone()));
        }
        let files = latest.storage().list("data").unwrap().into_iter().map(|entry| format!("data/{}", entry.name));
        files.filter(|path| !referenced.contains(path)).collect()
    }
}

pub(crate) fn batch(rows: &[Row]) -> RecordBatch {
    #[expect(clippy::cast_possible_truncation, reason = "hours of tests are small")]
    let times = rows.iter().map(|(hour, ..)| (hour * HOUR_US as f64) as i64);
    let schema = Schema::new(vec![
        Field::new("ts", ColumnType::Timestamp(TimeUnit::Us).arrow(Strings::Plain), true),
        Field::new("symbol", ColumnType::Varchar.arrow(Strings::Plain), true),
        Field::new("price", ColumnType::Double.arrow(Strings::Plain), true),
    ]);
    RecordBatch::try_new(
        Arc::new(schema),
        vec![
            Arc::new(TimestampMicrosecondArray::from_iter_values(times)),
            Arc::new(StringArray::from_iter_values(rows.iter().map(|(_, symbol, _)| symbol))),
            Arc::new(Float64Array::from_iter_values(rows.iter().map(|(.., price)| *price))),
        ],
    )
    .unwrap()
}

/// Writes a batch of any columns as a file of DuckDB's types for them.
pub(crate) fn write(path: &std::path::Path, batch: &RecordBatch) {
    let columns: Vec<_> = batch
        .schema()
        .fields()
        .iter()
        .map(|field| WriteColumn { name: field.name().clone(), ty: column_type(field), field_id: None })
        .collect();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = SegmentWriter::create("test", file, &columns, &WriteOptions::default()).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
}

fn column_type(field: &Field) -> ColumnType {
    use arrow::datatypes::DataType as D;
    match field.data_type() {
        D::Timestamp(unit, None) => ColumnType::Timestamp((*unit).into()),
        D::Utf8 => ColumnType::Varchar,
        D::Float64 => ColumnType::Double,
        D::Float32 => ColumnType::Float,
        D::Int32 => ColumnType::Integer,
        D::Int64 => ColumnType::BigInt,
        other => panic!("{other} is not used here"),
    }
}

/// All rows of a snapshot whose columns begin with ts, symbol and price, sorted.
pub(crate) fn rows(snapshot: &Snapshot) -> Vec<(f64, String, f64)> {
    let mut rows = Vec::new();
    for batch in batches(snapshot) {
        rows.extend(rows_of(&batch));
    }
    rows.sort_by(|a, b| (&a.1, a.0, a.2).partial_cmp(&(&b.1, b.0, b.2)).unwrap());
    rows
}

/// The rows of a batch in its order.
pub(crate) fn rows_of(batch: &RecordBatch) -> Vec<(f64, String, f64)> {
    let times = batch.column(0).as_primitive::<TimestampMicrosecondType>();
    let symbols = batch.column(1).as_string::<i32>();
    let prices = batch.column(2).as_primitive::<Float64Type>();
    let row = |row| (times.value(row) as f64 / HOUR_US as f64, symbols.value(row).to_owned(), prices.value(row));
    (0..batch.num_rows()).map(row).collect()
}

/// The rows of every segment in the table's columns.
pub(crate) fn batches(snapshot: &Snapshot) -> Vec<RecordBatch> {
    let schema = snapshot.schema().unwrap();
    let columns: Vec<_> = schema
        .columns
        .iter()
        .map(|c| WriteColumn { name: c.name.clone(), ty: c.ty.clone(), field_id: Some(c.id) })
        .collect();
    let mut batches = Vec::new();
    for segment in snapshot.state.segments.all().unwrap() {
        let file = opened::open(snapshot.storage().as_ref(), segment, snapshot.definition()).unwrap();
        batches.extend(TableRows::new(&file, &columns).unwrap().map(Result::unwrap));
    }
    batches
}

/// As [`rows`] shows them.
pub(crate) fn shown(rows: &[Row]) -> Vec<(f64, String, f64)> {
    let mut rows: Vec<_> = rows.iter().map(|(hour, symbol, price)| (*hour, (*symbol).to_owned(), *price)).collect();
    rows.sort_by(|a, b| (&a.1, a.0, a.2).partial_cmp(&(&b.1, b.0, b.2)).unwrap());
    rows
}

/// Buckets covered at a snapshot, re-derived from the rows, to compare with what the log says.
pub(crate) fn check_coverage(snapshot: &Snapshot) {
    let grid = snapshot.grid().unwrap();
    let mut expected = std::collections::BTreeSet::new();
    for (hour, symbol, _) in rows(snapshot) {
        #[expect(clippy::cast_possible_truncation, reason = "hours of tests are small")]
        let value = tstable_core::time::IndexValue((hour * HOUR_US as f64) as i128);
        expected.insert((symbol, grid.bucket_of(value).unwrap().0));
    }
    let mut covered = std::collections::BTreeSet::new();
    for (entity, set) in snapshot.coverage().unwrap().iter() {
        let tstable_core::coverage::EntityPart::Text(symbol) = &entity.parts()[0] else { panic!("no text") };
        covered.extend(set.iter().map(|bucket| (symbol.to_string(), bucket.0)));
    }
    assert_eq!(covered, expected);
}

/// Does something once, when first asked whether to stop.
pub(crate) struct Meanwhile<F: Fn()> {
    pub(crate) action: F,
    pub(crate) done: std::cell::Cell<bool>,
}

impl<F: Fn()> Meanwhile<F> {
    pub(crate) fn new(action: F) -> Self {
        Self { action, done: std::cell::Cell::new(false) }
    }
}

impl<F: Fn()> Monitor for Meanwhile<F> {
    fn cancelled(&self) -> bool {
        if !self.done.replace(true) {
            (self.action)();
        }
        false
    }
    fn progress(&self, _done: f64) {}
}

/// Stops the work when asked for the so many-th time.
pub(crate) struct StopAfter(pub(crate) std::cell::Cell<usize>);

impl Monitor for StopAfter {
    fn cancelled(&self) -> bool {
        let left = self.0.get();
        self.0.set(left.saturating_sub(1));
        left == 0
    }
    fn progress(&self, _done: f64) {}
}

pub(crate) fn is_null(batch: &RecordBatch, column: &str) -> Vec<bool> {
    let array = batch.column_by_name(column).unwrap();
    (0..array.len()).map(|row| array.is_null(row)).collect()
}
