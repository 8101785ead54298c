//! Columns that files do not have, because the names of their folders say them: which these are, of what type, and what each file has
//! there. Decided once for all files of a call; nothing here reads rows, but to compare a file's own column with its folder.

pub mod delivery;
mod path;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use self::path::{Named, Rule};
use super::{
    outside::open,
    policy::{Naming, NewColumns},
};
use crate::{
    error::{Error, Result},
    log::definition::Definition,
    prune::expr::Constant,
    schema::{ColumnType, TimeUnit, same_name},
    segment::{
        SegmentFile,
        audit::only_value,
        constants::{ConstantColumn, text},
    },
    storage::outside::OutsideFile,
};

/// A column that paths name.
#[derive(Debug, Clone)]
struct Key {
    name: String,
    ty: ColumnType,
    /// Whether the table has it, or gets it.
    taken: bool,
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Folders {
    rule: Option<Rule>,
    /// Whether every file must name every column. Otherwise columns are taken where a file lacks them.
    asked: bool,
    keys: Vec<Key>,
    /// A file that names them.
    example: PathBuf,
    /// What lies above is not looked at.
    root: PathBuf,
}

impl Folders {
    /// Decides which columns the paths of `files` name for a table at `root` with this definition.
    ///
    /// # Errors
    /// `InvalidArgument` for a pattern that is none, and when columns are asked for that no path names.
    pub fn of(
        definition: &Definition,
        files: &[PathBuf],
        root: &str,
        naming: &Naming,
        new_columns: NewColumns,
    ) -> Result<Self> {
        let (rule, asked) = match (naming.hive, &naming.pattern) {
            (Some(true), Some(_)) => {
                return Err(Error::invalid_argument("give either hive := true or a pattern, not both"));
            }
            (_, Some(pattern)) => (Rule::parse("pattern", pattern)?, true),
            (Some(false), None) => return Ok(Self::default()),
            (hive, None) => (Rule::Hive, hive.is_some()),
        };
        let root = std::path::absolute(root).unwrap_or_else(|_| PathBuf::from(root));
        let mut folders = Self { rule: Some(rule), asked, keys: Vec::new(), example: PathBuf::new(), root };
        let named: Vec<_> = files.iter().filter_map(|file| Some((file, folders.columns(file).ok()?))).collect();
        let Some((example, names)) = most_frequent(&named) else {
            if asked {
                return folders.nothing(files);
            }
            return Ok(Self::default());
        };
        if !asked && definition.schema.is_none() {
            folders.asked = folders.is_needed(definition, files, &names);
            if !folders.asked {
                return Ok(Self::default());
            }
        }
        folders.example = example;
        let key = |name: &String| {
            let ty = type_of(definition, name, &named);
            let has = definition.schema.as_ref().is_none_or(|schema| schema.find(name).is_some());
            // A column that a table does not have is refused where the file's columns are compared with the table's.
            let taken = has || folders.asked && new_columns != NewColumns::Ignore;
            Key { name: name.clone(), ty, taken }
        };
        folders.keys = names.iter().map(key).collect();
        Ok(folders)
    }

    /// The columns that most paths name, and their types.
    pub fn named(&self) -> impl Iterator<Item = (&str, &ColumnType)> {
        self.keys.iter().map(|key| (key.name.as_str(), &key.ty))
    }

    fn nothing(&self, files: &[PathBuf]) -> Result<Self> {
        let Some(first) = files.first() else { return Ok(Self::default()) };
        // With a pattern, and where a folder is wrong, this says what is wrong.
        self.columns(first).map_err(|e| e.with("file", first.display()))?;
        Err(Error::invalid_argument("hive := true, but no folder of the file is of the form name=value")
            .with("file", first.display()))
    }

    /// Whether a file lacks a column that the table cannot be without, and its path has it.
    fn is_needed(&self, definition: &Definition, files: &[PathBuf], names: &[String]) -> bool {
        let is_named = |name: &String| names.iter().any(|known| same_name(known, name));
        let needed =
            || definition.entity_columns.iter().chain([&definition.index_column]).filter(|name| is_named(name));
        needed().next().is_some()
            && files.iter().any(|path| {
                self.columns(path).is_ok()
                    && open(path).is_ok_and(|(_, file)| needed().any(|name| file.position(name).is_none()))
            })
    }

    fn columns(&self, path: &Path) -> Result<Vec<Named>> {
        let Some(rule) = &self.rule else { return Ok(Vec::new()) };
        let below = if path.is_absolute() {
            path.strip_prefix(&self.root).ok().map(Path::to_owned)
        } else {
            std::path::absolute(path).ok().and_then(|path| Some(path.strip_prefix(&self.root).ok()?.to_owned()))
        };
        match (rule, below) {
            // The place of the table says nothing of its rows.
            (Rule::Hive, Some(below)) => rule.columns(&below),
            _ => rule.columns(path),
        }
    }

    /// Opens a file, with the columns that its path names.
    ///
    /// # Errors
    /// As [`open`], and `InvalidArgument` naming file, column and value when the path does not name what the others do, or says a value
    /// that is not of the column's type.
    pub fn open(&self, path: &Path) -> Result<(OutsideFile, SegmentFile)> {
        let (outside, file) = open(path)?;
        if self.keys.is_empty() {
            return Ok((outside, file));
        }
        let constants = self.constants(path, &file).map_err(|e| e.with("file", path.display()))?;
        Ok((outside, file.with_constants(constants)))
    }

    fn constants(&self, path: &Path, file: &SegmentFile) -> Result<Vec<ConstantColumn>> {
        let named = match self.columns(path) {
            Err(e) if self.asked => return Err(e),
            named => named.unwrap_or_default(),
        };
        if self.asked {
            self.check_names(&named, file)?;
        }
        let mut constants = Vec::new();
        for key in self.keys.iter().filter(|key| key.taken && file.position(&key.name).is_none()) {
            let Some((_, value)) = named.iter().find(|(name, _)| same_name(name, &key.name)) else { continue };
            let value = value_of(value.as_deref(), &key.name, &key.ty)?;
            constants.push(ConstantColumn { name: key.name.clone(), ty: key.ty.clone(), value });
        }
        Ok(constants)
    }

    /// Refuses a path that names other columns than the others.
    fn check_names(&self, named: &[Named], file: &SegmentFile) -> Result<()> {
        let names = |name: &str| named.iter().any(|(known, _)| same_name(known, name));
        let lacking = self.keys.iter().find(|key| !names(&key.name) && file.position(&key.name).is_none());
        if let Some(key) = lacking {
            return Err(Error::invalid_argument(format!(
                "the path does not say column '{}', which that of '{}' does",
                key.name,
                self.example.display()
            )));
        }
        let other = named.iter().find(|(name, _)| !self.keys.iter().any(|key| same_name(&key.name, name)));
        match other {
            None => Ok(()),
            Some((name, value)) => Err(Error::invalid_argument(format!(
                "the path says column '{name}' ('{}'), which that of '{}' does not",
                value.as_deref().unwrap_or("NULL"),
                self.example.display()
            ))),
        }
    }

    /// Refuses a file of which a column holds something else than its path says.
    ///
    /// # Errors
    /// `InvalidArgument` naming column and both values; as reading the column.
    pub fn check_own(&self, path: &Path, file: &SegmentFile) -> Result<()> {
        if !self.asked || self.keys.is_empty() {
            return Ok(());
        }
        for (name, value) in self.columns(path)? {
            let Some(position) = file.position(&name).filter(|at| file.constant(*at).is_none()) else { continue };
            let Some(column) = file.columns().get(position) else { continue };
            let stated = value.as_deref().map_or(Some(Constant::Null), |value| text::parse(value, &column.ty));
            let found = only_value(file, position)?;
            if found.is_some() && found == stated {
                continue;
            }
            let has = found.map_or_else(
                || "more than one value".to_owned(),
                |found| text::text(&found).map_or("NULL".to_owned(), |text| format!("'{text}'")),
            );
            return Err(Error::invalid_argument(format!(
                "the path gives column '{name}' the value '{}', but the file's own column '{name}' has {has}",
                value.as_deref().unwrap_or("NULL")
            )));
        }
        Ok(())
    }
}

/// The columns that most paths name, and the first path that names them; none when none names any.
fn most_frequent(named: &[(&PathBuf, Vec<Named>)]) -> Option<(PathBuf, Vec<String>)> {
    let mut counts: HashMap<Vec<String>, usize> = HashMap::new();
    let names = |columns: &[Named]| {
        let mut names: Vec<_> = columns.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        names.sort();
        names
    };
    for (_, columns) in named.iter().filter(|(_, columns)| !columns.is_empty()) {
        *counts.entry(names(columns)).or_default() += 1;
    }
    let most = counts.values().max()?;
    let (path, columns) = named.iter().find(|(_, columns)| counts.get(&names(columns)) == Some(most))?;
    Some(((*path).clone(), columns.iter().map(|(name, _)| name.clone()).collect()))
}

/// The type of a column that paths name: the table's, or what all values have in common, as DuckDB's `hive_types_autocast` finds it.
fn type_of(definition: &Definition, name: &str, named: &[(&PathBuf, Vec<Named>)]) -> ColumnType {
    if let Some(ty) = definition.schema.as_ref().and_then(|schema| schema.type_of(name)) {
        return ty.clone();
    }
    let is_entity = definition.entity_columns.iter().any(|entity| same_name(entity, name));
    let values = named.iter().flat_map(|(_, columns)| columns).filter(|(known, _)| same_name(known, name));
    let mut common = None;
    for value in values.filter_map(|(_, value)| value.as_deref()).filter(|value| !is_null_of_numbers(value)) {
        let ty = cast_of(value, is_entity);
        match &common {
            None => common = Some(ty),
            Some(known) if *known == ty => {}
            Some(_) => return ColumnType::Varchar,
        }
    }
    common.unwrap_or(ColumnType::Varchar)
}

fn cast_of(value: &str, is_entity: bool) -> ColumnType {
    let candidates = [ColumnType::Date, ColumnType::Timestamp(TimeUnit::Us), ColumnType::BigInt];
    let fits = |ty: &ColumnType| {
        // '0700' and '700' may be two entities.
        let keeps = |found: &Constant| !is_entity || text::text(found).as_deref() == Some(value);
        (!is_entity || ty.can_identify()) && text::parse(value, ty).is_some_and(|found| keeps(&found))
    };
    candidates.into_iter().find(fits).unwrap_or(ColumnType::Varchar)
}

/// As in DuckDB, these are NULL but where texts are wanted.
fn is_null_of_numbers(value: &str) -> bool {
    value.is_empty() || value.eq_ignore_ascii_case("null")
}

fn value_of(value: Option<&str>, name: &str, ty: &ColumnType) -> Result<Constant> {
    let Some(value) = value.filter(|value| *ty == ColumnType::Varchar || !is_null_of_numbers(value)) else {
        return Ok(Constant::Null);
    };
    text::parse(value, ty).ok_or_else(|| {
        let hint = if matches!(ty, ColumnType::TimestampTz(_)) { "; a TIMESTAMPTZ needs an offset" } else { "" };
        Error::invalid_argument(format!(
            "the path gives column '{name}' the value '{value}', which is not a value of {ty}{hint}"
        ))
    })
}
