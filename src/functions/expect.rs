//! `tstable_expect`: which entities should deliver, and when.

use std::sync::Arc;

use tstable_core::{
    Error, Result,
    log::{Version, universe::Universe},
    prune::expr::Constant,
    schema::same_name,
    table::{At, Snapshot},
    time::IndexRange,
};

use super::{
    Shared,
    answer::{Answer, Change},
    arguments::EXPECTED_VERSION,
    bound_to::BoundTo,
    entity_argument::{Named, named, resolve},
    instant::index_value,
    literal::show,
    report::Cell,
};
use crate::host::{Arg, Args, Bound, Param, ParamType, Session, Signature, TableFunction};

/// Fields of an entity's struct that say when it should deliver, unless the table has entity columns of these names.
const START: &str = "start";
const UNTIL: &str = "until";

pub(crate) struct Expect(pub(crate) Arc<Shared>);

impl TableFunction for Expect {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_expect",
            positional: &[
                Param { name: "root", ty: ParamType::Varchar },
                Param { name: "entities", ty: ParamType::Any },
            ],
            named: &[EXPECTED_VERSION],
            description: "Says which entities should deliver, and when: one that never did is a gap to every question. NULL forgets it.",
            example: "CALL tstable_expect('prices', ['NVDA', 'AMD'])",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let change = Change::of(&self.0, session, &args)?;
        let root = change.root.clone();
        let (_, snapshot) = self.0.snapshot(&root, &At::Latest, session)?;
        let listed = listed(session, args.positional.get(1), &snapshot)?;
        // Without columns yet there is nothing that the call could depend on.
        let bound_to = snapshot.schema().is_ok().then(|| BoundTo::shape(&root, &snapshot)).transpose()?;
        let answer = Answer::new()
            .text("root", move |_| Cell::text(&root))
            .count("version", |(version, _): &(Version, usize)| version.0)
            .count("entities", |(_, entities)| *entities as u64);
        Ok(change.bound(answer, move |table, snapshot, _| {
            bound_to.as_ref().map_or(Ok(()), |bound_to| bound_to.check(snapshot))?;
            let universe = universe(snapshot, &listed)?;
            let changed = table.expect_entities(snapshot, &universe)?;
            let version = changed.snapshot.state.version;
            Ok((changed, [(version, universe.len())]))
        }))
    }
}

/// The entities with the ranges in which they should deliver; none for NULL.
fn listed(session: &dyn Session, arg: Option<&Arg>, snapshot: &Snapshot) -> Result<Vec<(Named, IndexRange)>> {
    let items = match arg {
        None | Some(Arg::Scalar(Constant::Null)) => return Ok(Vec::new()),
        Some(Arg::List(items)) if items.is_empty() => {
            return Err(Error::invalid_argument(
                "entities is an empty list, which expects nobody; give NULL to forget what was expected",
            ));
        }
        Some(Arg::List(items)) => items.as_slice(),
        Some(single) => std::slice::from_ref(single),
    };
    let listed = items.iter().map(|item| ranged(session, item, snapshot)).collect::<Result<Vec<_>>>()?;
    universe(snapshot, &listed)?;
    Ok(listed)
}

fn universe(snapshot: &Snapshot, listed: &[(Named, IndexRange)]) -> Result<Universe> {
    let named: Vec<Named> = listed.iter().map(|(entity, _)| entity.clone()).collect();
    Ok(resolve(snapshot, &named)?.into_iter().zip(listed.iter().map(|(_, range)| *range)).collect())
}

/// An entity and when it should deliver, which `start` and `until` beside its columns say.
fn ranged(session: &dyn Session, item: &Arg, snapshot: &Snapshot) -> Result<(Named, IndexRange)> {
    let Arg::Struct(fields) = item else { return Ok((named(item)?, IndexRange::ALL)) };
    let own = &snapshot.definition().entity_columns;
    let is_end = |name: &str, end: &str| same_name(name, end) && !own.iter().any(|column| same_name(column, end));
    let end = |end: &'static str| {
        let given = fields.iter().find(|(name, arg)| is_end(name, end) && *arg != Arg::Scalar(Constant::Null));
        given.map(|(_, arg)| index_value(session, end, arg, snapshot.index_type()?)).transpose()
    };
    let range = IndexRange { start: end(START)?, until: end(UNTIL)? };
    if range.is_empty() {
        return Err(Error::invalid_argument(format!(
            "{} is expected from a start that is not before its end; a range is [start, until)",
            show(item)
        )));
    }
    let entity = fields.iter().filter(|(name, _)| !is_end(name, START) && !is_end(name, UNTIL)).cloned().collect();
    Ok((named(&Arg::Struct(entity))?, range))
}
