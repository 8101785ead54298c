//! Reading rows: a request names columns, row groups and rows, and the reader delivers record batches in the Arrow types
//! that tables promise. Decides nothing about which rows matter; that is the caller's.

use std::{ops::Range, vec};

use arrow::{array::RecordBatch, error::ArrowError};

use super::{
    blame,
    constants::Filling,
    file::SegmentFile,
    filter::{IndexFilter, ValueFilter},
    group::Group,
    guard::guarded,
    room::{self, BATCH_BYTES},
    schema::readable_as,
};
use crate::{
    error::{Error, Result},
    schema::{ColumnType, Strings},
};

/// By so much a batch shrinks that would hold more text than an array can.
const FEWER_ROWS: usize = 16;

/// A column to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadColumn {
    /// Its position in [`SegmentFile::columns`].
    pub position: usize,
    /// The type to deliver: the file's own or a lossless widening of it.
    pub ty: ColumnType,
}

/// A row group to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowGroupRead {
    /// Its position in the file.
    pub row_group: usize,
    /// The rows to be read, counted from the row group's first: ascending, disjoint ranges. All rows when none.
    pub rows: Option<Vec<Range<usize>>>,
}

impl From<usize> for RowGroupRead {
    fn from(row_group: usize) -> Self {
        Self { row_group, rows: None }
    }
}

/// What to read of a file.
#[derive(Debug, Clone)]
pub struct ReadRequest {
    /// The columns in the order in which batches have them; a column may occur several times or not at all. Batches
    /// without columns still count rows.
    pub columns: Vec<ReadColumn>,
    /// The row groups in the order in which they are read.
    pub row_groups: Vec<RowGroupRead>,
    /// Whether VARCHAR columns (not those inside nested types) may come as dictionaries. They do for row groups whose
    /// pages are all dictionary-encoded, and as plain strings otherwise.
    pub strings: Strings,
    /// The most rows of a batch.
    pub batch_rows: usize,
    /// Delivers only rows in a range of the index, exactly. The other columns are decoded for those rows only.
    pub filter: Option<IndexFilter>,
    /// Delivers only rows in which each of these columns has one of its values, exactly.
    pub values: Vec<ValueFilter>,
}

impl ReadRequest {
    /// All columns in their own types, all row groups, all rows.
    #[must_use]
    pub fn all(file: &SegmentFile) -> Self {
        let columns = file.columns().iter().enumerate();
        Self {
            columns: columns.map(|(position, column)| ReadColumn { position, ty: column.ty.clone() }).collect(),
            row_groups: (0..file.row_group_count()).map(RowGroupRead::from).collect(),
            strings: Strings::Plain,
            batch_rows: 2048,
            filter: None,
            values: Vec::new(),
        }
    }
}

impl ReadRequest {
    /// The columns on which rows are chosen.
    pub(super) fn conditions(&self) -> impl Iterator<Item = &ReadColumn> {
        self.filter.iter().map(IndexFilter::column).chain(self.values.iter().map(|values| &values.column))
    }
}

impl SegmentFile {
    /// Starts reading. Nothing is read from the source before the first batch is asked for.
    ///
    /// # Errors
    /// `InvalidArgument` when the request names a column, row group or row that the file does not have,
    /// `SchemaMismatch` when a column cannot be read as the requested type without loss.
    pub fn read(&self, mut request: ReadRequest) -> Result<SegmentReader> {
        request.columns.iter().chain(request.conditions()).try_for_each(|column| check_column(self, column))?;
        request.row_groups.iter().try_for_each(|group| check_row_group(self, group))?;
        if request.batch_rows == 0 {
            return Err(Error::invalid_argument("a batch must have room for at least one row"));
        }
        let filling = Filling::of(self, &mut request)?;
        let groups = request.row_groups.clone().into_iter();
        Ok(SegmentReader {
            file: self.clone(),
            request,
            groups,
            current: None,
            row_group: 0,
            batch_bytes: BATCH_BYTES,
            context: None,
            filling,
        })
    }
}

fn check_column(file: &SegmentFile, column: &ReadColumn) -> Result<()> {
    let Some(has) = file.columns().get(column.position) else {
        let count = file.columns().len();
        return Err(Error::invalid_argument(format!(
            "column {} of '{}' was asked for, which has {count} columns",
            column.position,
            file.path()
        )));
    };
    if readable_as(&has.ty, &column.ty) {
        return Ok(());
    }
    Err(Error::schema_mismatch(format!(
        "column \"{}\" of '{}' is {}, which cannot be read as {} without loss",
        has.name,
        file.path(),
        has.ty,
        column.ty
    )))
}

fn check_row_group(file: &SegmentFile, group: &RowGroupRead) -> Result<()> {
    let wrong = |what: String| Err(Error::invalid_argument(format!("{what} of '{}' was asked for", file.path())));
    if group.row_group >= file.row_group_count() {
        return wrong(format!("row group {} of {}", group.row_group, file.row_group_count()));
    }
    let rows = file.row_group_rows(group.row_group);
    let mut from = 0;
    for range in group.rows.iter().flatten() {
        if range.start < from || range.end < range.start || range.end > rows {
            return wrong(format!("the range of rows {range:?} of row group {} ({rows} rows)", group.row_group));
        }
        from = range.end;
    }
    Ok(())
}

/// An iterator over the requested rows. After an error it ends.
#[derive(Debug)]
pub struct SegmentReader {
    file: SegmentFile,
    request: ReadRequest,
    groups: vec::IntoIter<RowGroupRead>,
    current: Option<Open>,
    row_group: usize,
    batch_bytes: usize,
    context: Option<(&'static str, String)>,
    /// Puts in what is not in the file.
    filling: Option<Filling>,
}

impl Iterator for SegmentReader {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let file = self.file.clone();
        let next = guarded(file.path(), || self.advance()).transpose();
        if matches!(next, Some(Err(_))) {
            self.current = None;
            self.groups = Vec::new().into_iter();
        }
        let next = next.map(|batch| batch.and_then(|batch| self.filled(batch)));
        let named = |e| blame::named(&file, &self.request, self.row_group, e);
        next.map(|batch| {
            batch.map_err(named).map_err(|e| self.context.iter().fold(e, |e, (key, value)| e.with(key, value)))
        })
    }
}

impl SegmentReader {
    /// Adds a key and a value to every error: what the reader of one file cannot know.
    #[must_use]
    pub fn naming(mut self, key: &'static str, value: impl std::fmt::Display) -> Self {
        self.context = Some((key, value.to_string()));
        self
    }

    /// Bounds the text of a batch to about this many bytes, instead of 16 MiB.
    #[must_use]
    pub fn within(mut self, batch_bytes: usize) -> Self {
        self.batch_bytes = batch_bytes;
        self
    }

    /// The row group from which the last batch came; batches never span row groups.
    #[must_use]
    pub fn row_group(&self) -> usize {
        self.row_group
    }

    fn filled(&self, batch: RecordBatch) -> Result<RecordBatch> {
        match &self.filling {
            Some(filling) => filling.apply(&self.file, &batch),
            None => Ok(batch),
        }
    }

    fn advance(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(open) = &mut self.current {
                if let Some(batch) = open.advance(&self.file, &self.request)? {
                    return Ok(Some(batch));
                }
                self.current = None;
            }
            let Some(group) = self.groups.next() else { return Ok(None) };
            self.row_group = group.row_group;
            if self.file.row_group_rows(group.row_group) > 0 && group.rows.as_ref().is_none_or(|rows| !rows.is_empty())
            {
                let positions: Vec<usize> = self.request.columns.iter().map(|column| column.position).collect();
                let (strings, most) = (self.request.strings, self.request.batch_rows);
                let rows = room::rows(&self.file, group.row_group, &positions, strings, most, self.batch_bytes)?;
                self.current = Some(Open { read: group, group: None, batch_rows: rows, delivered: 0 });
            }
        }
    }
}

/// A row group that is being read.
#[derive(Debug)]
struct Open {
    read: RowGroupRead,
    /// None before its first batch, and when it has to be read again.
    group: Option<Group>,
    batch_rows: usize,
    /// Rows that were given away.
    delivered: usize,
}

impl Open {
    /// The next rows. Where a batch would hold more text than an array can, the row group is read again in smaller batches.
    fn advance(&mut self, file: &SegmentFile, request: &ReadRequest) -> Result<Option<RecordBatch>> {
        loop {
            match self.attempt(file, request) {
                Err(error) if self.batch_rows > 1 && room::is_overflow(&error) => {
                    self.group = None;
                    self.batch_rows = (self.batch_rows / FEWER_ROWS).max(1);
                }
                other => return other,
            }
        }
    }

    fn attempt(&mut self, file: &SegmentFile, request: &ReadRequest) -> Result<Option<RecordBatch>> {
        let mut skip = 0;
        let group = match &mut self.group {
            Some(group) => group,
            empty => {
                skip = self.delivered;
                empty.insert(Group::open(file, request, &self.read, self.batch_rows)?)
            }
        };
        while let Some(batch) = group.advance(file, request)? {
            let known = skip.min(batch.num_rows());
            skip -= known;
            if known < batch.num_rows() {
                let new = batch.slice(known, batch.num_rows() - known);
                self.delivered = self.delivered.saturating_add(new.num_rows());
                return Ok(Some(new));
            }
        }
        Ok(None)
    }
}

pub(super) fn beyond(file: &SegmentFile, column: &ReadColumn, error: ArrowError) -> Error {
    let has = file.columns().get(column.position);
    let (name, ty) = has.map_or(("", String::new()), |has| (has.name.as_str(), has.ty.to_string()));
    Error::schema_mismatch(format!(
        "column \"{name}\" of '{}' is {ty} and has a value outside the range of {}; cast it before writing",
        file.path(),
        column.ty
    ))
    .caused_by(error)
}
