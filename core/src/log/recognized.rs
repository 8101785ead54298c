//! Tells a commit of timeseries-table-format, whose log has the name of ours, from one of ours and from one that is damaged.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::FORMAT_VERSION;
use crate::error::Error;

/// What the other program is called.
pub const PROGRAM: &str = "timeseries-table-format";

const ACTIONS: [&str; 4] = ["UpdateTableMeta", "AddSegment", "RemoveSegment", "UpdateTableCoverage"];

/// A commit of the other program, of whatever version.
#[derive(Deserialize)]
pub(super) struct Raw {
    pub(super) version: u64,
    #[serde(rename = "base_version")]
    _base_version: u64,
    #[serde(default)]
    pub(super) timestamp: String,
    pub(super) actions: Vec<Map<String, Value>>,
    /// What a commit of ours has and theirs has not.
    format_version: Option<u64>,
}

/// The refusal of a commit of the other program's where commits of ours are wanted; none for what may be a damaged one of ours.
pub(super) fn refusal(bytes: &[u8]) -> Option<Error> {
    let raw = raw(bytes)?;
    let number =
        meta_of(&raw).and_then(|meta| meta.get("format_version").or_else(|| meta.get("protocol_version"))?.as_u64());
    let format = number.map(|number| format!(" (format {number})")).unwrap_or_default();
    Some(Error::unsupported_format(format!(
        "a commit of {PROGRAM}{format}; a commit of format version {FORMAT_VERSION} of tstable was expected"
    )))
}

/// The commit that these bytes are; none when it is not one of the other program's.
pub(super) fn raw(bytes: &[u8]) -> Option<Raw> {
    let raw: Raw = serde_json::from_slice(bytes).ok()?;
    let known = |action: &Map<String, Value>| action.keys().all(|name| ACTIONS.contains(&name.as_str()));
    let theirs = raw.format_version.is_none() && !raw.actions.is_empty() && raw.actions.iter().all(known);
    theirs.then_some(raw)
}

/// What it says of the table itself.
pub(super) fn meta_of(raw: &Raw) -> Option<&Value> {
    raw.actions.iter().find_map(|action| action.get("UpdateTableMeta"))
}
