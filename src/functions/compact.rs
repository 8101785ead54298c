//! `tstable_compact`: merges small segments into sorted ones.

use std::sync::Arc;

use tstable_core::{
    Result,
    table::{
        At,
        compact::{CompactRequest, Compacted, Order},
        write::compact::plan::TARGET_ROWS,
    },
};

use super::{
    Shared, Watch,
    answer::{Answer, Change},
    arguments::EXPECTED_VERSION,
    bound_to::BoundTo,
    shape::Shape,
};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Compact(pub(crate) Arc<Shared>);

impl TableFunction for Compact {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_compact",
            positional: &[Param { name: "root", ty: ParamType::Varchar }],
            named: &[
                Param { name: "start", ty: ParamType::Any },
                Param { name: "until", ty: ParamType::Any },
                Param { name: "target_rows", ty: ParamType::BigInt },
                Param { name: "layout", ty: ParamType::Varchar },
                Param { name: "dry_run", ty: ParamType::Boolean },
                EXPECTED_VERSION,
            ],
            description: "Merges small segments of a table into sorted ones; old versions stay readable.",
            example: "CALL tstable_compact('prices')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let change = Change::of(&self.0, session, &args)?;
        let order = args.text("layout")?.map_or(Ok(Order::default()), |word| Order::parse(&word))?;
        let target_rows = args.count("target_rows")?.unwrap_or(TARGET_ROWS);
        let dry_run = args.flag("dry_run")?;
        let (_, snapshot) = self.0.snapshot(&change.root, &At::Latest, session)?;
        let bound_to = BoundTo::shape(&change.root, &snapshot)?;
        let range = args.range(session, &Shape::of(&snapshot)?.index)?;
        let request = CompactRequest { range, target_rows, order, dry_run };
        let answer = Answer::new()
            .count("version", |compacted: &Compacted| compacted.changed.snapshot.state.version.0)
            .count("segments_before", |compacted| compacted.segments_before)
            .count("segments_after", |compacted| compacted.segments_after)
            .count("rows", |compacted| compacted.rows)
            .count("bytes_before", |compacted| compacted.bytes_before)
            .maybe_count("bytes_after", |compacted| compacted.bytes_after);
        Ok(change.bound(answer, move |table, snapshot, session| {
            bound_to.check(snapshot)?;
            let compacted = table.compact(snapshot, &request, &Watch(session))?;
            Ok((compacted.changed.clone(), [compacted]))
        }))
    }
}
