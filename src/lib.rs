//! The DuckDB extension `tstable`: SQL functions over [`tstable_core`], for both of DuckDB's C APIs.

mod functions;
mod host;
