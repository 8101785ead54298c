//! `tstable_latest`: the newest rows of each entity.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use tstable_core::{
    Error, Result,
    table::{At, latest::latest},
};

use super::{Shared, Watch, bound_to::BoundTo, entity_argument::Chosen, report::column};
use crate::host::{
    Args, Bound, CHUNK_ROWS, LogLevel, OutColumn, Output, Param, ParamType, Rows, Session, Signature, TableFunction,
    Worker,
};

pub(crate) struct Latest(pub(crate) Arc<Shared>);

impl TableFunction for Latest {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_latest",
            positional: &[Param { name: "root", ty: ParamType::Varchar }],
            named: &[
                Param { name: "n", ty: ParamType::BigInt },
                Param { name: "entity", ty: ParamType::Any },
                Param { name: "version", ty: ParamType::BigInt },
                Param { name: "as_of", ty: ParamType::Any },
                Param { name: "tag", ty: ParamType::Varchar },
            ],
            description: "The newest rows of each entity, from the few segments that can hold them.",
            example: "FROM tstable_latest('prices', n := 3)",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let root = args.root(session)?;
        let at = args.at(session)?;
        let count = usize::try_from(args.count("n")?.unwrap_or(1))
            .map_err(|_| Error::limit_exceeded("n is more rows than memory can hold"))?;
        let (_, snapshot) = self.0.snapshot(&root, &at, session)?;
        let chosen = Chosen::of(&args, &snapshot)?;
        let columns = snapshot.schema()?.columns.iter().map(|c| column(&c.name, c.ty.clone())).collect();
        let bound_to = BoundTo::columns(&root, &snapshot)?;
        Ok(Arc::new(BoundLatest { shared: Arc::clone(&self.0), bound_to, root, at, count, chosen, columns }))
    }
}

struct BoundLatest {
    shared: Arc<Shared>,
    bound_to: BoundTo,
    root: String,
    at: At,
    count: usize,
    chosen: Chosen,
    columns: Vec<OutColumn>,
}

impl Bound for BoundLatest {
    fn columns(&self) -> &[OutColumn] {
        &self.columns
    }

    fn open(&self, session: &dyn Session, _projection: &[usize]) -> Result<Arc<dyn Rows>> {
        let (_, snapshot) = self.shared.snapshot(&self.root, &self.at, session)?;
        self.bound_to.check(&snapshot)?;
        let entities = self.chosen.choice(&snapshot)?.entities;
        let found = latest(&snapshot, &self.shared.cache, self.count, &entities, &Watch(session))?;
        session.log(
            LogLevel::Info,
            &format!(
                "latest of '{}': {} of {} segments opened",
                self.root,
                found.opened,
                snapshot.state.segments.len()
            ),
        );
        // Columns that were added since the call was bound come last and are not shown.
        Ok(Arc::new(Execution { columns: self.columns.clone(), batches: Mutex::new(found.batches) }))
    }
}

struct Execution {
    columns: Vec<OutColumn>,
    /// Taken by the one worker.
    batches: Mutex<Vec<RecordBatch>>,
}

impl Rows for Execution {
    fn worker(self: Arc<Self>) -> Result<Box<dyn Worker>> {
        let batches = std::mem::take(&mut *self.batches.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(Box::new(Emitter { columns: self.columns.clone(), batches: batches.into_iter(), current: None }))
    }
}

struct Emitter {
    columns: Vec<OutColumn>,
    batches: std::vec::IntoIter<RecordBatch>,
    /// The batch that is written out, and how much of it has been.
    current: Option<(RecordBatch, usize)>,
}

impl Worker for Emitter {
    fn fill(&mut self, _session: &dyn Session, out: &mut dyn Output) -> Result<usize> {
        let next = self.current.take().filter(|(batch, offset)| *offset < batch.num_rows());
        let Some((batch, offset)) = next.or_else(|| self.batches.next().map(|batch| (batch, 0))) else { return Ok(0) };
        let len = (batch.num_rows() - offset).min(CHUNK_ROWS);
        for (i, (column, array)) in self.columns.iter().zip(batch.columns()).enumerate() {
            out.write(i, &column.ty, array, offset, len)?;
        }
        self.current = Some((batch, offset + len));
        Ok(len)
    }
}
