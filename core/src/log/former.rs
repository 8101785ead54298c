//! What columns were called, and of which type they were, in segments that were written before they were altered. The definition keeps
//! it for ever, also of columns that are dropped and through restorations, so that a file written at any time, by a writer that had not
//! heard of the change too, has each column found under the name that it had then.

use super::{
    commit::SegmentRecord,
    definition::{Definition, FormerColumn},
};
use crate::{
    error::{Error, Result},
    schema::{Column, Schema, same_name},
};

impl FormerColumn {
    fn of(column: &Column, before: u32) -> Self {
        Self { id: column.id, before, name: Some(column.name.clone()), ty: Some(column.ty.clone()) }
    }

    fn absent(id: u32, before: u32) -> Self {
        Self { id, before, name: None, ty: None }
    }
}

impl Definition {
    /// Takes `schema`, of columns with ids that were given out, in the place of the present columns, and keeps what those were. Gives out
    /// an id to tell what is written from now on from what was written before.
    ///
    /// # Errors
    /// `LimitExceeded` when there is no id left.
    pub fn alter(&mut self, schema: Schema) -> Result<()> {
        let Some(present) = &self.schema else {
            self.schema = Some(schema);
            return Ok(());
        };
        let next = self.last_field_id.checked_add(1);
        let before = next.ok_or_else(|| Error::limit_exceeded("the table has had too many columns"))?;
        let mut former = Vec::new();
        for column in &present.columns {
            if !schema.columns.contains(column) {
                former.push(FormerColumn::of(column, before));
            }
        }
        for column in &schema.columns {
            if !present.columns.iter().any(|other| other.id == column.id) {
                former.push(FormerColumn::absent(column.id, before));
            }
        }
        if !former.is_empty() {
            self.former_columns.extend(former);
            self.last_field_id = before;
        }
        self.schema = Some(schema);
        Ok(())
    }

    /// Whether a column of the table had another name or type, so that who does not know of that must not read it.
    #[must_use]
    pub fn is_altered(&self) -> bool {
        let column = |id: u32| self.schema.iter().flat_map(|schema| &schema.columns).find(|column| column.id == id);
        let other = |former: &FormerColumn, column: &Column| {
            former.name.as_ref().is_some_and(|name| *name != column.name || former.ty.as_ref() != Some(&column.ty))
        };
        self.former_columns.iter().any(|former| column(former.id).is_some_and(|column| other(former, column)))
    }

    /// What a column is in the file of a segment; none when it was not in the table when that was written.
    fn former(&self, id: u32, record: &SegmentRecord) -> Option<&FormerColumn> {
        self.former_columns.iter().find(|former| former.id == id && record.last_field_id < former.before)
    }

    /// Whether the column with this id was in the table when the segment was written, as far as that is not for its `last_field_id` to say.
    #[must_use]
    pub fn knows(&self, id: u32, record: &SegmentRecord) -> bool {
        self.former(id, record).is_none_or(|former| former.name.is_some())
    }

    /// The name of a column of the table in the file of a segment; none when it is not there.
    #[must_use]
    pub fn name_in<'a>(&'a self, column: &'a Column, record: &SegmentRecord) -> Option<&'a str> {
        if column.id > record.last_field_id || record.missing_fields.contains(&column.id) {
            return None;
        }
        match self.former(column.id, record) {
            Some(former) => former.name.as_deref(),
            None => Some(&column.name),
        }
    }

    /// The table's name for the column that a segment calls `name`; none when it is none of the table's.
    #[must_use]
    pub fn shown_name(&self, name: &str, record: &SegmentRecord) -> Option<&str> {
        let mut columns = self.schema.iter().flat_map(|schema| &schema.columns);
        let is_it = |column: &&Column| self.name_in(column, record).is_some_and(|has| same_name(has, name));
        columns.find(is_it).map(|column| column.name.as_str())
    }

    /// A column that other programs, which find columns by name and know one type of each, would not find, or wrongly, in the file of the
    /// segment: by its present name, with what it is called there.
    #[must_use]
    pub fn estranged<'a>(&'a self, record: &SegmentRecord) -> Option<(&'a str, &'a str)> {
        for column in self.schema.iter().flat_map(|schema| &schema.columns) {
            if let Some(former) = self.former(column.id, record)
                && let Some(name) = self.name_in(column, record)
                && (!same_name(name, &column.name) || former.ty.as_ref() != Some(&column.ty))
            {
                return Some((&column.name, name));
            }
            let dropped = |former: &&FormerColumn| {
                former.id != column.id
                    && former.id <= record.last_field_id
                    && !record.missing_fields.contains(&former.id)
                    && record.last_field_id < former.before
                    && former.name.as_deref().is_some_and(|name| same_name(name, &column.name))
            };
            if self.name_in(column, record).is_none()
                && let Some(name) = self.former_columns.iter().find(dropped).and_then(|former| former.name.as_deref())
            {
                return Some((&column.name, name));
            }
        }
        None
    }
}

#[cfg(test)]
#[path = "former_tests.rs"]
mod tests;
