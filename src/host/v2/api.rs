//! Calls of the C API that `duckdb-neo` does not wrap.

use std::{ffi::c_char, ptr};

use duckdb_neo::ffi;
use tstable_core::{Error, Result};

/// Calls a function of the C API whose last parameter takes the error, as `Result<()>`.
macro_rules! call {
    ($function:ident($($argument:expr),* $(,)?)) => {{
        let mut error = std::ptr::null_mut();
        let code = duckdb_neo::ffi::$function($($argument,)* &raw mut error);
        $crate::host::v2::api::check(code, error)
    }};
}

pub(super) use call;

/// The error of a call, if it failed; its handle is destroyed.
pub(super) fn check(code: ffi::DUCKDB_V2_ERROR, mut error: ffi::duckdb_v2_error_info_handle) -> Result<()> {
    if code == ffi::DUCKDB_V2_ERROR::DUCKDB_V2_ERROR_NONE {
        return Ok(());
    }
    let mut message = format!("DuckDB's C API failed with code {}", code as u32);
    if !error.is_null() {
        let mut text = ffi::duckdb_v2_str { ptr: ptr::null(), len: 0 };
        // SAFETY: the handle is a live error of the failed call; its text is copied before it is destroyed.
        unsafe {
            ffi::duckdb_v2_error_info_get_text(error, &raw mut text);
            let bytes = bytes(text);
            if !bytes.is_empty() {
                message = String::from_utf8_lossy(bytes).into_owned();
            }
            ffi::duckdb_v2_error_info_destroy(&raw mut error);
        }
    }
    Err(Error::invalid_argument(message))
}

/// `text` for the duration of a call.
pub(super) fn text(text: &str) -> ffi::duckdb_v2_str {
    ffi::duckdb_v2_str { ptr: text.as_ptr().cast::<c_char>(), len: text.len() as u64 }
}

/// The bytes of a string that DuckDB lent.
///
/// # Safety
/// `text` is null or lives as long as the result is used.
unsafe fn bytes<'a>(text: ffi::duckdb_v2_str) -> &'a [u8] {
    if text.ptr.is_null() {
        return &[];
    }
    // SAFETY: as the caller says.
    unsafe { std::slice::from_raw_parts(text.ptr.cast(), usize::try_from(text.len).unwrap_or(0)) }
}

/// Sets the error of a callback, keeping panics inside.
pub(super) fn guarded(error: *mut ffi::duckdb_v2_error_info_handle, body: impl FnOnce() -> Result<()>) {
    let Err(failure) = super::contained(body) else { return };
    // SAFETY: DuckDB passes a slot with a live error to fill and copies the text.
    unsafe {
        if let Some(error) = error.as_ref().filter(|error| !error.is_null()) {
            ffi::duckdb_v2_error_info_set_code(*error, failure.code.into());
            ffi::duckdb_v2_error_info_set_text(*error, &text(&failure.message));
        }
    }
}
