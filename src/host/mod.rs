//! What a SQL function needs of a DuckDB host, and what a host needs of a function. Functions are written once against
//! these traits; `v1` and `v2` adapt them to DuckDB's two C APIs. No function may name a C API, no adapter may know a
//! particular function.

mod constant;
mod failure;
mod interval;
mod package;
mod processor;
mod reference;
mod running;
mod statement;
mod v1;
mod v2;
mod vector;

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
pub(crate) use reference::Reference;
pub(crate) use statement::Statement;
use tstable_core::{
    Result,
    prune::expr::{Constant, Expr},
    schema::ColumnType,
};

/// An argument as the host passed it: a folded constant of the caller's own type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Arg {
    /// A scalar; `Constant::Null` when NULL was given.
    Scalar(Constant),
    /// A list.
    List(Vec<Arg>),
    /// A struct: names and values in order.
    Struct(Vec<(String, Arg)>),
    /// A map: keys and values in order.
    Map(Vec<(Arg, Arg)>),
    /// A type that no function takes: DuckDB's name of the type and the value as text.
    Other(String, String),
}

/// The declared type of a parameter. DuckDB casts arguments to it before bind, so `Any` keeps what the caller wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParamType {
    Any,
    Varchar,
    Boolean,
    BigInt,
    VarcharList,
}

/// A parameter by name (lower case) and type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Param {
    pub(crate) name: &'static str,
    pub(crate) ty: ParamType,
}

/// How a table function is declared. Positional parameters are all required, named ones all optional: DuckDB's v1 API
/// knows nothing else. On v2 a positional parameter may be given by its name too.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signature {
    pub(crate) name: &'static str,
    pub(crate) positional: &'static [Param],
    pub(crate) named: &'static [Param],
    /// One sentence for `duckdb_functions()`, where the host has room for it.
    pub(crate) description: &'static str,
    /// A call that works, for `duckdb_functions()`.
    pub(crate) example: &'static str,
    /// Whether the host may ask for a part of the columns, in any order ([`Bound::open`]'s projection).
    pub(crate) projects: bool,
    /// Whether the host should offer filters to [`Bound::offer_filters`].
    pub(crate) filters: bool,
}

/// The arguments of one call: all positional ones, and those named ones that were given.
#[derive(Debug, Clone, Default)]
pub(crate) struct Args {
    pub(crate) positional: Vec<Arg>,
    pub(crate) named: Vec<(&'static str, Arg)>,
    /// The mention of a table that the call is for, where the host can tell one from another.
    pub(crate) reference: Option<Arc<Reference>>,
}

/// A result column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutColumn {
    pub(crate) name: String,
    pub(crate) ty: ColumnType,
}

/// The running query, as far as the host lets a function see it. Each method has an answer on hosts without the feature.
pub(crate) trait Session {
    /// Adds a record of type `tstable` to DuckDB's log; does nothing on hosts without one.
    fn log(&self, level: LogLevel, message: &str);
    /// Whether the user has interrupted the query; false where the host cannot tell.
    fn interrupted(&self) -> bool;
    /// A value as DuckDB casts it in this session, by its time zone; none on hosts that cast nothing for an extension.
    fn cast(&self, value: &Constant, to: &ColumnType) -> Option<Result<Constant>> {
        let _ = (value, to);
        None
    }
    /// One of DuckDB's settings as it holds in this session; none on hosts that tell none, and for settings that there are not.
    fn setting(&self, name: &str) -> Option<Arg> {
        let _ = name;
        None
    }
    /// The text of a setting, empty when it is not set; none as [`Session::setting`], and for settings that are no text.
    fn text_setting(&self, name: &str) -> Option<String> {
        match self.setting(name)? {
            Arg::Scalar(Constant::Text(text)) => Some(text),
            Arg::Scalar(Constant::Null) => Some(String::new()),
            _ => None,
        }
    }
    /// What tells connections apart; none where the host cannot. Only while a statement is bound.
    fn connection(&self) -> Option<u64> {
        None
    }
    /// The run of a statement that the call belongs to; none where the host cannot tell, and while a statement is bound.
    fn statement(&self) -> Option<&Statement> {
        None
    }
    /// Hears how much of the work of the present call is done, 0 to 1.
    fn progress(&self, done: f64) {
        let _ = done;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogLevel {
    Info,
    Warning,
}

/// A table function, registered once for each database that loads the extension.
pub(crate) trait TableFunction: Send + Sync + 'static {
    fn signature(&self) -> Signature;
    /// Resolves arguments and result columns. Must have no effect on any table: `EXPLAIN` and `PREPARE` bind too.
    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>>;
}

/// A bound call. Shared between copies of a plan and executed any number of times.
pub(crate) trait Bound: Send + Sync {
    fn columns(&self) -> &[OutColumn];
    /// Number of rows, and whether that is exact (an upper bound at least).
    fn cardinality(&self) -> Option<(u64, bool)> {
        None
    }
    /// Offers filters, all of which must hold for a row to be of use; `Expr::Column` counts in `columns()`. The answer
    /// says for each whether every row emitted from now on will satisfy it exactly, so that DuckDB need not check.
    /// May be called several times (what it records accumulates) or never.
    fn offer_filters(&self, filters: &[Expr]) -> Result<Vec<bool>> {
        Ok(vec![false; filters.len()])
    }
    /// Whether every batch index carries a single value in each of `columns` (for partitioned aggregates).
    fn single_valued(&self, columns: &[usize]) -> bool {
        let _ = columns;
        false
    }
    /// Starts one execution delivering `projection` (indexes into `columns()`; all of them, in order, for functions that do
    /// not project; empty when only the number of rows matters).
    fn open(&self, session: &dyn Session, projection: &[usize]) -> Result<Arc<dyn Rows>>;
}

/// One execution, shared by its workers.
pub(crate) trait Rows: Send + Sync {
    /// How many workers can be of use.
    fn max_threads(&self) -> usize {
        1
    }
    /// How many batches there are at most: every [`Worker::batch_index`] is less.
    fn batches(&self) -> u64 {
        1
    }
    /// The done part, 0 to 1.
    fn progress(&self) -> Option<f64> {
        None
    }
    /// A worker for one thread.
    fn worker(self: Arc<Self>) -> Result<Box<dyn Worker>>;
}

/// One thread's share of an execution.
pub(crate) trait Worker: Send {
    /// Writes at most [`CHUNK_ROWS`] rows, the projection's columns in order, and returns their number; zero when there
    /// are no more for this worker.
    fn fill(&mut self, session: &dyn Session, out: &mut dyn Output) -> Result<usize>;
    /// The position of the last filled rows in the result's order: never falling from call to call of one worker, and
    /// never shared between workers.
    fn batch_index(&self) -> u64 {
        0
    }
    /// The single value of each of `columns` in the last filled rows; asked only after [`Bound::single_valued`].
    fn partition_values(&self, columns: &[usize]) -> Vec<Constant> {
        let _ = columns;
        Vec::new()
    }
}

/// Rows in one chunk: DuckDB's vector size.
pub(crate) const CHUNK_ROWS: usize = 2048;

/// The chunk being filled. Columns are positions in the projection.
pub(crate) trait Output {
    /// Writes `len` rows of `array` from `offset` on as the rows from 0 of `column`, whose declared type is `ty`. The array has the
    /// Arrow type `ty.arrow(..)` (either string layout; for INTERVAL also Arrow's month-day-nano).
    fn write(&mut self, column: usize, ty: &ColumnType, array: &ArrayRef, offset: usize, len: usize) -> Result<()>;
    /// Writes `len` NULLs.
    fn write_nulls(&mut self, column: usize, ty: &ColumnType, len: usize) -> Result<()>;
    /// Writes one value `len` times, as a constant vector where the host has them.
    fn write_constant(&mut self, column: usize, ty: &ColumnType, value: &Constant, len: usize) -> Result<()>;
}

/// A scalar function over whole vectors.
pub(crate) trait ScalarFunction: Send + Sync + 'static {
    fn name(&self) -> &'static str;
    fn description(&self) -> &'static str;
    /// Parameter and return types of each overload.
    fn overloads(&self) -> Vec<(Vec<ColumnType>, ColumnType)>;
    /// The results of `rows` rows for the overload at `overload`; an array of its return type's Arrow form. Constant
    /// arguments may come as arrays of any equal length `rows`.
    fn call(&self, overload: usize, arguments: &[ArrayRef], rows: usize) -> Result<ArrayRef>;
}

/// A format that `COPY (...) TO 'path' (FORMAT name, ...)` writes, on hosts that have such.
pub(crate) trait CopyFormat: Send + Sync + 'static {
    fn name(&self) -> &'static str;
    /// Resolves options, whose names are in lower case, and the columns of the query. Must have no effect that outlives the result.
    /// `path` is as the host expands it; names of columns are empty where the host does not tell them.
    fn bind(
        &self,
        session: &dyn Session,
        path: &str,
        columns: Vec<OutColumn>,
        options: Vec<(String, Arg)>,
    ) -> Result<Arc<dyn CopyBound>>;
}

/// A bound COPY.
pub(crate) trait CopyBound: Send + Sync {
    /// Starts one execution, which the host directs to `path`: the bound one, unless the host was told to write several files.
    fn open(&self, path: &str) -> Result<Box<dyn CopySink>>;
}

/// Where the rows of one execution go. Dropped without [`CopySink::finish`], it must leave nothing visible.
pub(crate) trait CopySink: Send {
    /// Takes the next rows, in the Arrow types of the bound columns.
    fn push(&mut self, batch: &RecordBatch) -> Result<()>;
    /// Makes all rows visible.
    fn finish(self: Box<Self>, session: &dyn Session) -> Result<()>;
}

/// A pragma, which SQL takes the place of.
pub(crate) trait Pragma: Send + Sync + 'static {
    fn name(&self) -> &'static str;
    /// Its parameters, all texts, each with its default where it has one.
    fn parameters(&self) -> &'static [(&'static str, Option<&'static str>)];
    /// One sentence for documentation.
    fn description(&self) -> &'static str;
    /// The SQL to run: one or more statements. Must have no effect itself.
    fn query(&self, session: &dyn Session, arguments: &[Arg]) -> Result<String>;
}

/// Everything that the extension registers.
pub(crate) struct Registry {
    pub(crate) tables: Vec<Arc<dyn TableFunction>>,
    /// Further forms of some of those, under the same names; hosts that know one form of a name only do without.
    pub(crate) forms: Vec<Arc<dyn TableFunction>>,
    pub(crate) scalars: Vec<Arc<dyn ScalarFunction>>,
    pub(crate) copies: Vec<Arc<dyn CopyFormat>>,
    /// Only DuckDB 2's C API has pragmas.
    pub(crate) pragmas: Vec<Arc<dyn Pragma>>,
    /// The function that `FROM 'path'` becomes, called with the path, when `is_table` says yes.
    pub(crate) replacement: Option<Replacement>,
}

/// See [`Registry::replacement`]. Called for every unknown name of every statement: at most one look at the file system.
#[derive(Clone, Copy)]
pub(crate) struct Replacement {
    pub(crate) function: &'static str,
    pub(crate) is_table: fn(&dyn Session, &str) -> bool,
}
