//! Functions that answer with many rows: the frame that runs them once an execution, chunk by chunk as Arrow arrays of only
//! the columns that are asked for. Functions with few rows are simpler as a [`super::report`].

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::ArrayRef;
use tstable_core::{Error, Result};

use crate::host::{Bound, OutColumn, Output, Rows, Session, Worker};

/// Rows of one chunk, at most [`crate::host::CHUNK_ROWS`].
pub(crate) struct Chunk {
    pub(crate) rows: usize,
    /// An array of that many rows for each projected column.
    pub(crate) arrays: Vec<ArrayRef>,
}

/// The rows of one execution; none at the end.
pub(crate) trait Chunks: Send {
    fn next(&mut self, session: &dyn Session) -> Result<Option<Chunk>>;
}

type Start = dyn Fn(&dyn Session, &[usize]) -> Result<Box<dyn Chunks>> + Send + Sync;

/// A bound call of such a function; it starts, with the projected columns, when the first rows are asked for.
pub(crate) struct Columnar {
    columns: Vec<OutColumn>,
    start: Arc<Start>,
}

impl Columnar {
    pub(crate) fn bound(
        columns: Vec<OutColumn>,
        start: impl Fn(&dyn Session, &[usize]) -> Result<Box<dyn Chunks>> + Send + Sync + 'static,
    ) -> Arc<dyn Bound> {
        Arc::new(Self { columns, start: Arc::new(start) })
    }
}

impl Bound for Columnar {
    fn columns(&self) -> &[OutColumn] {
        &self.columns
    }

    fn open(&self, _session: &dyn Session, projection: &[usize]) -> Result<Arc<dyn Rows>> {
        let types = projection.iter().filter_map(|at| self.columns.get(*at)).cloned().collect();
        let start = Mutex::new(Some(Arc::clone(&self.start)));
        Ok(Arc::new(Execution { columns: types, projection: projection.to_vec(), start }))
    }
}

struct Execution {
    /// The projected columns.
    columns: Vec<OutColumn>,
    projection: Vec<usize>,
    /// Taken by the one worker that runs it.
    start: Mutex<Option<Arc<Start>>>,
}

impl Rows for Execution {
    fn worker(self: Arc<Self>) -> Result<Box<dyn Worker>> {
        Ok(Box::new(Emitter { execution: self, chunks: None }))
    }
}

struct Emitter {
    execution: Arc<Execution>,
    chunks: Option<Box<dyn Chunks>>,
}

impl Worker for Emitter {
    fn fill(&mut self, session: &dyn Session, out: &mut dyn Output) -> Result<usize> {
        if self.chunks.is_none() {
            let start = self.execution.start.lock().unwrap_or_else(PoisonError::into_inner).take();
            let Some(start) = start else { return Ok(0) };
            self.chunks = Some(start(session, &self.execution.projection)?);
        }
        let Some(chunks) = &mut self.chunks else { return Ok(0) };
        if session.interrupted() {
            return Err(Error::cancelled("the query was interrupted"));
        }
        let Some(chunk) = chunks.next(session)? else { return Ok(0) };
        for (i, (column, array)) in self.execution.columns.iter().zip(&chunk.arrays).enumerate() {
            out.write(i, &column.ty, array, 0, chunk.rows)?;
        }
        Ok(chunk.rows)
    }
}
