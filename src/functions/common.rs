//! `tstable_common`: where all entities of several tables, or at least a given number of them, are covered together.

use std::sync::Arc;

use tstable_core::{
    Error, Result,
    prune::expr::Constant,
    table::{
        At, Snapshot,
        common_windows::{Need, check_same_grid, common_windows},
        subject::Subject,
    },
    time::{IndexRange, IndexValue},
};

use super::{
    Shared, address,
    answer::Answer,
    arguments::{RANGE_AND_VERSION_PARAMS, SEVERAL_VERSIONS, joined},
    bound_to::BoundTo,
    literal::show,
    shape::Shape,
};
use crate::host::{Arg, Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Common(pub(crate) Arc<Shared>);

const COMMON_PARAMS: [Param; RANGE_AND_VERSION_PARAMS.len() + 2] = joined(&[
    &[Param { name: "need", ty: ParamType::Any }, Param { name: "min_buckets", ty: ParamType::BigInt }],
    &RANGE_AND_VERSION_PARAMS,
]);

impl TableFunction for Common {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_common",
            positional: &[Param { name: "roots", ty: ParamType::Any }],
            named: &COMMON_PARAMS,
            description: "Where all entities of several tables, or at least a given number of them, are covered together.",
            example: "FROM tstable_common(['prices', 'weather'], min_buckets := 24)",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let roots: Vec<_> = args
            .texts_at(0, "roots")?
            .iter()
            .map(|address| address::root(session, "roots", address))
            .collect::<Result<_>>()?;
        if roots.is_empty() {
            return Err(Error::invalid_argument(
                "roots is empty; name at least one table, as in ['prices', 'weather']",
            ));
        }
        if roots.len() > 1 && args.named("version").is_some() {
            return Err(Error::invalid_argument(SEVERAL_VERSIONS));
        }
        let at = args.at(session)?;
        let need = args.named("need").map_or(Ok(Need::All), need)?;
        let least = args.count("min_buckets")?.unwrap_or(1);
        let shared = Arc::clone(&self.0);
        let tables = open(&shared, &roots, &at, &[], session)?;
        let bound_to: Vec<_> =
            tables.iter().map(|(root, snapshot)| BoundTo::shape(root, snapshot)).collect::<Result<_>>()?;
        let shape = tables.first().map(|(_, snapshot)| Shape::of(snapshot)).transpose()?;
        let shape = shape.ok_or_else(|| Error::invalid_argument("roots is empty"))?;
        let range = args.range(session, &shape.index)?;
        Ok(answer(&shape).bound(move |session| {
            let shape = shape.clone();
            let tables = open(&shared, &roots, &at, &bound_to, session)?;
            let windows = match subjects(&tables, &range, need)? {
                Some(subjects) => common_windows(&subjects, need),
                None => Vec::new(),
            };
            let long = windows.into_iter().filter(move |window| window.buckets >= least);
            Ok(long.map(move |window| (shape.bounds(window.run.first, window.run.last), window.buckets)))
        }))
    }
}

/// Of where a window begins and ends, and how many buckets it has.
fn answer(shape: &Shape) -> Answer<((IndexValue, IndexValue), u64)> {
    Answer::new()
        .index("window_start", &shape.index, |((start, _), _)| *start)
        .index("window_end", &shape.index, |((_, end), _)| *end)
        .count("buckets", |(_, buckets)| *buckets)
}

fn need(arg: &Arg) -> Result<Need> {
    match arg {
        Arg::Scalar(Constant::Text(word)) if word == "all" => Ok(Need::All),
        Arg::Scalar(Constant::Int(count)) => match u64::try_from(*count) {
            Ok(count) if count > 0 => Ok(Need::AtLeast(count)),
            _ => Err(Error::invalid_argument(format!("need := {count} is not a positive number"))),
        },
        other => Err(Error::invalid_argument(format!(
            "need := {} is not known; use 'all' or a number of entities",
            show(other)
        ))),
    }
}

/// The tables, compared with those that the call was bound to, when it has been, and with each other.
fn open(
    shared: &Shared,
    roots: &[String],
    at: &At,
    bound_to: &[BoundTo],
    session: &dyn Session,
) -> Result<Vec<(String, Snapshot)>> {
    let mut tables: Vec<(String, Snapshot)> = Vec::new();
    for (place, root) in roots.iter().enumerate() {
        let (_, snapshot) = shared.snapshot(root, at, session)?;
        bound_to.get(place).map_or(Ok(()), |bound_to| bound_to.check(&snapshot))?;
        if let Some((name, first)) = tables.first() {
            check_same_grid((name, first.definition()), (root, snapshot.definition()))?;
        }
        tables.push((root.clone(), snapshot));
    }
    Ok(tables)
}

/// The entities of all tables; none when all are needed and a table has none.
fn subjects(tables: &[(String, Snapshot)], range: &IndexRange, need: Need) -> Result<Option<Vec<Subject>>> {
    let mut all = Vec::new();
    for (_, snapshot) in tables {
        let subjects = snapshot.subjects(&Shape::of(snapshot)?.grid, range)?;
        if subjects.is_empty() && need == Need::All {
            return Ok(None);
        }
        all.extend(subjects);
    }
    Ok(Some(all))
}
