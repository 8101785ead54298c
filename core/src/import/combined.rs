//! Items of PyStore in one table: the name of each becomes its entity, in a column that no file has. The rows are therefore written
//! anew, sorted by time and entity, within the memory that any load takes.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    Imported,
    metadata::{ROW_NUMBERS, properties},
    placed,
    pystore::{self, Item, Layout},
    rows::{Blamed, Members, columns_of_all, labels_of, load},
    spacing, tag,
};
use crate::{
    error::{Error, ErrorKind, Result},
    log::commit::Action,
    schema::{ColumnType, Schema, same_name},
    table::{
        CreateRequest, Snapshot, Table,
        incoming::open,
        monitor::{Monitor, check_cancelled},
        tags_and_properties::check_property,
        target::Target,
    },
};

/// What to make of a collection.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The column that holds the items' names.
    pub entity_column: &'a str,
    /// More columns that identify an entity.
    pub entity_columns: &'a [String],
    /// The width of a bucket; proposed from the data when none is given.
    pub bucket: Option<&'a str>,
    /// Whether an item that cannot be imported is left out instead of ending the import.
    pub skips: bool,
}

/// A table that was made of items.
#[derive(Debug)]
pub struct Combined {
    /// What it is.
    pub imported: Imported,
    /// The width of its buckets.
    pub bucket: String,
    /// The items that were left out, and why.
    pub refused: Vec<(PathBuf, Error)>,
}

/// Makes one table at `root` of the items, which are of one collection.
///
/// # Errors
/// What is wrong with an item, unless such items are left out; when none is left, what is wrong with the first. Nothing is left at
/// `root` then.
pub fn run(items: &[Item], root: &Path, request: &Request<'_>, monitor: &dyn Monitor) -> Result<Combined> {
    let mut left: Vec<Item> = items.to_vec();
    let mut refused = Vec::new();
    loop {
        check_cancelled(monitor)?;
        let blamed = match attempt(&left, root, request, monitor) {
            Ok((imported, bucket)) => return Ok(Combined { imported, bucket, refused }),
            Err(blamed) => blamed,
        };
        let at = blamed.on.and_then(|item| left.iter().position(|other| other.directory == item));
        match at.filter(|_| request.skips && left.len() > 1 && blamed.reason.kind() != ErrorKind::Cancelled) {
            Some(at) => refused.push((left.remove(at).directory, blamed.reason)),
            None => return Err(blamed.reason),
        }
    }
}

fn of_item<T>(item: &Item, result: Result<T>) -> std::result::Result<T, Blamed> {
    result.map_err(|e| Blamed { on: Some(item.directory.clone()), reason: e.with("source", item.directory.display()) })
}

fn attempt(
    items: &[Item],
    root: &Path,
    request: &Request<'_>,
    monitor: &dyn Monitor,
) -> std::result::Result<(Imported, String), Blamed> {
    let mut members = Vec::new();
    let mut index: Option<(String, Vec<String>)> = None;
    for item in items {
        let Layout { files, index: name, levels } = of_item(item, Layout::of(item))?;
        let own = (name, levels);
        match &index {
            Some(index) if *index != own => {
                let differs = format!("its index is {}, that of the items before is {}", quoted(&own), quoted(index));
                return of_item(item, Err(Error::schema_mismatch(differs)));
            }
            _ => index = Some(own),
        }
        members.push((item, files));
    }
    let (index, levels) = index.ok_or_else(|| Error::not_found("there are no items"))?;
    let current: Members = members.iter().map(|(item, files)| (item.name(), files.clone())).collect();
    let earlier = pystore::snapshots_of_all(items, &current)?;
    let all: Vec<_> =
        earlier.iter().flat_map(|e| e.items.values()).chain(current.values()).flatten().cloned().collect();
    let bucket = request.bucket.map_or_else(|| spacing::propose(&all, &index), |bucket| Ok(bucket.to_owned()))?;
    let target = target((&index, &levels), &bucket, request, &all)?;
    for (item, files) in &members {
        for file in files {
            of_item(item, check(file, &target, request.entity_column))?;
        }
    }
    let mut properties = Vec::new();
    for item in items {
        properties.extend(of_item(item, properties_of(item))?);
    }
    let contents = Contents {
        properties: &properties,
        earlier: &earlier,
        current: &current,
        target: &target,
        entity_column: request.entity_column,
    };
    let mut file = None;
    let made = placed(root, |beside| {
        contents.build(beside, monitor).map_err(|blamed| {
            file = blamed.on;
            blamed.reason
        })
    });
    match made {
        Ok(snapshot) => Ok((Imported::of(&snapshot), bucket)),
        Err(reason) => Err(blame(file.as_deref(), reason, items)),
    }
}

/// The user's metadata of an item, each key after the item's name.
fn properties_of(item: &Item) -> Result<Vec<Action>> {
    let set = |(key, value): (String, String)| {
        let key = format!("{}.{key}", item.name());
        check_property(&key, Some(&value))?;
        Ok(Action::SetProperty { key, value: Some(value) })
    };
    properties(&item.directory)?.into_iter().map(set).collect()
}

/// What goes into the table.
struct Contents<'a> {
    properties: &'a [Action],
    earlier: &'a [pystore::EarlierItems],
    current: &'a Members,
    target: &'a Target,
    entity_column: &'a str,
}

impl Contents<'_> {
    fn build(&self, root: &Path, monitor: &dyn Monitor) -> std::result::Result<Snapshot, Blamed> {
        let table = Table::at_directory(&root.to_string_lossy());
        let load = |also, items| load(&table, self.target, also, items, Some(self.entity_column), monitor);
        let mut snapshot = table.unborn(self.target.definition.clone());
        for earlier in self.earlier.iter().filter(|earlier| !earlier.is_current) {
            snapshot = load(vec![tag(&earlier.name, &snapshot)?], &earlier.items)?;
        }
        let mut also = self.properties.to_vec();
        for earlier in self.earlier.iter().filter(|earlier| earlier.is_current) {
            also.push(tag(&earlier.name, &snapshot)?);
        }
        load(also, self.current)
    }
}

/// Finds the item of a file that is to blame: it lies in the item's directory, or in a copy of that in a snapshot.
fn blame(file: Option<&Path>, reason: Error, items: &[Item]) -> Blamed {
    let name = file.and_then(Path::parent).and_then(Path::file_name).map(|name| name.to_string_lossy());
    let item = items.iter().find(|item| name.as_ref().is_some_and(|name| *name == item.name()));
    Blamed { on: item.map(|item| item.directory.clone()), reason }
}

/// An index and its further levels, for messages.
fn quoted((index, levels): &(String, Vec<String>)) -> String {
    let names: Vec<_> = std::iter::once(index).chain(levels).map(|name| format!("\"{name}\"")).collect();
    names.join(", ")
}

/// The table's columns: those of all files, of two types the wider, and the entity's name last.
fn target(
    (index, levels): (&str, &[String]),
    bucket: &str,
    request: &Request<'_>,
    files: &[PathBuf],
) -> Result<Target> {
    let plain = CreateRequest::new(index, bucket).definition()?;
    let without = (!levels.is_empty()).then_some(ROW_NUMBERS);
    let columns = columns_of_all(&Target::of(&plain, files)?, files, without)?.0.columns;
    let named = |column: &crate::schema::Column| (column.name.clone(), column.ty.clone());
    if let Some(own) = columns.iter().find(|column| same_name(&column.name, request.entity_column)) {
        return Err(Error::invalid_argument(format!(
            "entity_column := '{}' is to hold the items' names, but the items have a column \"{}\" already; choose another name",
            request.entity_column, own.name
        )));
    }
    let name = (request.entity_column.to_owned(), ColumnType::Varchar);
    let entity_columns = std::iter::once(&name.0).chain(levels).chain(request.entity_columns).cloned().collect();
    let schema = Schema::new(columns.iter().map(named).chain([name]))?;
    let definition = CreateRequest { entity_columns, schema: Some(schema), ..CreateRequest::new(index, bucket) };
    Target::of_table(&definition.definition()?)
}

/// Refuses a file whose columns cannot be read as the table's.
fn check(path: &Path, target: &Target, entity_column: &str) -> Result<()> {
    let (_, file) = open(path)?;
    let labels = labels_of(path, &file)?;
    let unfit = file.columns().iter().filter(|column| !labels.contains_key(&column.name)).find_map(|column| {
        let ty = target.schema.type_of(&column.name)?;
        (!crate::segment::schema::readable_as(&column.ty, ty)).then_some((column, ty))
    });
    match unfit {
        Some((column, ty)) if !same_name(&column.name, entity_column) => Err(Error::schema_mismatch(format!(
            "its column \"{}\" is {}, that of other files is {ty}",
            column.name, column.ty
        ))
        .with("file", path.display())),
        _ => Ok(()),
    }
}

/// The collections of items, each with the items of its own.
#[must_use]
pub fn collections(items: Vec<Item>) -> BTreeMap<PathBuf, Vec<Item>> {
    let mut collections: BTreeMap<PathBuf, Vec<Item>> = BTreeMap::new();
    for item in items {
        let below = item.below.parent().unwrap_or(Path::new("")).to_owned();
        collections.entry(below).or_default().push(item);
    }
    collections
}
