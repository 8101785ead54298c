//! Tests of pruning: proofs against a reference over random tables, and the forms that must prune.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::too_many_lines,
    clippy::print_stderr
)]

mod forms;
mod generator;
mod properties;
mod reference;
