//! Adding columns. Old segments are not touched: that they lack a column shows in its field id, and they answer it with NULL.

use crate::{
    delta,
    error::{Error, Result},
    log::commit::Action,
    schema::{Column, ColumnType, check_names},
    table::{
        commit::{Changed, amend},
        handle::{Snapshot, Table},
        names::check_name,
    },
};

impl Table {
    /// Adds columns at the end, in one commit.
    ///
    /// # Errors
    /// `AlreadyExists` when there is a column of such a name, without regard to case; `InvalidArgument` when the table has no
    /// columns yet, or for no columns or names that are empty or given twice.
    pub fn add_columns(&self, latest: &Snapshot, columns: &[(String, ColumnType)]) -> Result<Changed> {
        if columns.is_empty() {
            return Err(Error::invalid_argument("no column was given to add"));
        }
        for (name, ty) in columns {
            check_name("the column's name", name)?;
            check_names(name, ty)?;
        }
        latest.schema()?;
        amend(self, &latest.state, "add_columns", None, |state| {
            let mut definition = state.definition.as_ref().clone();
            let Some(schema) = &mut definition.schema else {
                return Err(Error::invalid_argument("the table has no columns yet; append a file to give it some"));
            };
            for (name, ty) in columns {
                if let Some(known) = schema.find(name) {
                    return Err(Error::already_exists(format!(
                        "the table has, or gets by this call, a column '{}' of type {}; nothing was added",
                        known.name, known.ty
                    )));
                }
                let next = definition.last_field_id.checked_add(1);
                definition.last_field_id =
                    next.ok_or_else(|| Error::limit_exceeded("the table has had too many columns"))?;
                schema.columns.push(Column { id: definition.last_field_id, name: name.clone(), ty: ty.clone() });
            }
            delta::check_change(state, &definition)?;
            Ok(vec![Action::DefineTable(Box::new(definition))])
        })
    }
}
