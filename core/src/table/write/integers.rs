//! Columns of a query whose integers have 128 bits (what `sum` gives in DuckDB), on their way into a table that does not say yet what they
//! are: they travel as DECIMAL(38,0), and become BIGINT, or UBIGINT when that alone holds all of them.

use arrow::{
    array::{AsArray, RecordBatch},
    compute,
    datatypes::Decimal128Type,
};

use crate::{
    error::{Error, Result},
    schema::ColumnType,
    table::target::Target,
};

/// A column on its way, and what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integers {
    position: usize,
    least: i128,
    greatest: i128,
}

const ON_THE_WAY: ColumnType = ColumnType::Decimal { precision: 38, scale: 0 };

/// The columns of `target` that are such, which it has in the type in which they travel from then on.
///
/// # Errors
/// `SchemaMismatch` for such integers inside of a list, struct or map.
pub fn open(target: &mut Target) -> Result<Vec<Integers>> {
    let mut found = Vec::new();
    for (position, column) in target.schema.columns.iter().enumerate() {
        if column.ty == ColumnType::HugeInt {
            found.push(Integers { position, least: 0, greatest: 0 });
        } else if column.ty.to_string().contains("HUGEINT") {
            return Err(Error::schema_mismatch(format!(
                "column \"{}\" is {}, which Parquet files do not hold; cast what is in it to BIGINT",
                column.name, column.ty
            )));
        }
    }
    found.iter().for_each(|column| column.become_of(target, &ON_THE_WAY));
    Ok(found)
}

impl Integers {
    /// Takes note of rows with the target's columns, before which `before` others came.
    ///
    /// # Errors
    /// `SchemaMismatch` naming the column and the value for which no integer type holds all values so far.
    pub fn see(&mut self, batch: &RecordBatch, target: &Target, before: u64) -> Result<()> {
        let Some(values) = batch.columns().get(self.position).and_then(|c| c.as_primitive_opt::<Decimal128Type>())
        else {
            return Ok(());
        };
        let (least, greatest) = (compute::min(values), compute::max(values));
        self.least = self.least.min(least.unwrap_or(0));
        self.greatest = self.greatest.max(greatest.unwrap_or(0));
        if self.ty().is_some() {
            return Ok(());
        }
        let name = target.schema.columns.get(self.position).map_or("", |column| column.name.as_str());
        let last = before.saturating_add(values.len() as u64);
        Err(Error::schema_mismatch(format!(
            "column \"{name}\" has integers from {} to {} in its first {last} rows, which no integer type of Parquet holds; cast it to DOUBLE or DECIMAL(38,0)",
            self.least, self.greatest
        )))
    }

    /// The type that holds all values seen.
    fn ty(&self) -> Option<ColumnType> {
        if i64::try_from(self.least).is_ok() && i64::try_from(self.greatest).is_ok() {
            return Some(ColumnType::BigInt);
        }
        (self.least >= 0 && u64::try_from(self.greatest).is_ok()).then_some(ColumnType::UBigInt)
    }

    /// Gives the column of `target` the type that holds all values seen.
    pub fn settle(&self, target: &mut Target) {
        if let Some(ty) = self.ty() {
            self.become_of(target, &ty);
        }
    }

    fn become_of(&self, target: &mut Target, ty: &ColumnType) {
        for schema in [Some(&mut target.schema), target.definition.schema.as_mut()].into_iter().flatten() {
            if let Some(column) = schema.columns.get_mut(self.position) {
                column.ty = ty.clone();
            }
        }
    }
}
