//! Altering columns: some go, some get another name, some a wider type. No segment is touched: the definition keeps what each column was,
//! and segments are read in its words. Old versions keep their columns.

use std::collections::HashSet;

use crate::{
    delta,
    error::{Error, Result},
    log::{commit::Action, definition::Definition, segment::Segment, state::TableState},
    schema::{Column, ColumnType, Schema, Strings, check_names, check_twins, same_name},
    segment::{
        ReadColumn, ReadRequest,
        schema::{Widening, widening},
    },
    storage::Storage,
    table::{
        commit::{Amendment, Changed, Plan},
        handle::{Snapshot, Table},
        monitor::{Monitor, check_cancelled},
        names::check_name,
        opened,
        write::checks,
    },
};

/// What is to become of columns. All are named as they are called before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alteration {
    /// Columns that go.
    pub drop: Vec<String>,
    /// Columns and their new names.
    pub rename: Vec<(String, String)>,
    /// Columns and their new types.
    pub types: Vec<(String, ColumnType)>,
}

impl Table {
    /// Drops, renames and widens columns, in one commit. What the columns are already changes nothing.
    ///
    /// # Errors
    /// `InvalidArgument` for a column that is not there, is named twice or is needed (index, entities, a check), and for a name that is no
    /// name; `AlreadyExists` for a name that another column has; `SchemaMismatch` for a type that does not hold what the column has, by its
    /// type or by a value that is there, and where the Delta log could not say the change; what reading segments gives, and `Cancelled`.
    pub fn alter(&self, latest: &Snapshot, alteration: &Alteration, monitor: &dyn Monitor) -> Result<Changed> {
        if *alteration == Alteration::default() {
            return Err(Error::invalid_argument("nothing was given to alter; name columns in drop, rename or type"));
        }
        latest.schema()?;
        let message = alteration.words();
        let frame = Amendment { message: Some(&message), ..Amendment::new(self, &latest.state, "alter") };
        let mut looked = HashSet::new();
        frame.run(|state, _| {
            check_cancelled(monitor)?;
            let actions = alteration.plan(state)?;
            if let Some(Action::DefineTable(definition)) = actions.first() {
                delta::check_change(state, definition)?;
                let storage = self.log().storage().as_ref();
                alteration.check_values(storage, state, definition, &mut looked, monitor)?;
            }
            Ok(Plan::from(actions))
        })
    }
}

impl Alteration {
    /// For people.
    fn words(&self) -> String {
        let dropped = self.drop.iter().map(|name| format!("{name} dropped"));
        let renamed = self.rename.iter().map(|(old, new)| format!("{old} renamed to {new}"));
        let typed = self.types.iter().map(|(name, ty)| format!("{name} made {ty}"));
        dropped.chain(renamed).chain(typed).collect::<Vec<_>>().join(", ")
    }

    fn plan(&self, state: &TableState) -> Result<Vec<Action>> {
        let present = state.definition.schema.as_ref();
        let present = present.ok_or_else(|| Error::invalid_argument("the table has no columns yet"))?;
        self.check(present, &state.definition)?;
        let columns: Vec<_> = present.columns.iter().filter_map(|column| self.altered(column)).collect();
        for column in &columns {
            check_names(&column.name, &column.ty)?;
        }
        check_twins(columns.iter().map(|column| column.name.as_str()))
            .map_err(|e| Error::already_exists(format!("{}; nothing was changed", e.message())))?;
        let schema = Schema { columns };
        if schema == *present {
            return Ok(Vec::new());
        }
        let checks = checks::altered(&state.properties, present, &schema)?;
        let mut definition = state.definition.as_ref().clone();
        definition.alter(schema)?;
        definition.index_column = self.new_name(&definition.index_column).to_owned();
        definition.entity_columns =
            definition.entity_columns.iter().map(|name| self.new_name(name).to_owned()).collect();
        Ok(std::iter::once(Action::DefineTable(Box::new(definition))).chain(checks).collect())
    }

    /// Refuses what names no column, one twice, or one that is needed.
    fn check(&self, present: &Schema, definition: &Definition) -> Result<()> {
        let refuse = |why: String| Err(Error::invalid_argument(format!("{why}; nothing was changed")));
        let named = self.drop.iter().chain(self.rename.iter().map(|(name, _)| name));
        for name in named.chain(self.types.iter().map(|(name, _)| name)) {
            if present.find(name).is_none() {
                let names: Vec<_> = present.columns.iter().map(|column| column.name.as_str()).collect();
                return refuse(format!("the table has no column '{name}'; it has {}", names.join(", ")));
            }
        }
        twice("drop", self.drop.iter())?;
        twice("rename", self.rename.iter().map(|(name, _)| name))?;
        twice("type", self.types.iter().map(|(name, _)| name))?;
        for name in &self.drop {
            let others = self.rename.iter().map(|(name, _)| name).chain(self.types.iter().map(|(name, _)| name));
            if others.into_iter().any(|other| same_name(other, name)) {
                return refuse(format!("'{name}' is to go and to be altered as well"));
            }
            if let Some(role) = role(definition, name) {
                return refuse(format!("'{name}' is {role}, without which the table has no order and no coverage"));
            }
        }
        for (_, new) in &self.rename {
            check_name("the new name of a column", new)?;
        }
        self.types.iter().try_for_each(|(name, ty)| check_type(present, definition, name, ty))
    }

    /// The column as it is to be; none when it goes.
    fn altered(&self, column: &Column) -> Option<Column> {
        if self.drop.iter().any(|name| same_name(name, &column.name)) {
            return None;
        }
        let ty = self.types.iter().find(|(name, _)| same_name(name, &column.name)).map_or(&column.ty, |(_, ty)| ty);
        Some(Column { id: column.id, name: self.new_name(&column.name).to_owned(), ty: ty.clone() })
    }

    fn new_name<'a>(&'a self, name: &'a str) -> &'a str {
        self.rename.iter().find(|(old, _)| same_name(old, name)).map_or(name, |(_, new)| new)
    }

    /// Reads the columns whose new types do not hold all values of the old ones.
    fn check_values(
        &self,
        storage: &dyn Storage,
        state: &TableState,
        definition: &Definition,
        looked: &mut HashSet<String>,
        monitor: &dyn Monitor,
    ) -> Result<()> {
        let before = |name: &str| state.definition.schema.as_ref().and_then(|schema| schema.type_of(name));
        let open = |(name, ty): &&(String, ColumnType)| {
            before(name).and_then(|before| widening(before, ty)) == Some(Widening::ByValue)
        };
        let columns: Vec<_> = self.types.iter().filter(open).map(|(name, ty)| (self.new_name(name), ty)).collect();
        if columns.is_empty() {
            return Ok(());
        }
        for segment in state.segments.all()? {
            if looked.insert(segment.record.id.clone()) {
                check_segment(storage, segment, definition, &columns, monitor)
                    .map_err(|e| e.with("version", segment.added))?;
            }
        }
        Ok(())
    }
}

fn check_segment(
    storage: &dyn Storage,
    segment: &Segment,
    definition: &Definition,
    columns: &[(&str, &ColumnType)],
    monitor: &dyn Monitor,
) -> Result<()> {
    let file = opened::open(storage, segment, definition)?;
    let column = |(name, ty): &(&str, &ColumnType)| {
        file.position(name).map(|position| ReadColumn { position, ty: (*ty).clone() })
    };
    let columns: Vec<_> = columns.iter().filter_map(column).collect();
    if columns.is_empty() {
        return Ok(());
    }
    for batch in file.read(ReadRequest { columns, strings: Strings::Plain, ..ReadRequest::all(&file) })? {
        check_cancelled(monitor)?;
        batch?;
    }
    Ok(())
}

fn check_type(present: &Schema, definition: &Definition, name: &str, ty: &ColumnType) -> Result<()> {
    let Some(column) = present.find(name).filter(|column| column.ty != *ty) else { return Ok(()) };
    if let Some(role) = role(definition, name) {
        if is_wider_integer(&column.ty, ty) {
            return Ok(());
        }
        return Err(Error::invalid_argument(format!(
            "'{}' is {role}, and what the log says of rows and coverage is in its type {}, of which only a wider integer type counts the \
             same; nothing was changed: load the rows into a new table to have it as {ty}",
            column.name, column.ty
        )));
    }
    if widening(&column.ty, ty).is_some() {
        return Ok(());
    }
    Err(Error::schema_mismatch(format!(
        "'{}' is {}, whose values {ty} does not hold without loss; nothing was changed: add a column of that type \
         (tstable_add_columns), or load the rows into a new table",
        column.name, column.ty
    )))
}

/// Whether an index or entity of the one type is the same number in the other, whatever it is: then all that the log says of it holds.
fn is_wider_integer(from: &ColumnType, to: &ColumnType) -> bool {
    from.is_integer() && to.is_integer() && to.can_index() && widening(from, to) == Some(Widening::Always)
}

/// What the table needs the column for.
fn role(definition: &Definition, name: &str) -> Option<&'static str> {
    if same_name(&definition.index_column, name) {
        return Some("the index column");
    }
    definition.entity_columns.iter().any(|entity| same_name(entity, name)).then_some("an entity column")
}

fn twice<'a>(what: &str, names: impl Iterator<Item = &'a String>) -> Result<()> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name.to_ascii_lowercase()) {
            return Err(Error::invalid_argument(format!("{what} names '{name}' twice; nothing was changed")));
        }
    }
    Ok(())
}
