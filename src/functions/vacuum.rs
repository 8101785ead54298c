//! `tstable_vacuum`: removes files that no version to be kept needs.

use std::sync::Arc;

use tstable_core::{
    Error, Result,
    log::commit::Instant,
    prune::expr::Constant,
    table::vacuum::{Unneeded, VacuumRequest},
};

use super::{Shared, answer::Answer, arguments::EXPECTED_VERSION, literal::show, report::Cell};
use crate::host::{Arg, Args, Bound, LogLevel, Param, ParamType, Session, Signature, TableFunction};

const DAY_US: i64 = 86_400_000_000;
const DEFAULT_KEEP_US: i64 = 7 * DAY_US;

pub(crate) struct Vacuum(pub(crate) Arc<Shared>);

impl TableFunction for Vacuum {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_vacuum",
            positional: &[Param { name: "root", ty: ParamType::Varchar }],
            named: &[
                Param { name: "keep", ty: ParamType::Any },
                Param { name: "dry_run", ty: ParamType::Boolean },
                EXPECTED_VERSION,
            ],
            description: "Removes files that no kept version, tag or running writer needs.",
            example: "FROM tstable_vacuum('prices', keep := INTERVAL '30 days')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let (root, expected) = (args.root(session)?, args.expected()?);
        let keep_us = args.named("keep").map_or(Ok(DEFAULT_KEEP_US), keep)?;
        let dry_run = args.named("dry_run").is_none() || args.flag("dry_run")?;
        let shared = Arc::clone(&self.0);
        let answer = Answer::new()
            .text("path", |file: &Unneeded| Cell::text(&file.path))
            .count("bytes", |file| file.bytes)
            .text("reason", |file| Cell::text(&file.reason))
            .flag("deleted", |file| file.deleted);
        Ok(answer.bound(move |session| {
            let table = shared.cache.table(&root).expecting(expected.0);
            let vacuumed = table.vacuum(&VacuumRequest { keep_us, dry_run, now: Instant::now() })?;
            shared.cache.remember(&root, &table, &vacuumed.state);
            vacuumed.warnings.iter().for_each(|warning| session.log(LogLevel::Warning, warning));
            Ok(vacuumed.files)
        }))
    }
}

/// An interval in microseconds, its months as long as months can be.
fn keep(arg: &Arg) -> Result<i64> {
    let wrong = || Error::invalid_argument(format!("keep := {} is not an interval like INTERVAL '7 days'", show(arg)));
    let Arg::Scalar(Constant::Interval { months, days, micros }) = arg else { return Err(wrong()) };
    let days = i64::from(*months).checked_mul(31).and_then(|m| m.checked_add(i64::from(*days))).ok_or_else(wrong)?;
    let keep = days.checked_mul(DAY_US).and_then(|us| us.checked_add(*micros)).ok_or_else(wrong)?;
    if keep < 0 { Err(wrong()) } else { Ok(keep) }
}
