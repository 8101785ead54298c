//! The columns that files give to a table that has none yet, or lacks some of theirs.

use std::path::PathBuf;

use super::{folders::Folders, policy::NewColumns};
use crate::{
    error::{Error, Result},
    log::definition::Definition,
    schema::{Column, Schema},
    segment::{
        FileColumn,
        schema::{Widening, position, widening},
    },
    table::target::Target,
};

impl Target {
    /// The target of a table with `definition` for these files. When it has no columns yet, all files together give them; a type
    /// that is still open is as they have it.
    ///
    /// # Errors
    /// As opening a file, when none can be opened, and as [`Definition::adopt_schema`].
    pub fn of(definition: &Definition, files: &[PathBuf]) -> Result<Self> {
        Self::taking(definition, files, &Folders::default(), NewColumns::Refuse)
    }

    /// The same, with the columns that folders name, doing with columns that a table does not have what `new_columns` says.
    ///
    /// # Errors
    /// As [`Target::of`].
    pub fn taking(
        definition: &Definition,
        files: &[PathBuf],
        folders: &Folders,
        new_columns: NewColumns,
    ) -> Result<Self> {
        let mut definition = definition.clone();
        if new_columns == NewColumns::Add
            && let Some(schema) = &mut definition.schema
        {
            // What is wrong with a file is for the one who reads it to say.
            for column in columns_of(files, folders).unwrap_or_default() {
                if schema.find(&column.name).is_none() {
                    let next = definition.last_field_id.checked_add(1);
                    definition.last_field_id =
                        next.ok_or_else(|| Error::limit_exceeded("the table has had too many columns"))?;
                    schema.columns.push(Column { id: definition.last_field_id, name: column.name, ty: column.ty });
                }
            }
        }
        if definition.schema.as_ref().is_none_or(Schema::is_open) {
            let found = columns_of(files, folders)?;
            match &definition.schema {
                None => definition.adopt_schema(schema_of(&found)?).map_err(|e| match files {
                    [file] => e.with("file", file.display()),
                    _ => e,
                })?,
                Some(schema) => {
                    let settled =
                        schema.settled_by(|name| position(&found, name).and_then(|at| found.get(at)).map(|c| &c.ty));
                    definition.schema = Some(settled);
                }
            }
        }
        let target = Self::with_columns(definition)?;
        Ok(Self { ignores_new_columns: new_columns == NewColumns::Ignore, ..target })
    }

    /// As [`Target::taking`]; none when no file gives columns to a table that has none. With `skip`, files that cannot be loaded give none,
    /// and are told of by who looks at them.
    ///
    /// # Errors
    /// As [`Target::of`].
    pub fn of_files(
        definition: &Definition,
        files: &[PathBuf],
        folders: &Folders,
        skip: bool,
        new_columns: NewColumns,
    ) -> Result<Option<Self>> {
        if definition.schema.is_some() {
            return Self::taking(definition, files, folders, new_columns).map(Some);
        }
        let names: Vec<_> = definition.entity_columns.iter().chain([&definition.index_column]).collect();
        let mut giving = Vec::new();
        for path in files {
            match folders.open(path) {
                Ok((_, file)) if file.rows() == 0 => {}
                Ok((_, file)) if skip && names.iter().any(|name| file.position(name).is_none()) => {}
                Ok(_) => giving.push(path.clone()),
                Err(_) if skip => {}
                Err(e) => return Err(e),
            }
        }
        if giving.is_empty() {
            Ok(None)
        } else {
            Self::taking(definition, &giving, folders, NewColumns::Refuse).map(Some)
        }
    }
}

/// The columns of all files, in the order in which they are met; of two types that a column has the wider. A file that cannot be opened is
/// left for the one who reads it to say so.
fn columns_of(files: &[PathBuf], folders: &Folders) -> Result<Vec<FileColumn>> {
    let mut columns: Vec<FileColumn> = Vec::new();
    let mut failure = None;
    for path in files {
        let file = match folders.open(path) {
            Ok((_, file)) => file,
            Err(e) => {
                failure = failure.or(Some(e));
                continue;
            }
        };
        for column in file.columns() {
            match position(&columns, &column.name).and_then(|at| columns.get_mut(at)) {
                None => columns.push(column.clone()),
                Some(known) => {
                    known.ty = known.ty.settled_by(&column.ty);
                    if widening(&known.ty, &column.ty) == Some(Widening::Always) {
                        known.ty = column.ty.clone();
                    }
                }
            }
        }
    }
    match failure {
        Some(failure) if columns.is_empty() => Err(failure),
        _ => Ok(columns),
    }
}

/// The schema that a file's columns make.
///
/// # Errors
/// As [`Schema::new`].
pub fn schema_of(columns: &[FileColumn]) -> Result<Schema> {
    Schema::new(columns.iter().map(|column| (column.name.clone(), column.ty.clone())))
}
