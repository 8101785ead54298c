//! Folders of plain Parquet files: what somebody's exports, or a lake that is laid out by Hive, have below one directory. Nothing says
//! what their table is, so index, entities and bucket are proposed from columns, folders and rows where they are not given.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::{Import, spacing};
use crate::{
    error::{Error, Result},
    log::{COVERAGE_DIRECTORY, DATA_DIRECTORY, LOG_DIRECTORY, QUARANTINE_DIRECTORY},
    schema::{ColumnType, same_name},
    segment::SegmentFile,
    storage::{
        access::Access,
        local::roots::{Children, children, has_pattern, is_parquet},
        outside::expand,
    },
    table::{
        CreateRequest, incoming,
        monitor::{Monitor, check_cancelled},
        write::{
            folders::Folders,
            policy::{AppendRequest, Naming, NewColumns, OnError},
        },
    },
};

/// What marks a directory as a table of which a log says what its files are worth, and whose that is.
const LOGS: [(&str, &str); 5] = [
    (
        "_delta_log",
        "a Delta table, whose log says which files hold its rows; write its rows out with an engine that reads Delta",
    ),
    (
        ".hoodie",
        "a Hudi table, whose log says which files hold its rows; write its rows out with an engine that reads Hudi",
    ),
    (LOG_DIRECTORY, "a table, whose log says which files hold its rows; import that, or leave it out"),
    (
        COVERAGE_DIRECTORY,
        "half a table of tstable: its _timeseries_log, which says which files hold its rows, is missing; restore it from a copy",
    ),
    (QUARANTINE_DIRECTORY, "half a table of tstable: its _timeseries_log is missing; restore it from a copy"),
];
/// Those that tstable makes. Beside them others may keep files; its own lie in one directory.
const OURS: [&str; 3] = [LOG_DIRECTORY, COVERAGE_DIRECTORY, QUARANTINE_DIRECTORY];
/// What folders are called that say when a row is from, and not whose it is.
const CALENDAR: [&str; 12] =
    ["year", "month", "day", "hour", "minute", "week", "quarter", "date", "dt", "ds", "yyyymm", "yyyymmdd"];
/// So many files tell how far apart rows lie.
const FILES_TO_MEASURE: usize = 64;

/// What is known of a folder from who imports it.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The index column.
    pub time_column: Option<&'a str>,
    /// The width of a bucket.
    pub bucket: Option<&'a str>,
    /// The columns that identify an entity; where none are given, those that folders name.
    pub entity_columns: &'a [String],
    /// Which columns the names of folders are.
    pub naming: &'a Naming,
    /// Whether files that cannot be imported are left out.
    pub skips: bool,
    /// What may be reached.
    pub access: &'a Access,
}

/// What a folder, or what a pattern finds, is; none when there is no Parquet file.
///
/// # Errors
/// `InvalidArgument` when its index or bucket cannot be told, `UnsupportedFormat` when files below it belong to a table of another
/// program or of half a table, `Cancelled`, and what opening its files gives.
pub fn describe(source: &Path, request: &Request<'_>, monitor: &dyn Monitor) -> Result<Option<Import>> {
    let files = files(source, monitor)?;
    if files.is_empty() {
        return Ok(None);
    }
    if let Some(file) = files.iter().find(|file| !request.access.has_file(&file.to_string_lossy())) {
        return Err(Error::invalid_argument(format!("'{}' {}", file.display(), request.access.reason())));
    }
    check_above(&files)?;
    let mut naming = request.naming.clone();
    if naming == Naming::default() && files.iter().any(|file| is_named_by_folder(file)) {
        naming.hive = Some(true);
    }
    let (sound, (_, example)) = sound(&files, request.skips)?;
    let index = match request.time_column {
        Some(name) => name.to_owned(),
        None => index_of(&example)?,
    };
    let entities = match request.entity_columns {
        [] => entities(&index, &files, source, &naming)?,
        given => given.to_vec(),
    };
    let bucket = match request.bucket {
        Some(bucket) => bucket.to_owned(),
        None => spacing::propose(&sound, &index)?,
    };
    let on_error = if request.skips { OnError::SkipFile } else { OnError::Fail };
    Ok(Some(Import {
        source: source.to_owned(),
        kind: if naming.hive == Some(true) { "Hive folder" } else { "Parquet files" }.to_owned(),
        definition: CreateRequest { entity_columns: entities, ..CreateRequest::new(&index, &bucket) },
        files,
        properties: Vec::new(),
        snapshots: Vec::new(),
        decodes: false,
        how: AppendRequest { naming, on_error, new_columns: NewColumns::Add, ..AppendRequest::default() },
    }))
}

/// The Parquet files at or below a directory, or those that a pattern finds, in order of their paths. What begins with a dot or an
/// underline is not data, as everywhere in Hive's world.
fn files(source: &Path, monitor: &dyn Monitor) -> Result<Vec<PathBuf>> {
    let text = source.to_string_lossy();
    if !source.exists() && has_pattern(&text) || source.is_file() {
        return expand(&[text.into_owned()]);
    }
    let (mut open, mut found) = (vec![source.to_owned()], Vec::new());
    while let Some(directory) = open.pop() {
        check_cancelled(monitor)?;
        let Children { directories, files } = children(&directory)?;
        check_plain(&directory, &directories)?;
        found.extend(files.into_iter().filter(|file| is_parquet(file) && !is_hidden(file)));
        open.extend(directories.into_iter().filter(|directory| !is_hidden(directory) && !is_link(directory)));
    }
    found.sort();
    Ok(found)
}

/// Refuses a directory of which a log says what its files are worth.
fn check_plain(directory: &Path, directories: &[PathBuf]) -> Result<()> {
    refuse_logs(directory, |name| directories.iter().any(|path| path.file_name().is_some_and(|found| found == name)))
}

/// Refuses files that belong to a table above them: a part of a table has rows that are no longer live as all of it has. What lies
/// beside the data of a table of ours is nobody's.
fn check_above(files: &[PathBuf]) -> Result<()> {
    let mut seen = BTreeSet::new();
    for folder in files.iter().filter_map(|file| file.parent()).collect::<BTreeSet<_>>() {
        let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let here = fs::canonicalize(here).map_err(|e| Error::io("look for", here.display(), e))?;
        let mut below = None;
        for directory in here.ancestors().take_while(|directory| seen.insert(directory.to_path_buf())) {
            let is_data = below == Some(DATA_DIRECTORY.as_ref());
            refuse_logs(directory, |name| (is_data || !OURS.contains(&name)) && directory.join(name).is_dir())?;
            below = directory.file_name();
        }
    }
    Ok(())
}

fn refuse_logs(directory: &Path, has: impl Fn(&str) -> bool) -> Result<()> {
    let iceberg = || {
        let metadata = children(&directory.join("metadata")).unwrap_or_default().files;
        metadata.iter().any(|file| file.to_string_lossy().ends_with(".metadata.json"))
    };
    let what = LOGS.iter().find(|(name, _)| has(name)).map(|(_, what)| *what).or_else(|| {
        let what = "an Iceberg table, whose metadata say which files hold its rows; write its rows out with an engine that reads Iceberg";
        (has("metadata") && iceberg()).then_some(what)
    });
    match what {
        None => Ok(()),
        Some(what) => Err(Error::unsupported_format(format!("'{}' is {what}", directory.display()))),
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(['.', '_']))
}

/// A link to a directory may lead in a circle, or to files that lie below already.
fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink())
}

fn is_named_by_folder(file: &Path) -> bool {
    let folders = file.parent().into_iter().flat_map(Path::components);
    folders
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .any(|part| part.split_once('=').is_some_and(|(name, _)| !name.is_empty()))
}

/// Files that can be opened and have rows, and the first of them.
fn sound(files: &[PathBuf], skips: bool) -> Result<(Vec<PathBuf>, (PathBuf, SegmentFile))> {
    let (mut sound, mut example, mut wrong) = (Vec::new(), None, None);
    for path in files {
        match incoming::open(path) {
            Ok((_, file)) if file.rows() > 0 => {
                example.get_or_insert((path.clone(), file));
                sound.push(path.clone());
            }
            Ok(_) => {}
            Err(e) if skips => wrong = Some(e),
            Err(e) => return Err(e),
        }
        if sound.len() >= FILES_TO_MEASURE {
            break;
        }
    }
    let nothing = || wrong.unwrap_or_else(|| Error::invalid_argument("no file of the source has a row"));
    Ok((sound, example.ok_or_else(nothing)?))
}

/// The one column that can be the index: of instants, or else of dates.
fn index_of(file: &SegmentFile) -> Result<String> {
    let of = |fits: fn(&ColumnType) -> bool| -> Vec<&str> {
        file.columns().iter().filter(|column| fits(&column.ty)).map(|column| column.name.as_str()).collect()
    };
    let mut found = of(|ty| matches!(ty, ColumnType::Timestamp(_) | ColumnType::TimestampTz(_)));
    if found.is_empty() {
        found = of(|ty| *ty == ColumnType::Date);
    }
    match found.as_slice() {
        [name] => Ok((*name).to_owned()),
        [] => Err(Error::invalid_argument(
            "no column of the files is a TIMESTAMP or DATE; name the column that orders the rows, as in time_column := 'block'",
        )),
        [first, ..] => Err(Error::invalid_argument(format!(
            "the files have {} columns of times, '{}'; name the one that orders the rows, as in time_column := '{first}'",
            found.len(),
            found.join("', '")
        ))),
    }
}

/// The columns that folders name and that say whose a row is.
fn entities(index: &str, files: &[PathBuf], source: &Path, naming: &Naming) -> Result<Vec<String>> {
    if *naming == Naming::default() || naming.hive == Some(false) {
        return Ok(Vec::new());
    }
    let definition = CreateRequest::new(index, "1d").definition()?;
    // Only for names: the root of a table would be looked at from below, so none is given.
    let folders =
        Folders::of(&definition, files, "", naming, NewColumns::Add).map_err(|e| e.with("source", source.display()))?;
    let identifies = |name: &str, ty: &ColumnType| {
        ty.can_identify() && !same_name(name, index) && !CALENDAR.iter().any(|word| same_name(word, name))
    };
    Ok(folders.named().filter(|(name, ty)| identifies(name, ty)).map(|(name, _)| name.to_owned()).collect())
}
