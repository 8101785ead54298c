//! Entities that were named before the table had columns: when the columns come, what was said of them is said again in their types.

use crate::{
    coverage::Entity,
    error::{Error, Result},
    log::{
        commit::Action,
        definition::Definition,
        state::TableState,
        universe::{UNIVERSE_PROPERTY, Universe},
    },
    segment::values::fitted_to,
    time::IndexRange,
};

/// What has to be said again before `actions`, which follow `state`: nothing, unless they are what gives the table its columns.
///
/// # Errors
/// `InvalidArgument` naming the value that its column cannot have.
pub(super) fn retold(state: &TableState, actions: &[Action]) -> Result<Vec<Action>> {
    let columns = actions.iter().find_map(|action| match action {
        Action::DefineTable(definition) if definition.schema.is_some() => Some(definition),
        _ => None,
    });
    let Some(definition) = columns.filter(|_| state.definition.schema.is_none()) else { return Ok(Vec::new()) };
    let mut again = Vec::new();
    let said = Universe::of(&state.properties)?;
    let mut expected: Vec<(Entity, IndexRange)> = Vec::new();
    for entity in said.entities() {
        let fitted = fitted(entity, definition)?;
        let ranges = said.ranges_of(entity).unwrap_or_default();
        expected.extend(ranges.iter().map(|range| (fitted.clone(), *range)));
    }
    let expected: Universe = expected.into_iter().collect();
    if expected != said {
        again.push(Action::SetProperty { key: UNIVERSE_PROPERTY.to_owned(), value: Some(expected.encode()?) });
    }
    for (entity, calendar) in state.expectations.calendars() {
        let fitted = fitted(entity, definition)?;
        if fitted != *entity {
            let calendar = Some(Box::new(calendar.as_ref().clone()));
            again.push(Action::SetCalendar { entities: vec![entity.clone()], calendar: None });
            again.push(Action::SetCalendar { entities: vec![fitted], calendar });
        }
    }
    Ok(again)
}

/// The entity as the columns have it; [`Entity::none`], which stands for all, as it is.
fn fitted(entity: &Entity, definition: &Definition) -> Result<Entity> {
    let type_of =
        |name: &String| definition.schema.as_ref().and_then(|schema| schema.find(name)).map(|column| &column.ty);
    let parts = definition.entity_columns.iter().zip(entity.parts());
    let fitted =
        parts.map(|(name, part)| type_of(name).map_or_else(|| Ok(part.clone()), |ty| fitted_to(name, part, ty)));
    fitted.collect::<Result<Entity>>().map_err(|e| {
        Error::invalid_argument(format!(
            "{}; it was named before the table had columns, say again what is expected (tstable_expect, tstable_set_calendar)",
            e.message()
        ))
    })
}
