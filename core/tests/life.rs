//! The life of a table: correcting, compacting, looking back, on real files in a temporary directory.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "life/fixture.rs"]
mod fixture;

#[path = "life/adopted.rs"]
mod adopted;
#[path = "life/alter.rs"]
mod alter;
#[path = "life/arrivals.rs"]
mod arrivals;
#[path = "life/batches.rs"]
mod batches;
#[path = "life/checks.rs"]
mod checks;
#[path = "life/columns.rs"]
mod columns;
#[path = "life/compact.rs"]
mod compact;
#[path = "life/delete.rs"]
mod delete;
#[path = "life/density.rs"]
mod density;
#[path = "life/folders.rs"]
mod folders;
#[path = "life/footers.rs"]
mod footers;
#[path = "life/latest.rs"]
mod latest;
#[path = "life/load.rs"]
mod load;
#[path = "life/looking_back.rs"]
mod looking_back;
#[path = "life/open_types.rs"]
mod open_types;
#[path = "life/overlap.rs"]
mod overlap;
#[path = "life/rename.rs"]
mod rename;
#[path = "life/rows.rs"]
mod rows;
#[path = "life/since.rs"]
mod since;
