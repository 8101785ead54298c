//! Comparing a file's columns with the table's: whether the file can be adopted as it is, must be rewritten, or is
//! refused with both sides shown.

use crate::{
    error::{Error, Result},
    schema::{ColumnType, same_name},
    segment::{
        FileColumn, ReadColumn,
        schema::{Widening, readable_as, widening},
    },
    table::target::Target,
};

/// How a file's columns fit the table's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fit {
    /// Its columns are the table's in order and type, save those with these field ids, which it does not have.
    AsIs {
        /// Field ids of the columns that it does not have.
        missing: Vec<u32>,
    },
    /// They are once put in order and cast without loss.
    Rewrite,
}

/// Compares the columns of a file with those of `target`.
///
/// # Errors
/// `SchemaMismatch` listing each column that does not fit, expected beside found.
pub fn fit(columns: &[FileColumn], target: &Target) -> Result<Fit> {
    let mut missing = Vec::new();
    let mut problems = Vec::new();
    let mut as_is = true;
    let mut last_position = None;
    for column in &target.schema.columns {
        let found = columns.iter().position(|c| same_name(&c.name, &column.name));
        match found.and_then(|at| columns.get(at)) {
            None if needed(target, &column.name) => {
                problems.push((column.name.clone(), column.ty.to_string(), "(missing)".to_owned()));
            }
            None => missing.push(column.id),
            // A column of NULLs is as good as none.
            Some(other) if other.ty == ColumnType::Null && !needed(target, &column.name) => missing.push(column.id),
            Some(other) if !readable_as(&other.ty, &column.ty) || other.ty == ColumnType::Null => {
                problems.push((column.name.clone(), column.ty.to_string(), other.ty.to_string()));
            }
            Some(other) => {
                // What is not in the file has no place in it.
                as_is &= other.ty == column.ty && (other.constant || last_position < found);
                last_position = if other.constant { last_position } else { found };
            }
        }
    }
    for column in columns.iter().filter(|c| target.schema.find(&c.name).is_none()) {
        // Adopted with it, the column would come to light under a later one of its name, and in whatever else reads the file.
        as_is = false;
        if !target.ignores_new_columns {
            problems.push((column.name.clone(), "(not in the table)".to_owned(), column.ty.to_string()));
        }
    }
    if !problems.is_empty() {
        return Err(mismatch(&problems));
    }
    Ok(if as_is { Fit::AsIs { missing } } else { Fit::Rewrite })
}

/// The columns of a file whose values decide whether the table's type holds them.
#[must_use]
pub fn by_value(columns: &[FileColumn], target: &Target) -> Vec<ReadColumn> {
    let column = |(position, column): (usize, &FileColumn)| {
        let ty = target.schema.type_of(&column.name)?;
        (widening(&column.ty, ty) == Some(Widening::ByValue)).then(|| ReadColumn { position, ty: ty.clone() })
    };
    columns.iter().enumerate().filter_map(column).collect()
}

fn needed(target: &Target, name: &str) -> bool {
    same_name(name, &target.definition.index_column)
        || target.definition.entity_columns.iter().any(|entity| same_name(name, entity))
}

fn mismatch(problems: &[(String, String, String)]) -> Error {
    let width = |pick: fn(&(String, String, String)) -> &str, title: &str| {
        problems.iter().map(|p| pick(p).chars().count()).fold(title.len(), usize::max)
    };
    let (name, expected) = (width(|p| &p.0, "column"), width(|p| &p.1, "expected"));
    let line = |a: &str, b: &str, c: &str| format!("\n  {a:<name$}  {b:<expected$}  {c}");
    let names: Vec<_> = problems.iter().map(|p| format!("'{}'", p.0)).collect();
    let mut text = format!("the file does not fit the table's columns in {}:", names.join(", "));
    text.push_str(&line("column", "expected", "found"));
    for (column, wanted, found) in problems {
        text.push_str(&line(column, wanted, found));
    }
    text.push_str(
        "\nnothing was appended; cast the columns, or add new ones to the table first with tstable_add_columns",
    );
    Error::schema_mismatch(text)
}
