//! Stores of [PyStore](https://github.com/ranaroussi/pystore), of its releases 0.1 to 1.0: each item is a directory of Parquet parts
//! beside a file of metadata, in a collection, in a store; a snapshot of a collection is a full copy of its items.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    Earlier, Import,
    metadata::{METADATA_FILES, ROW_NUMBERS, labels, levels, metadata, properties},
    rows::columns_of_all,
    spacing,
};
use crate::{
    error::{Error, Result},
    storage::local::roots::children,
    table::{
        CreateRequest, incoming,
        target::Target,
        write::policy::{AppendRequest, NewColumns, OnOverlap},
    },
};

const SNAPSHOTS: &str = "_snapshots";
/// How far below the path of all stores an item may lie: a store, a collection, and folders where its name has slashes.
const DEPTH: usize = 6;

/// An item, and where its table goes below the new root.
#[derive(Debug, Clone)]
pub struct Item {
    /// Its directory.
    pub directory: PathBuf,
    /// Its path below what was named, empty for the item itself.
    pub below: PathBuf,
}

impl Item {
    /// The name of the item.
    pub(super) fn name(&self) -> String {
        self.directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

/// The items at or below a directory that is an item, a collection, a store or has stores; none when it is none of these.
///
/// # Errors
/// `NotFound` or `Io` when it cannot be read.
pub fn items(directory: &Path) -> Result<Vec<Item>> {
    let mut found = Vec::new();
    gather(directory, Path::new(""), DEPTH, &mut found)?;
    found.sort_by(|a: &Item, b: &Item| a.below.cmp(&b.below));
    Ok(found)
}

fn gather(directory: &Path, below: &Path, depth: usize, found: &mut Vec<Item>) -> Result<()> {
    let listed = children(directory)?;
    if parts(&listed.files).next().is_some() && metadata_file(&listed.files).is_some() {
        found.push(Item { directory: directory.to_owned(), below: below.to_owned() });
        return Ok(());
    }
    if depth == 0 {
        return Ok(());
    }
    for child in listed.directories {
        let Some(name) = child.file_name().filter(|name| *name != SNAPSHOTS) else { continue };
        gather(&child, &below.join(name), depth.saturating_sub(1), found)?;
    }
    Ok(())
}

/// `part.<n>.parquet`, the files with rows.
fn parts(files: &[PathBuf]) -> impl Iterator<Item = &PathBuf> {
    files.iter().filter(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("part.") && name.ends_with(".parquet")
    })
}

fn metadata_file(files: &[PathBuf]) -> Option<&'static str> {
    let has = |name: &str| files.iter().any(|path| path.file_name().is_some_and(|file| file == name));
    METADATA_FILES.into_iter().find(|name| has(name))
}

/// What an item is. `bucket` is the width to give its table; without one the usual distance of its rows proposes it.
///
/// # Errors
/// `UnsupportedFormat` when its index is not a column, `SchemaMismatch` when its parts disagree, `Corrupt` when its metadata
/// cannot be read, and what opening its files gives.
pub fn describe(item: &Item, bucket: Option<&str>) -> Result<Import> {
    let Layout { files, index, levels } = Layout::of(item)?;
    let bucket = match bucket {
        Some(bucket) => bucket.to_owned(),
        None => spacing::propose(&files, &index)?,
    };
    let snapshots = snapshots(item, &files)?;
    // Columns may have come after a snapshot was taken, or have become wider.
    let all: Vec<_> = snapshots.iter().flat_map(|earlier| &earlier.files).chain(&files).cloned().collect();
    let without = (!levels.is_empty()).then_some(ROW_NUMBERS);
    let definition = CreateRequest { entity_columns: levels, ..CreateRequest::new(&index, &bucket) };
    let (schema, decodes) = columns_of_all(&Target::of(&definition.clone().definition()?, &all)?, &all, without)?;
    let new_columns = if without.is_some() { NewColumns::Ignore } else { NewColumns::default() };
    Ok(Import {
        source: item.directory.clone(),
        kind: "PyStore item".to_owned(),
        definition: CreateRequest { schema: Some(schema), ..definition },
        snapshots,
        properties: properties(&item.directory)?,
        files,
        decodes,
        how: AppendRequest { on_overlap: OnOverlap::Allow, new_columns, ..AppendRequest::default() },
    })
}

/// What of an item is its index.
pub(super) struct Layout {
    /// Its files with rows.
    pub(super) files: Vec<PathBuf>,
    /// The index column.
    pub(super) index: String,
    /// The other levels of an index that has several.
    pub(super) levels: Vec<String>,
}

impl Layout {
    pub(super) fn of(item: &Item) -> Result<Self> {
        let files: Vec<_> = parts(&children(&item.directory)?.files).cloned().collect();
        let (index, mut levels) = (index_column(&files)?, levels(&item.directory)?);
        let (Some(first), Some(example)) = (levels.first().cloned(), files.first()) else {
            return Ok(Self { files, index, levels });
        };
        let (_, file) = incoming::open(example)?;
        let is_time = |name: &String| {
            let found = file.position(name).and_then(|at| file.columns().get(at));
            found.is_some_and(|column| column.ty.unit_nanos().is_some())
        };
        let index = levels.iter().find(|name| is_time(name)).cloned().unwrap_or(first);
        levels.retain(|name| *name != index);
        Ok(Self { files, index, levels })
    }
}

/// The column that pandas takes for the index, as the parts themselves say.
fn index_column(files: &[PathBuf]) -> Result<String> {
    let mut index: Option<String> = None;
    for path in files {
        let (_, file) = incoming::open(path)?;
        let pandas = file.key_value("pandas").and_then(|text| serde_json::from_str::<Value>(text).ok());
        let stated = pandas.as_ref().and_then(|pandas| pandas.get("index_columns")?.as_array().cloned());
        let names: Vec<_> = stated.iter().flatten().filter_map(Value::as_str).collect();
        let [name] = names.as_slice() else {
            return Err(Error::unsupported_format(
                "the item's index is not one column of its files; write the item with an index of times that has a name",
            )
            .with("file", path.display()));
        };
        match &index {
            Some(known) if known != name => {
                return Err(Error::schema_mismatch(format!(
                    "the parts of the item disagree about the index: \"{known}\" and \"{name}\""
                ))
                .with("file", path.display()));
            }
            _ => index = Some((*name).to_owned()),
        }
    }
    index.ok_or_else(|| Error::not_found("the item has no part with rows"))
}

/// The snapshots that hold the item, oldest first, as far as its own time of change tells their order.
fn snapshots(item: &Item, current: &[PathBuf]) -> Result<Vec<Earlier>> {
    let mut found = dated_snapshots(item, current)?;
    found.sort_by(|a, b| (&a.0, &a.1.name).cmp(&(&b.0, &b.1.name)));
    Ok(found.into_iter().map(|(_, earlier)| earlier).collect())
}

/// The snapshots that hold the item, each with the item's own time of change.
fn dated_snapshots(item: &Item, current: &[PathBuf]) -> Result<Vec<(String, Earlier)>> {
    // The name of an item may have slashes.
    let above = item.directory.ancestors().skip(1).take(DEPTH);
    let Some(collection) = above.into_iter().find(|above| above.join(SNAPSHOTS).is_dir()) else {
        return Ok(Vec::new());
    };
    let Ok(name) = item.directory.strip_prefix(collection) else { return Ok(Vec::new()) };
    let Ok(listed) = children(&collection.join(SNAPSHOTS)) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for directory in listed.directories {
        let copy = directory.join(name);
        let Ok(files) = children(&copy).map(|listed| parts(&listed.files).cloned().collect::<Vec<_>>()) else {
            continue;
        };
        let tag = directory.file_name().map(|tag| tag.to_string_lossy().into_owned());
        let Some(tag) = tag.filter(|_| !files.is_empty()) else { continue };
        let updated = metadata(&copy)?.get("_updated").and_then(Value::as_str).unwrap_or_default().to_owned();
        let is_current = same_contents(&files, current)? && labels(&copy)? == labels(&item.directory)?;
        found.push((updated, Earlier { name: tag, files, is_current }));
    }
    Ok(found)
}

/// A snapshot of several items.
pub(super) struct EarlierItems {
    /// Its name.
    pub(super) name: String,
    /// The files of each item that it holds.
    pub(super) items: BTreeMap<String, Vec<PathBuf>>,
    /// Whether they hold the very rows that the items hold now.
    pub(super) is_current: bool,
}

/// The snapshots that hold any of the items, which are of one collection, oldest first.
pub(super) fn snapshots_of_all(items: &[Item], current: &BTreeMap<String, Vec<PathBuf>>) -> Result<Vec<EarlierItems>> {
    let mut found: BTreeMap<String, (String, EarlierItems)> = BTreeMap::new();
    for item in items {
        let name = item.name();
        let files = current.get(&name).map(Vec::as_slice).unwrap_or_default();
        for (updated, earlier) in dated_snapshots(item, files)? {
            let empty = EarlierItems { name: earlier.name.clone(), items: BTreeMap::new(), is_current: true };
            let (newest, snapshot) = found.entry(earlier.name).or_insert((String::new(), empty));
            *newest = std::mem::take(newest).max(updated);
            snapshot.is_current &= earlier.is_current;
            snapshot.items.insert(name.clone(), earlier.files);
        }
    }
    let mut snapshots: Vec<_> = found.into_values().collect();
    snapshots.sort_by(|a, b| (&a.0, &a.1.name).cmp(&(&b.0, &b.1.name)));
    for (_, snapshot) in &mut snapshots {
        snapshot.is_current &= snapshot.items.len() == current.len();
    }
    Ok(snapshots.into_iter().map(|(_, snapshot)| snapshot).collect())
}

fn same_contents(a: &[PathBuf], b: &[PathBuf]) -> Result<bool> {
    if a.len() != b.len() {
        return Ok(false);
    }
    for (a, b) in a.iter().zip(b) {
        let ((_, left), (_, right)) = (incoming::open(a)?, incoming::open(b)?);
        let same = (left.bytes(), left.footer_checksum()) == (right.bytes(), right.footer_checksum());
        if !same || a.file_name() != b.file_name() {
            return Ok(false);
        }
    }
    Ok(true)
}
