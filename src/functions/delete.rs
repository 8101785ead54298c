//! `tstable_delete`: deletes whole buckets of a range, of some entities or all.

use std::sync::Arc;

use tstable_core::{
    Result,
    table::{
        At,
        delete::{DeleteRequest, Deleted},
    },
};

use super::{
    Shared, Watch,
    answer::{Answer, Change},
    arguments::EXPECTED_VERSION,
    bound_to::BoundTo,
    entity_argument::with_names,
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
        let change = Change::of(&self.0, session, &args)?;
        let entities = args.entities()?;
        let (_, snapshot) = self.0.snapshot(&change.root, &At::Latest, session)?;
        let bound_to = BoundTo::shape(&change.root, &snapshot)?;
        let range = args.range_at(session, 1, snapshot.index_type()?)?;
        let request = DeleteRequest { range, entities: with_names(&snapshot, &entities)? };
        let answer = Answer::new()
            .count("version", |deleted: &Deleted| deleted.changed.snapshot.state.version.0)
            .count("rows_deleted", |deleted| deleted.loss.rows)
            .count("buckets_deleted", |deleted| deleted.buckets)
            .count("segments_removed", |deleted| deleted.loss.segments_removed)
            .count("segments_added", |deleted| deleted.loss.segments_added);
        Ok(change.bound(answer, move |table, snapshot, session| {
            bound_to.check(snapshot)?;
            let deleted = table.delete(snapshot, &request, &Watch(session))?;
            Ok((deleted.changed.clone(), [deleted]))
        }))
    }
}
