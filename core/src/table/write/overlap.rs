//! Saying what overlaps: how many buckets of which entity, where the first one is, and what covers it.

use super::{keys::Shared, policy::OnOverlap};
use crate::{
    coverage::{Coverage, Entity},
    error::Error,
    log::state::TableState,
    storage::Storage,
    table::target::Target,
    time::{BucketId, format_bucket, format_value},
};

/// What covers the buckets that a file would cover again.
pub enum Covering<'a> {
    /// Segments of the table.
    Table {
        /// The table's state.
        state: &'a TableState,
        /// Where its coverage is read from.
        storage: &'a dyn Storage,
    },
    /// Files of the same call, by name.
    Files(Vec<(String, &'a Coverage)>),
}

/// What each way does to the rows, after the words "'skip_rows' to".
macro_rules! ways {
    () => {
        "leave out only rows whose entity and index the table has, 'merge' to put these rows in the place of those with the same entity \
         and index and keep all others, 'replace' to put them in the place of all old rows of their buckets, or 'allow' to add all of \
         them, doubles too; where several loads fill a bucket, make the table with smaller buckets or with uniqueness := 'none', \
         which adds rows to covered buckets without asking"
    };
}

/// Who is to be told what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// Who appends a file that is loaded already.
    Loaded,
    /// Who appends a file under this policy.
    File(OnOverlap),
    /// Who loads the rows of a query.
    Query,
}

impl Advice {
    fn words(self) -> &'static str {
        match self {
            Self::Loaded => "this very file is loaded already: use on_overlap := 'skip_file' to skip such files",
            Self::File(OnOverlap::SkipFile) => concat!(
                "'skip_file' skips files of which every row is in the table; use on_overlap := 'skip_rows' to ",
                ways!()
            ),
            Self::File(OnOverlap::Replace) => {
                "'replace' cannot tell which of two files of one call is right; append them one after the other, the right one last"
            }
            Self::File(OnOverlap::Merge) => {
                "'merge' cannot tell which of two files of one call is right; append them one after the other, the right one last"
            }
            Self::File(_) => {
                concat!("use on_overlap := 'skip_file' to skip files that are already loaded, 'skip_rows' to ", ways!())
            }
            Self::Query => concat!("use ON_OVERLAP 'skip_rows' to ", ways!()),
        }
    }
}

/// The overlap of `file` with `covered` as an error.
#[must_use]
pub fn error(target: &Target, file: &Coverage, covered: &Coverage, by: &Covering<'_>, advice: Advice) -> Error {
    let mut first: Option<(&Entity, u64, BucketId)> = None;
    let (mut other_buckets, mut other_entities) = (0_u64, 0_u64);
    for (entity, set) in file.iter() {
        let Some(old) = covered.get(entity) else { continue };
        let both = set.intersect(old);
        match (both.first(), first) {
            (None, _) => {}
            (Some(bucket), None) => first = Some((entity, both.len(), bucket)),
            (Some(_), Some(_)) => {
                other_buckets = other_buckets.saturating_add(both.len());
                other_entities += 1;
            }
        }
    }
    let Some((entity, buckets, bucket)) = first else {
        return Error::overlap("buckets are already covered; nothing was appended");
    };
    let of = entity.as_condition(&target.definition.entity_columns);
    let others = if other_entities == 0 {
        String::new()
    } else {
        format!(" and {other_buckets} of {other_entities} other {}", plural(other_entities, "entity", "entities"))
    };
    Error::overlap(format!(
        "{buckets} {}{}{others} {} already covered by {}, first {}; nothing was appended; {}",
        plural(buckets, "bucket", "buckets"),
        if of.is_empty() { String::new() } else { format!(" of {of}") },
        if buckets == 1 && other_entities == 0 { "is" } else { "are" },
        covering(by, entity, bucket),
        format_bucket(&target.grid, bucket, &target.index_type),
        advice.words(),
    ))
}

/// A file that is loaded, of which an entity has another name since.
#[must_use]
pub fn renamed(target: &Target, old: &Entity, new: &Entity) -> Error {
    let columns = &target.definition.entity_columns;
    let (old, new) = (old.as_condition(columns), new.as_condition(columns));
    Error::overlap(format!(
        "this very file is loaded already, and {old} in it has been renamed to {new} since, so that its rows would come twice under two \
         names; nothing was appended; use on_overlap := 'skip_file' to skip such files, or 'allow' to add all of the rows again"
    ))
}

/// A file that would be passed over though the table lacks rows of it: every bucket is covered, by other rows.
#[must_use]
pub fn absent(target: &Target, rows: u64, shared: &Shared) -> Error {
    Error::overlap(format!(
        "every bucket of the file is covered, but {} of its {rows} rows {} not in the table{}; nothing was appended; use on_overlap := \
         'skip_rows' to {}",
        shared.lacking,
        if shared.lacking == 1 { "is" } else { "are" },
        example(target, shared),
        ways!()
    ))
}

/// Rows that share entity and index with each other, more of them than the table has.
#[must_use]
pub fn ambiguous(target: &Target, shared: &Shared) -> Error {
    Error::overlap(format!(
        "{} {} entity and index with other rows to be loaded, and the table has some of those rows but fewer{}; which of them are new \
         cannot be told, and nothing was appended; use on_overlap := 'merge' to put these rows in the place of those with the same entity \
         and index and keep all others, or 'replace' to put them in the place of all old rows of their buckets",
        shared.surplus,
        plural(shared.surplus, "row shares", "rows share"),
        example(target, shared),
    ))
}

fn example(target: &Target, shared: &Shared) -> String {
    let Some((entity, index)) = &shared.example else { return String::new() };
    let of = entity.as_condition(&target.definition.entity_columns);
    let at = format_value(*index, &target.index_type);
    if of.is_empty() { format!(", first at {at}") } else { format!(", first {of} at {at}") }
}

fn plural<'a>(count: u64, one: &'a str, many: &'a str) -> &'a str {
    if count == 1 { one } else { many }
}

fn covering(by: &Covering<'_>, entity: &Entity, bucket: BucketId) -> String {
    let covers = |coverage: &Coverage| coverage.get(entity).is_some_and(|set| set.contains(bucket));
    match by {
        Covering::Table { state, storage } => state
            .segments
            .all()
            .unwrap_or_default()
            .into_iter()
            .find(|segment| segment.coverage(*storage).is_ok_and(|coverage| covers(&coverage)))
            .map_or_else(
                || "the table".to_owned(),
                |segment| format!("{} (version {})", segment.record.path, segment.added),
            ),
        Covering::Files(files) => files
            .iter()
            .find(|(_, coverage)| covers(coverage))
            .map_or_else(|| "another file".to_owned(), |(name, _)| format!("'{name}' of the same call")),
    }
}
