//! `tstable_add_columns`: adds columns, which old rows have as NULL.

use std::sync::Arc;

use tstable_core::{
    Error, Result,
    prune::expr::Constant,
    schema::{ColumnType, type_name},
};

use super::{
    Shared,
    arguments::EXPECTED_VERSION,
    literal::show,
    report::{Cell, Report, column},
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
        let (root, expected) = (args.root(session)?, args.expected()?);
        let added = wanted(args.any_at(1, "columns")?)?;
        let shared = Arc::clone(&self.0);
        let columns = vec![
            column("column", ColumnType::Varchar),
            column("type", ColumnType::Varchar),
            column("version", ColumnType::BigInt),
        ];
        Ok(Report::bound(columns, move |session| {
            let (table, snapshot) = shared.to_change(&root, expected, session)?;
            let changed = table.add_columns(&snapshot, &added)?;
            shared.changed(&root, &table, &changed, session);
            let version = changed.snapshot.state.version.0;
            let rows = added.clone().into_iter();
            let row = move |(name, ty): (String, ColumnType)| {
                Ok(vec![Cell::text(name), Cell::text(ty.to_string()), Cell::count(version)])
            };
            Ok(Box::new(rows.map(row)))
        }))
    }
}

/// Names and types that a STRUCT gives.
fn wanted(arg: &Arg) -> Result<Vec<(String, ColumnType)>> {
    let Arg::Struct(fields) = arg else {
        return Err(Error::invalid_argument(format!(
            "columns := {} is no STRUCT; write it like {{'currency': 'VARCHAR'}}",
            show(arg)
        )));
    };
    let typed = |(name, ty): &(String, Arg)| match ty {
        Arg::Scalar(Constant::Text(text)) => Ok((name.clone(), type_name::parse(text)?)),
        other => Err(Error::invalid_argument(format!("columns has {} for '{name}', which names no type", show(other)))),
    };
    fields.iter().map(typed).collect()
}
