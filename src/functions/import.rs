//! `tstable_import`: tables of timeseries-table-format, stores of PyStore and folders of Parquet, as tables of ours.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use tstable_core::{
    Error, ErrorKind, Result,
    import::{self, Import as Described, Imported, Together, ancestor, combined, folder, pystore},
    storage::{access::Access, local::roots::has_pattern},
    table::{
        monitor::check_cancelled,
        write::policy::{Mode, Naming, OnOverlap},
    },
};

use super::{
    Watch, access,
    address::{local_directory, local_file},
    answer::Answer,
    literal::width,
    report::Cell,
};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Import;

impl TableFunction for Import {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_import",
            positional: &[
                Param { name: "source", ty: ParamType::Varchar },
                Param { name: "root", ty: ParamType::Varchar },
            ],
            named: &[
                Param { name: "bucket", ty: ParamType::Any },
                Param { name: "entity_columns", ty: ParamType::VarcharList },
                Param { name: "entity_column", ty: ParamType::Varchar },
                Param { name: "time_column", ty: ParamType::Varchar },
                Param { name: "hive", ty: ParamType::Boolean },
                Param { name: "pattern", ty: ParamType::Varchar },
                Param { name: "on_overlap", ty: ParamType::Varchar },
                Param { name: "mode", ty: ParamType::Varchar },
                Param { name: "on_error", ty: ParamType::Varchar },
            ],
            description: "Makes tables of the tables of timeseries-table-format, stores of PyStore and folders of Parquet files.",
            example: "FROM tstable_import('pystore/mydatastore', 'stores/mine')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let access = access::of(session);
        let request = Request {
            source: PathBuf::from(local_file(session, "source", &args.text_at(0, "source")?)?),
            root: PathBuf::from(local_directory(session, "root", &args.text_at(1, "root")?)?),
            bucket: args.named("bucket").map(|arg| width("bucket", arg)).transpose()?.map(|bucket| bucket.to_string()),
            entity_columns: args.text_list("entity_columns")?,
            entity_column: args.text("entity_column")?,
            time_column: args.text("time_column")?,
            naming: Naming {
                hive: args.named("hive").map(|_| args.flag("hive")).transpose()?,
                pattern: args.text("pattern")?,
            },
            on_overlap: args.text("on_overlap")?.map(|word| OnOverlap::parse(&word)).transpose()?,
            mode: args.text("mode")?.map_or(Ok(Mode::Link), |word| Mode::parse(&word))?,
            skips: skips(args.text("on_error")?.as_deref())?,
            access,
        };
        Ok(answer().bound(move |session| run(&request, session)))
    }
}

struct Request {
    source: PathBuf,
    root: PathBuf,
    bucket: Option<String>,
    entity_columns: Vec<String>,
    /// The column for the names of items that become one table.
    entity_column: Option<String>,
    /// The index column of a folder of files.
    time_column: Option<String>,
    /// Which columns the names of folders are.
    naming: Naming,
    /// What to do with rows of one bucket that come from several files.
    on_overlap: Option<OnOverlap>,
    mode: Mode,
    /// Whether a table that cannot be imported is reported instead of ending the call.
    skips: bool,
    /// What the session may reach.
    access: Access,
}

/// A table to be made: where from, where to, and what the source says it is.
struct Task {
    source: PathBuf,
    root: PathBuf,
    described: Result<Described>,
}

fn skips(word: Option<&str>) -> Result<bool> {
    match word {
        None | Some("fail") => Ok(false),
        Some("skip_file") => Ok(true),
        Some(other) => {
            Err(Error::invalid_argument(format!("on_error := '{other}' is not known; use 'fail' or 'skip_file'")))
        }
    }
}

/// A table that was made, or what was left out.
struct Line {
    source: String,
    root: PathBuf,
    kind: String,
    /// None where nothing was made.
    made: Option<Imported>,
    message: String,
}

fn answer() -> Answer<Line> {
    Answer::new()
        .text("source", |line: &Line| Cell::text(&line.source))
        .text("root", |line| Cell::text(line.root.to_string_lossy()))
        .text("kind", |line| Cell::text(&line.kind))
        .maybe_count("version", |line| line.made.as_ref().map(|made| made.version.0))
        .maybe_count("rows", |line| line.made.as_ref().map(|made| made.rows))
        .maybe_count("files", |line| line.made.as_ref().map(|made| made.files))
        .text("message", |line| Cell::text(&line.message))
}

fn run(request: &Request, session: &dyn Session) -> Result<Vec<Line>> {
    access::check_links(&request.access, "source", &request.source)?;
    if let Some(column) = &request.entity_column {
        return run_combined(request, column, session);
    }
    let mut tasks = tasks(request, session)?;
    if !request.skips
        && let Some(failed) = tasks.iter().position(|task| task.described.is_err())
    {
        let task = tasks.swap_remove(failed);
        return Err(task.described.err().unwrap_or_else(|| nothing(request)).with("source", task.source.display()));
    }
    all_or_none(request, tasks, |made, task| {
        check_cancelled(&Watch(session))?;
        let root = task.root.clone();
        let (rows, is_made) = import_one(request, task, session)?;
        // What was made around files that lie there is no copy, and must not be removed with them.
        if is_made && request.mode != Mode::Adopt {
            made.made(&root);
        }
        Ok(rows)
    })
}

/// Makes a table of each part, or, when one cannot be made and such are not to be skipped, none.
fn all_or_none<T>(
    request: &Request,
    parts: impl IntoIterator<Item = T>,
    mut one: impl FnMut(&mut Together, T) -> Result<Vec<Line>>,
) -> Result<Vec<Line>> {
    let (mut made, mut rows) = (Together::below(&request.root), Vec::new());
    for part in parts {
        match one(&mut made, part) {
            Ok(more) => rows.extend(more),
            Err(reason) if request.skips => return Err(reason),
            Err(reason) => {
                made.undo();
                return Err(reason);
            }
        }
    }
    Ok(rows)
}

/// The rows of a task, and whether it made a table.
fn import_one(request: &Request, task: Task, session: &dyn Session) -> Result<(Vec<Line>, bool)> {
    let made = task.described.and_then(|described| {
        let imported = import::run(&described, &task.root, request.mode, &Watch(session))?;
        Ok((described, imported))
    });
    match made {
        Ok((described, mut imported)) => {
            let refused = std::mem::take(&mut imported.refused);
            let others = refused.into_iter().map(|(file, why)| left_out(file, &task.root, why));
            let table = table_made(&task.source, &task.root, &described.kind, what_it_is(&described), imported);
            Ok((std::iter::once(table).chain(others).collect(), true))
        }
        Err(reason) if request.skips && !matches!(reason.kind(), ErrorKind::Cancelled) => {
            Ok((vec![refused(&task.source, &task.root, &reason)], false))
        }
        Err(reason) => Err(reason),
    }
}

/// Makes one table of each collection, in which the items are entities.
fn run_combined(request: &Request, entity_column: &str, session: &dyn Session) -> Result<Vec<Line>> {
    if matches!(request.mode, Mode::Move) {
        return Err(Error::invalid_argument("mode := 'move' would empty the source of an import; leave mode out"));
    }
    let items = pystore::items(&request.source)?;
    if items.is_empty() {
        return Err(Error::not_found(format!(
            "'{}' holds no PyStore item, collection or store, whose items entity_column := '{entity_column}' could name",
            request.source.display()
        )));
    }
    let combine = combined::Request {
        entity_column,
        entity_columns: &request.entity_columns,
        bucket: request.bucket.as_deref(),
        skips: request.skips,
    };
    all_or_none(request, combined::collections(items), |made, (below, items)| {
        let (source, root) = (below_of(&request.source, &below), below_of(&request.root, &below));
        match combined::run(&items, &root, &combine, &Watch(session)) {
            Ok(table) => {
                made.made(&root);
                let others = table.refused.iter().map(|(item, reason)| refused(item, &root, reason));
                let bucket = format!("bucket {}", table.bucket);
                let table = table_made(&source, &root, "PyStore collection", bucket, table.imported);
                Ok(std::iter::once(table).chain(others).collect())
            }
            Err(reason) if request.skips && !matches!(reason.kind(), ErrorKind::Cancelled) => {
                Ok(vec![refused(&source, &root, &reason)])
            }
            Err(reason) => Err(reason.with("source", source.display())),
        }
    })
}

fn below_of(directory: &Path, below: &Path) -> PathBuf {
    if below.as_os_str().is_empty() { directory.to_owned() } else { directory.join(below) }
}

/// What is to be made of the source, in the order of their paths.
fn tasks(request: &Request, session: &dyn Session) -> Result<Vec<Task>> {
    let is_pattern = !request.source.exists() && has_pattern(&request.source.to_string_lossy());
    if is_pattern || request.source.is_file() {
        return Ok(vec![of_folder(request, session)?]);
    }
    let go_on = || check_cancelled(&Watch(session));
    let marked = request.access.find_marked(&request.source, tstable_core::log::LOG_DIRECTORY, &go_on)?;
    let mut tasks = Vec::new();
    for found in marked {
        let source = found.path;
        let below = source.strip_prefix(&request.source).unwrap_or(Path::new("")).to_owned();
        match found.error.map_or_else(|| ancestor::describe(&source), Err) {
            Ok(None) if below.as_os_str().is_empty() => {
                return Err(Error::invalid_argument(format!(
                    "'{}' is a table of tstable already; copy its directory instead",
                    source.display()
                )));
            }
            Ok(None) => {}
            Ok(Some(described)) => tasks.push(task(request, source, &below, Ok(with_arguments(described, request)))),
            Err(e) => tasks.push(task(request, source, &below, Err(e))),
        }
    }
    for item in pystore::items(&request.source)? {
        let described = pystore::describe(&item, request.bucket.as_deref());
        let described = described.map(|described| with_arguments(described, request));
        tasks.push(task(request, item.directory.clone(), &item.below, described));
    }
    match tasks.first() {
        None => Ok(vec![of_folder(request, session)?]),
        Some(first) if request.time_column.is_some() || request.naming != Naming::default() => {
            Err(Error::invalid_argument(format!(
                "time_column, hive and pattern are for folders of plain Parquet files, and '{}' is not one: it says itself what it is",
                first.source.display()
            )))
        }
        Some(_) => Ok(tasks),
    }
}

/// What is to be made of a folder of plain files.
fn of_folder(request: &Request, session: &dyn Session) -> Result<Task> {
    let known = folder::Request {
        time_column: request.time_column.as_deref(),
        bucket: request.bucket.as_deref(),
        entity_columns: &request.entity_columns,
        naming: &request.naming,
        skips: request.skips,
        access: &request.access,
    };
    let described = folder::describe(&request.source, &known, &Watch(session))?.ok_or_else(|| nothing(request))?;
    Ok(task(request, request.source.clone(), Path::new(""), Ok(with_arguments(described, request))))
}

fn task(request: &Request, source: PathBuf, below: &Path, described: Result<Described>) -> Task {
    Task { source, root: below_of(&request.root, below), described }
}

fn with_arguments(mut described: Described, request: &Request) -> Described {
    if let Some(bucket) = &request.bucket {
        described.definition.bucket.clone_from(bucket);
    }
    if !request.entity_columns.is_empty() {
        described.definition.entity_columns.clone_from(&request.entity_columns);
    }
    if let Some(on_overlap) = request.on_overlap {
        described.how.on_overlap = on_overlap;
    }
    described
}

fn nothing(request: &Request) -> Error {
    Error::not_found(format!(
        "'{}' holds neither a table of timeseries-table-format, nor a PyStore item, collection or store, nor a Parquet file",
        request.source.display()
    ))
}

/// What the source says, or was said of it.
fn what_it_is(described: &Described) -> String {
    let definition = &described.definition;
    let mut said = format!("time column {}, bucket {}", definition.index_column, definition.bucket);
    if !definition.entity_columns.is_empty() {
        said.push_str(&format!(", entity columns {}", definition.entity_columns.join(", ")));
    }
    said
}

fn table_made(source: &Path, root: &Path, kind: &str, message: String, made: Imported) -> Line {
    let source = source.to_string_lossy().into_owned();
    Line { source, root: root.to_owned(), kind: kind.to_owned(), made: Some(made), message }
}

fn refused(source: &Path, root: &Path, reason: &Error) -> Line {
    left_out(source.to_string_lossy().into_owned(), root, reason.to_string())
}

fn left_out(source: String, root: &Path, reason: String) -> Line {
    Line { source, root: root.to_owned(), kind: "refused".to_owned(), made: None, message: reason }
}
