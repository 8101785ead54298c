//! `COPY (...) TO 'root' (FORMAT tstable, ...)`: appends the rows of a query, in one commit, to a table that it makes when asked to.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use arrow::array::RecordBatch;
use tstable_core::{
    Error, ErrorKind, Result,
    log::{LOG_DIRECTORY, Version, definition::Definition},
    prune::expr::Constant,
    schema::{ColumnType, same_name},
    storage::local::guard::Guard,
    table::{
        CreateRequest, Table,
        load::{LoadRequest, Loader},
        write::policy::{OnOverlap, OnViolation},
    },
};

use super::{
    Shared, Watch, address,
    literal::{show, width},
    query_rows,
};
use crate::host::{Arg, CopyBound, CopyFormat, CopySink, OutColumn, Session};

pub(crate) struct Copy(pub(crate) Arc<Shared>);

const OPTIONS: &str = "TIME_COLUMN, BUCKET, ENTITY_COLUMNS, TIMEZONE, UNIQUENESS, COUNTS, ON_OVERLAP, ON_VIOLATION, EXPECTED_VERSION and \
                       MESSAGE";

impl CopyFormat for Copy {
    fn name(&self) -> &'static str {
        "tstable"
    }

    fn bind(
        &self,
        session: &dyn Session,
        path: &str,
        columns: Vec<OutColumn>,
        options: Vec<(String, Arg)>,
    ) -> Result<Arc<dyn CopyBound>> {
        let root = address::root(session, "the target", address::beyond_duckdb(path))?;
        let options = Options::read(options)?;
        let (expected, request) = (options.expected_version, options.request()?);
        let (columns, packed) = query_rows::named(columns)?;
        let directory = Path::new(&root);
        let guard = Mutex::new(Guard::set(&[&directory.join(LOG_DIRECTORY), directory]));
        let bound = BoundCopy {
            shared: Arc::clone(&self.0),
            path: path.to_owned(),
            root,
            columns,
            packed,
            expected,
            request,
            guard,
        };
        bound.check_columns()?;
        Ok(Arc::new(bound))
    }
}

/// The options as written.
#[derive(Default)]
struct Options {
    time_column: Option<String>,
    bucket: Option<String>,
    entity_columns: Vec<String>,
    timezone: Option<String>,
    uniqueness: Option<String>,
    counts: Option<bool>,
    on_overlap: OnOverlap,
    on_violation: OnViolation,
    expected_version: Option<Version>,
    message: Option<String>,
}

impl Options {
    fn read(options: Vec<(String, Arg)>) -> Result<Self> {
        let mut read = Self::default();
        for (name, arg) in options {
            match name.as_str() {
                "time_column" => read.time_column = Some(text(&name, &arg)?),
                "bucket" => read.bucket = Some(width("BUCKET", only(&arg))?.to_string()),
                "entity_columns" => read.entity_columns = texts(&name, &arg)?,
                "timezone" => read.timezone = Some(text(&name, &arg)?),
                "uniqueness" => read.uniqueness = Some(text(&name, &arg)?),
                "counts" => read.counts = Some(flag(&name, only(&arg))?),
                "on_overlap" => read.on_overlap = OnOverlap::parse(&text(&name, &arg)?)?,
                "on_violation" => read.on_violation = OnViolation::parse(&text(&name, &arg)?)?,
                "expected_version" => read.expected_version = Some(version(&name, only(&arg))?),
                "message" => read.message = Some(text(&name, &arg)?),
                _ => {
                    return Err(Error::invalid_argument(format!(
                        "the format tstable has no option {}; its options are {OPTIONS}",
                        name.to_ascii_uppercase()
                    )));
                }
            }
        }
        Ok(read)
    }

    fn request(self) -> Result<LoadRequest> {
        let describes = !self.entity_columns.is_empty()
            || self.timezone.is_some()
            || self.uniqueness.is_some()
            || self.counts.is_some();
        let create: Option<Definition> = match (self.time_column, self.bucket) {
            (Some(index_column), Some(bucket)) => Some(
                CreateRequest {
                    index_column,
                    bucket,
                    timezone: self.timezone,
                    origin: None,
                    origin_zoned: None,
                    entity_columns: self.entity_columns,
                    uniqueness: self.uniqueness.unwrap_or_else(|| "bucket".to_owned()),
                    counts: self.counts.unwrap_or(false),
                    schema: None,
                }
                .definition()?,
            ),
            (None, None) if !describes => None,
            _ => {
                return Err(Error::invalid_argument(
                    "TIME_COLUMN and BUCKET describe the table to be made and are given together; leave both out to load into \
                     a table that is there",
                ));
            }
        };
        Ok(LoadRequest {
            create,
            on_overlap: self.on_overlap,
            on_violation: self.on_violation,
            message: self.message,
            whole: None,
        })
    }
}

/// An option in parentheses comes as a list of one.
fn only(arg: &Arg) -> &Arg {
    match arg {
        Arg::List(items) if items.len() == 1 => items.first().unwrap_or(arg),
        _ => arg,
    }
}

fn text(name: &str, arg: &Arg) -> Result<String> {
    let wrong =
        |arg: &Arg| Error::invalid_argument(format!("{} is {}, not a text", name.to_ascii_uppercase(), show(arg)));
    match arg {
        Arg::Scalar(Constant::Text(text)) => Ok(text.clone()),
        Arg::List(_) if only(arg) != arg => text(name, only(arg)),
        other => Err(wrong(other)),
    }
}

fn flag(name: &str, arg: &Arg) -> Result<bool> {
    match arg {
        Arg::Scalar(Constant::Bool(flag)) => Ok(*flag),
        Arg::Scalar(Constant::Text(word)) if word.eq_ignore_ascii_case("true") => Ok(true),
        Arg::Scalar(Constant::Text(word)) if word.eq_ignore_ascii_case("false") => Ok(false),
        other => Err(Error::invalid_argument(format!(
            "{} is {}, neither true nor false",
            name.to_ascii_uppercase(),
            show(other)
        ))),
    }
}

fn version(name: &str, arg: &Arg) -> Result<Version> {
    let number = match arg {
        Arg::Scalar(Constant::Int(number)) => u64::try_from(*number).ok().filter(|number| *number > 0),
        _ => None,
    };
    number.map(Version).ok_or_else(|| {
        Error::invalid_argument(format!("{} is {}, not a positive integer", name.to_ascii_uppercase(), show(arg)))
    })
}

/// A list comes as a list, as a struct without names when it is in parentheses, or as a single text.
fn texts(name: &str, arg: &Arg) -> Result<Vec<String>> {
    match arg {
        Arg::List(items) => items.iter().map(|item| text(name, item)).collect(),
        Arg::Struct(fields) => fields.iter().map(|(_, item)| text(name, item)).collect(),
        other => Ok(vec![text(name, other)?]),
    }
}

struct BoundCopy {
    shared: Arc<Shared>,
    /// The path that was given, and the same without slashes at its end.
    path: String,
    root: String,
    columns: Vec<(String, ColumnType)>,
    /// Whether the columns come as the fields of one struct.
    packed: bool,
    /// What the newest version must be.
    expected: Option<Version>,
    request: LoadRequest,
    /// Stands until DuckDB has shown that it means to write the one file that was bound.
    guard: Mutex<Option<Guard>>,
}

impl BoundCopy {
    /// Refuses a query without the columns that every row must have. PARTITION_BY takes columns away before this looks.
    fn check_columns(&self) -> Result<()> {
        let existing =
            || self.shared.cache.latest(&self.root).ok().map(|(_, latest)| latest.state.definition.as_ref().clone());
        let Some(definition) = self.request.create.clone().or_else(existing) else { return Ok(()) };
        for name in std::iter::once(&definition.index_column).chain(&definition.entity_columns) {
            if !self.columns.iter().any(|(column, _)| same_name(column, name)) {
                return Err(Error::schema_mismatch(format!(
                    "the query does not give the column \"{name}\", which the table at '{}' needs in every row; add it, and leave out \
                     PARTITION_BY, which would take it away: a table keeps all of its columns",
                    self.root
                )));
            }
        }
        Ok(())
    }
}

impl CopyBound for BoundCopy {
    fn open(&self, path: &str) -> Result<Box<dyn CopySink>> {
        if path != self.path {
            return Err(Error::invalid_argument(format!(
                "DuckDB would write '{path}' instead of '{}'; PARTITION_BY, ORDER_BY, PER_THREAD_OUTPUT, ROW_GROUPS_PER_FILE and \
                 USE_TMP_FILE are not for tstable, which makes its own files: leave them out",
                self.path
            )));
        }
        drop(self.guard.lock().unwrap_or_else(PoisonError::into_inner).take());
        if self.request.create.is_some() {
            let way_out = "make the table beside them with tstable_create(..., into_existing := true)";
            address::check_vacant(&self.root, way_out)?;
        }
        let table = self.shared.cache.table(&self.root).expecting(self.expected);
        let loader = table.loader(&self.columns, self.request.clone()).map_err(|e| match e.kind() {
            ErrorKind::NotFound => Error::not_found(format!(
                "there is no table at '{}'; give TIME_COLUMN and BUCKET to have it made",
                self.root
            )),
            _ => e,
        })?;
        Ok(Box::new(Sink {
            shared: Arc::clone(&self.shared),
            root: self.root.clone(),
            packed: self.packed,
            table,
            loader,
        }))
    }
}

struct Sink {
    shared: Arc<Shared>,
    root: String,
    packed: bool,
    table: Table,
    loader: Loader,
}

impl CopySink for Sink {
    fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        if self.packed { self.loader.push(&query_rows::unpacked(batch)?) } else { self.loader.push(batch) }
    }

    fn finish(self: Box<Self>, session: &dyn Session) -> Result<()> {
        let loaded = self.loader.finish(&Watch(session))?;
        self.shared.changed(&self.root, &self.table, &loaded.changed, session);
        Ok(())
    }
}
