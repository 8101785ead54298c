//! The default value of optional parameters: a NULL whose type says that nothing was given. DuckDB fills defaults in
//! before `bind` and does not tell which they are.

use duckdb_neo::{DuckDBType, ToValue, connection::FFILink, value::Value};
use tstable_core::Result;

use super::host_error;

/// The alias of the marker's type; no type of a user's has a name like this.
const NAME: &str = "tstable: not given";

/// The marker.
pub(super) struct Absent;

impl ToValue for Absent {
    fn value<C: FFILink + ?Sized>(&self, link: &C) -> duckdb_neo::Result<Value> {
        let ty = bool::logical_type(link)?.with_alias(link, NAME)?;
        Value::null(link, &ty)
    }
}

/// Whether a parameter was left out.
pub(super) fn is_absent(value: &Value) -> Result<bool> {
    let ty = value.logical_type().map_err(host_error)?;
    Ok(ty.name().map_err(host_error)? == NAME)
}
