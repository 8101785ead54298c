//! Tells connections apart by the number that DuckDB gives each of them.

use std::ptr;

use libduckdb_sys as ffi;

/// The number of the connection on which a table function is bound; none when DuckDB does not say.
///
/// # Safety
/// `info` is alive, and DuckDB has the functions of the level v1.5.6.
pub(in super::super) unsafe fn number(info: ffi::duckdb_bind_info) -> Option<u64> {
    let mut context = ptr::null_mut();
    // SAFETY: the caller vouches for the info; the context is destroyed by its only owner.
    unsafe {
        ffi::duckdb_table_function_get_client_context(info, &raw mut context);
        if context.is_null() {
            return None;
        }
        let number = ffi::duckdb_client_context_get_connection_id(context);
        ffi::duckdb_destroy_client_context(&raw mut context);
        Some(number)
    }
}
