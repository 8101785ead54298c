//! Hourly prices: how their table is made, and files of them. Tests, fuzz targets and benchmarks work on these.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use tstable_core::{
    schema::{ColumnType, TimeUnit},
    segment::{SegmentWriter, WriteColumn, WriteOptions},
    table::CreateRequest,
};

pub const HOUR_US: i64 = 3_600_000_000;

/// A table of prices, a bucket an hour, an entity a symbol.
pub fn request() -> CreateRequest {
    CreateRequest { entity_columns: vec!["symbol".to_owned()], counts: true, ..CreateRequest::new("ts", "1h") }
}

pub fn columns() -> Vec<WriteColumn> {
    let column = |name: &str, ty, id| WriteColumn { name: name.to_owned(), ty, field_id: Some(id) };
    vec![
        column("ts", ColumnType::Timestamp(TimeUnit::Us), 1),
        column("symbol", ColumnType::Varchar, 2),
        column("price", ColumnType::Double, 3),
    ]
}

/// Writes the rows of some hours of some symbols, by symbol, then hour.
pub fn write_file(path: &Path, symbols: &[&str], hours: impl Iterator<Item = i64> + Clone) -> PathBuf {
    let rows: Vec<_> = symbols.iter().flat_map(|symbol| hours.clone().map(move |hour| (hour, *symbol))).collect();
    let ts = TimestampMicrosecondArray::from_iter_values(rows.iter().map(|(hour, _)| hour * HOUR_US + 60_000_000));
    let symbol = StringArray::from_iter_values(rows.iter().map(|(_, symbol)| *symbol));
    let price = Float64Array::from_iter_values(rows.iter().map(|(hour, s)| *hour as f64 + f64::from(s.as_bytes()[0])));
    let arrays: [(&str, ArrayRef); 3] =
        [("ts", Arc::new(ts)), ("symbol", Arc::new(symbol)), ("price", Arc::new(price))];
    let batch = RecordBatch::try_from_iter(arrays).unwrap();
    let options = WriteOptions { row_group_rows: 1000, ..WriteOptions::default() };
    let file = std::fs::File::create(path).unwrap();
    let mut writer = SegmentWriter::create(path.display().to_string(), file, &columns(), &options).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    path.to_owned()
}
