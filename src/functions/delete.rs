//! `tstable_delete`: deletes whole buckets of a range, of some entities or all.

use std::sync::Arc;

use tstable_core::{
    Result,
    schema::ColumnType,
    table::{At, delete::DeleteRequest},
};

use super::{
    Shared, Watch,
    arguments::EXPECTED_VERSION,
    bound_to::BoundTo,
    entity_argument::with_names,
    report::{Cell, Report, column, one},
};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

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
        let entities = args.entities()?;
        let shared = Arc::clone(&self.0);
        let (_, snapshot) = shared.snapshot(&root, &At::Latest, session)?;
        let bound_to = BoundTo::shape(&root, &snapshot)?;
        let range = args.range_at(session, 1, snapshot.index_type()?)?;
        let request = DeleteRequest { range, entities: with_names(&snapshot, &entities)? };
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
