//! The DuckDB that is running, seen past its C API: what the library that holds a given function exports by name. The table
//! of functions of DuckDB 2 can only be used once it is known where it has what, so before that this is the only way to ask
//! for the version and to report an error.

use std::ffi::{CStr, CString, c_char, c_void};

/// The loaded program or library that a function of DuckDB's is in.
pub(super) struct Running {
    #[cfg(unix)]
    base: *mut c_void,
    #[cfg(unix)]
    handle: *mut c_void,
}

#[cfg(unix)]
impl Running {
    /// What `function` is in; none where the system cannot say.
    pub(super) fn of(function: *const c_void) -> Option<Self> {
        let place = place(function)?;
        // SAFETY: the name is a NUL-terminated string of the loader's; nothing is loaded that was not there.
        let handle = unsafe { libc::dlopen(place.dli_fname, libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
        let handle = if handle.is_null() {
            // The program itself has no name to open it by.
            // SAFETY: as above.
            unsafe { libc::dlopen(std::ptr::null(), libc::RTLD_LAZY) }
        } else {
            handle
        };
        (!handle.is_null()).then_some(Self { base: place.dli_fbase, handle })
    }

    /// The address of an exported function; none where it is not exported or would come from elsewhere.
    pub(super) fn function(&self, name: &CStr) -> Option<*const c_void> {
        // SAFETY: the handle is open.
        let address = unsafe { libc::dlsym(self.handle, name.as_ptr()) }.cast_const();
        let found = !address.is_null() && place(address)?.dli_fbase == self.base;
        found.then_some(address)
    }
}

#[cfg(unix)]
fn place(address: *const c_void) -> Option<libc::Dl_info> {
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: any address may be asked for; the answer is written where there is room for it, and its fields may be zero.
    let info = unsafe { (libc::dladdr(address, info.as_mut_ptr()) != 0).then(|| info.assume_init()) }?;
    (!info.dli_fname.is_null()).then_some(info)
}

#[cfg(unix)]
impl Drop for Running {
    fn drop(&mut self) {
        // SAFETY: the handle was opened once and is closed once.
        unsafe { libc::dlclose(self.handle) };
    }
}

#[cfg(not(unix))]
impl Running {
    pub(super) fn of(_function: *const c_void) -> Option<Self> {
        None
    }

    pub(super) fn function(&self, _name: &CStr) -> Option<*const c_void> {
        None
    }
}

impl Running {
    /// DuckDB's version, like `v2.0.1`; none where it is not told.
    pub(super) fn version(&self) -> Option<String> {
        let address = self.function(&symbol("duckdb_library_version"))?;
        // SAFETY: the function has had this form since DuckDB 0.2 and gives a string that is never freed.
        unsafe {
            let version = std::mem::transmute::<*const c_void, unsafe extern "C" fn() -> *const c_char>(address)();
            (!version.is_null()).then(|| CStr::from_ptr(version).to_string_lossy().into_owned())
        }
    }
}

/// The name of a function as the loader wants it.
pub(super) fn symbol(name: &str) -> CString {
    CString::new(name).unwrap_or_default()
}
