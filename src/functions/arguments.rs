//! Taking typed arguments out of a call, with errors that name the argument.

use tstable_core::{
    Error, Result,
    log::{Version, commit::Instant},
    prune::expr::Constant,
    schema::ColumnType,
    table::At,
    time::IndexRange,
};

use super::{
    instant::{index_value, instant_micros},
    literal::show,
};
use crate::host::{Arg, Args, Param, ParamType, Session};

/// The named parameters that choose a version, for signatures.
pub(crate) const VERSION_PARAMS: [Param; 3] = [
    Param { name: "version", ty: ParamType::BigInt },
    Param { name: "as_of", ty: ParamType::Any },
    Param { name: "tag", ty: ParamType::Varchar },
];

/// What is said where one version is given for several tables.
pub(crate) const SEVERAL_VERSIONS: &str =
    "version := n is of one table; choose the versions of several with as_of, or with a tag that all of them have";

/// The version that a change expects to be the newest, for signatures.
pub(crate) const EXPECTED_VERSION: Param = Param { name: "expected_version", ty: ParamType::BigInt };

/// What `expected_version` says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected(pub(crate) Option<Version>);

/// The ends of a range, for signatures.
pub(crate) const RANGE_PARAMS: [Param; 2] =
    [Param { name: "start", ty: ParamType::Any }, Param { name: "until", ty: ParamType::Any }];

/// Of whom and how a question about coverage is asked, for signatures.
pub(crate) const ASKED_PARAMS: [Param; 3] = [
    Param { name: "entity", ty: ParamType::Any },
    Param { name: "hold", ty: ParamType::Any },
    Param { name: "min_rows", ty: ParamType::BigInt },
];

/// A range and a version, for signatures.
pub(crate) const RANGE_AND_VERSION_PARAMS: [Param; 5] = joined(&[&RANGE_PARAMS, &VERSION_PARAMS]);

/// A range, a version, and of whom and how a question about coverage is asked, for signatures.
pub(crate) const QUESTION_PARAMS: [Param; 8] = joined(&[&RANGE_PARAMS, &VERSION_PARAMS, &ASKED_PARAMS]);

/// What the functions that list runs of buckets take, for signatures.
pub(crate) const RUNS_PARAMS: [Param; 9] =
    joined(&[&RANGE_PARAMS, &[Param { name: "min_buckets", ty: ParamType::BigInt }], &VERSION_PARAMS, &ASKED_PARAMS]);

/// The parameters of several lists in one; `N` is their number, which the compiler checks.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
pub(crate) const fn joined<const N: usize>(lists: &[&[Param]]) -> [Param; N] {
    let mut all = [Param { name: "", ty: ParamType::Any }; N];
    let (mut list, mut at, mut n) = (0, 0, 0);
    while list < lists.len() {
        if at < lists[list].len() {
            all[n] = lists[list][at];
            (at, n) = (at + 1, n + 1);
        } else {
            (list, at) = (list + 1, 0);
        }
    }
    assert!(n == N, "a list of parameters has another length than its type says");
    all
}

/// Whether an argument is the parameter of a macro that `CREATE MACRO` looks through. Up to 2.0.0 DuckDB then gives the name of the
/// parameter as a text, in a table of this name, and binds once more with the value whenever the macro is used.
fn is_of_a_macro(arg: &Arg) -> bool {
    matches!(arg, Arg::Scalar(Constant::Text(text)) if text.starts_with("0_macro_parameters"))
}

impl Args {
    /// What two calls have in common that DuckDB may take for one another.
    pub(crate) fn identity(&self) -> String {
        format!("{:?} {:?} {:?}", self.positional, self.named, self.reference.as_ref().map(std::sync::Arc::as_ptr))
    }

    /// The named argument; none when it was not given, given as NULL, or is not known yet because a macro is being made.
    pub(crate) fn named(&self, name: &str) -> Option<&Arg> {
        let (_, arg) = self.named.iter().find(|(given, _)| *given == name)?;
        (*arg != Arg::Scalar(Constant::Null) && !is_of_a_macro(arg)).then_some(arg)
    }

    fn positional(&self, index: usize, name: &str) -> Result<&Arg> {
        match self.positional.get(index) {
            Some(Arg::Scalar(Constant::Null)) | None => Err(Error::invalid_argument(format!("{name} is NULL"))),
            Some(arg) => Ok(arg),
        }
    }

    /// A positional argument that is not NULL.
    pub(crate) fn at_position(&self, index: usize, name: &str) -> Result<&Arg> {
        self.positional(index, name)
    }

    /// A positional argument of one text or a list of texts.
    pub(crate) fn texts_at(&self, index: usize, name: &str) -> Result<Vec<String>> {
        let wrong = |arg: &Arg| {
            Error::invalid_argument(format!("{name} := {} is neither a text nor a list of texts", show(arg)))
        };
        let text = |arg: &Arg| match arg {
            Arg::Scalar(Constant::Text(text)) if !text.is_empty() => Ok(text.clone()),
            other => Err(wrong(other)),
        };
        match self.positional(index, name)? {
            Arg::List(items) => items.iter().map(text).collect(),
            other => Ok(vec![text(other)?]),
        }
    }

    /// A positional argument of any type that is not NULL.
    pub(crate) fn any_at(&self, index: usize, name: &str) -> Result<&Arg> {
        self.positional(index, name)
    }

    /// A positional text.
    pub(crate) fn text_at(&self, index: usize, name: &str) -> Result<String> {
        match self.positional(index, name)? {
            Arg::Scalar(Constant::Text(text)) => Ok(text.clone()),
            other => Err(Error::invalid_argument(format!("{name} := {} is not a text", show(other)))),
        }
    }

    /// A positional text that may be NULL.
    pub(crate) fn text_or_null_at(&self, index: usize, name: &str) -> Result<Option<String>> {
        match self.positional.get(index) {
            Some(Arg::Scalar(Constant::Null)) | None => Ok(None),
            Some(_) => self.text_at(index, name).map(Some),
        }
    }

    /// A positional argument that is a positive count.
    pub(crate) fn count_at(&self, index: usize, name: &str) -> Result<u64> {
        positive(name, self.positional(index, name)?)
    }

    /// A named text.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>> {
        match self.named(name) {
            None => Ok(None),
            Some(Arg::Scalar(Constant::Text(text))) => Ok(Some(text.clone())),
            Some(other) => Err(Error::invalid_argument(format!("{name} := {} is not a text", show(other)))),
        }
    }

    /// A named list of texts; empty when not given.
    pub(crate) fn text_list(&self, name: &str) -> Result<Vec<String>> {
        let Some(arg) = self.named(name) else { return Ok(Vec::new()) };
        let Arg::List(items) = arg else {
            return Err(Error::invalid_argument(format!("{name} := {} is not a list of texts", show(arg))));
        };
        let text = |item: &Arg| match item {
            Arg::Scalar(Constant::Text(text)) => Ok(text.clone()),
            other => Err(Error::invalid_argument(format!("{name} holds {}, which is not a text", show(other)))),
        };
        items.iter().map(text).collect()
    }

    /// A named BOOLEAN; false when not given.
    pub(crate) fn flag(&self, name: &str) -> Result<bool> {
        match self.named(name) {
            None => Ok(false),
            Some(Arg::Scalar(Constant::Bool(flag))) => Ok(*flag),
            Some(other) => Err(Error::invalid_argument(format!("{name} := {} is neither true nor false", show(other)))),
        }
    }

    /// A named positive count.
    pub(crate) fn count(&self, name: &str) -> Result<Option<u64>> {
        self.named(name).map(|arg| positive(name, arg)).transpose()
    }

    /// The named version that a change expects to be the newest.
    pub(crate) fn expected(&self) -> Result<Expected> {
        Ok(Expected(self.count("expected_version")?.map(Version)))
    }

    /// The range that the named `start` and `until` make on an index of type `index`.
    pub(crate) fn range(&self, session: &dyn Session, index: &ColumnType) -> Result<IndexRange> {
        range(session, self.named("start"), self.named("until"), index)
    }

    /// The range that the positional arguments at `first` and after make; NULL leaves an end open.
    pub(crate) fn range_at(&self, session: &dyn Session, first: usize, index: &ColumnType) -> Result<IndexRange> {
        let given = |at| self.positional.get(at).filter(|arg| **arg != Arg::Scalar(Constant::Null));
        range(session, given(first), given(first + 1), index)
    }

    /// The range that the positional arguments at `first` and after make, both of which must be given.
    pub(crate) fn bounded_range_at(
        &self,
        session: &dyn Session,
        first: usize,
        index: &ColumnType,
    ) -> Result<IndexRange> {
        let (start, until) = (self.positional(first, "start")?, self.positional(first.saturating_add(1), "until")?);
        range(session, Some(start), Some(until), index)
    }

    /// The version that `version`, `as_of` or `tag` chooses.
    pub(crate) fn at(&self, session: &dyn Session) -> Result<At> {
        let given: Vec<_> = VERSION_PARAMS.iter().filter(|p| self.named(p.name).is_some()).map(|p| p.name).collect();
        if given.len() > 1 {
            return Err(Error::invalid_argument(format!("{} cannot be given together", given.join(" and "))));
        }
        if let Some(arg) = self.named("version") {
            return Ok(At::Version(Version(positive("version", arg)?)));
        }
        if let Some(arg) = self.named("as_of") {
            return Ok(At::AsOf(Instant(instant_micros(session, "as_of", arg)?)));
        }
        Ok(self.text("tag")?.map_or(At::Latest, At::Tag))
    }
}

impl Arg {
    /// What a MAP or STRUCT gives for each name, in order; `example` shows how the argument called `name` is written.
    pub(crate) fn entries(&self, name: &str, example: &str) -> Result<Vec<(String, &Arg)>> {
        let text = |key: &Arg| match key {
            Arg::Scalar(Constant::Text(key)) => Ok(key.clone()),
            other => Err(Error::invalid_argument(format!(
                "{name} has the key {}, which is not a text; write it like {name} := {example}",
                show(other)
            ))),
        };
        self.entries_by(name, example, text)
    }

    /// The same, where the keys of a MAP need not be texts.
    pub(crate) fn entries_by(
        &self,
        name: &str,
        example: &str,
        key: impl Fn(&Arg) -> Result<String>,
    ) -> Result<Vec<(String, &Arg)>> {
        match self {
            Self::Struct(fields) => Ok(fields.iter().map(|(name, value)| (name.clone(), value)).collect()),
            Self::Map(entries) => entries.iter().map(|(of, value)| Ok((key(of)?, value))).collect(),
            other => Err(Error::invalid_argument(format!(
                "{name} := {} is neither a MAP nor a STRUCT; write it like {name} := {example}",
                show(other)
            ))),
        }
    }

    /// The same, where each name has a text.
    pub(crate) fn text_entries(&self, name: &str, example: &str) -> Result<Vec<(String, String)>> {
        let text = |(key, value): (String, &Arg)| match value {
            Arg::Scalar(Constant::Text(text)) => Ok((key, text.clone())),
            other => Err(Error::invalid_argument(format!(
                "{name} has {} for '{key}', which is not a text; write it like {name} := {example}",
                show(other)
            ))),
        };
        self.entries(name, example)?.into_iter().map(text).collect()
    }
}

fn range(session: &dyn Session, start: Option<&Arg>, until: Option<&Arg>, index: &ColumnType) -> Result<IndexRange> {
    let bound = |name, arg: Option<&Arg>| arg.map(|arg| index_value(session, name, arg, index)).transpose();
    let range = IndexRange { start: bound("start", start)?, until: bound("until", until)? };
    if let (Some(least), Some(end)) = (range.start, range.until)
        && least >= end
    {
        return Err(Error::invalid_argument(format!(
            "start := {} is not before until := {}; a range is [start, until)",
            start.map(show).unwrap_or_default(),
            until.map(show).unwrap_or_default()
        )));
    }
    Ok(range)
}

fn positive(name: &str, arg: &Arg) -> Result<u64> {
    let Arg::Scalar(Constant::Int(value)) = arg else {
        return Err(Error::invalid_argument(format!("{name} := {} is not an integer", show(arg))));
    };
    u64::try_from(*value)
        .ok()
        .filter(|value| *value > 0)
        .ok_or_else(|| Error::invalid_argument(format!("{name} := {value} is not a positive number")))
}
