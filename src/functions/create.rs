//! `tstable_create`: makes an empty table.

use std::{path::Path, sync::Arc};

use tstable_core::{
    Error, Result,
    prune::expr::Constant,
    schema::{ColumnType, Schema, TimeUnit},
    table::{CreateRequest, create::Created, given, incoming},
    time::BucketWidth,
};

use super::{
    Shared,
    address::check_vacant,
    answer::Answer,
    instant::index_value,
    instant_text::has_offset,
    literal::{show, width},
    report::Cell,
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
                Param { name: "counts", ty: ParamType::Boolean },
                Param { name: "if_not_exists", ty: ParamType::Boolean },
                Param { name: "into_existing", ty: ParamType::Boolean },
            ],
            description: "Makes an empty time-series table in a directory.",
            example: "CALL tstable_create('prices', time_column := 'ts', bucket := '1h', entity_columns := ['symbol'])",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let root = args.root(session)?;
        let if_not_exists = args.flag("if_not_exists")?;
        let into_existing = args.flag("into_existing")?;
        let request = request(&args)?;
        let schema_from = args.file(session, "schema_from")?;
        let shared = Arc::clone(&self.0);
        let answer = Answer::new()
            .text("root", |(root, _): &(String, Created)| Cell::text(root))
            .count("version", |(_, created)| created.snapshot.state.version.0)
            .flag("created", |(_, created)| created.created);
        let origin = args.named("origin").cloned();
        Ok(answer.bound(move |session| {
            let mut request = request.clone();
            request.schema = schema_from.as_deref().map(read_schema).transpose()?;
            if let Some(origin) = &origin {
                place_origin(session, &mut request, origin)?;
            }
            if !into_existing {
                check_vacant(&root, "say into_existing := true to make the table beside them")?;
            }
            let table = shared.cache.table(&root);
            Ok([(root.clone(), table.create(request.definition()?, if_not_exists)?)])
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
    Ok(CreateRequest {
        index_column: args.text("time_column")?.ok_or_else(|| needed("time_column"))?,
        bucket: width("bucket", bucket)?.to_string(),
        timezone: args.text("timezone")?,
        origin: None,
        origin_zoned: None,
        entity_columns: args.text_list("entity_columns")?,
        uniqueness: args.text("uniqueness")?.unwrap_or_else(|| "bucket".to_owned()),
        counts: args.flag("counts")?,
        schema: None,
    })
}

/// Sets the origin: microseconds for a time, the number itself for an integer index. Without columns it is not known yet
/// whether the index is one of instants, so what the caller wrote decides, and the first append has to agree.
fn place_origin(session: &dyn Session, request: &mut CreateRequest, arg: &Arg) -> Result<()> {
    let out_of_range = || Error::invalid_argument(format!("origin := {} is out of range", show(arg)));
    let index = request.schema.as_ref().and_then(|schema| schema.find(&request.index_column)).map(|column| &column.ty);
    if let (Arg::Scalar(Constant::Int(value)), true) = (arg, index.is_none_or(ColumnType::is_integer)) {
        request.origin = Some(integer_origin(*value, &BucketWidth::parse(&request.bucket)?).ok_or_else(out_of_range)?);
        return Ok(());
    }
    let zoned = index.map_or_else(|| is_zoned(arg), |index| matches!(index, ColumnType::TimestampTz(_)));
    let kind = if zoned { ColumnType::TimestampTz(TimeUnit::Us) } else { ColumnType::Timestamp(TimeUnit::Us) };
    let value = index_value(session, "origin", arg, &kind)?;
    request.origin = Some(i64::try_from(value.0).map_err(|_| out_of_range())?);
    request.origin_zoned = Some(zoned);
    Ok(())
}

/// The origin of an integer index. One in the upper half of UBIGINT, which the log has no number for, is kept as the start of a bucket of the
/// same grid that is next to zero.
fn integer_origin(value: i128, bucket: &BucketWidth) -> Option<i64> {
    if let Ok(origin) = i64::try_from(value) {
        return Some(origin);
    }
    let upper = u64::try_from(value).ok()?;
    i64::try_from(i128::from(upper).checked_rem_euclid(i128::from(bucket.count()))?).ok()
}

/// Whether a time is written as an instant.
fn is_zoned(arg: &Arg) -> bool {
    match arg {
        Arg::Scalar(Constant::Temporal(ColumnType::TimestampTz(_), _)) => true,
        Arg::Scalar(Constant::Text(text)) => has_offset(text),
        _ => false,
    }
}

fn read_schema(path: &str) -> Result<Schema> {
    let (_, file) = incoming::open(Path::new(path))?;
    given::schema_of(file.columns()).map_err(|e| e.with("file", path))
}
