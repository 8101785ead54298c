//! `COPY (...) TO 'path' (FORMAT ...)`. This level tells a format neither the path before rows are wanted nor the names of
//! columns: the format is bound when DuckDB opens the file, and columns without names are left to the format.

use std::{
    ffi::{CStr, c_void},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use libduckdb_sys as ffi;
use tstable_core::{Error, Result};

use super::{
    super::{
        super::{Arg, CopyFormat, CopySink, OutColumn, failure::Contained},
        Binding, Blind, Connection, c_string, guarded,
        table::{borrow, destroy, give},
        types::LogicalType,
        value::Value,
    },
    Context, rows, types,
};

type Extra = Contained<Arc<dyn CopyFormat>>;

/// What the statement says.
struct Statement {
    columns: Vec<OutColumn>,
    options: Vec<(String, Arg)>,
}

/// Where the rows of one execution go; taken when it finishes.
struct Open(Mutex<Option<Box<dyn CopySink>>>);

/// Registers a format for the connection's database.
pub(in super::super) fn register(connection: &Connection, format: Arc<dyn CopyFormat>) -> Result<()> {
    let name = format.name();
    // SAFETY: the handle is alive until it is destroyed below; DuckDB copies the name and owns the extra info.
    let state = unsafe {
        let mut copy = ffi::duckdb_create_copy_function();
        ffi::duckdb_copy_function_set_name(copy, c_string(name).as_ptr());
        let extra: Extra = Contained::new(format);
        ffi::duckdb_copy_function_set_extra_info(copy, give(extra), Some(destroy::<Extra>));
        ffi::duckdb_copy_function_set_bind(copy, Some(bind));
        ffi::duckdb_copy_function_set_global_init(copy, Some(open));
        ffi::duckdb_copy_function_set_sink(copy, Some(sink));
        ffi::duckdb_copy_function_set_finalize(copy, Some(finalize));
        let state = ffi::duckdb_register_copy_function(connection.0, copy);
        ffi::duckdb_destroy_copy_function(&raw mut copy);
        state
    };
    if state != ffi::DuckDBSuccess {
        return Err(Error::already_exists(format!("DuckDB refused the format {name}")));
    }
    Ok(())
}

unsafe extern "C" fn bind(info: ffi::duckdb_copy_function_bind_info) {
    // SAFETY: DuckDB passes a live info and owns the bind data.
    guarded(
        |text| unsafe { ffi::duckdb_copy_function_bind_set_error(info, text) },
        || unsafe {
            let columns = (0..ffi::duckdb_copy_function_bind_get_column_count(info)).map(|index| {
                let ty = LogicalType::own(ffi::duckdb_copy_function_bind_get_column_type(info, index));
                Ok(OutColumn { name: String::new(), ty: types::stored(&format!("{}", index + 1), &ty)? })
            });
            let statement = Statement { columns: columns.collect::<Result<_>>()?, options: options(info) };
            let data = Contained::new(statement);
            ffi::duckdb_copy_function_bind_set_bind_data(info, give(data), Some(destroy::<Contained<Statement>>));
            Ok(())
        },
    );
}

/// The options by their names in lower case.
///
/// # Safety
/// `info` is alive.
unsafe fn options(info: ffi::duckdb_copy_function_bind_info) -> Vec<(String, Arg)> {
    // SAFETY: as the caller says; the value is owned here.
    match unsafe { Value::own(ffi::duckdb_copy_function_bind_get_options(info)) }.map(|value| value.read()) {
        Some(Arg::Struct(options)) => {
            options.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect()
        }
        _ => Vec::new(),
    }
}

unsafe extern "C" fn open(info: ffi::duckdb_copy_function_global_init_info) {
    // SAFETY: DuckDB passes a live info whose path is a NUL-terminated string; extra info and bind data are what `register`
    // and `bind` gave.
    guarded(
        |text| unsafe { ffi::duckdb_copy_function_global_init_set_error(info, text) },
        || unsafe {
            let format = borrow::<Extra>(ffi::duckdb_copy_function_global_init_get_extra_info(info))?.get()?;
            let bind_data = ffi::duckdb_copy_function_global_init_get_bind_data(info);
            let statement = borrow::<Contained<Statement>>(bind_data)?.get()?;
            let path = path(ffi::duckdb_copy_function_global_init_get_file_path(info))?;
            let session = Binding(Context::of_copy(info));
            let bound = format.bind(&session, path, statement.columns.clone(), statement.options.clone())?;
            let state = Contained::new(Open(Mutex::new(Some(bound.open(path)?))));
            ffi::duckdb_copy_function_global_init_set_global_state(info, give(state), Some(destroy::<Contained<Open>>));
            Ok(())
        },
    );
}

/// The path, refused where DuckDB made it up: it then puts a file of its own into the directory that was given.
///
/// # Safety
/// `raw` is null or NUL-terminated and lives as long as the result is used.
unsafe fn path<'a>(raw: *const std::ffi::c_char) -> Result<&'a str> {
    if raw.is_null() {
        return Err(Error::invalid_argument("DuckDB gave no path for COPY; please report it"));
    }
    // SAFETY: as the caller says.
    let path = unsafe { CStr::from_ptr(raw) }.to_str();
    let path = path.map_err(|_| Error::invalid_argument("the path of COPY is not UTF-8"))?;
    let name = Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if is_made_up(name) {
        return Err(Error::invalid_argument(format!(
            "DuckDB would write '{path}'; PARTITION_BY, PER_THREAD_OUTPUT and FILENAME_PATTERN are not for tstable, which makes its \
             own files: leave them out"
        )));
    }
    Ok(path)
}

unsafe extern "C" fn sink(info: ffi::duckdb_copy_function_sink_info, chunk: ffi::duckdb_data_chunk) {
    // SAFETY: DuckDB passes a live info and a live chunk, flat, of the columns that were bound.
    guarded(
        |text| unsafe { ffi::duckdb_copy_function_sink_set_error(info, text) },
        || unsafe {
            let bind_data = ffi::duckdb_copy_function_sink_get_bind_data(info);
            let statement = borrow::<Contained<Statement>>(bind_data)?.get()?;
            let batch = rows::batch(&statement.columns, chunk)?;
            let mut sink = state(ffi::duckdb_copy_function_sink_get_global_state(info))?
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            sink.as_mut().ok_or_else(over)?.push(&batch)
        },
    );
}

unsafe extern "C" fn finalize(info: ffi::duckdb_copy_function_finalize_info) {
    // SAFETY: DuckDB passes a live info, with the state that `open` gave.
    guarded(
        |text| unsafe { ffi::duckdb_copy_function_finalize_set_error(info, text) },
        || unsafe {
            let state = state(ffi::duckdb_copy_function_finalize_get_global_state(info))?;
            let sink = state.0.lock().unwrap_or_else(PoisonError::into_inner).take();
            sink.ok_or_else(over)?.finish(&Blind(None))
        },
    );
}

/// # Safety
/// `raw` is null or the state that `open` gave.
unsafe fn state<'a>(raw: *mut c_void) -> Result<&'a Open> {
    // SAFETY: as the caller says.
    unsafe { borrow::<Contained<Open>>(raw) }?.get()
}

fn over() -> Error {
    Error::invalid_argument("DuckDB went on with a COPY that had ended; please report it")
}

/// Whether DuckDB made the name up for one of several files: it is `data_0` and so on, or a number of another kind, and then a
/// point and the FILE_EXTENSION, of which the format has none of its own.
fn is_made_up(name: &str) -> bool {
    let numbered = name.strip_suffix('.').is_some_and(|name| name.ends_with(|c: char| c.is_ascii_hexdigit()));
    let data = name.strip_prefix("data_").and_then(|rest| rest.split_once('.'));
    numbered || data.is_some_and(|(number, _)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::is_made_up;

    #[test]
    fn names_that_duckdb_makes_up_are_told_from_those_of_users() {
        for made_up in ["data_0.", "data_0.x", "data_12.parquet", "part-00ff."] {
            assert!(is_made_up(made_up), "{made_up}");
        }
        for given in ["prices", "data_0", "data_x.y", "data_.x", "t.", "prices.2024"] {
            assert!(!is_made_up(given), "{given}");
        }
    }
}
