//! `COPY (...) TO 'path' (FORMAT ...)` through the v2 C API. Batches are made into Arrow on DuckDB's threads and handed on one after
//! the other, in the order of the query.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use ::arrow::array::RecordBatch;
use duckdb_neo::{
    column_data_collection::ColumnDataCollection,
    connection::Context,
    copy_function::{CopyFunctionBuilder, CopyToBindInfo, CopyToFunctionCallbacks},
    extension::Extension,
    file::FileSystem,
};
use tstable_core::{Error, Result};

use super::{
    super::{CopyBound, CopyFormat, CopySink, OutColumn, failure::Contained},
    arrow, contained, host_error,
    session::Callback,
    value,
};

/// Rows that DuckDB gathers before it hands them over: ten vectors.
const BATCH_ROWS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(20_479);

/// Registers a format with the database that loads the extension.
pub(super) fn register(extension: &Extension, format: Arc<dyn CopyFormat>) -> Result<()> {
    CopyFunctionBuilder::new(format.name(), Adapter(format)).register(extension).map_err(host_error)
}

struct Adapter(Arc<dyn CopyFormat>);

struct BoundCopy {
    bound: Arc<dyn CopyBound>,
    columns: Vec<OutColumn>,
    /// DuckDB asks for the size of batches right after binding, unless the statement has ROW_GROUP_SIZE, which it keeps for itself.
    asked_for_size: AtomicBool,
}

/// Taken when the execution finishes.
struct Open(Mutex<Option<Box<dyn CopySink>>>);

fn over() -> Error {
    Error::internal("DuckDB went on with a COPY that had ended")
}

impl CopyToFunctionCallbacks for Adapter {
    type InitData = Contained<Open>;
    type BindData = Contained<BoundCopy>;
    type BatchData = Contained<Vec<RecordBatch>>;

    fn bind(&self, context: &Context, info: &CopyToBindInfo) -> duckdb_neo::Result<Self::BindData> {
        contained(|| {
            let mut columns = Vec::new();
            for index in 0..info.column_count().map_err(host_error)? {
                let (name, ty) = info.get_column(index).map_err(host_error)?;
                columns.push(OutColumn { name: name.to_owned(), ty: arrow::stored_type(name, &ty)? });
            }
            let options = info.options().map_err(host_error)?;
            let mut given = Vec::new();
            for (name, value) in &options {
                given.push((name.to_ascii_lowercase(), value::argument(value)?));
            }
            let files = FileSystem::new(context).map_err(host_error)?;
            let path = files.expand(&info.file_path().map_err(host_error)?).map_err(host_error)?;
            let bound = self.0.bind(&Callback(context, None), &path, columns.clone(), given)?;
            Ok(Contained::new(BoundCopy { bound, columns, asked_for_size: AtomicBool::new(false) }))
        })
    }

    fn init(&self, _context: &Context, bound: &Self::BindData, path: &str) -> duckdb_neo::Result<Self::InitData> {
        contained(|| {
            let bound = bound.get()?;
            if !bound.asked_for_size.load(Ordering::Relaxed) {
                return Err(Error::invalid_argument(
                    "ROW_GROUP_SIZE is not for tstable, which lays out row groups by time; leave it out",
                ));
            }
            Ok(Contained::new(Open(Mutex::new(Some(bound.bound.open(path)?)))))
        })
    }

    fn batch(
        &self,
        context: &Context,
        bound: &Self::BindData,
        _open: &Self::InitData,
        input: &ColumnDataCollection<'_>,
    ) -> duckdb_neo::Result<Self::BatchData> {
        contained(|| Ok(Contained::new(arrow::batches(context, &bound.get()?.columns, input)?)))
    }

    fn batch_size(&self, _context: &Context, bound: &Self::BindData) -> duckdb_neo::Result<Option<NonZeroUsize>> {
        contained(|| {
            bound.get()?.asked_for_size.store(true, Ordering::Relaxed);
            Ok(Some(BATCH_ROWS))
        })
    }

    fn flush(
        &self,
        _context: &Context,
        _bound: &Self::BindData,
        open: &Self::InitData,
        _input: &ColumnDataCollection<'_>,
        batches: &mut Self::BatchData,
    ) -> duckdb_neo::Result<()> {
        contained(|| {
            let mut sink = open.get()?.0.lock().unwrap_or_else(PoisonError::into_inner);
            let sink = sink.as_mut().ok_or_else(over)?;
            std::mem::take(batches.get_mut()?).iter().try_for_each(|batch| sink.push(batch))
        })
    }

    fn finalize(&self, context: &Context, _bound: &Self::BindData, open: &Self::InitData) -> duckdb_neo::Result<()> {
        contained(|| {
            let sink = open.get()?.0.lock().unwrap_or_else(PoisonError::into_inner).take();
            sink.ok_or_else(over)?.finish(&Callback(context, None))
        })
    }
}
