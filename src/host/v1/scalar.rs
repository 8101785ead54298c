//! Scalar functions through the v1 C API, whose vectors come flat.

use std::{ffi::c_void, sync::Arc};

use arrow::array::ArrayRef;
use libduckdb_sys as ffi;
use tstable_core::{Error, Result, schema::ColumnType};

use super::{
    super::{
        ScalarFunction,
        failure::Contained,
        vector::{Source, View, read, write},
    },
    Connection, c_string, guarded,
    types::LogicalType,
    vector::Vector,
};

/// One overload, as registration attaches it to its entry.
struct Overload {
    function: Arc<dyn ScalarFunction>,
    index: usize,
    parameters: Vec<ColumnType>,
    result: ColumnType,
}

/// Registers all overloads of a function for the connection's database.
pub(super) fn register(connection: &Connection, function: Arc<dyn ScalarFunction>) -> Result<()> {
    let name = c_string(function.name());
    // SAFETY: each handle is alive until it is destroyed; DuckDB copies what is added and owns the extra infos.
    let state = unsafe {
        let mut set = ffi::duckdb_create_scalar_function_set(name.as_ptr());
        for (index, (parameters, result)) in function.overloads().into_iter().enumerate() {
            let mut scalar = ffi::duckdb_create_scalar_function();
            ffi::duckdb_scalar_function_set_name(scalar, name.as_ptr());
            for parameter in &parameters {
                ffi::duckdb_scalar_function_add_parameter(scalar, LogicalType::of(parameter).raw());
            }
            ffi::duckdb_scalar_function_set_return_type(scalar, LogicalType::of(&result).raw());
            let overload = Overload { function: Arc::clone(&function), index, parameters, result };
            let extra = Box::into_raw(Box::new(Contained::new(overload))).cast();
            ffi::duckdb_scalar_function_set_extra_info(scalar, extra, Some(destroy));
            ffi::duckdb_scalar_function_set_function(scalar, Some(call));
            ffi::duckdb_add_scalar_function_to_set(set, scalar);
            ffi::duckdb_destroy_scalar_function(&raw mut scalar);
        }
        let state = ffi::duckdb_register_scalar_function_set(connection.0, set);
        ffi::duckdb_destroy_scalar_function_set(&raw mut set);
        state
    };
    if state != ffi::DuckDBSuccess {
        return Err(Error::already_exists(format!("DuckDB refused the scalar function {}", function.name())));
    }
    Ok(())
}

unsafe extern "C" fn destroy(extra: *mut c_void) {
    // SAFETY: `extra` is the box that `register` gave away. What is inside keeps its own panics.
    drop(unsafe { Box::from_raw(extra.cast::<Contained<Overload>>()) });
}

unsafe extern "C" fn call(info: ffi::duckdb_function_info, input: ffi::duckdb_data_chunk, output: ffi::duckdb_vector) {
    // SAFETY: DuckDB passes a live info, chunk and vector, and the extra info that `register` gave.
    guarded(
        |text| unsafe { ffi::duckdb_scalar_function_set_error(info, text) },
        || unsafe {
            let extra = ffi::duckdb_scalar_function_get_extra_info(info).cast::<Contained<Overload>>().as_ref();
            let overload = extra.ok_or_else(|| Error::invalid_argument("DuckDB lost a scalar function"))?.get()?;
            let rows = usize::try_from(ffi::duckdb_data_chunk_get_size(input)).unwrap_or(0);
            let arguments = arguments(overload, input, rows)?;
            let result = overload.function.call(overload.index, &arguments, rows)?;
            write(Vector::new(output)?, &overload.result, Source::new(result.as_ref(), 0, rows)?, None)
        },
    );
}

/// # Safety
/// `input` is alive and has the overload's columns and `rows` rows.
unsafe fn arguments(overload: &Overload, input: ffi::duckdb_data_chunk, rows: usize) -> Result<Vec<ArrayRef>> {
    let columns = overload.parameters.iter().zip(0..);
    columns
        .map(|(ty, column)| {
            // SAFETY: the chunk is alive and has this column; its vectors are flat.
            unsafe {
                let vector = ffi::duckdb_data_chunk_get_vector(input, column);
                let view = View {
                    data: ffi::duckdb_vector_get_data(vector).cast(),
                    validity: ffi::duckdb_vector_get_validity(vector),
                    selection: std::ptr::null(),
                    rows,
                };
                read(ty, &view)
            }
        })
        .collect()
}
