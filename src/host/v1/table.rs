//! Table functions through the v1 C API: four callbacks for all of them, told apart by the function that registration
//! attaches. Effects happen in the first call of `func`, the only step that DuckDB takes exactly when rows are wanted.

use std::{ffi::c_void, sync::Arc};

use libduckdb_sys as ffi;
use tstable_core::{Error, Result};

use super::{
    super::{
        Args, Bound, OutColumn, Rows, Statement, TableFunction, Worker, failure::Contained, statement::Statements,
        vector::StringTable,
    },
    Binding, Blind, Connection, c_string, guarded,
    types::LogicalType,
    v1_5_6::Context,
    value::Value,
    vector::Chunk,
};

type Extra = Contained<Function>;
type BindData = Contained<Call>;

/// A function of ours to DuckDB.
struct Function {
    function: Arc<dyn TableFunction>,
    together: Option<Together>,
}

/// How executions that run together are found, where connections can be told apart.
#[derive(Clone)]
pub(super) struct Together {
    pub(super) statements: Arc<Statements>,
    /// The number of the connection that a call is bound on. Its argument must be alive.
    pub(super) connection: unsafe fn(ffi::duckdb_bind_info) -> Option<u64>,
}

/// A bound call, and the number of the connection that it was bound on.
struct Call {
    bound: Arc<dyn Bound>,
    connection: Option<u64>,
}

/// One execution: its rows, the number of columns that DuckDB wants of them, and the run of a statement that it belongs to. Kept
/// until DuckDB ends it: by that it is known which executions run together.
struct Run {
    rows: Arc<dyn Rows>,
    columns: usize,
    statement: Option<Arc<Statement>>,
}

/// What one thread works with. DuckDB makes it without saying for which execution, so the worker comes with the first
/// call of `func`.
#[derive(Default)]
struct Share {
    worker: Option<Box<dyn Worker>>,
    tables: Vec<StringTable>,
}

/// Registers a function for the connection's database.
pub(super) fn register(
    connection: &Connection,
    function: Arc<dyn TableFunction>,
    together: Option<Together>,
) -> Result<()> {
    let signature = function.signature();
    let name = c_string(signature.name);
    // SAFETY: the handle is alive until it is destroyed below; DuckDB copies names and types and owns the extra info.
    let state = unsafe {
        let mut table = ffi::duckdb_create_table_function();
        ffi::duckdb_table_function_set_name(table, name.as_ptr());
        for parameter in signature.positional {
            ffi::duckdb_table_function_add_parameter(table, LogicalType::of_parameter(parameter.ty).raw());
        }
        for parameter in signature.named {
            let ty = LogicalType::of_parameter(parameter.ty);
            ffi::duckdb_table_function_add_named_parameter(table, c_string(parameter.name).as_ptr(), ty.raw());
        }
        let extra: Extra = Contained::new(Function { function, together });
        ffi::duckdb_table_function_set_extra_info(table, give(extra), Some(destroy::<Extra>));
        ffi::duckdb_table_function_set_bind(table, Some(bind));
        ffi::duckdb_table_function_set_init(table, Some(init));
        ffi::duckdb_table_function_set_local_init(table, Some(local_init));
        ffi::duckdb_table_function_set_function(table, Some(func));
        ffi::duckdb_table_function_supports_projection_pushdown(table, signature.projects);
        let state = ffi::duckdb_register_table_function(connection.0, table);
        ffi::duckdb_destroy_table_function(&raw mut table);
        state
    };
    if state != ffi::DuckDBSuccess {
        return Err(Error::already_exists(format!("DuckDB refused the table function {}", signature.name)));
    }
    Ok(())
}

/// Hands a value to DuckDB, to be destroyed by [`destroy`].
pub(super) fn give<T>(value: T) -> *mut c_void {
    Box::into_raw(Box::new(value)).cast()
}

/// # Safety
/// `raw` came from [`give`] with the same type, and nobody uses it again.
pub(super) unsafe extern "C" fn destroy<T>(raw: *mut c_void) {
    if !raw.is_null() {
        // SAFETY: as the caller says. What is inside keeps its own panics (`Contained`).
        drop(unsafe { Box::from_raw(raw.cast::<T>()) });
    }
}

/// # Safety
/// `raw` is null or came from [`give`] with the same type and is alive.
pub(super) unsafe fn borrow<'a, T>(raw: *mut c_void) -> Result<&'a T> {
    // SAFETY: as the caller says.
    unsafe { raw.cast::<T>().as_ref() }.ok_or_else(|| Error::invalid_argument("DuckDB lost the state of a call"))
}

unsafe extern "C" fn bind(info: ffi::duckdb_bind_info) {
    // SAFETY: DuckDB passes a live info, and the extra info is what `register` gave.
    guarded(
        |text| unsafe { ffi::duckdb_bind_set_error(info, text) },
        || unsafe {
            let Function { function, together } = borrow::<Extra>(ffi::duckdb_bind_get_extra_info(info))?.get()?;
            let session = Binding(Context::of_bind(info));
            let bound = function.bind(&session, arguments(info, function.as_ref()))?;
            for column in bound.columns() {
                let ty = LogicalType::of(&column.ty);
                // DuckDB drops a column of an invalid type without a word, which would shift all behind it.
                if ty.id() == ffi::DUCKDB_TYPE_DUCKDB_TYPE_INVALID {
                    return Err(unknown_type(column));
                }
                ffi::duckdb_bind_add_result_column(info, c_string(&column.name).as_ptr(), ty.raw());
            }
            if let Some((rows, exact)) = bound.cardinality() {
                ffi::duckdb_bind_set_cardinality(info, rows, exact);
            }
            let connection = together.as_ref().and_then(|together| (together.connection)(info));
            let data: BindData = Contained::new(Call { bound, connection });
            ffi::duckdb_bind_set_bind_data(info, give(data), Some(destroy::<BindData>));
            Ok(())
        },
    );
}

fn unknown_type(column: &OutColumn) -> Error {
    Error::unsupported_format(format!(
        "the column '{}' has the type {}, which this version of DuckDB does not have",
        column.name, column.ty
    ))
}

/// # Safety
/// `info` is alive.
unsafe fn arguments(info: ffi::duckdb_bind_info, function: &dyn TableFunction) -> Args {
    let mut args = Args::default();
    // SAFETY: the info is alive; values are owned by the caller, and null where an argument was not given.
    unsafe {
        for index in 0..ffi::duckdb_bind_get_parameter_count(info) {
            let value = Value::own(ffi::duckdb_bind_get_parameter(info, index));
            args.positional.extend(value.map(|value| value.read_argument()));
        }
        for parameter in function.signature().named {
            let value = Value::own(ffi::duckdb_bind_get_named_parameter(info, c_string(parameter.name).as_ptr()));
            args.named.extend(value.map(|value| (parameter.name, value.read_argument())));
        }
    }
    args
}

unsafe extern "C" fn init(info: ffi::duckdb_init_info) {
    // SAFETY: DuckDB passes a live info; extra info and bind data are what `register` and `bind` gave.
    guarded(
        |text| unsafe { ffi::duckdb_init_set_error(info, text) },
        || unsafe {
            let Function { function, together } = borrow::<Extra>(ffi::duckdb_init_get_extra_info(info))?.get()?;
            let Call { bound, connection } = borrow::<BindData>(ffi::duckdb_init_get_bind_data(info))?.get()?;
            let projection = projection(info, function.as_ref(), bound.as_ref());
            let known = together.as_ref().zip(*connection);
            let statement = known.map(|(together, connection)| together.statements.running_on(connection));
            let rows = bound.open(&Blind(statement.clone()), &projection)?;
            ffi::duckdb_init_set_max_threads(info, rows.max_threads().max(1) as u64);
            let run = Contained::new(Run { rows, columns: projection.len(), statement });
            ffi::duckdb_init_set_init_data(info, give(run), Some(destroy::<Contained<Run>>));
            Ok(())
        },
    );
}

/// The columns that DuckDB asks for; all of them of a function that does not project.
///
/// # Safety
/// `info` is alive.
unsafe fn projection(info: ffi::duckdb_init_info, function: &dyn TableFunction, bound: &dyn Bound) -> Vec<usize> {
    let declared = bound.columns().len();
    if !function.signature().projects {
        return (0..declared).collect();
    }
    // SAFETY: the info is alive and the index below its count.
    let asked = unsafe {
        let count = ffi::duckdb_init_get_column_count(info);
        (0..count).map(|index| ffi::duckdb_init_get_column_index(info, index)).collect::<Vec<_>>()
    };
    asked.into_iter().filter_map(|column| usize::try_from(column).ok().filter(|column| *column < declared)).collect()
}

unsafe extern "C" fn local_init(info: ffi::duckdb_init_info) {
    // SAFETY: DuckDB passes a live info and owns the data.
    guarded(
        |text| unsafe { ffi::duckdb_init_set_error(info, text) },
        || unsafe {
            let share = Contained::new(Share::default());
            ffi::duckdb_init_set_init_data(info, give(share), Some(destroy::<Contained<Share>>));
            Ok(())
        },
    );
}

unsafe extern "C" fn func(info: ffi::duckdb_function_info, chunk: ffi::duckdb_data_chunk) {
    // SAFETY: DuckDB passes a live info and chunk; the data are what `init` and `local_init` gave, the local ones for
    // this thread alone.
    guarded(
        |text| unsafe { ffi::duckdb_function_set_error(info, text) },
        || unsafe {
            let run = borrow::<Contained<Run>>(ffi::duckdb_function_get_init_data(info))?.get()?;
            let share = ffi::duckdb_function_get_local_init_data(info).cast::<Contained<Share>>().as_mut();
            let share = share.ok_or_else(|| Error::invalid_argument("DuckDB lost the state of a thread"))?.get_mut()?;
            fill(run, share, chunk)
        },
    );
}

/// # Safety
/// `chunk` is alive, this thread's, and has the columns of `run`.
unsafe fn fill(run: &Run, share: &mut Share, chunk: ffi::duckdb_data_chunk) -> Result<()> {
    if share.worker.is_none() {
        share.tables.resize_with(run.columns, StringTable::default);
        share.worker = Some(Arc::clone(&run.rows).worker()?);
    }
    let Some(worker) = &mut share.worker else { return Ok(()) };
    // SAFETY: as the caller says; there is a table for each column.
    let mut output = unsafe { Chunk::new(chunk, &mut share.tables) };
    let rows = worker.fill(&Blind(run.statement.clone()), &mut output)?;
    output.finish(rows)
}
