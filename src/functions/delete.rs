//! `tstable_delete`: deletes whole buckets of a range, of some entities or all.

use std::sync::Arc;

use tstable_core::{
    Error, Result,
    coverage::EntityPart,
    prune::expr::Constant,
    schema::ColumnType,
    table::{At, delete::DeleteRequest},
};

use super::{
    Shared, Watch,
    arguments::EXPECTED_VERSION,
    bound_to::BoundTo,
    literal::show,
    report::{Cell, Report, column, one},
};
use crate::host::{Arg, Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Delete(pub(crate) Arc<Shared>);

impl TableFunction for Delete {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_delete",
            positional: &[
                Param { name: "root", ty: ParamType::Varchar },
                Param { name: "start", ty: ParamType::Any },
                Param { name: "until", ty: ParamType::Any },
            ],
            named: &[Param { name: "entity", ty: ParamType::Any }, EXPECTED_VERSION],
            description: "Deletes whole buckets of a table; old versions keep them.",
            example: "CALL tstable_delete('prices', '2024-06-01', '2024-06-02', entity := {'symbol': 'NVDA'})",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let (root, expected) = (args.root(session)?, args.expected()?);
        let entity = entity(args.named("entity"))?;
        let shared = Arc::clone(&self.0);
        let (_, snapshot) = shared.snapshot(&root, &At::Latest, session)?;
        let bound_to = BoundTo::shape(&root, &snapshot)?;
        let range = args.range_at(session, 1, snapshot.index_type()?)?;
        let request = DeleteRequest { range, entity };
        let names = ["version", "rows_deleted", "buckets_deleted", "segments_removed", "segments_added"];
        let columns = names.map(|name| column(name, ColumnType::BigInt)).to_vec();
        Ok(Report::bound(columns, move |session| {
            let (table, snapshot) = shared.to_change(&root, expected, session)?;
            bound_to.check(&snapshot)?;
            let deleted = table.delete(&snapshot, &request, &Watch(session))?;
            shared.changed(&root, &table, &deleted.changed, session);
            let version = deleted.changed.snapshot.state.version.0;
            let loss = deleted.loss;
            let counts = [version, loss.rows, deleted.buckets, loss.segments_removed, loss.segments_added];
            Ok(one(counts.map(Cell::count).to_vec()))
        }))
    }
}

/// The entity columns and values that a STRUCT names.
fn entity(arg: Option<&Arg>) -> Result<Vec<(String, EntityPart)>> {
    let Some(arg) = arg else { return Ok(Vec::new()) };
    let Arg::Struct(fields) = arg else {
        return Err(Error::invalid_argument(format!(
            "entity := {} is no STRUCT; write it like {{'symbol': 'NVDA'}}",
            show(arg)
        )));
    };
    let part = |(name, value): &(String, Arg)| match value {
        Arg::Scalar(Constant::Text(text)) => Ok((name.clone(), EntityPart::from(text.as_str()))),
        Arg::Scalar(Constant::Int(value)) => Ok((name.clone(), EntityPart::Int(*value))),
        other => Err(Error::invalid_argument(format!(
            "entity has {} for '{name}', which is no text or integer",
            show(other)
        ))),
    };
    fields.iter().map(part).collect()
}
