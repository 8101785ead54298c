//! `FROM 'path'` through the v1 C API.

use std::ffi::{CStr, c_char, c_void};

use libduckdb_sys as ffi;

use super::{super::Replacement, Blind, c_string, guarded, value::Value};

/// Makes unknown names of tables that `scan` knows calls of its function.
///
/// # Safety
/// `database` is alive.
pub(super) unsafe fn register(database: ffi::duckdb_database, scan: Replacement) {
    let extra = Box::into_raw(Box::new(scan)).cast();
    // SAFETY: the caller vouches for the database, which owns the extra data from here on.
    unsafe { ffi::duckdb_add_replacement_scan(database, Some(replace), extra, Some(destroy)) };
}

unsafe extern "C" fn destroy(extra: *mut c_void) {
    // SAFETY: `extra` is the box that `register` gave away; its type has no destructor that could panic.
    drop(unsafe { Box::from_raw(extra.cast::<Replacement>()) });
}

unsafe extern "C" fn replace(info: ffi::duckdb_replacement_scan_info, name: *const c_char, extra: *mut c_void) {
    // SAFETY: DuckDB passes a live info, a NUL-terminated name and the data of `register`; it copies what it is given.
    guarded(
        |text| unsafe { ffi::duckdb_replacement_scan_set_error(info, text) },
        || unsafe {
            let Some(scan) = extra.cast::<Replacement>().as_ref() else { return Ok(()) };
            // A name that is not UTF-8 is none of ours.
            let Ok(path) = CStr::from_ptr(name).to_str() else { return Ok(()) };
            if (scan.is_table)(&Blind(None), path) {
                ffi::duckdb_replacement_scan_set_function_name(info, c_string(scan.function).as_ptr());
                if let Some(value) = Value::own(ffi::duckdb_create_varchar(name)) {
                    ffi::duckdb_replacement_scan_add_parameter(info, value.raw());
                }
            }
            Ok(())
        },
    );
}
