//! `tstable_report`: writes what a table has and lacks as one page to look at.

use std::{path::Path, sync::Arc};

use tstable_core::{
    Result,
    log::LOG_DIRECTORY,
    storage::outside::write_outside,
    table::report::{Report, render},
};

use super::{
    Shared, address, answer::Answer, arguments::RANGE_AND_VERSION_PARAMS, bound_to::BoundTo, report::Cell, shape::Shape,
};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct ReportPage(pub(crate) Arc<Shared>);

impl TableFunction for ReportPage {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_report",
            positional: &[
                Param { name: "root", ty: ParamType::Varchar },
                Param { name: "file", ty: ParamType::Varchar },
            ],
            named: &RANGE_AND_VERSION_PARAMS,
            description: "Writes one self-contained HTML page: coverage by entity and period, gaps, segments, freshness.",
            example: "CALL tstable_report('prices', 'report.html')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let root = args.root(session)?;
        let at = args.at(session)?;
        let file = address::local_file(session, "file", &args.text_at(1, "file")?)?;
        let shared = Arc::clone(&self.0);
        let (_, snapshot) = shared.snapshot(&root, &at, session)?;
        let bound_to = BoundTo::shape(&root, &snapshot)?;
        let range = args.range(session, &Shape::of(&snapshot)?.index)?;
        let answer = Answer::new()
            .text("file", |page: &Written| Cell::text(&page.file))
            .count("bytes", |page| page.bytes)
            .count("entities", |page| page.entities)
            .count("periods", |page| page.periods);
        Ok(answer.bound(move |session| {
            let (_, snapshot) = shared.snapshot(&root, &at, session)?;
            bound_to.check(&snapshot)?;
            let report = Report::of(&snapshot, &range)?;
            let page = render(&report);
            write_outside(Path::new(&file), page.as_bytes(), LOG_DIRECTORY)?;
            let (entities, periods) = (report.entities() as u64, report.periods() as u64);
            Ok([Written { file: file.clone(), bytes: page.len() as u64, entities, periods }])
        }))
    }
}

/// What was written.
struct Written {
    file: String,
    bytes: u64,
    entities: u64,
    periods: u64,
}
