//! Table functions through the v2 C API.

use std::sync::Arc;

use duckdb_neo::{
    bind_arguments::BindArgument,
    connection::Context,
    data_chunk::DataChunkRef,
    extension::Extension,
    signature::{FunctionDocumentationBuilder, FunctionParameter, FunctionParameterKind, SignatureBuilder},
    table_function::{
        BindFunctionHandle, ExecColumnInfo, InitColumnData, OrderPreservation, PartitionData, PartitioningData,
        PushdownData, TableFilterPushdownCallbacks, TableFunctionBuilder, TableFunctionCallbacks, TablePartitionInfo,
        TablePartitioningCallbacks,
    },
    value::Value,
};
use tstable_core::{Error, Result, prune::expr::Constant};

use super::{
    super::{
        Arg, Args, Bound, ParamType, Rows, Signature, TableFunction, Worker,
        failure::Contained,
        reference::{Reference, References},
        statement::{Statement, Statements},
    },
    absent,
    clock::Clocks,
    connection, contained,
    filter::{Columns, convert, is_gregorian},
    host_error,
    output::{Chunk, Kept},
    session::Callback,
    types,
    value::{argument, host_value},
};

/// A function of ours to DuckDB.
struct Adapter {
    function: Contained<Arc<dyn TableFunction>>,
    statements: Arc<Statements>,
    clocks: Arc<Clocks>,
    /// Of the form that takes the number of a mention, behind the positional parameters: what the numbers stand for.
    references: Option<Arc<References>>,
}

/// A bound call. DuckDB's copies of it share this object.
struct Call {
    bound: Contained<Arc<dyn Bound>>,
    /// The connection that it was bound on, where connections can be told apart.
    connection: Option<u64>,
}

/// One execution.
struct Run(Contained<Execution>);

struct Execution {
    rows: Arc<dyn Rows>,
    /// Kept until DuckDB ends the execution: by that it is known which executions run together.
    statement: Option<Arc<Statement>>,
    /// For each column of the projection its vector in the chunk: those of virtual columns are left out.
    slots: Vec<usize>,
}

/// What one thread works with.
struct Share(Contained<Task>);

struct Task {
    worker: Box<dyn Worker>,
    kept: Kept,
}

/// Registers a function with the database that loads the extension.
pub(super) fn register(
    extension: &Extension,
    function: Arc<dyn TableFunction>,
    statements: Arc<Statements>,
    clocks: Arc<Clocks>,
) -> Result<()> {
    let name = function.signature().name;
    register_as(extension, name, Adapter { function: Contained::new(function), statements, clocks, references: None })
}

/// Registers the form of a function that tells one mention of a table from every other.
pub(super) fn register_numbered(
    extension: &Extension,
    function: Arc<dyn TableFunction>,
    statements: Arc<Statements>,
    clocks: Arc<Clocks>,
    references: Arc<References>,
) -> Result<()> {
    let name = numbered(function.signature().name);
    let references = Some(references);
    register_as(extension, &name, Adapter { function: Contained::new(function), statements, clocks, references })
}

/// The name of that form.
pub(super) fn numbered(name: &str) -> String {
    format!("__{name}")
}

fn register_as(extension: &Extension, name: &str, adapter: Adapter) -> Result<()> {
    let signature = adapter.function.get()?.signature();
    let declared = declare(extension, &signature, adapter.references.is_some())?;
    let mut builder = TableFunctionBuilder::new(name, declared, adapter)
        .with_projection_pushdown(signature.projects)
        .with_partitioning();
    if signature.projects {
        // A scan knows how far it is; of any other function DuckDB would show 0 % until the end.
        builder = builder.with_progress();
    }
    if signature.filters {
        builder = builder.with_filter_pushdown();
    }
    builder.register(extension).map_err(host_error)
}

fn declare(extension: &Extension, signature: &Signature, is_numbered: bool) -> Result<SignatureBuilder> {
    let docs = FunctionDocumentationBuilder::new()
        .description(signature.description)
        .add_example("", signature.example)
        .add_category("tstable");
    let mut declared = SignatureBuilder::new().documentation(docs);
    for parameter in signature.positional {
        let ty = types::parameter(extension, parameter.ty)?;
        declared = declared.param(FunctionParameter::with_type(parameter.name, ty));
    }
    if is_numbered {
        let ty = types::parameter(extension, ParamType::BigInt)?;
        declared = declared.param(FunctionParameter::with_type(MENTION, ty));
    }
    for parameter in signature.named {
        // A parameter without a default is required, and a NULL default of the declared type would look like a given
        // NULL. Only ANY lets the marker through, so `bind` casts to the declared type.
        let ty = types::parameter(extension, ParamType::Any)?;
        let optional = FunctionParameter::with_type(parameter.name, ty).default_value(absent::Absent);
        declared = declared.param(optional.kind(FunctionParameterKind::Named));
    }
    Ok(declared)
}

/// The parameter that takes the number of a mention.
const MENTION: &str = "mention";

/// The mention that a number stands for.
fn reference(references: &References, number: Option<&Value>) -> Result<Arc<Reference>> {
    match number.map(argument).transpose()? {
        Some(Arg::Scalar(Constant::Int(number))) => references.bind(i64::try_from(number).unwrap_or_default()),
        _ => Err(missing(MENTION)),
    }
}

/// The arguments in our words. DuckDB passes every parameter, positional ones first, in the order of the declaration.
fn arguments(
    context: &Context,
    signature: &Signature,
    references: Option<&References>,
    given: Vec<BindArgument>,
) -> Result<Args> {
    let mut values = given.into_iter().map(|argument| argument.value);
    let mut args = Args::default();
    for parameter in signature.positional {
        let value = values.next().flatten().ok_or_else(|| missing(parameter.name))?;
        args.positional.push(argument(&value)?);
    }
    if let Some(references) = references {
        args.reference = Some(reference(references, values.next().flatten().as_ref())?);
    }
    for parameter in signature.named {
        let value = values.next().flatten().ok_or_else(|| missing(parameter.name))?;
        if !absent::is_absent(&value)? {
            let value = cast(context, parameter.name, parameter.ty, value)?;
            args.named.push((parameter.name, argument(&value)?));
        }
    }
    Ok(args)
}

fn missing(name: &str) -> Error {
    Error::invalid_argument(format!("the argument '{name}' is not a constant; pass a constant"))
}

/// The value in the parameter's type.
fn cast(context: &Context, name: &str, ty: ParamType, value: Value) -> Result<Value> {
    if ty == ParamType::Any {
        return Ok(value);
    }
    let to = types::parameter(context, ty)?;
    value.cast(context, &to).map_err(|error| {
        let cause = host_error(error);
        Error::invalid_argument(format!("the argument '{name}' is no {to}: {}", cause.message()))
    })
}

/// The projection and the vector of each of its columns.
fn projection(
    signature: &Signature,
    declared: usize,
    columns: &InitColumnData<'_>,
) -> Result<(Vec<usize>, Vec<usize>)> {
    if !signature.projects {
        return Ok(((0..declared).collect(), (0..declared).collect()));
    }
    let mut projection = Vec::new();
    let mut slots = Vec::new();
    for slot in 0..columns.count().map_err(host_error)? {
        let column = columns.get_column_index(slot).map_err(host_error)?;
        if column < declared {
            projection.push(column);
            slots.push(slot);
        }
    }
    Ok((projection, slots))
}

fn lost(what: &str) -> Error {
    Error::internal(format!("DuckDB lost the state of {what}"))
}

impl TableFunctionCallbacks for Adapter {
    type BindData = Call;
    type LocalState = Share;
    type GlobalState = Run;

    fn bind(
        &self,
        context: &Context,
        given: Vec<BindArgument>,
        result: BindFunctionHandle<'_>,
    ) -> duckdb_neo::Result<Call> {
        contained(|| {
            let function = self.function.get()?;
            let args = arguments(context, &function.signature(), self.references.as_deref(), given)?;
            let bound = function.bind(&Callback(context, None), args)?;
            for column in bound.columns() {
                let ty = types::logical(context, &column.ty)?;
                result.add_result_column(&column.name, &ty).map_err(host_error)?;
            }
            if let Some((rows, exact)) = bound.cardinality() {
                result.set_cardinality(usize::try_from(rows).unwrap_or(usize::MAX), exact).map_err(host_error)?;
            }
            result.set_order(OrderPreservation::Insertion).map_err(host_error)?;
            Ok(Call { bound: Contained::new(bound), connection: connection::number(context) })
        })
    }

    fn init_global_state(
        &self,
        call: &Call,
        context: &Context,
        columns: InitColumnData<'_>,
    ) -> duckdb_neo::Result<(Option<Run>, Option<usize>)> {
        contained(|| {
            let bound = call.bound.get()?;
            let (projection, slots) = projection(&self.function.get()?.signature(), bound.columns().len(), &columns)?;
            let statement = call.connection.map(|connection| self.statements.running_on(connection));
            let rows = bound.open(&Callback(context, statement.clone()), &projection)?;
            let threads = rows.max_threads().max(1);
            Ok((Some(Run(Contained::new(Execution { rows, statement, slots }))), Some(threads)))
        })
    }

    fn init_local_state(
        &self,
        _call: &Call,
        run: Option<&Run>,
        _context: &Context,
        _columns: InitColumnData<'_>,
    ) -> duckdb_neo::Result<Option<Share>> {
        contained(|| {
            let run = run.ok_or_else(|| lost("an execution"))?.0.get()?;
            let worker = Arc::clone(&run.rows).worker()?;
            let kept = Kept::new(run.slots.len());
            Ok(Some(Share(Contained::new(Task { worker, kept }))))
        })
    }

    fn exec(
        &self,
        _call: &Call,
        run: Option<&Run>,
        share: Option<&mut Share>,
        context: &Context,
        output: DataChunkRef<'_>,
        _columns: ExecColumnInfo<'_>,
    ) -> duckdb_neo::Result<()> {
        contained(|| {
            let run = run.ok_or_else(|| lost("an execution"))?.0.get()?;
            let task = share.ok_or_else(|| lost("a thread"))?.0.get_mut()?;
            let mut chunk = Chunk::new(&output, context, &run.slots, &mut task.kept);
            let rows = task.worker.fill(&Callback(context, run.statement.clone()), &mut chunk)?;
            chunk.finish(rows)
        })
    }

    fn progress(&self, _call: &Call, run: Option<&Run>, _context: &Context) -> duckdb_neo::Result<Option<f64>> {
        contained(|| match run {
            Some(run) => Ok(run.0.get()?.rows.progress()),
            None => Ok(None),
        })
    }
}

impl TableFilterPushdownCallbacks for Adapter {
    fn pushdown_filter(&self, call: &Call, context: &Context, offered: PushdownData<'_>) -> duckdb_neo::Result<()> {
        contained(|| {
            let bound = call.bound.get()?;
            let gregorian = is_gregorian(context);
            let clock = |zone: Option<&str>| match zone {
                _ if !gregorian => None,
                Some(zone) => self.clocks.of_zone(context, zone),
                None => self.clocks.of_session(context),
            };
            let columns = Columns { offered: &offered, declared: bound.columns(), gregorian, clock: &clock };
            let count = offered.filter_count().map_err(host_error)?;
            let mut filters = Vec::with_capacity(count);
            for index in 0..count {
                filters.push(convert(&columns, &offered.filter(index).map_err(host_error)?));
            }
            for (index, exact) in bound.offer_filters(&filters)?.into_iter().enumerate().take(count) {
                if exact {
                    offered.accept_pushdown(index).map_err(host_error)?;
                }
            }
            Ok(())
        })
    }
}

impl TablePartitioningCallbacks for Adapter {
    fn partition_data(
        &self,
        call: &Call,
        _run: Option<&Run>,
        share: Option<&mut Share>,
        context: &Context,
        data: PartitionData<'_>,
    ) -> duckdb_neo::Result<usize> {
        contained(|| {
            let worker = &share.ok_or_else(|| lost("a thread"))?.0.get()?.worker;
            let declared = call.bound.get()?.columns();
            let count = data.count().map_err(host_error)?;
            let asked: Vec<usize> =
                (0..count).map(|index| data.get_column_index(index)).collect::<Result<_, _>>().map_err(host_error)?;
            let values = if asked.is_empty() { Vec::new() } else { worker.partition_values(&asked) };
            for (index, (column, value)) in asked.iter().zip(&values).enumerate() {
                let column = declared.get(*column).ok_or_else(|| lost("a partition column"))?;
                let value = host_value(context, &column.ty, value)?.ok_or_else(|| {
                    Error::schema_mismatch(format!("{value:?} is not a partition value of type {}", column.ty))
                })?;
                data.set_partition_value(index, &value).map_err(host_error)?;
            }
            usize::try_from(worker.batch_index()).map_err(|_| Error::limit_exceeded("there are too many batches"))
        })
    }

    fn partitioning(
        &self,
        call: &Call,
        _context: &Context,
        asked: PartitioningData<'_>,
    ) -> duckdb_neo::Result<TablePartitionInfo> {
        contained(|| {
            let bound = call.bound.get()?;
            let count = asked.count().map_err(host_error)?;
            let columns: Vec<usize> =
                (0..count).map(|index| asked.get_column_index(index)).collect::<Result<_, _>>().map_err(host_error)?;
            let known = columns.iter().all(|column| *column < bound.columns().len());
            Ok(if known && !columns.is_empty() && bound.single_valued(&columns) {
                TablePartitionInfo::SingleValuePartitions
            } else {
                TablePartitionInfo::NotPartitioned
            })
        })
    }
}
