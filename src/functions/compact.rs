//! `tstable_compact`: merges small segments into sorted ones.

use std::sync::Arc;

use tstable_core::{
    Result,
    schema::ColumnType,
    table::{
        At,
        compact::{CompactRequest, Compacted, Order},
        write::compact::plan::TARGET_ROWS,
    },
};

use super::{
    Shared, Watch,
    arguments::EXPECTED_VERSION,
    bound_to::BoundTo,
    report::{Cell, Report, Row, column, one},
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
        let (root, expected) = (args.root(session)?, args.expected()?);
        let order = args.text("layout")?.map_or(Ok(Order::default()), |word| Order::parse(&word))?;
        let target_rows = args.count("target_rows")?.unwrap_or(TARGET_ROWS);
        let dry_run = args.flag("dry_run")?;
        let shared = Arc::clone(&self.0);
        let (_, snapshot) = shared.snapshot(&root, &At::Latest, session)?;
        let bound_to = BoundTo::shape(&root, &snapshot)?;
        let range = args.range(session, &Shape::of(&snapshot)?.index)?;
        let request = CompactRequest { range, target_rows, order, dry_run };
        let names = ["version", "segments_before", "segments_after", "rows", "bytes_before", "bytes_after"];
        let columns = names.map(|name| column(name, ColumnType::BigInt)).to_vec();
        Ok(Report::bound(columns, move |session| {
            let (table, snapshot) = shared.to_change(&root, expected, session)?;
            bound_to.check(&snapshot)?;
            let compacted = table.compact(&snapshot, &request, &Watch(session))?;
            shared.changed(&root, &table, &compacted.changed, session);
            Ok(one(row(&compacted)))
        }))
    }
}

fn row(compacted: &Compacted) -> Row {
    vec![
        Cell::count(compacted.changed.snapshot.state.version.0),
        Cell::count(compacted.segments_before),
        Cell::count(compacted.segments_after),
        Cell::count(compacted.rows),
        Cell::count(compacted.bytes_before),
        Cell::maybe(compacted.bytes_after, Cell::count),
    ]
}
