//! DuckDB's stable v1 C API: one binary for DuckDB 1.4 and later. Only the entries of the API's function table that are
//! the same in all of those may be called (checked by a test): a call through any other is a crash. What came with the next
//! stable level of this API is in `v1_5_6`, which is called only where the package says that this level is there.
//! Nothing is kept of the database but what registration hands over: a kept connection would hold it open for ever.

mod replacement;
mod scalar;
mod table;
mod types;
mod v1_5_6;
mod value;
mod vector;

use std::{
    ffi::{CString, c_char},
    ptr,
    sync::Arc,
};

use libduckdb_sys as ffi;
use tstable_core::{Error, Result};

use super::{
    Arg, LogLevel, Registry, Session, Statement, failure,
    package::{Package, numbers},
    processor,
};

/// The stable levels of this C API, as footers state them. Each has the table of the one before and more behind it.
const LEVELS: [&str; 2] = ["v1.2.0", v1_5_6::LEVEL];

/// The v1 API shows nothing of the running query; which executions run together is known where connections can be told apart.
#[derive(Default)]
struct Blind(Option<Arc<Statement>>);

impl Session for Blind {
    fn statement(&self) -> Option<&Statement> {
        self.0.as_deref()
    }

    fn log(&self, _level: LogLevel, _message: &str) {}

    fn interrupted(&self) -> bool {
        false
    }
}

/// The session of a call that is being bound, as far as the level of the API shows it.
struct Binding(Option<v1_5_6::Context>);

impl Session for Binding {
    fn log(&self, _level: LogLevel, _message: &str) {}

    fn interrupted(&self) -> bool {
        false
    }

    fn setting(&self, name: &str) -> Option<Arg> {
        self.0.as_ref()?.setting(name)
    }
}

/// A C string of `text`; a NUL byte, which would end it early, is shown as `\0`.
fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', "\\0")).unwrap_or_default()
}

/// The text of a string that DuckDB allocated, which is freed.
///
/// # Safety
/// `text` is null or a NUL-terminated string that DuckDB gave away.
unsafe fn owned_text(text: *mut c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller passes a live string of DuckDB's and never uses it again.
    unsafe {
        let copy = std::ffi::CStr::from_ptr(text).to_string_lossy().into_owned();
        ffi::duckdb_free(text.cast());
        copy
    }
}

/// Runs a callback's body and reports its failure.
fn guarded(report: impl FnOnce(*const c_char), body: impl FnOnce() -> Result<()>) {
    if let Err(failure) = failure::contain(body) {
        report(c_string(&failure.to_string()).as_ptr());
    }
}

/// A connection for the time of registration.
struct Connection(ffi::duckdb_connection);

impl Connection {
    /// # Safety
    /// `database` is alive.
    unsafe fn open(database: ffi::duckdb_database) -> Result<Self> {
        let mut raw = ptr::null_mut();
        // SAFETY: the caller vouches for the database, and `raw` takes the connection.
        if unsafe { ffi::duckdb_connect(database, &raw mut raw) } != ffi::DuckDBSuccess {
            return Err(Error::invalid_argument("DuckDB gave no connection to register the functions with"));
        }
        Ok(Self(raw))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: this is the only owner of the connection.
        unsafe { ffi::duckdb_disconnect(&raw mut self.0) };
    }
}

/// Refuses a package of another API, and a DuckDB from before the package's level. DuckDB does so by itself as long as the
/// footer tells the truth.
///
/// # Safety
/// The table of functions has been taken over.
unsafe fn check_level(package: &Package, level: Option<&str>) -> Result<()> {
    // SAFETY: the function is there since the first level; its text is never freed.
    let running = unsafe { std::ffi::CStr::from_ptr(ffi::duckdb_library_version()) }.to_string_lossy();
    match (level.map(numbers), numbers(&running)) {
        (Some(needed), Some(there)) if needed.as_ref() > Some(&there) => Err(package.refusal(&running)),
        (Some(_), _) => Ok(()),
        (None, _) => Err(package.refusal(&running)),
    }
}

/// Registers everything; whether DuckDB knows the API that the extension was built for.
///
/// # Safety
/// The arguments are those that DuckDB calls the entry point with.
unsafe fn load(
    info: ffi::duckdb_extension_info,
    access: *const ffi::duckdb_extension_access,
    registry: Registry,
) -> Result<bool> {
    // SAFETY: DuckDB passes its own access table, whose functions take the info it came with.
    unsafe {
        let package = Package::own()?;
        let level = LEVELS.into_iter().find(|level| *level == package.api);
        let there = ffi::duckdb_rs_extension_api_init(info, access, level.unwrap_or("v1.2.0"));
        if !there.map_err(Error::unsupported_format)? {
            return Ok(false);
        }
        check_level(&package, level)?;
        let database = (*access).get_database.map_or(ptr::null_mut(), |get| get(info));
        if database.is_null() {
            return Ok(false);
        }
        let database = *database;
        let connection = Connection::open(database)?;
        let known = level == Some(v1_5_6::LEVEL);
        let together = known.then(|| table::Together { statements: Arc::default(), connection: v1_5_6::number });
        for function in registry.tables {
            table::register(&connection, function, together.clone())?;
        }
        for function in registry.forms {
            // Older ones know one form of a name.
            let _ = table::register(&connection, function, together.clone());
        }
        for function in registry.scalars {
            scalar::register(&connection, Arc::clone(&function))?;
        }
        if known {
            for format in registry.copies {
                v1_5_6::register(&connection, format)?;
            }
        }
        if let Some(scan) = registry.replacement {
            replacement::register(database, scan);
        }
        Ok(true)
    }
}

/// The entry point that DuckDB calls when it loads the package of the stable C API.
///
/// # Safety
/// Only DuckDB may call this.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn tstable_init_c_api(
    info: ffi::duckdb_extension_info,
    access: *const ffi::duckdb_extension_access,
) -> bool {
    failure::silence_panics();
    let mut loaded = false;
    // SAFETY: DuckDB's own arguments are handed on; its error function copies the text.
    let report = |text: *const c_char| unsafe {
        if let Some(set_error) = access.as_ref().and_then(|access| access.set_error) {
            set_error(info, text);
        }
    };
    guarded(report, || {
        processor::check()?;
        // SAFETY: as above.
        loaded = unsafe { load(info, access, crate::functions::registry())? };
        Ok(())
    });
    loaded
}

#[cfg(test)]
#[path = "permitted_tests.rs"]
mod tests;
