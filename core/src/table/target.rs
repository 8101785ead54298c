//! What rows must look like to go into a table, or come out of its segments: its columns, types and buckets.

use arrow::array::{ArrayRef, RecordBatch};

use crate::{
    error::{Error, Result},
    log::{commit::SortOrder, definition::Definition, segment::Segment},
    schema::{ColumnType, Schema, same_name},
    segment::{ReadColumn, SegmentFile, WriteColumn, rewrite::TableRows, write::WriteOptions},
    time::Grid,
};

/// What files are checked against: a definition with columns, and its grid.
#[derive(Debug, Clone)]
pub struct Target {
    /// The definition; its schema is set.
    pub definition: Definition,
    /// The columns.
    pub schema: Schema,
    /// The buckets.
    pub grid: Grid,
    /// The index column's type.
    pub index_type: ColumnType,
    /// Whether columns that the table does not have are passed over.
    pub ignores_new_columns: bool,
}

impl Target {
    /// The target of a table that has columns.
    ///
    /// # Errors
    /// `InvalidArgument` when it has none yet.
    pub fn of_table(definition: &Definition) -> Result<Self> {
        if definition.schema.is_none() {
            return Err(Error::invalid_argument("the table has no columns yet; append a file to give it some"));
        }
        Self::with_columns(definition.clone())
    }

    pub(crate) fn with_columns(definition: Definition) -> Result<Self> {
        let corrupt = || Error::corrupt("the table's definition names a column that its schema does not have");
        let schema = definition.schema.clone().ok_or_else(corrupt)?;
        let index_type = definition.index_type().cloned().ok_or_else(corrupt)?;
        let grid = definition.grid(&index_type)?;
        Ok(Self { definition, schema, grid, index_type, ignores_new_columns: false })
    }

    /// The target of a table with `definition`; none when it has no columns yet.
    ///
    /// # Errors
    /// `Corrupt` when the definition contradicts itself.
    pub fn of_table_columns(definition: &Definition) -> Result<Option<Self>> {
        definition.schema.is_some().then(|| Self::with_columns(definition.clone())).transpose()
    }
}

/// Where index and entities stand among a table's columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyColumns {
    /// The index column.
    pub index: usize,
    /// The entity columns in order.
    pub entities: Vec<usize>,
}

impl KeyColumns {
    /// # Errors
    /// `Corrupt` when the definition names a column that is not there.
    pub fn of(target: &Target) -> Result<Self> {
        let position = |name: &String| {
            let found = target.schema.columns.iter().position(|c| same_name(&c.name, name));
            found.ok_or_else(|| Error::corrupt(format!("the column '{name}' is not among the table's columns")))
        };
        let definition = &target.definition;
        let entities = definition.entity_columns.iter().map(position).collect::<Result<_>>()?;
        Ok(Self { index: position(&definition.index_column)?, entities })
    }

    /// The columns that rows are sorted by: entities, then index.
    #[must_use]
    pub fn sort_order(&self) -> Vec<usize> {
        self.entities.iter().copied().chain([self.index]).collect()
    }

    /// The index and the entities of a batch with the table's columns.
    ///
    /// # Errors
    /// `Corrupt` when the batch has fewer columns.
    pub fn arrays<'a>(&self, batch: &'a RecordBatch) -> Result<(&'a ArrayRef, Vec<ArrayRef>)> {
        let column = |at: usize| batch.columns().get(at).ok_or_else(|| Error::corrupt("a batch lacks a column"));
        let entities = self.entities.iter().map(|at| column(*at).cloned()).collect::<Result<_>>()?;
        Ok((column(self.index)?, entities))
    }
}

/// The file's column of that name, to be read as the table's type.
pub(crate) fn read_column(file: &SegmentFile, name: &str, schema: &Schema) -> Result<ReadColumn> {
    let position = file.position(name);
    let column = schema.find(name);
    match (position, column) {
        (Some(position), Some(column)) => Ok(ReadColumn { position, ty: column.ty.clone() }),
        _ => Err(Error::schema_mismatch(format!("the file has no column '{name}'"))),
    }
}

/// The order in which segments are written here.
#[must_use]
pub fn written_order(target: &Target) -> SortOrder {
    if target.definition.entity_columns.is_empty() { SortOrder::Index } else { SortOrder::EntityIndex }
}

/// The table's columns as segments are written with them.
#[must_use]
pub fn write_columns(target: &Target) -> Vec<WriteColumn> {
    let column =
        |c: &crate::schema::Column| WriteColumn { name: c.name.clone(), ty: c.ty.clone(), field_id: Some(c.id) };
    target.schema.columns.iter().map(column).collect()
}

/// Segments written here are sorted by entity, then index.
#[must_use]
pub fn write_options(target: &Target) -> WriteOptions {
    let definition = &target.definition;
    let names = definition.entity_columns.iter().chain([&definition.index_column]);
    let position = |name: &String| target.schema.columns.iter().position(|c| same_name(&c.name, name));
    WriteOptions { sorted_by: names.filter_map(position).collect(), ..WriteOptions::default() }
}

/// The rows of a segment in the table's columns: what the log says that it lacks is NULL.
///
/// # Errors
/// As [`TableRows::new`].
pub fn segment_rows(file: &SegmentFile, segment: &Segment, target: &Target) -> Result<TableRows> {
    let groups = (0..file.row_group_count()).collect();
    TableRows::known(file, &write_columns(target), groups, None, &|id| segment.has_field(id))
}

/// The field ids of the file's columns at these positions.
pub(super) fn field_ids(file: &SegmentFile, positions: &[usize], target: &Target) -> Vec<u32> {
    let columns = positions.iter().filter_map(|position| file.columns().get(*position));
    columns.filter_map(|column| target.schema.find(&column.name)).map(|column| column.id).collect()
}

/// Refuses DuckDB's infinite dates and timestamps, which are the ends of the stored integer and lie in no bucket, and instants that DuckDB
/// cannot show.
pub(crate) fn check_finite(min: i128, max: i128, target: &Target) -> Result<()> {
    let name = &target.definition.index_column;
    if let ColumnType::Timestamp(unit) | ColumnType::TimestampTz(unit) = &target.index_type {
        for end in [min, max] {
            if i64::try_from(end).is_ok_and(|end| !unit.shows(end)) {
                return Err(Error::invalid_argument(format!(
                    "the index column '{name}' holds {end} {unit} since 1970, which is outside the range of DuckDB's {}; remove those rows",
                    target.index_type
                )));
            }
        }
    }
    let end = match &target.index_type {
        ColumnType::Date => i128::from(i32::MAX),
        ColumnType::Timestamp(_) | ColumnType::TimestampTz(_) => i128::from(i64::MAX),
        _ => return Ok(()),
    };
    if min <= -end || max >= end {
        return Err(Error::invalid_argument(format!(
            "the index column '{name}' holds an infinite value, which lies in no bucket; remove those rows"
        )));
    }
    Ok(())
}
