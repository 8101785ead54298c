//! Column types, columns and table schemas: what a table promises of its rows. Knows Arrow's types, since readers
//! deliver Arrow arrays; knows neither Parquet nor SQL beyond the names that DuckDB gives its types.

use std::collections::HashMap;

pub use arrays::integers;
pub use column_type::{ColumnType, Field, Strings};
use serde::{Deserialize, Serialize};
pub use time_unit::TimeUnit;

use crate::error::{Error, Result};

mod arrays;
mod column_type;
mod time_unit;
pub mod type_name;

/// A column of a table. Its `id` never changes and is never used again, so a name may come back with another meaning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// The stable field id, from 1.
    pub id: u32,
    /// The name, unique without regard to case.
    pub name: String,
    /// The type.
    #[serde(rename = "type")]
    pub ty: ColumnType,
}

/// The columns of a table in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Schema {
    /// The columns, in the order in which scans show them.
    pub columns: Vec<Column>,
}

impl Schema {
    /// A schema of named types in order, with field ids from 1.
    ///
    /// # Errors
    /// `SchemaMismatch` when there is no column or two names are equal without regard to case, and as [`check_names`].
    pub fn new(columns: impl IntoIterator<Item = (String, ColumnType)>) -> Result<Self> {
        let mut schema = Self::default();
        for (id, (name, ty)) in (1..).zip(columns) {
            check_names(&name, &ty)?;
            if let Some(other) = schema.find(&name) {
                return Err(Error::schema_mismatch(format!(
                    "the columns '{}' and '{name}' differ in case only, and SQL does not tell them apart",
                    other.name
                )));
            }
            schema.columns.push(Column { id, name, ty });
        }
        if schema.columns.is_empty() {
            return Err(Error::schema_mismatch("there is no column"));
        }
        Ok(schema)
    }

    /// Whether the type of a column is still open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.columns.iter().any(|column| column.ty.is_open())
    }

    /// The schema with what is open in its types as the columns of the same names have it.
    #[must_use]
    pub fn settled_by<'a>(&self, others: impl Fn(&str) -> Option<&'a ColumnType>) -> Self {
        let settled = |column: &Column| match others(&column.name) {
            Some(found) if column.ty.is_open() => Column { ty: column.ty.settled_by(found), ..column.clone() },
            _ => column.clone(),
        };
        Self { columns: self.columns.iter().map(settled).collect() }
    }

    /// The type of the column named `name`.
    #[must_use]
    pub fn type_of(&self, name: &str) -> Option<&ColumnType> {
        self.find(name).map(|column| &column.ty)
    }

    /// The column named `name`, without regard to case.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| same_name(&column.name, name))
    }

    /// The position of the column named `name`, without regard to case.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| same_name(&column.name, name))
    }
}

/// Whether SQL takes the two names for the same; like DuckDB it folds ASCII case only.
#[must_use]
pub fn same_name(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// Refuses columns whose names SQL takes for the same: only one of them could ever be read.
///
/// # Errors
/// `SchemaMismatch` naming both.
pub fn check_twins<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let mut seen: HashMap<String, &str> = HashMap::new();
    for name in names {
        if let Some(other) = seen.insert(name.to_ascii_lowercase(), name) {
            let how = if other == name { "are called the same" } else { "differ in case only" };
            return Err(Error::schema_mismatch(format!(
                "the columns '{other}' and '{name}' {how}, and SQL does not tell them apart"
            )));
        }
    }
    Ok(())
}

/// Refuses a column that a host could not bind for the names in it: every column and field of a STRUCT has a name without NUL bytes, no
/// two fields of a STRUCT have the same.
///
/// # Errors
/// `SchemaMismatch` naming column and fields.
pub fn check_names(column: &str, ty: &ColumnType) -> Result<()> {
    let refuse = |why: String| Err(Error::schema_mismatch(format!("column \"{column}\" {why}; rename before writing")));
    if column.is_empty() {
        return Err(Error::schema_mismatch("a column has no name; name it before writing"));
    }
    if column.contains('\0') {
        return refuse("has a NUL byte in its name".to_owned());
    }
    match ty {
        ColumnType::List(element) => check_names(column, &element.ty),
        ColumnType::Map(key, value) => check_names(column, &key.ty).and_then(|()| check_names(column, &value.ty)),
        ColumnType::Struct(fields) => {
            for (position, field) in fields.iter().enumerate() {
                if field.name.is_empty() {
                    return refuse("has a STRUCT with a field without a name (a UNION is written so)".to_owned());
                }
                if field.name.contains('\0') {
                    return refuse("has a NUL byte in the name of a field".to_owned());
                }
                if let Some(twin) = fields.iter().take(position).find(|other| same_name(&other.name, &field.name)) {
                    return refuse(format!(
                        "has a STRUCT with the fields \"{}\" and \"{}\", which SQL does not tell apart",
                        twin.name, field.name
                    ));
                }
                check_names(column, &field.ty)?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}
