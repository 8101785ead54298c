//! What a call was bound to. DuckDB keeps a bound call for as long as a prepared statement lives and lays out what it reads by
//! the columns that it had then, while the table may meanwhile have been restored or be another one at the same path. Each
//! execution therefore compares before it reads or changes anything.

use tstable_core::{Error, Result, schema::ColumnType, table::Snapshot};

use super::shape::Shape;

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct BoundTo {
    root: String,
    table: String,
    /// The entity columns, by name and type.
    entities: Vec<(String, ColumnType)>,
    /// In whose units the range of the call is counted, and of whose type its bounds are.
    index: ColumnType,
    /// The columns whose values the call shows, by field id, name and type.
    columns: Vec<(u32, String, ColumnType)>,
}

impl BoundTo {
    /// A call that depends on the table's entity columns and on the type of its index.
    pub(crate) fn shape(root: &str, snapshot: &Snapshot) -> Result<Self> {
        let shape = Shape::of(snapshot)?;
        let entities = shape.entities.into_iter().map(|column| (column.name, column.ty)).collect();
        let table = snapshot.definition().table_id.clone();
        Ok(Self { root: root.to_owned(), table, entities, index: shape.index, columns: Vec::new() })
    }

    /// A call that depends on all columns of the table.
    pub(crate) fn columns(root: &str, snapshot: &Snapshot) -> Result<Self> {
        Self::chosen(root, snapshot, 0..snapshot.schema()?.columns.len())
    }

    /// A call that depends on the columns at these positions besides.
    pub(crate) fn chosen(root: &str, snapshot: &Snapshot, positions: impl IntoIterator<Item = usize>) -> Result<Self> {
        let schema = snapshot.schema()?;
        let columns = positions.into_iter().filter_map(|at| schema.columns.get(at));
        let columns = columns.map(|c| (c.id, c.name.clone(), c.ty.clone())).collect();
        Ok(Self { columns, ..Self::shape(root, snapshot)? })
    }

    /// Whether the call reads `snapshot` as it was bound. Columns that were added since are nothing to it.
    ///
    /// # Errors
    /// `Conflict` when the table is another one, or a column that the call depends on is gone or differs.
    pub(crate) fn check(&self, snapshot: &Snapshot) -> Result<()> {
        let now = Self::shape(&self.root, snapshot)?;
        if now.table != self.table {
            return Err(prepare_again(&self.root, "is another one"));
        }
        let there = snapshot.definition().schema.iter().flat_map(|schema| &schema.columns);
        let there: Vec<_> = there.map(|c| (c.id, c.name.as_str(), &c.ty)).collect();
        let kept = self.columns.iter().all(|(id, name, ty)| there.contains(&(*id, name.as_str(), ty)));
        if kept && now.entities == self.entities && now.index == self.index {
            return Ok(());
        }
        Err(other_columns(&self.root))
    }
}

/// The error of a call that meets other columns than it was bound to.
pub(crate) fn other_columns(root: &str) -> Error {
    prepare_again(root, "has other columns")
}

fn prepare_again(root: &str, how: &str) -> Error {
    Error::conflict(format!("the table at '{root}' {how} than when this statement was prepared; prepare it again"))
}
