//! Questions that coverage alone answers, without reading rows: coverage, gaps, windows, backfill, how fragmented the segments are.

pub mod backfill;
pub mod choice;
pub mod common_windows;
pub mod density;
pub mod differences;
pub mod fragmentation;
pub mod require;
pub mod shares;
pub mod stretch;
pub mod subject;
pub mod summary;
