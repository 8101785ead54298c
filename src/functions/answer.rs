//! An answer, each column declared together with what it shows, so that columns and cells cannot disagree; and the frame of the
//! functions that change a table. No function makes rows in any other way.

use std::sync::Arc;

use tstable_core::{
    Result,
    coverage::Entity,
    schema::ColumnType,
    table::{Snapshot, Table, commit::Changed},
    time::IndexValue,
};

use super::{
    Shared,
    arguments::Expected,
    report::{Cell, Report, Row, column},
    shape::{Named, give_way},
};
use crate::host::{Args, Bound, OutColumn, Session};

/// Adds to a row what one or several columns show of a `T`.
type Show<T> = Box<dyn Fn(&T, &mut Row) + Send + Sync>;

/// The columns of an answer whose rows are made of a `T` each.
pub(crate) struct Answer<T> {
    columns: Vec<Named>,
    shows: Vec<Show<T>>,
}

impl<T: 'static> Answer<T> {
    /// Without columns.
    pub(crate) fn new() -> Self {
        Self { columns: Vec::new(), shows: Vec::new() }
    }

    /// And a column of any type.
    pub(crate) fn column(
        mut self,
        name: &str,
        ty: ColumnType,
        show: impl Fn(&T) -> Cell + Send + Sync + 'static,
    ) -> Self {
        self.columns.push(Named::Own(column(name, ty)));
        self.shows.push(Box::new(move |of, row| row.push(show(of))));
        self
    }

    /// And the entity columns of the table, before whose names all others give way; NULL where there is no entity.
    pub(crate) fn entity(
        mut self,
        columns: &[OutColumn],
        show: impl Fn(&T) -> Option<&Entity> + Send + Sync + 'static,
    ) -> Self {
        let count = columns.len();
        self.columns.extend(columns.iter().cloned().map(Named::Table));
        self.shows.push(Box::new(move |of, row| match show(of) {
            Some(entity) => row.extend(entity.parts().iter().map(Cell::from)),
            None => row.extend(std::iter::repeat_n(Cell::Null, count)),
        }));
        self
    }

    /// And a value of the table's index, whose type is `ty`.
    pub(crate) fn index(
        self,
        name: &str,
        ty: &ColumnType,
        show: impl Fn(&T) -> IndexValue + Send + Sync + 'static,
    ) -> Self {
        self.column(name, ty.clone(), move |of| show(of).into())
    }

    /// And such a value, or NULL.
    pub(crate) fn maybe_index(
        self,
        name: &str,
        ty: &ColumnType,
        show: impl Fn(&T) -> Option<IndexValue> + Send + Sync + 'static,
    ) -> Self {
        self.column(name, ty.clone(), move |of| Cell::maybe(show(of), Cell::from))
    }

    /// And a VARCHAR.
    pub(crate) fn text(self, name: &str, show: impl Fn(&T) -> Cell + Send + Sync + 'static) -> Self {
        self.column(name, ColumnType::Varchar, show)
    }

    /// And a BIGINT that is never NULL.
    pub(crate) fn count(self, name: &str, show: impl Fn(&T) -> u64 + Send + Sync + 'static) -> Self {
        self.column(name, ColumnType::BigInt, move |of| Cell::count(show(of)))
    }

    /// And a BIGINT that may be NULL.
    pub(crate) fn maybe_count(self, name: &str, show: impl Fn(&T) -> Option<u64> + Send + Sync + 'static) -> Self {
        self.column(name, ColumnType::BigInt, move |of| Cell::maybe(show(of), Cell::count))
    }

    /// And a BOOLEAN.
    pub(crate) fn flag(self, name: &str, show: impl Fn(&T) -> bool + Send + Sync + 'static) -> Self {
        self.column(name, ColumnType::Boolean, move |of| Cell::Bool(show(of)))
    }

    /// One row.
    fn row(&self, of: &T) -> Row {
        let mut row = Row::with_capacity(self.shows.len());
        self.shows.iter().for_each(|show| show(of, &mut row));
        row
    }

    /// Binds a call that answers with what `run` finds, once an execution.
    pub(crate) fn bound<I>(self, run: impl Fn(&dyn Session) -> Result<I> + Send + Sync + 'static) -> Arc<dyn Bound>
    where
        I: IntoIterator<Item = T>,
        I::IntoIter: Send + 'static,
    {
        self.bound_to_each(move |session| Ok(run(session)?.into_iter().map(Ok)))
    }

    /// The same, where each of what is found may fail.
    pub(crate) fn bound_to_each<I>(
        mut self,
        run: impl Fn(&dyn Session) -> Result<I> + Send + Sync + 'static,
    ) -> Arc<dyn Bound>
    where
        I: Iterator<Item = Result<T>> + Send + 'static,
    {
        let columns = give_way(std::mem::take(&mut self.columns));
        let answer = Arc::new(self);
        Report::bound(columns, move |session| {
            let (answer, found) = (Arc::clone(&answer), run(session)?);
            Ok(Box::new(found.map(move |of| of.map(|of| answer.row(&of)))))
        })
    }
}

/// A call that changes the table at `root`.
pub(crate) struct Change {
    shared: Arc<Shared>,
    pub(crate) root: String,
    expected: Expected,
}

impl Change {
    /// What the arguments say of it.
    pub(crate) fn of(shared: &Arc<Shared>, session: &dyn Session, args: &Args) -> Result<Self> {
        Ok(Self { shared: Arc::clone(shared), root: args.root(session)?, expected: args.expected()? })
    }

    /// Binds it: `make` changes the table from its newest snapshot on and says what there is to answer. Warnings are logged here,
    /// and the new version is remembered.
    pub(crate) fn bound<T, I>(
        self,
        answer: Answer<T>,
        make: impl Fn(&Table, &Snapshot, &dyn Session) -> Result<(Changed, I)> + Send + Sync + 'static,
    ) -> Arc<dyn Bound>
    where
        T: 'static,
        I: IntoIterator<Item = T>,
        I::IntoIter: Send + 'static,
    {
        answer.bound(move |session| {
            let (table, snapshot) = self.shared.to_change(&self.root, self.expected, session)?;
            let (changed, found) = make(&table, &snapshot, session)?;
            self.shared.changed(&self.root, &table, &changed, session);
            Ok(found)
        })
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
