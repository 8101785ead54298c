//! Segments: immutable Parquet files, adopted as another program wrote them or written here. The only place that knows
//! the `parquet` crate; nothing here knows commits, buckets or coverage.
//!
//! A file from elsewhere may be damaged or hostile. The Parquet reader beneath checks most of what it decodes but may
//! panic on some input, so every call into it goes through [`guard`], which turns a panic into a `Corrupt` error.

pub mod admit;
pub mod audit;
pub mod constants;
pub mod file;
pub mod filter;
pub mod inspect;
pub mod look;
pub mod narrow;
pub mod read;
pub mod rewrite;
pub mod schema;
pub mod stats;
pub mod values;
pub mod visit;
pub mod write;

mod annotations;
mod blame;
mod codes;
pub mod convert;
mod delta;
mod depth;
mod footer;
mod group;
mod guard;
mod index;
mod input;
mod leaf;
mod page_index;
mod pages;
mod parquet_type;
mod room;
mod thrift;
mod walk;
mod widen;

pub use file::SegmentFile;
pub use filter::{IndexFilter, ValueFilter};
pub use parquet_type::WriteColumn;
pub use read::{ReadColumn, ReadRequest, RowGroupRead, SegmentReader};
pub use schema::FileColumn;
pub use stats::{ColumnBounds, PageBounds};
pub use write::{SegmentWriter, WriteOptions, Written};

#[cfg(test)]
mod tests;
