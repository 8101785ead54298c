//! `tstable_append`: loads Parquet files, all in one commit or none.

use std::sync::Arc;

use tstable_core::{
    Error, Result,
    table::{
        At,
        append::FileReport,
        write::{
            folders::delivery::Delivery,
            policy::{AppendRequest, Confirms, Mode, Naming, NewColumns, OnError, OnOverlap, OnViolation},
        },
    },
};

use super::{Shared, Watch, answer::Answer, arguments::EXPECTED_VERSION, report::Cell};
use crate::host::{Args, Bound, LogLevel, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Append(pub(crate) Arc<Shared>);

/// The named parameters of an append, and of its preview.
pub(super) const PARAMS: [Param; 15] = [
    Param { name: "on_overlap", ty: ParamType::Varchar },
    Param { name: "mode", ty: ParamType::Varchar },
    Param { name: "on_violation", ty: ParamType::Varchar },
    Param { name: "new_columns", ty: ParamType::Varchar },
    Param { name: "hive", ty: ParamType::Boolean },
    Param { name: "pattern", ty: ParamType::Varchar },
    Param { name: "verify", ty: ParamType::Boolean },
    Param { name: "on_error", ty: ParamType::Varchar },
    Param { name: "empty_is", ty: ParamType::Varchar },
    Param { name: "start", ty: ParamType::Any },
    Param { name: "until", ty: ParamType::Any },
    Param { name: "empty_range", ty: ParamType::Varchar },
    EXPECTED_VERSION,
    Param { name: "derived_from", ty: ParamType::Any },
    Param { name: "message", ty: ParamType::Varchar },
];

/// What those say; the files are found when the function runs.
pub(super) fn request(args: &Args) -> Result<AppendRequest> {
    let on_overlap = args.text("on_overlap")?.map_or(Ok(OnOverlap::default()), |word| OnOverlap::parse(&word))?;
    let mode = args.text("mode")?.map_or(Ok(Mode::default()), |word| Mode::parse(&word))?;
    let on_violation =
        args.text("on_violation")?.map_or(Ok(OnViolation::default()), |word| OnViolation::parse(&word))?;
    let new_columns = args.text("new_columns")?.map_or(Ok(NewColumns::default()), |word| NewColumns::parse(&word))?;
    let on_error = args.text("on_error")?.map_or(Ok(OnError::default()), |word| OnError::parse(&word))?;
    let (verify, message) = (args.flag("verify")?, args.text("message")?);
    let hive = args.named("hive").map(|_| args.flag("hive")).transpose()?;
    let naming = Naming { hive, pattern: args.text("pattern")? };
    let (files, derived_from) = (Vec::new(), Vec::new());
    Ok(AppendRequest {
        files,
        on_overlap,
        mode,
        on_violation,
        new_columns,
        naming,
        verify,
        on_error,
        derived_from,
        confirms: Confirms::Nothing,
        message,
    })
}

/// What a file without rows confirms to be empty.
pub(super) fn confirms(shared: &Arc<Shared>, session: &dyn Session, args: &Args, root: &str) -> Result<Confirms> {
    let (start, until) = (args.named("start").is_some(), args.named("until").is_some());
    let pattern = args.text("empty_range")?;
    match (args.text("empty_is")?.as_deref(), pattern) {
        (None | Some("ignore"), None) if !start && !until => Ok(Confirms::Nothing),
        (Some("confirmed"), None) if start && until => {
            let (_, snapshot) = shared.snapshot(root, &At::Latest, session)?;
            args.range(session, snapshot.index_type()?).map(Confirms::Range)
        }
        (Some("confirmed"), Some(pattern)) if !start && !until => {
            let (_, snapshot) = shared.snapshot(root, &At::Latest, session)?;
            Delivery::parse(&pattern, snapshot.definition())?;
            Ok(Confirms::Named(pattern))
        }
        (None | Some("ignore" | "confirmed"), _) => Err(Error::invalid_argument(
            "empty_is := 'confirmed', start and until go together: they say what a file without rows confirms to be empty; where its \
             name says it, give empty_range := '{date}.parquet' in the place of start and until",
        )),
        (Some(word), _) => Err(Error::invalid_argument(format!(
            "empty_is := '{word}' is not known; use 'ignore', or 'confirmed' with start and until, or with empty_range"
        ))),
    }
}

impl TableFunction for Append {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_append",
            positional: &[Param { name: "root", ty: ParamType::Varchar }, Param { name: "source", ty: ParamType::Any }],
            named: &PARAMS,
            description: "Appends Parquet files to a table: all of them in one commit, or none.",
            example: "CALL tstable_append('prices', 'incoming/*.parquet', on_overlap := 'skip_file')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let root = args.root(session)?;
        let sources = args.files_at(session, 1, "source")?;
        let (mut request, expected) = (request(&args)?, args.expected()?);
        request.confirms = confirms(&self.0, session, &args, &root)?;
        let derived = args.derived_from(session)?;
        let shared = Arc::clone(&self.0);
        Ok(answer().bound(move |session| {
            let (table, snapshot) = shared.to_change(&root, expected, session)?;
            let derived_from = shared.derivations(&derived, session)?;
            let request = AppendRequest { files: sources.files()?, derived_from, ..request.clone() };
            let appended = table.append(&snapshot, &request, &Watch(session))?;
            shared.cache.remember(&root, &table, &appended.snapshot.state);
            for warning in &appended.warnings {
                session.log(LogLevel::Warning, warning);
            }
            Ok(appended.files)
        }))
    }
}

fn answer() -> Answer<FileReport> {
    Answer::new()
        .text("file", |file: &FileReport| Cell::text(&file.file))
        .text("status", |file| Cell::text(file.status.word()))
        .count("version", |file| file.version.0)
        .text("segment", |file| Cell::maybe(file.segment.as_ref(), Cell::text))
        .count("rows", |file| file.rows)
        .count("rows_skipped", |file| file.rows_skipped)
        .count("buckets_added", |file| file.buckets_added)
        .count("entities", |file| file.entities)
        .text("message", |file| Cell::maybe(file.message.as_ref(), Cell::text))
}
