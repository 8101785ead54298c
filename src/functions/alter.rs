//! `tstable_alter`: drops, renames and widens columns, without a row moving.

use std::sync::Arc;

use tstable_core::{
    Result,
    prune::expr::Constant,
    schema::{ColumnType, type_name},
    table::amend::alter::Alteration,
};

use super::{
    Shared, Watch,
    answer::{Answer, Change},
    arguments::EXPECTED_VERSION,
    report::Cell,
};
use crate::host::{Arg, Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Alter(pub(crate) Arc<Shared>);

impl TableFunction for Alter {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_alter",
            positional: &[Param { name: "root", ty: ParamType::Varchar }],
            named: &[
                Param { name: "drop", ty: ParamType::Any },
                Param { name: "rename", ty: ParamType::Any },
                Param { name: "type", ty: ParamType::Any },
                EXPECTED_VERSION,
            ],
            description: "Drops, renames and widens columns of a table; no row moves, and old versions keep their columns.",
            example: "CALL tstable_alter('prices', drop := ['fee'], rename := {'close': 'last'}, type := {'volume': 'BIGINT'})",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let change = Change::of(&self.0, session, &args)?;
        let typed = |(name, ty): (String, String)| Ok((name, type_name::parse(&ty)?));
        let texts = |name: &str, example: &str| {
            args.named(name).map_or(Ok(Vec::new()), |columns| columns.text_entries(name, example))
        };
        let alteration = Alteration {
            drop: names(&args)?,
            rename: texts("rename", "{'close': 'last'}")?,
            types: texts("type", "{'volume': 'BIGINT'}")?.into_iter().map(typed).collect::<Result<_>>()?,
        };
        let answer = Answer::new()
            .text("column", |(column, ..): &(String, String, u64)| Cell::text(column))
            .text("change", |(_, change, _)| Cell::text(change))
            .count("version", |(.., version)| *version);
        Ok(change.bound(answer, move |table, snapshot, session| {
            let changed = table.alter(snapshot, &alteration, &Watch(session))?;
            let version = changed.snapshot.state.version.0;
            let done = told(&alteration).into_iter().map(move |(column, change)| (column, change, version));
            Ok((changed, done))
        }))
    }
}

/// What becomes of each column.
fn told(alteration: &Alteration) -> Vec<(String, String)> {
    let dropped = alteration.drop.iter().map(|name| (name.clone(), "dropped".to_owned()));
    let renamed = alteration.rename.iter().map(|(old, new)| (old.clone(), format!("renamed to {new}")));
    let typed = |(name, ty): &(String, ColumnType)| (name.clone(), format!("made {ty}"));
    dropped.chain(renamed).chain(alteration.types.iter().map(typed)).collect()
}

/// The columns that go: a list, or one name.
fn names(args: &Args) -> Result<Vec<String>> {
    match args.named("drop") {
        Some(Arg::Scalar(Constant::Text(name))) => Ok(vec![name.clone()]),
        _ => args.text_list("drop"),
    }
}
