//! The entry point that DuckDB 2.0 calls when it loads its package: `tstable_init_c_api_v2`, which the macro makes.
#![allow(unreachable_pub, reason = "the macro exports the symbol from a function that it calls public")]

use duckdb_neo::{duckdb_entrypoint_c_api_v2, extension::Extension};

use super::{
    super::{failure, processor},
    contained, load,
};

#[duckdb_entrypoint_c_api_v2(extension_name = "tstable", api_version = "v2.0.0")]
fn entry(extension: &Extension) -> Result<(), Box<dyn std::error::Error>> {
    failure::silence_panics();
    Ok(contained(|| {
        processor::check()?;
        load(extension, crate::functions::registry())
    })?)
}
