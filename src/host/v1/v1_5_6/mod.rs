//! What the stable level v1.5.6 of the C API adds. Called only in the package that states this level, which DuckDB and the
//! entry point refuse wherever it is not there. The level has no records in the log (an extension may keep DuckDB's log, not
//! write to it), no filters, no progress and no way to hear of an interrupt.

mod connection;
mod context;
mod copy;
mod rows;
mod types;

pub(super) use connection::number;
pub(super) use context::Context;
pub(super) use copy::register;

use crate::host::package::Package;

/// The level, as footer and marker state it.
pub(super) const LEVEL: &str = "v1.5.6";

/// Whether the package states this level.
fn is_there() -> bool {
    Package::own().is_ok_and(|package| package.api == LEVEL)
}
