//! What the columns of coverage functions look like for a table: the entity columns under their own names and types, and
//! bucket bounds in the index column's type. A table that has no columns yet gets the likeliest ones, and no rows.

use std::collections::HashSet;

use tstable_core::{
    Result,
    schema::{ColumnType, TimeUnit},
    table::Snapshot,
    time::{BucketId, Grid, IndexValue, WidthUnit},
};

use super::{
    literal::unit_nanos,
    report::{Cell, column},
};
use crate::host::OutColumn;

const NANOS_PER_DAY: i128 = 86_400 * 1_000_000_000;

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) entities: Vec<OutColumn>,
    pub(crate) index: ColumnType,
    pub(crate) grid: Grid,
}

impl Shape {
    pub(crate) fn of(snapshot: &Snapshot) -> Result<Self> {
        let definition = snapshot.definition();
        if definition.schema.is_none() {
            let index = if definition.bucket.unit() == WidthUnit::Integer {
                ColumnType::BigInt
            } else {
                ColumnType::Timestamp(TimeUnit::Us)
            };
            let entities = definition.entity_columns.iter().map(|name| column(name, ColumnType::Varchar)).collect();
            return Ok(Self { entities, grid: definition.grid(&index)?, index });
        }
        let entities = snapshot.entity_columns()?.into_iter().map(|c| column(&c.name, c.ty.clone())).collect();
        let index = snapshot.index_type()?.clone();
        Ok(Self { entities, grid: definition.grid(&index)?, index })
    }

    /// The entity columns, then these, which give way to them.
    pub(crate) fn columns(&self, more: impl IntoIterator<Item = OutColumn>) -> Vec<OutColumn> {
        give_way(self.entities.iter().cloned().map(Named::Table).chain(more.into_iter().map(Named::Own)))
    }

    /// INTERVAL for a time index, BIGINT for an integer one.
    pub(crate) fn duration_type(&self) -> ColumnType {
        match self.index {
            ref index if index.is_integer() => ColumnType::BigInt,
            _ => ColumnType::Interval,
        }
    }

    /// The length of `[start, until)` in [`Shape::duration_type`].
    pub(crate) fn duration(&self, start: IndexValue, until: IndexValue) -> Cell {
        let length = until.0.saturating_sub(start.0);
        if self.index.is_integer() {
            return Cell::Length(length);
        }
        let nanos = length.saturating_mul(unit_nanos(&self.index));
        let days = i32::try_from(nanos / NANOS_PER_DAY).unwrap_or(i32::MAX);
        Cell::Interval { days, nanos: i64::try_from(nanos % NANOS_PER_DAY).unwrap_or(i64::MAX) }
    }

    pub(crate) fn start(&self, bucket: BucketId) -> IndexValue {
        self.grid.start_of(bucket)
    }

    pub(crate) fn end(&self, bucket: BucketId) -> IndexValue {
        self.grid.end_of(bucket)
    }

    /// Where the first bucket begins and the last one ends.
    pub(crate) fn bounds(&self, first: BucketId, last: BucketId) -> (IndexValue, IndexValue) {
        (self.start(first), self.end(last))
    }
}

/// A result column, and whose name it has.
pub(crate) enum Named {
    /// A column of the table, which keeps its name.
    Table(OutColumn),
    /// A column of the function.
    Own(OutColumn),
}

/// The columns in order. A column of the function whose name a column of the table has, or one of the function's before it,
/// gets the first of `name_1`, `name_2`, ... that is free, as DuckDB names what a query gives twice.
pub(crate) fn give_way(columns: impl IntoIterator<Item = Named>) -> Vec<OutColumn> {
    let columns: Vec<Named> = columns.into_iter().collect();
    let folded = |name: &str| name.to_lowercase();
    let mut taken: HashSet<String> = columns
        .iter()
        .filter_map(|column| match column {
            Named::Table(column) => Some(folded(&column.name)),
            Named::Own(_) => None,
        })
        .collect();
    let free = |column: OutColumn, taken: &mut HashSet<String>| {
        let numbered = (1_u32..).map(|n| format!("{}_{n}", column.name));
        let name = std::iter::once(column.name.clone()).chain(numbered).find(|name| taken.insert(folded(name)));
        OutColumn { name: name.unwrap_or_default(), ..column }
    };
    columns
        .into_iter()
        .map(|column| match column {
            Named::Table(column) => column,
            Named::Own(column) => free(column, &mut taken),
        })
        .collect()
}
