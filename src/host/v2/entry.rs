//! The entry point that DuckDB 2 calls when it loads a package of its C API. Nothing of that API may be called before it is
//! known where this DuckDB's table has which function, so the package's marker is read and compared first.

use std::{
    cell::Cell,
    ffi::{c_char, c_void},
    mem::size_of,
    ptr,
};

use duckdb_neo::{extension::run_extension_entrypoint, ffi};
use tstable_core::Result;

use super::{
    super::{
        failure,
        package::Package,
        processor,
        running::{Running, symbol},
    },
    api, contained, layout, load,
};

thread_local! {
    /// DuckDB's table, its functions in our order, while this thread is in the entry point.
    static TABLE: Cell<*const c_void> = const { Cell::new(ptr::null()) };
}

/// The entry point.
///
/// # Safety
/// Only DuckDB may call this, with its own input.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn tstable_init_c_api_v2(input: *const ffi::duckdb_v2_extension_input) {
    failure::silence_panics();
    // SAFETY: DuckDB's own input, alive until this returns.
    let Some(input) = (unsafe { input.as_ref() }) else { return };
    match failure::contain(|| arranged(input)) {
        Ok(Some((table, version))) => {
            TABLE.set(table.as_ptr().cast());
            let ours = ffi::duckdb_v2_extension_input { get_api: Some(own_table), ..*input };
            // SAFETY: all but the table is DuckDB's, and the table has our order; it is copied before this returns.
            unsafe {
                run_extension_entrypoint(&raw const ours, &version, |extension| {
                    Ok(contained(|| {
                        processor::check()?;
                        load(extension, crate::functions::registry())
                    })?)
                });
            }
            TABLE.set(ptr::null());
        }
        // DuckDB has noted why it gives no table.
        Ok(None) => {}
        Err(failure) => refuse(input, &failure.to_string()),
    }
}

/// Gives what [`arranged`] made in place of DuckDB's own table.
unsafe extern "C" fn own_table(_: ffi::duckdb_v2_extension_handle, _: *const c_char) -> *const c_void {
    TABLE.get()
}

/// DuckDB's functions in our order, and the version that the package is for; none when DuckDB refuses by itself.
fn arranged(input: &ffi::duckdb_v2_extension_input) -> Result<Option<(Vec<*const c_void>, String)>> {
    let package = Package::own()?;
    let Some(get_api) = input.get_api else { return Ok(None) };
    if let Some(version) = Running::of(get_api as *const c_void).and_then(|running| running.version())
        && version != package.api
    {
        return Err(package.refusal(&version));
    }
    // SAFETY: this is what the call is for; the version has no NUL byte in it.
    let table = unsafe { get_api(input.extension, symbol(&package.api).as_ptr()) };
    if table.is_null() {
        return Ok(None);
    }
    let functions = size_of::<ffi::duckdb_ext_api_v2>() / size_of::<*const c_void>();
    // SAFETY: the marker was written for the table of this version of DuckDB.
    Ok(Some((unsafe { layout::arrange(table.cast(), &package, functions)? }, package.api)))
}

/// Fails the load. Our own table cannot be used for it; where DuckDB does not export what is needed either, the extension
/// stays without functions, which is better than a call into nowhere.
fn refuse(input: &ffi::duckdb_v2_extension_input, message: &str) {
    type SetCode = unsafe extern "C" fn(ffi::duckdb_v2_error_info_handle, ffi::DUCKDB_V2_ERROR) -> ffi::DUCKDB_V2_ERROR;
    type SetText =
        unsafe extern "C" fn(ffi::duckdb_v2_error_info_handle, *const ffi::duckdb_v2_str) -> ffi::DUCKDB_V2_ERROR;
    let Some(get_api) = input.get_api else { return };
    let setters = Running::of(get_api as *const c_void).and_then(|running| {
        let code = running.function(&symbol("duckdb_v2_error_info_set_code"))?;
        Some((code, running.function(&symbol("duckdb_v2_error_info_set_text"))?))
    });
    // SAFETY: the functions are DuckDB's own, of these names; the slot is alive and takes a copy of the text. Without them
    // DuckDB is asked for its table all the same, because it calls an entry point that does not ask a fatal error.
    unsafe {
        match (setters, input.err.as_ref()) {
            (Some((code, text)), Some(slot)) if !slot.is_null() => {
                std::mem::transmute::<*const c_void, SetCode>(code)(
                    *slot,
                    ffi::DUCKDB_V2_ERROR::DUCKDB_V2_ERROR_INPUT_INVALID,
                );
                std::mem::transmute::<*const c_void, SetText>(text)(*slot, &api::text(message));
            }
            _ => {
                get_api(input.extension, symbol("v2.0.0").as_ptr());
            }
        }
    }
}
