//! `tstable_add_columns`: adds columns, which old rows have as NULL.

use std::sync::Arc;

use tstable_core::{
    Error, Result,
    log::Version,
    prune::expr::Constant,
    schema::{ColumnType, type_name},
};

use super::{
    Shared,
    answer::{Answer, Change},
    arguments::EXPECTED_VERSION,
    literal::show,
    report::Cell,
};
use crate::host::{Arg, Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct AddColumns(pub(crate) Arc<Shared>);

impl TableFunction for AddColumns {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_add_columns",
            positional: &[
                Param { name: "root", ty: ParamType::Varchar },
                Param { name: "columns", ty: ParamType::Any },
            ],
            named: &[EXPECTED_VERSION],
            description: "Adds columns to a table; rows that are there have NULL in them.",
            example: "CALL tstable_add_columns('prices', {'currency': 'VARCHAR', 'fee': 'DECIMAL(10,4)'})",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let change = Change::of(&self.0, session, &args)?;
        let added = wanted(args.any_at(1, "columns")?)?;
        let answer = Answer::new()
            .text("column", |done: &Added| Cell::text(&done.name))
            .text("type", |done| Cell::text(done.ty.to_string()))
            .count("version", |done| done.version.0);
        Ok(change.bound(answer, move |table, snapshot, _| {
            let changed = table.add_columns(snapshot, &added)?;
            let version = changed.snapshot.state.version;
            let done = added.clone().into_iter().map(move |(name, ty)| Added { name, ty, version });
            Ok((changed, done))
        }))
    }
}

struct Added {
    name: String,
    ty: ColumnType,
    /// The table's version afterwards.
    version: Version,
}

/// Names and types that a STRUCT or MAP gives.
fn wanted(arg: &Arg) -> Result<Vec<(String, ColumnType)>> {
    let typed = |(name, ty): (String, &Arg)| match ty {
        Arg::Scalar(Constant::Text(text)) => Ok((name, type_name::parse(text)?)),
        other => Err(Error::invalid_argument(format!(
            "columns has {} for '{name}', which does not name a type",
            show(other)
        ))),
    };
    arg.entries("columns", "{'currency': 'VARCHAR'}")?.into_iter().map(typed).collect()
}
