//! Scalar functions through the v2 C API, with raw callbacks: `duckdb-neo` does not show the memory of arguments.

use std::{ffi::c_void, ptr, sync::Arc};

use arrow::array::ArrayRef;
use duckdb_neo::{
    AsRaw,
    connection::{Factory, HasFactory},
    extension::Extension,
    ffi::{
        DUCKDB_V2_FUNCTION_PARAMETER_KIND as Kind, duckdb_v2_context_handle, duckdb_v2_error_info_handle,
        duckdb_v2_extension_handle, duckdb_v2_function_docs_handle, duckdb_v2_function_signature_handle,
        duckdb_v2_opaque, duckdb_v2_scalar_function_destroy, duckdb_v2_scalar_function_exec_info_handle,
        duckdb_v2_scalar_function_handle,
    },
};
use tstable_core::{Error, Result, schema::ColumnType};

use super::{
    super::{
        ScalarFunction,
        failure::Contained,
        vector::{Source, read, write},
    },
    api::{call, guarded, text},
    host_error,
    output::Vector,
    types,
};

/// One overload, as registration attaches it to its entry.
struct Overload {
    function: Arc<dyn ScalarFunction>,
    index: usize,
    parameters: Vec<ColumnType>,
    result: ColumnType,
}

/// A function being built.
struct Builder(duckdb_v2_scalar_function_handle);

impl Drop for Builder {
    fn drop(&mut self) {
        // SAFETY: this is the only owner of the handle.
        unsafe { duckdb_v2_scalar_function_destroy(&raw mut self.0) };
    }
}

/// Registers all overloads of a function with the database that loads the extension.
pub(super) fn register(extension: &Extension, function: &Arc<dyn ScalarFunction>) -> Result<()> {
    for (index, (parameters, result)) in function.overloads().into_iter().enumerate() {
        let overload = Overload { function: Arc::clone(function), index, parameters, result };
        register_overload(extension, overload)?;
    }
    Ok(())
}

fn register_overload(extension: &Extension, overload: Overload) -> Result<()> {
    let factory: &Factory = extension.factory().map_err(host_error)?;
    let mut raw = ptr::null_mut();
    // SAFETY: extension and factory are alive during the load; DuckDB copies names and types and owns the user data.
    unsafe {
        call!(duckdb_v2_scalar_function_create(factory.get_raw(), &raw mut raw))?;
        let builder = Builder(raw);
        call!(duckdb_v2_scalar_function_set_name(builder.0, &text(overload.function.name())))?;
        describe(extension, &builder, &overload)?;
        let mut user = duckdb_v2_opaque {
            ptr: Box::into_raw(Box::new(Contained::new(overload))).cast(),
            destroy: Some(destroy),
            equals: None,
        };
        call!(duckdb_v2_scalar_function_set_user_data(builder.0, &raw mut user))?;
        call!(duckdb_v2_scalar_function_set_exec_callback(builder.0, Some(exec)))?;
        let extension: duckdb_v2_extension_handle = extension.get_raw();
        call!(duckdb_v2_extension_register_scalar_function(extension, builder.0))
    }
}

fn describe(extension: &Extension, builder: &Builder, overload: &Overload) -> Result<()> {
    let mut signature: duckdb_v2_function_signature_handle = ptr::null_mut();
    let mut docs: duckdb_v2_function_docs_handle = ptr::null_mut();
    // SAFETY: the builder is alive and lends both handles; DuckDB copies what it is given.
    unsafe {
        call!(duckdb_v2_scalar_function_get_signature(builder.0, &raw mut signature))?;
        call!(duckdb_v2_scalar_function_get_docs(builder.0, &raw mut docs))?;
        for (index, ty) in overload.parameters.iter().enumerate() {
            let name = format!("col{index}");
            let ty = types::logical(extension, ty)?;
            call!(duckdb_v2_function_signature_add_parameter(
                signature,
                &text(&name),
                ty.get_raw(),
                ptr::null_mut(),
                Kind::DUCKDB_V2_FUNCTION_PARAMETER_KIND_POSITIONAL_ONLY
            ))?;
        }
        let result = types::logical(extension, &overload.result)?;
        call!(duckdb_v2_function_signature_set_return_type(signature, result.get_raw()))?;
        call!(duckdb_v2_function_docs_set_description(docs, &text(overload.function.description())))
    }
}

unsafe extern "C" fn destroy(user: *mut c_void) {
    if !user.is_null() {
        // SAFETY: `user` is the box that `register_overload` gave away. What is inside keeps its own panics.
        drop(unsafe { Box::from_raw(user.cast::<Contained<Overload>>()) });
    }
}

unsafe extern "C" fn exec(
    info: duckdb_v2_scalar_function_exec_info_handle,
    _context: duckdb_v2_context_handle,
    error: *mut duckdb_v2_error_info_handle,
) {
    // SAFETY: DuckDB passes a live info whose user data is what `register_overload` gave.
    guarded(error, || unsafe { evaluate(info) });
}

/// # Safety
/// `info` is alive and its user data is an overload.
unsafe fn evaluate(info: duckdb_v2_scalar_function_exec_info_handle) -> Result<()> {
    let (mut user, mut count, mut result) = (ptr::null_mut(), 0, ptr::null_mut());
    // SAFETY: the info is alive; the vectors it lends stay so during the call.
    unsafe {
        call!(duckdb_v2_scalar_function_exec_get_user_data(info, &raw mut user))?;
        call!(duckdb_v2_scalar_function_exec_get_row_count(info, &raw mut count))?;
        call!(duckdb_v2_scalar_function_exec_get_result(info, &raw mut result))?;
        let overload = user.cast::<Contained<Overload>>().as_ref();
        let overload = overload.ok_or_else(|| Error::invalid_argument("DuckDB lost a scalar function"))?.get()?;
        let rows = usize::try_from(count).unwrap_or(0);
        let arguments = arguments(info, overload, rows)?;
        let values = overload.function.call(overload.index, &arguments, rows)?;
        let vector = Vector::new(result);
        vector.set_size(rows)?;
        write(vector, &overload.result, Source::new(values.as_ref(), 0, rows)?, None)
    }
}

/// # Safety
/// `info` is alive and has the overload's arguments.
unsafe fn arguments(
    info: duckdb_v2_scalar_function_exec_info_handle,
    overload: &Overload,
    rows: usize,
) -> Result<Vec<ArrayRef>> {
    let parameters = overload.parameters.iter().zip(0..);
    parameters
        .map(|(ty, index)| {
            let mut argument = ptr::null_mut();
            // SAFETY: the info is alive, and its argument is a vector of the declared type.
            unsafe {
                call!(duckdb_v2_scalar_function_exec_get_arg(info, index, &raw mut argument))?;
                read(ty, &Vector::new(argument).view(rows)?)
            }
        })
        .collect()
}
