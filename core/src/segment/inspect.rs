//! One pass over the index and entity columns of a file that is to be appended: no NULLs, the bounds of the index, the
//! sort order, the entities, and every row for whoever builds coverage. Knows no buckets and reads no other column.

use std::collections::BTreeSet;

use arrow::array::{Array, RecordBatch};

use super::{
    SegmentFile,
    audit::Audit,
    look::RowLook,
    read::{ReadColumn, ReadRequest, RowGroupRead},
    visit::{Inspection, RowVisitor},
};
use crate::{
    error::{Error, Result},
    schema::Strings,
};

/// Rows looked at together.
const BATCH_ROWS: usize = 32 * 1024;

/// Which columns to look at, by position in the file, with the types that the table gives them.
#[derive(Debug, Clone)]
pub struct InspectRequest {
    /// The index column.
    pub index: ReadColumn,
    /// The entity columns in the table's order.
    pub entities: Vec<ReadColumn>,
}

/// Looks at every row of `file` once, in order, reading only the requested columns.
///
/// # Errors
/// `InvalidArgument` when an index or entity column has NULLs (naming each such column, its first NULL row counted from
/// 1 and how many there are) or the index has a type that cannot be one, what [`SegmentFile::read`] and the
/// visitor give, and `Corrupt` when pages are damaged.
pub fn inspect(file: &SegmentFile, request: &InspectRequest, visitor: &mut dyn RowVisitor) -> Result<Inspection> {
    if !request.index.ty.can_index() {
        return Err(Error::invalid_argument(format!("a column of type {} cannot be the index", request.index.ty)));
    }
    let mut pass = Pass::new(request);
    let read = pass.read_request(file);
    let mut audit = Audit::new(file, &read.columns);
    let mut batches = file.read(read)?;
    while let Some(batch) = batches.next() {
        let batch = batch?;
        audit.batch(file, batches.row_group(), &batch)?;
        pass.nulls(&batch);
        if pass.nulls.iter().all(Option::is_none) {
            pass.rows(&batch, visitor)?;
        }
        pass.seen = pass.seen.saturating_add(batch.num_rows() as u64);
    }
    pass.refuse_nulls(file)?;
    let misstated = audit.finish().into_iter().map(|lie| lie.position);
    Ok(Inspection { misstated: misstated.collect::<BTreeSet<_>>().into_iter().collect(), ..pass.finish() })
}

struct Pass<'a> {
    request: &'a InspectRequest,
    /// Rows of earlier batches.
    seen: u64,
    /// For each column its first NULL row, from 1, and their number.
    nulls: Vec<Option<(u64, u64)>>,
    look: RowLook,
}

impl<'a> Pass<'a> {
    fn new(request: &'a InspectRequest) -> Self {
        let count = request.entities.len();
        Self { request, seen: 0, nulls: vec![None; count.saturating_add(1)], look: RowLook::new(count) }
    }

    fn read_request(&self, file: &SegmentFile) -> ReadRequest {
        let index = std::iter::once(&self.request.index);
        ReadRequest {
            columns: index.chain(&self.request.entities).cloned().collect(),
            row_groups: (0..file.row_group_count()).map(RowGroupRead::from).collect(),
            strings: Strings::Dictionary,
            batch_rows: BATCH_ROWS,
            filter: None,
            values: Vec::new(),
        }
    }

    fn nulls(&mut self, batch: &RecordBatch) {
        for (column, found) in batch.columns().iter().zip(&mut self.nulls) {
            let Some(nulls) = column.logical_nulls().filter(|nulls| nulls.null_count() > 0) else { continue };
            let first = nulls.iter().position(|valid| !valid).unwrap_or(0) as u64;
            let (first, before) = found.unwrap_or((self.seen.saturating_add(first).saturating_add(1), 0));
            *found = Some((first, before.saturating_add(nulls.null_count() as u64)));
        }
    }

    fn refuse_nulls(&self, file: &SegmentFile) -> Result<()> {
        let columns = std::iter::once(&self.request.index).chain(&self.request.entities);
        let described: Vec<String> = columns
            .zip(&self.nulls)
            .filter_map(|(column, found)| {
                let (first, count) = (*found)?;
                let name = file.columns().get(column.position).map_or("", |column| column.name.as_str());
                Some(format!("column \"{name}\" is NULL in {count} of {} rows, first in row {first}", file.rows()))
            })
            .collect();
        if described.is_empty() {
            return Ok(());
        }
        Err(Error::invalid_argument(format!(
            "'{}' has rows without index or entity: {}; remove those rows or give them values",
            file.path(),
            described.join("; ")
        )))
    }

    fn rows(&mut self, batch: &RecordBatch, visitor: &mut dyn RowVisitor) -> Result<()> {
        let Some((index, entities)) = batch.columns().split_first() else { return Ok(()) };
        self.look.batch(index, entities, visitor)
    }

    fn finish(self) -> Inspection {
        self.look.finish()
    }
}
