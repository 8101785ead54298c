//! Tables of other programs that keep a log under the same name. They are sound; this crate only does not read them, and says so.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::FORMAT_VERSION;
use crate::error::Error;

/// A commit of timeseries-table-format, in any of its layouts (format versions 1, 2, 6 and 7, of the releases 0.1 to 0.9): it has no
/// `format_version` of its own, and names its actions in capitals.
#[derive(Deserialize)]
struct TimeseriesTableFormat {
    #[serde(rename = "version")]
    _version: u64,
    #[serde(rename = "base_version")]
    _base_version: u64,
    actions: Vec<Map<String, Value>>,
}

const ACTIONS: [&str; 4] = ["UpdateTableMeta", "AddSegment", "RemoveSegment", "UpdateTableCoverage"];

/// The refusal of a commit that another program has written; none for what may be a damaged one of ours.
pub(super) fn refusal(bytes: &[u8]) -> Option<Error> {
    let commit: TimeseriesTableFormat = serde_json::from_slice(bytes).ok()?;
    let known = |action: &Map<String, Value>| action.keys().all(|name| ACTIONS.contains(&name.as_str()));
    if commit.actions.is_empty() || !commit.actions.iter().all(known) {
        return None;
    }
    let meta = commit.actions.iter().find_map(|action| action.get("UpdateTableMeta"));
    let number = meta.and_then(|meta| meta.get("format_version").or_else(|| meta.get("protocol_version"))?.as_u64());
    let format = number.map(|number| format!(" (format {number})")).unwrap_or_default();
    Some(Error::unsupported_format(format!(
        "a table of timeseries-table-format{format}; this tstable reads tables of its own, of format version {FORMAT_VERSION}: bring it in \
         with tstable_import, which makes a table of ours of it, or append the Parquet files of its newest version to a new one"
    )))
}
