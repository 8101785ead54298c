//! `tstable_shares`: a table cut into equal parts for several workers.

use std::sync::Arc;

use tstable_core::{
    Error, Result,
    coverage::Entity,
    schema::{ColumnType, Field},
    table::shares::{By, Share},
};

use super::{
    Shared,
    answer::Answer,
    arguments::{RANGE_PARAMS, VERSION_PARAMS, joined},
    question::ask,
    report::Cell,
    shape::Shape,
};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Shares(pub(crate) Arc<Shared>);

impl TableFunction for Shares {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_shares",
            positional: &[Param { name: "root", ty: ParamType::Varchar }, Param { name: "n", ty: ParamType::BigInt }],
            named: const { &joined::<6>(&[&[Param { name: "by", ty: ParamType::Varchar }], &RANGE_PARAMS, &VERSION_PARAMS]) },
            description: "A table cut into equal parts for several workers, by time or by entity; opens no Parquet file.",
            example: "FROM tstable_shares('prices', 8, by := 'entity')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let parts = args.count_at(1, "n")?;
        let by = by(args.text("by")?)?;
        ask(&self.0, session, &args, answer, move |asked| {
            if asked.snapshot.definition().schema.is_none() {
                return Ok(Vec::new());
            }
            let version = asked.snapshot.state.version.0;
            let shares = asked.snapshot.shares(parts, by, &asked.range)?;
            Ok((1_u64..).zip(shares).map(|(number, share)| Line { number, version, share }).collect())
        })
    }
}

fn by(word: Option<String>) -> Result<By> {
    match word.as_deref() {
        None | Some("time") => Ok(By::Time),
        Some("entity") => Ok(By::Entity),
        Some(other) => Err(Error::invalid_argument(format!("by := '{other}' is neither 'time' nor 'entity'"))),
    }
}

/// Of what type an entity is where one stands for itself: the one column's, or a struct of all.
fn entity_type(shape: &Shape) -> ColumnType {
    match shape.entities.as_slice() {
        [] => ColumnType::Varchar,
        [only] => only.ty.clone(),
        several => ColumnType::Struct(several.iter().map(|c| Field::new(&c.name, c.ty.clone())).collect()),
    }
}

/// One share.
struct Line {
    number: u64,
    version: u64,
    share: Share,
}

fn answer(shape: &Shape) -> Answer<Line> {
    let entities = |line: &Line| {
        Cell::maybe(line.share.entities.as_ref(), |entities| Cell::List(entities.iter().map(entity).collect()))
    };
    Answer::new()
        .count("share", |line: &Line| line.number)
        .maybe_index("start", &shape.index, |line| line.share.range.start)
        .maybe_index("until", &shape.index, |line| line.share.range.until)
        .column("entities", ColumnType::List(Box::new(Field::new("element", entity_type(shape)))), entities)
        .count("version", |line| line.version)
        .count("rows", |line| line.share.rows)
        .count("bytes", |line| line.share.bytes)
}

fn entity(entity: &Entity) -> Cell {
    match entity.parts() {
        [only] => Cell::from(only),
        parts => Cell::Fields(parts.iter().map(Cell::from).collect()),
    }
}
