//! A time-series table that knows what it has.
//!
//! A tstable table is a directory of Parquet files with an append-only log of commits beside them, and for each file a bitmap of which
//! *buckets* (hours, days, block numbers) of which *entities* (symbols, stations, devices) it covers. So a table answers from its
//! log alone how complete it is and where its gaps are, refuses what it has already, skips files that cannot matter, and
//! keeps every version readable. Writers need no lock and no server: a version exists once its commit file has been created.
//!
//! This crate is the format and everything that can be done with it: pure Rust, no `unsafe`, no global state but a pool of open
//! files. DuckDB's extension `tstable` is built on it and speaks SQL.
//!
//! # From nothing to gaps
//!
//! ```
//! use std::sync::Arc;
//! # use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
//! use tstable_core::{AppendRequest, CreateRequest, IndexRange, IndexValue, Rows, Table, Unwatched};
//! # const HOUR: i64 = 3_600_000_000;
//! # fn write(path: &std::path::Path, hours: &[i64]) -> Result<(), Box<dyn std::error::Error>> {
//! #     let ts = TimestampMicrosecondArray::from_iter_values(hours.iter().map(|hour| hour * HOUR));
//! #     let symbol = StringArray::from_iter_values(hours.iter().map(|_| "NVDA"));
//! #     let close = Float64Array::from_iter_values(hours.iter().map(|hour| *hour as f64));
//! #     let columns: [(&str, ArrayRef); 3] = [("ts", Arc::new(ts)), ("symbol", Arc::new(symbol)), ("close", Arc::new(close))];
//! #     let batch = RecordBatch::try_from_iter(columns)?;
//! #     let mut writer = parquet::arrow::ArrowWriter::try_new(std::fs::File::create(path)?, batch.schema(), None)?;
//! #     writer.write(&batch)?;
//! #     writer.close()?;
//! #     Ok(())
//! # }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let (root, file) = (directory.path().join("prices"), directory.path().join("monday.parquet"));
//! # let root = root.to_str().ok_or("not UTF-8")?;
//! # write(&file, &[0, 1, 2, 6, 7])?;
//! // A table with a bucket an hour, in which each symbol is counted for itself.
//! let table = Table::at_directory(root);
//! let hourly = CreateRequest { entity_columns: vec!["symbol".to_owned()], ..CreateRequest::new("ts", "1h") };
//! let empty = table.create(hourly.definition()?, false)?.snapshot;
//!
//! // One commit. Hours that the table has already would be refused.
//! let request = AppendRequest { files: vec![file], ..AppendRequest::default() };
//! let snapshot = table.append(&empty, &request, &Unwatched)?.snapshot;
//!
//! // How complete is it, and what is missing? No Parquet file is opened for this.
//! let grid = snapshot.grid()?;
//! for symbol in snapshot.subjects(&grid, &IndexRange::ALL)? {
//!     assert_eq!(symbol.summary(symbol.extent).ratio(), Some(5.0 / 8.0));
//!     let gaps: Vec<_> = symbol.gaps(symbol.extent).map(|gap| gap.buckets).collect();
//!     assert_eq!(gaps, [3]);
//! }
//!
//! // The rows of two hours, as Arrow batches.
//! let morning = IndexRange::new(IndexValue::from(HOUR), IndexValue::from(3 * HOUR));
//! let mut rows = 0;
//! for batch in snapshot.scan(Rows::all().columns(["ts", "close"]).within(morning)).batches()? {
//!     rows += batch?.num_rows();
//! }
//! assert_eq!(rows, 2);
//! # Ok(())
//! # }
//! ```
//!
//! # What is where
//!
//! * [`Table`] is the handle, [`Snapshot`] the table at one version; [`At`] names a version, by number, time or tag.
//! * Rows come in with [`Table::append`] (files) and [`Table::loader`] (batches), go with [`Table::delete`], and are laid out again
//!   with [`Table::compact`]. All of them make one commit or none; who loses a race plans again.
//! * [`Snapshot::subjects`] asks about coverage, one [`Subject`] an entity; [`Snapshot::scan`] reads rows.
//! * [`Table::verify`], [`Table::repair`] and [`Table::vacuum`] look after what is on disk.
//! * Instants and ranges are an [`IndexValue`] and an [`IndexRange`] in the unit of the index column: microseconds since 1970 for
//!   `TIMESTAMP`, days for `DATE`, the number itself for integers. Ranges are half-open.
//! * Every failure is an [`Error`] with a kind, a sentence and the names and values that belong to it.
//!
//! The modules below are the layers in which the crate is built; the extension uses them, and they change more often than what is
//! named here.
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

pub use coverage::{Coverage, Entity, EntityPart};
pub use error::{Error, ErrorKind, Result};
pub use log::{Version, commit::Instant, definition::Definition};
pub use schema::{Column, ColumnType, Schema, TimeUnit};
pub use storage::{Storage, local::LocalStorage, memory::MemoryStorage};
pub use table::{
    At, CreateRequest, Created, Snapshot, Table,
    append::{Appended, FileReport},
    ask::{
        choice::Choice,
        stretch::{Position, Stretch},
        subject::Subject,
        summary::Summary,
    },
    commit::Changed,
    compact::{CompactRequest, Compacted},
    delete::{DeleteRequest, Deleted},
    load::{LoadRequest, Loaded, Loader},
    monitor::{Monitor, Unwatched},
    policy::{AppendRequest, Mode, NewColumns, OnError, OnOverlap, OnViolation, Status},
    read::batches::{Batches, Reading, Rows},
    vacuum::{VacuumRequest, Vacuumed},
};
pub use time::{BucketId, BucketWidth, Grid, IndexRange, IndexValue, Run};

/// The programs of the pages for Rust, which are compiled as tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/RUST.md")]
#[doc = include_str!("../README.md")]
struct Pages;
