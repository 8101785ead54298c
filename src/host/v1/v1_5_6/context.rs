//! The session that binds a call, and its settings.

use std::ptr;

use libduckdb_sys as ffi;

use super::{
    super::{super::Arg, c_string, value::Value},
    is_there,
};

/// The context of the connection that a call is bound in; owned.
pub(in super::super) struct Context(ffi::duckdb_client_context);

impl Context {
    /// None at lower levels of the API.
    ///
    /// # Safety
    /// `info` is alive.
    pub(in super::super) unsafe fn of_bind(info: ffi::duckdb_bind_info) -> Option<Self> {
        if !is_there() {
            return None;
        }
        let mut raw = ptr::null_mut();
        // SAFETY: the level has this function, and the caller vouches for the info.
        unsafe { ffi::duckdb_table_function_get_client_context(info, &raw mut raw) };
        (!raw.is_null()).then_some(Self(raw))
    }

    /// The context that a COPY runs in.
    ///
    /// # Safety
    /// `info` is alive.
    pub(super) unsafe fn of_copy(info: ffi::duckdb_copy_function_global_init_info) -> Option<Self> {
        // SAFETY: only this level has formats, and the caller vouches for the info.
        let raw = unsafe { ffi::duckdb_copy_function_global_init_get_client_context(info) };
        (!raw.is_null()).then_some(Self(raw))
    }

    /// A setting; none for one that there is not.
    pub(in super::super) fn setting(&self, name: &str) -> Option<Arg> {
        let mut scope = ffi::duckdb_config_option_scope_DUCKDB_CONFIG_OPTION_SCOPE_INVALID;
        let name = c_string(name);
        // SAFETY: the context is alive as long as the bind, and the value is owned by the caller.
        let value =
            unsafe { Value::own(ffi::duckdb_client_context_get_config_option(self.0, name.as_ptr(), &raw mut scope)) };
        Some(value?.read())
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: this is the only owner of the handle.
        unsafe { ffi::duckdb_destroy_client_context(&raw mut self.0) };
    }
}
