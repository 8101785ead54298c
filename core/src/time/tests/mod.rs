//! What grids, ranges, widths and the texts of values promise. Zones have their own file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod grids;
mod offsets;
mod texts;
mod zones;

use super::*;
use crate::schema::{ColumnType, TimeUnit};

fn grid(width: &str, ty: &ColumnType, zone: Option<&str>, origin: Option<i64>) -> Grid {
    Grid::new(&BucketWidth::parse(width).unwrap(), ty, zone, origin.map(IndexValue::from)).unwrap()
}

fn refusal(width: &str, ty: &ColumnType, zone: Option<&str>, origin: Option<i128>) -> String {
    Grid::new(&BucketWidth::parse(width).unwrap(), ty, zone, origin.map(IndexValue)).unwrap_err().to_string()
}

/// Microseconds of a UTC date and time such as `2024-06-01 00:00:00`.
fn us(text: &str) -> i64 {
    chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap().and_utc().timestamp_micros()
}

fn bucket(grid: &Grid, value: i64) -> BucketId {
    grid.bucket_of(value.into()).unwrap()
}

/// The start of the bucket that holds `value`.
fn start(grid: &Grid, value: i64) -> i64 {
    i64::try_from(grid.start_of(bucket(grid, value)).0).unwrap()
}

/// The bucket of `value` holds it, and meets its neighbours without a hole.
fn assert_holds(grid: &Grid, value: i128) {
    let value = IndexValue(value);
    let Ok(id) = grid.bucket_of(value) else { return };
    assert!(grid.start_of(id) <= value && value < grid.end_of(id), "{value:?} is not in bucket {id:?} of {grid:?}");
    if let Some(next) = id.0.checked_add(1).map(BucketId) {
        assert_eq!(grid.end_of(id), grid.start_of(next));
    }
}

const TS: ColumnType = ColumnType::Timestamp(TimeUnit::Us);
const TSTZ: ColumnType = ColumnType::TimestampTz(TimeUnit::Us);
