//! The tstable format: a time-series table over immutable Parquet segments, with an append-only commit log and
//! coverage bitmaps. Pure Rust; knows nothing of DuckDB. ARCHITECTURE.md shows the layers.
#![forbid(unsafe_code)]

pub mod calendar;
pub mod check;
pub mod coverage;
pub mod delta;
pub mod error;
pub mod import;
pub mod log;
pub mod prune;
pub mod schema;
pub mod segment;
pub mod storage;
pub mod table;
pub mod time;

pub use error::{Error, ErrorKind, Result};
