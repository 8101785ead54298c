//! `tstable_scan`: the rows of a table, with projection, and with segments and row groups skipped by the range and by
//! the filters that the host offers.

mod check;
mod filters;
mod many;
mod record;
mod require;
mod siblings;
mod worker;

use std::sync::Arc;

use tstable_core::{
    Result,
    prune::expr::Expr,
    schema::ColumnType,
    table::{
        At, Snapshot,
        scan::{Scan as CoreScan, ScanRequest},
    },
    time::IndexRange,
};

pub(crate) use self::siblings::Siblings;
use self::{
    filters::Filters,
    record::Subject,
    worker::{Column, ScanRows},
};
use super::{
    Shared,
    arguments::{ASKED_PARAMS, RANGE_PARAMS, VERSION_PARAMS, joined},
    bound_to::BoundTo,
    entity_argument::Chosen,
    report::column,
    roots::{Given, Roots},
    shape::{Named, give_way},
};
use crate::host::{Args, Bound, OutColumn, Param, ParamType, Rows, Session, Signature, TableFunction};

pub(crate) struct Scan(pub(crate) Arc<Shared>);

impl TableFunction for Scan {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_scan",
            positional: &[Param { name: "root", ty: ParamType::Any }],
            named: const {
                &joined::<11>(&[
                    &RANGE_PARAMS,
                    &VERSION_PARAMS,
                    &[Param { name: "require", ty: ParamType::Any }],
                    &ASKED_PARAMS,
                    &[
                        Param { name: "provenance", ty: ParamType::Boolean },
                        Param { name: "root_column", ty: ParamType::Varchar },
                    ],
                ])
            },
            description: "The rows of a time-series table.",
            example: "FROM tstable_scan('prices', start := '2024-06-01', until := '2024-07-01')",
            projects: true,
            filters: true,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        // What one table accepts would be inherited by the others.
        let alone = || Args { reference: None, ..args.clone() };
        match args.roots(session)? {
            Roots::One(root) if args.named("root_column").is_none() => Ok(self.one(session, &args, &root)?),
            Roots::One(root) => many::bind(self, session, &alone(), &[Given::new(session, root)]),
            Roots::Several(given) => many::bind(self, session, &alone(), &given),
        }
    }
}

impl Scan {
    /// Binds the scan of one table.
    fn one(&self, session: &dyn Session, args: &Args, root: &str) -> Result<Arc<BoundScan>> {
        let root = root.to_owned();
        let at = args.at(session)?;
        let (_, snapshot) = self.0.snapshot(&root, &at, session)?;
        let range = args.range(session, snapshot.index_type()?)?;
        let chosen = Chosen::of(args, &snapshot)?;
        require::check(session, args, &snapshot, &range, &chosen.choice(&snapshot)?)?;
        let schema = snapshot.schema()?;
        let mut columns: Vec<_> = schema.columns.iter().map(|c| Named::Table(column(&c.name, c.ty.clone()))).collect();
        let mut sources: Vec<_> = schema.columns.iter().map(|c| Column::Table { id: c.id }).collect();
        if args.flag("provenance")? {
            columns.push(Named::Own(column("_segment", ColumnType::Varchar)));
            columns.push(Named::Own(column("_version", ColumnType::BigInt)));
            columns.push(Named::Own(column("_bucket", snapshot.index_type()?.clone())));
            sources.extend([Column::Segment, Column::Version, Column::Bucket]);
        }
        let columns = give_way(columns);
        let rows = CoreScan::new(
            &snapshot,
            &self.0.cache,
            ScanRequest { range, entities: chosen.choice(&snapshot)?.entities, ..ScanRequest::default() },
        )?;
        let cardinality = rows.selection.rows;
        let (shared, bound_to) = (Arc::clone(&self.0), BoundTo::columns(&root, &snapshot)?);
        let sibling = self.0.siblings.bind(format!("{:?} {root} {}", session.connection(), args.identity()));
        let ids = sources.iter().map(|source| match source {
            Column::Table { id } => Some(*id as usize),
            _ => None,
        });
        let filters = Filters::new(&snapshot, sibling, args.reference.clone(), ids.collect())?;
        let index_id = schema.find(&snapshot.definition().index_column).map_or(0, |c| c.id);
        Ok(Arc::new(BoundScan {
            shared,
            bound_to,
            root,
            at,
            range,
            chosen,
            columns,
            sources,
            cardinality,
            index_id,
            filters,
        }))
    }
}

struct BoundScan {
    shared: Arc<Shared>,
    bound_to: BoundTo,
    root: String,
    at: At,
    range: IndexRange,
    chosen: Chosen,
    columns: Vec<OutColumn>,
    /// Where each column comes from.
    sources: Vec<Column>,
    cardinality: u64,
    index_id: u32,
    filters: Filters,
}

impl Bound for BoundScan {
    fn columns(&self) -> &[OutColumn] {
        &self.columns
    }

    fn cardinality(&self) -> Option<(u64, bool)> {
        Some((self.cardinality, false))
    }

    fn offer_filters(&self, filters: &[Expr]) -> Result<Vec<bool>> {
        Ok(self.filters.record(filters))
    }

    fn open(&self, session: &dyn Session, projection: &[usize]) -> Result<Arc<dyn Rows>> {
        let (_, snapshot) = self.shared.snapshot(&self.root, &self.at, session)?;
        self.bound_to.check(&snapshot)?;
        let wanted: Vec<_> = projection.iter().filter_map(|at| self.sources.get(*at).copied()).collect();
        let needed = self.needed(&snapshot, &wanted)?;
        let mut request = ScanRequest {
            columns: needed.clone(),
            range: self.range,
            predicates: self.filters.advice(&snapshot)?,
            applied: self.filters.accepted(&snapshot)?,
            entities: self.chosen.choice(&snapshot)?.entities,
            constants: true,
        };
        let scan = match check::is_on() {
            false => CoreScan::new(&snapshot, &self.shared.cache, request)?,
            true => {
                let looked_at = CoreScan::new(&snapshot, &self.shared.cache, request.clone())?.applied_to();
                request.columns.extend(looked_at.into_iter().filter(|column| !needed.contains(column)));
                CoreScan::new(&snapshot, &self.shared.cache, request)?
            }
        };
        let subject = Subject { root: self.root.clone(), version: snapshot.state.version };
        record::chosen(session, &subject, &scan);
        let types = projection.iter().filter_map(|at| self.columns.get(*at)).map(|c| c.ty.clone()).collect();
        let outputs = self.outputs(&snapshot, &wanted, &needed)?;
        Ok(Arc::new(ScanRows::new(subject, scan, outputs, types)?))
    }
}

impl BoundScan {
    /// Where a field id stands in the snapshot's schema, which may have grown since the call was bound.
    fn position(snapshot: &Snapshot, id: u32) -> Result<Option<usize>> {
        Ok(snapshot.schema()?.columns.iter().position(|column| column.id == id))
    }

    /// Positions in the schema of the columns that must be read, each once.
    fn needed(&self, snapshot: &Snapshot, wanted: &[Column]) -> Result<Vec<usize>> {
        let mut needed = Vec::new();
        for source in wanted {
            let id = match source {
                Column::Table { id } => *id,
                Column::Bucket => self.index_id,
                Column::Segment | Column::Version => continue,
            };
            if let Some(position) = Self::position(snapshot, id)?
                && !needed.contains(&position)
            {
                needed.push(position);
            }
        }
        Ok(needed)
    }

    /// For each projected column what it is, and its place among the needed ones.
    fn outputs(
        &self,
        snapshot: &Snapshot,
        wanted: &[Column],
        needed: &[usize],
    ) -> Result<Vec<(Column, Option<usize>)>> {
        let place = |id| -> Result<Option<usize>> {
            let position = Self::position(snapshot, id)?;
            Ok(position.and_then(|position| needed.iter().position(|at| *at == position)))
        };
        wanted
            .iter()
            .map(|source| {
                Ok(match source {
                    Column::Table { id } => (*source, place(*id)?),
                    Column::Bucket => (*source, place(self.index_id)?),
                    Column::Segment | Column::Version => (*source, None),
                })
            })
            .collect()
    }
}
