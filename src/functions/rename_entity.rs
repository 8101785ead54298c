//! `tstable_rename_entity`: another name for an entity, from now on.

use std::sync::Arc;

use tstable_core::{
    Error, Result,
    coverage::Entity,
    prune::expr::Constant,
    table::{At, Snapshot},
};

use super::{
    Shared, Watch,
    answer::{Answer, Change},
    arguments::EXPECTED_VERSION,
    bound_to::BoundTo,
    entity_argument::{Named, named, resolve},
};
use crate::host::{Arg, Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct RenameEntity(pub(crate) Arc<Shared>);

impl TableFunction for RenameEntity {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_rename_entity",
            positional: &[
                Param { name: "root", ty: ParamType::Varchar },
                Param { name: "old", ty: ParamType::Any },
                Param { name: "new", ty: ParamType::Any },
            ],
            named: &[EXPECTED_VERSION],
            description: "Renames an entity, with its rows and all that is said of it; old versions keep the old name.",
            example: "CALL tstable_rename_entity('prices', 'FB', 'META')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let change = Change::of(&self.0, session, &args)?;
        let (_, snapshot) = self.0.snapshot(&change.root, &At::Latest, session)?;
        let bound_to = BoundTo::shape(&change.root, &snapshot)?;
        let (old, new) = (one(&args, 1, "old")?, one(&args, 2, "new")?);
        let both = [old, new];
        pair(&snapshot, &both)?;
        let answer = Answer::new().count("version", |version: &u64| *version).count("entities", |_| 1);
        Ok(change.bound(answer, move |table, snapshot, session| {
            bound_to.check(snapshot)?;
            let (old, new) = pair(snapshot, &both)?;
            let changed = table.rename_entity(snapshot, &old, &new, &Watch(session))?;
            let version = changed.snapshot.state.version.0;
            Ok((changed, [version]))
        }))
    }
}

/// The one entity that an argument names.
fn one(args: &Args, at: usize, name: &str) -> Result<Named> {
    match args.positional.get(at) {
        None | Some(Arg::Scalar(Constant::Null)) => Err(Error::invalid_argument(format!(
            "{name} is NULL; it is the entity's {name} name, a value or a struct of the entity columns"
        ))),
        Some(Arg::List(_)) => {
            Err(Error::invalid_argument(format!("{name} is a list; one entity is renamed in one call")))
        }
        Some(arg) => named(arg),
    }
}

fn pair(snapshot: &Snapshot, both: &[Named; 2]) -> Result<(Entity, Entity)> {
    if snapshot.definition().entity_columns.is_empty() {
        return Err(Error::invalid_argument("the table has no entity columns, so there is no entity to rename"));
    }
    let mut entities = resolve(snapshot, both)?.into_iter();
    match (entities.next(), entities.next()) {
        (Some(old), Some(new)) => Ok((old, new)),
        _ => Err(Error::invalid_argument("an old and a new name are needed")),
    }
}
