//! `tstable_new_rows`: the rows that live now and did not at an earlier version.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use tstable_core::{
    Error, Result,
    log::Version,
    prune::expr::Constant,
    table::{
        At,
        since::{Since, new_rows::NewRows},
    },
    time::IndexRange,
};

use super::{Shared, Watch, bound_to::BoundTo, literal::show, report::column};
use crate::host::{
    Arg, Args, Bound, CHUNK_ROWS, OutColumn, Output, Param, ParamType, Rows, Session, Signature, TableFunction, Worker,
};

pub(crate) struct NewRowsSince(pub(crate) Arc<Shared>);

impl TableFunction for NewRowsSince {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_new_rows",
            positional: &[
                Param { name: "root", ty: ParamType::Varchar },
                Param { name: "since_version", ty: ParamType::BigInt },
            ],
            named: &super::arguments::RANGE_AND_VERSION_PARAMS,
            description: "The rows of a table that an earlier version of it does not have.",
            example: "FROM tstable_new_rows('prices', 41)",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let root = args.root(session)?;
        let at = args.at(session)?;
        let since = since(args.at_position(1, "since_version")?)?;
        let (_, snapshot) = self.0.snapshot(&root, &at, session)?;
        let range = args.range(session, snapshot.index_type()?)?;
        let columns = snapshot.schema()?.columns.iter().map(|c| column(&c.name, c.ty.clone())).collect();
        let bound_to = BoundTo::columns(&root, &snapshot)?;
        Ok(Arc::new(BoundNewRows { shared: Arc::clone(&self.0), bound_to, root, at, since, range, columns }))
    }
}

fn since(arg: &Arg) -> Result<Version> {
    let Arg::Scalar(Constant::Int(version)) = arg else {
        return Err(Error::invalid_argument(format!("since_version := {} is not a version", show(arg))));
    };
    u64::try_from(*version).map(Version).map_err(|_| {
        Error::invalid_argument(format!("since_version := {version} is not a version; 0 is before the first"))
    })
}

struct BoundNewRows {
    shared: Arc<Shared>,
    bound_to: BoundTo,
    root: String,
    at: At,
    since: Version,
    range: IndexRange,
    columns: Vec<OutColumn>,
}

impl Bound for BoundNewRows {
    fn columns(&self) -> &[OutColumn] {
        &self.columns
    }

    fn open(&self, session: &dyn Session, _projection: &[usize]) -> Result<Arc<dyn Rows>> {
        let (table, snapshot) = self.shared.snapshot(&self.root, &self.at, session)?;
        self.bound_to.check(&snapshot)?;
        let since = Since::new(&table, &snapshot, self.since, &self.shared.cache)?;
        let rows = NewRows::new(since, self.range)?;
        Ok(Arc::new(Execution { columns: self.columns.clone(), rows: Mutex::new(Some(rows)) }))
    }
}

struct Execution {
    columns: Vec<OutColumn>,
    /// Taken by the one worker.
    rows: Mutex<Option<NewRows>>,
}

impl Rows for Execution {
    fn worker(self: Arc<Self>) -> Result<Box<dyn Worker>> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(Box::new(Emitter { columns: self.columns.clone(), rows, current: None }))
    }
}

struct Emitter {
    columns: Vec<OutColumn>,
    rows: Option<NewRows>,
    /// The batch that is written out, and how much of it has been.
    current: Option<(RecordBatch, usize)>,
}

impl Worker for Emitter {
    fn fill(&mut self, session: &dyn Session, out: &mut dyn Output) -> Result<usize> {
        let mut next = self.current.take().filter(|(batch, offset)| *offset < batch.num_rows());
        if next.is_none() {
            let more = self.rows.as_mut().map(|rows| rows.next(&Watch(session))).transpose()?;
            next = more.flatten().map(|batch| (batch, 0));
        }
        let Some((batch, offset)) = next else {
            self.rows = None;
            return Ok(0);
        };
        let len = (batch.num_rows() - offset).min(CHUNK_ROWS);
        // Columns that were added since the call was bound come last and are not shown.
        for (i, (column, array)) in self.columns.iter().zip(batch.columns()).enumerate() {
            out.write(i, &column.ty, array, offset, len)?;
        }
        self.current = Some((batch, offset + len));
        Ok(len)
    }
}
