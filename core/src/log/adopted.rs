//! What a commit says of a segment that is a file as somebody else wrote it: how far that file's own statistics were
//! compared with its rows, and which of them are wrong. An optional field of the segment's record.

use serde::{Deserialize, Serialize};

use super::commit::SegmentRecord;

/// The field of a segment's record.
const FIELD: &str = "adopted";

/// Which columns' statistics were compared with the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compared {
    /// Those of the index and entity columns.
    Keys,
    /// Those of all columns; every page was decoded.
    All,
}

/// How far the statistics of an adopted file can be believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adopted {
    /// Which columns' statistics were compared with the rows.
    pub compared: Compared,
    /// Field ids of the columns of which the file says what is not so, in its footer or its page index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub distrusted_fields: Vec<u32>,
}

impl SegmentRecord {
    /// Says that the segment is a file of somebody else's.
    pub fn set_adopted(&mut self, adopted: &Adopted) {
        if let Ok(value) = serde_json::to_value(adopted) {
            self.extra.insert(FIELD.to_owned(), value);
        }
    }

    /// What is known of the file when somebody else wrote it; none for what was written here and for segments of logs that do
    /// not say. What cannot be understood counts as knowing nothing.
    #[must_use]
    pub fn adopted(&self) -> Option<Adopted> {
        let value = self.extra.get(FIELD)?;
        let unknown = Adopted { compared: Compared::Keys, distrusted_fields: Vec::new() };
        Some(Adopted::deserialize(value).unwrap_or(unknown))
    }
}
