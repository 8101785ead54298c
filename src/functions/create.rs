//! `tstable_create`: makes an empty table.

use std::{path::Path, sync::Arc};

use tstable_core::{
    Error, Result,
    schema::{ColumnType, Schema},
    table::{CreateRequest, incoming},
};

use super::{
    Shared,
    literal::{show, width},
    report::{Cell, Report, column},
};
use crate::host::{Arg, Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Create(pub(crate) Arc<Shared>);

impl TableFunction for Create {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_create",
            positional: &[Param { name: "root", ty: ParamType::Varchar }],
            named: &[
                Param { name: "time_column", ty: ParamType::Varchar },
                Param { name: "bucket", ty: ParamType::Any },
                Param { name: "entity_columns", ty: ParamType::VarcharList },
                Param { name: "timezone", ty: ParamType::Varchar },
                Param { name: "origin", ty: ParamType::Any },
                Param { name: "schema_from", ty: ParamType::Varchar },
                Param { name: "uniqueness", ty: ParamType::Varchar },
                Param { name: "if_not_exists", ty: ParamType::Boolean },
            ],
            description: "Makes an empty time-series table in a directory.",
            example: "CALL tstable_create('prices', time_column := 'ts', bucket := '1h', entity_columns := ['symbol'])",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, _session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let root = args.root()?;
        let if_not_exists = args.flag("if_not_exists")?;
        let request = request(&args)?;
        let schema_from = args.text("schema_from")?;
        let shared = Arc::clone(&self.0);
        let columns = vec![
            column("root", ColumnType::Varchar),
            column("version", ColumnType::BigInt),
            column("created", ColumnType::Boolean),
        ];
        Ok(Report::bound(columns, move |_| {
            let mut request = request.clone();
            request.schema = schema_from.as_deref().map(read_schema).transpose()?;
            let table = shared.cache.table(&root);
            let created = table.create(request.definition()?, if_not_exists)?;
            let version = Cell::count(created.snapshot.state.version.0);
            let row = vec![Cell::text(&root), version, Cell::Bool(created.created)];
            Ok(Box::new(std::iter::once(Ok(row))))
        }))
    }
}

fn request(args: &Args) -> Result<CreateRequest> {
    let needed = |name: &str| {
        Error::invalid_argument(format!(
            "{name} is missing; tstable_create takes time_column and bucket, as in \
             tstable_create('prices', time_column := 'ts', bucket := '1h')"
        ))
    };
    let bucket = args.named("bucket").ok_or_else(|| needed("bucket"))?;
    let origin = args.named("origin").map(origin).transpose()?;
    Ok(CreateRequest {
        index_column: args.text("time_column")?.ok_or_else(|| needed("time_column"))?,
        bucket: width("bucket", bucket)?.to_string(),
        timezone: args.text("timezone")?,
        origin,
        entity_columns: args.text_list("entity_columns")?,
        uniqueness: args.text("uniqueness")?.unwrap_or_else(|| "bucket".to_owned()),
        schema: None,
    })
}

/// Microseconds for a time, the number itself for an integer index.
fn origin(arg: &Arg) -> Result<i64> {
    use tstable_core::{prune::expr::Constant, schema::TimeUnit};
    if let Arg::Scalar(Constant::Int(value)) = arg {
        return i64::try_from(*value)
            .map_err(|_| Error::invalid_argument(format!("origin := {} is out of range", show(arg))));
    }
    let value = super::literal::index_value("origin", arg, &ColumnType::Timestamp(TimeUnit::Us))?;
    i64::try_from(value.0).map_err(|_| Error::invalid_argument(format!("origin := {} is out of range", show(arg))))
}

fn read_schema(path: &str) -> Result<Schema> {
    let (_, file) = incoming::open(Path::new(path))?;
    incoming::schema_of(file.columns()).map_err(|e| e.with("file", path))
}
