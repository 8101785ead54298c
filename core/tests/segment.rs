//! Segments as users of the crate see them: files of DuckDB and pyarrow (see `fixtures/make.py`), damaged files, and
//! files written by the crate itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::cast_possible_truncation)]

#[path = "segment/damage.rs"]
mod damage;
#[path = "segment/fixtures.rs"]
mod fixtures;
#[path = "segment/inspecting.rs"]
mod inspecting;
#[path = "segment/reading.rs"]
mod reading;
#[path = "segment/statistics.rs"]
mod statistics;
#[path = "segment/writing.rs"]
mod writing;

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, RecordBatch, make_array},
    datatypes::DataType,
    util::display::{ArrayFormatter, FormatOptions},
};
use tstable_core::{
    Result,
    segment::{ReadColumn, ReadRequest, SegmentFile},
    storage::source::{FileSource, MemorySource},
};

fn fixture_path(name: &str) -> String {
    format!("{}/tests/fixtures/{name}.parquet", env!("CARGO_MANIFEST_DIR"))
}

fn fixture(name: &str) -> SegmentFile {
    SegmentFile::open(Arc::new(FileSource::open(fixture_path(name)).unwrap())).unwrap()
}

fn fixture_bytes(name: &str) -> Vec<u8> {
    std::fs::read(fixture_path(name)).unwrap()
}

fn from_bytes(bytes: Vec<u8>) -> Result<SegmentFile> {
    SegmentFile::open(Arc::new(MemorySource::new("memory.parquet", bytes)))
}

fn read(file: &SegmentFile, request: ReadRequest) -> Vec<RecordBatch> {
    file.read(request).unwrap().map(Result::unwrap).collect()
}

/// A column of the file in its own type.
fn own(file: &SegmentFile, name: &str) -> ReadColumn {
    let position = file.position(name).unwrap();
    ReadColumn { position, ty: file.columns()[position].ty.clone() }
}

/// Arrow shows zones by name only with its own copy of the zone data.
fn zone_as_offset(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Timestamp(unit, Some(_)) => {
            let data = column.to_data().into_builder().data_type(DataType::Timestamp(*unit, Some("+00:00".into())));
            make_array(data.build().unwrap())
        }
        _ => Arc::clone(column),
    }
}

/// A column's values as text, NULL as `null`, over all batches.
fn shown(batches: &[RecordBatch], column: usize) -> Vec<String> {
    let options = FormatOptions::default().with_null("null");
    let mut values = Vec::new();
    for batch in batches {
        let column = zone_as_offset(batch.column(column));
        let formatter = ArrayFormatter::try_new(&column, &options).unwrap();
        values.extend((0..batch.num_rows()).map(|row| formatter.value(row).to_string()));
    }
    values
}
