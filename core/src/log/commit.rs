//! A commit: the JSON document that makes a version, and its checksum. FORMAT.md states it normatively.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    FORMAT_VERSION, KNOWN_FEATURES, Version,
    definition::Definition,
    recognized::refusal,
    seal::{checksum_holds, seal},
};
use crate::{
    calendar::Calendar,
    coverage::Entity,
    error::{Error, Result},
    time::{BucketId, IndexValue},
};

/// No commit is larger; one that says so is not read.
pub const MAX_COMMIT_BYTES: u64 = 256 << 20;

/// One version of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Commit {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// Features without which the table must not be read or written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// This version; equal to the number in the file's name.
    pub version: Version,
    /// The version that the change was prepared against, at most `version - 1`.
    pub base_version: Version,
    /// When it was committed; never before the version it follows.
    #[serde(with = "instant")]
    pub timestamp: Instant,
    /// What made it: `create`, `append`, ...
    pub operation: String,
    /// The program.
    pub writer: String,
    /// The user's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Rows that went from removed segments into added ones: neither new nor gone. For people, decides nothing.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rows_rewritten: u64,
    /// What changes, in order.
    pub actions: Vec<Action>,
    /// Fields that this version does not know, kept as they are.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
    /// The program whose table it is, and its format, when that is another than this one.
    #[serde(skip)]
    pub foreign: Option<Arc<str>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// An instant of the wall clock: microseconds since 1970-01-01 00:00:00 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Instant(pub i64);

impl Instant {
    /// The present instant.
    #[must_use]
    pub fn now() -> Self {
        Self(Utc::now().timestamp_micros())
    }
}

/// RFC 3339 in UTC with microseconds, at least as long as the calendar lasts.
impl std::fmt::Display for Instant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match DateTime::from_timestamp_micros(self.0) {
            Some(time) => f.write_str(&time.to_rfc3339_opts(SecondsFormat::Micros, true)),
            None => write!(f, "{} us", self.0),
        }
    }
}

mod instant {
    use super::{DateTime, Instant, Utc};
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(instant: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(instant)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time = DateTime::parse_from_rfc3339(&text).map_err(D::Error::custom)?;
        Ok(Instant(time.with_timezone(&Utc).timestamp_micros()))
    }
}

/// One change of a commit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Sets the whole definition.
    DefineTable(Box<Definition>),
    /// Adds a segment.
    AddSegment(Box<SegmentRecord>),
    /// Removes a live segment from the table; its file stays for older versions.
    RemoveSegment {
        /// The segment's id.
        id: String,
    },
    /// Sets a property.
    SetProperty {
        /// Its name.
        key: String,
        /// Its value; none removes the property.
        value: Option<String>,
    },
    /// Names a version.
    SetTag {
        /// The name.
        name: String,
        /// The version it names.
        version: Version,
    },
    /// Forgets a name.
    RemoveTag {
        /// The name.
        name: String,
    },
    /// Versions before `oldest` can no longer be read, but for those that have a tag: their files may be gone.
    Vacuum {
        /// The oldest version that can be read.
        oldest: Version,
        /// Files that no version names and that go now. A writer that had staged one of them stages it again.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        removed: Vec<String>,
    },
    /// Sets or removes a calendar: changes what is expected, never rows.
    SetCalendar {
        /// Whose calendar; that of all entities without one of their own when empty.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        entities: Vec<Entity>,
        /// The calendar; none expects everything again.
        calendar: Option<Box<Calendar>>,
    },
    /// Marks buckets as confirmed empty: neither data nor gap.
    MarkEmpty {
        /// Whose buckets; those of all entities when none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        entity: Option<Entity>,
        /// The first of them.
        first: BucketId,
        /// The last of them.
        last: BucketId,
        /// Why, in the user's words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Whether they are no longer confirmed.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        undo: bool,
    },
}

/// What a segment's rows are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SortOrder {
    /// The index column.
    Index,
    /// The entity columns in order, then the index column.
    EntityIndex,
}

/// A segment as the log records it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SegmentRecord {
    /// Random, in 16 hexadecimal digits; the stem of its files' names.
    pub id: String,
    /// Its Parquet file, relative to the root.
    pub path: String,
    /// Rows in it.
    pub rows: u64,
    /// Row groups in it.
    pub row_groups: u64,
    /// The file's size.
    pub bytes: u64,
    /// XXH3-128 of the file.
    pub checksum: Fingerprint,
    /// XXH3-64 of its footer: from the metadata's first byte to the end of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer_checksum: Option<FooterChecksum>,
    /// The least index value, in the column's own unit.
    pub index_min: IndexValue,
    /// The greatest index value.
    pub index_max: IndexValue,
    /// The order of its rows, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sorted_by: Option<SortOrder>,
    /// The table's `last_field_id` when it was written: columns with a higher id are not in it.
    pub last_field_id: u32,
    /// Older columns that it does not have either.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_fields: Vec<u32>,
    /// Distinct entities in it.
    pub entities: u64,
    /// Pairs of entity and bucket in it.
    pub buckets: u64,
    /// Which buckets of which entities it covers.
    pub coverage: CoverageRecord,
    /// The files that it came from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SourceRecord>,
    /// Fields that this version does not know, kept as they are.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl SegmentRecord {
    /// The files that the segment is made of.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        let sidecar = match &self.coverage {
            CoverageRecord::File(path) => Some(path.as_str()),
            CoverageRecord::Inline(_) => None,
        };
        std::iter::once(self.path.as_str()).chain(sidecar).chain(self.counts_path())
    }
}

/// Where a segment's coverage is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CoverageRecord {
    /// Here, in Base64.
    Inline(#[serde(with = "base64_bytes")] Vec<u8>),
    /// In a file relative to the root.
    File(String),
}

mod base64_bytes {
    use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&STANDARD_NO_PAD.encode(bytes))
        } else {
            bytes.serialize(serializer)
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        if deserializer.is_human_readable() {
            STANDARD_NO_PAD.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)
        } else {
            Vec::deserialize(deserializer)
        }
    }
}

/// A file that was loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// Its path as the user's glob found it.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// XXH3-128 of its contents: what `already_loaded` compares.
    pub fingerprint: Fingerprint,
}

/// XXH3-64 of a segment's footer, in 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FooterChecksum(pub u64);

impl Serialize for FooterChecksum {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(&format_args!("{:016x}", self.0))
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for FooterChecksum {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            u64::from_str_radix(&text, 16).map(Self).map_err(serde::de::Error::custom)
        } else {
            u64::deserialize(deserializer).map(Self)
        }
    }
}

/// XXH3-128 of a file's contents, in 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub u128);

impl Fingerprint {
    /// That of a segment whose bytes nobody has summed up: in the logs of other programs.
    pub const UNKNOWN: Self = Self(0);
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { self.0.serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            u128::from_str_radix(&text, 16).map(Self).map_err(serde::de::Error::custom)
        } else {
            u128::deserialize(deserializer).map(Self)
        }
    }
}

impl Commit {
    /// The commit as its file holds it: one JSON object whose last member is `checksum`, the XXH3-64 of every byte before
    /// that member's comma.
    ///
    /// # Errors
    /// `LimitExceeded` when it would be larger than [`MAX_COMMIT_BYTES`].
    pub fn encode(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(self)
            .map_err(|e| Error::invalid_argument("the commit cannot be written as JSON").caused_by(e))?;
        seal(&mut bytes);
        if bytes.len() as u64 > MAX_COMMIT_BYTES {
            return Err(Error::limit_exceeded("the commit is too large; append fewer files at once"));
        }
        Ok(bytes)
    }

    /// Reads the commit of `version`.
    ///
    /// # Errors
    /// `Corrupt` for anything but an intact commit of that version, `UnsupportedFormat` for an intact one of a format or
    /// with a feature that this crate does not know.
    pub fn decode(bytes: &[u8], version: Version) -> Result<Self> {
        let corrupt = |why: &str| Error::corrupt(why).with("path", version.commit_path()).with("version", version);
        let head: Head = serde_json::from_slice(bytes).map_err(|e| match refusal(bytes) {
            Some(refusal) => refusal.with("path", version.commit_path()),
            None => corrupt("the commit is cut off or is not the JSON of a commit").caused_by(e),
        })?;
        let holds = checksum_holds(bytes);
        if holds == Some(false) && head.is_ours_but_for_a_bit() {
            return Err(corrupt(&format!(
                "the commit's checksum does not match its contents, which say format version {} and require {:?}",
                head.format_version, head.requires
            )));
        }
        // A commit of another format may be checked in another way, so what it asks for comes first.
        head.check().map_err(|e| e.with("path", version.commit_path()).with("version", version))?;
        if holds != Some(true) {
            return Err(corrupt("the commit's checksum does not match its contents"));
        }
        let mut commit: Self =
            serde_json::from_slice(bytes).map_err(|e| corrupt("the commit says something unknown").caused_by(e))?;
        commit.extra.remove("checksum");
        if commit.version != version || commit.base_version >= version {
            return Err(corrupt(&format!(
                "the commit calls itself version {} on {}",
                commit.version, commit.base_version
            )));
        }
        Ok(commit)
    }
}

/// The members that decide whether the rest can be understood.
#[derive(Deserialize)]
struct Head {
    format_version: u32,
    #[serde(default)]
    requires: Vec<String>,
}

impl Head {
    /// Whether the format version is ours, or one flipped bit would make it what it is. Whatever features a commit of ours requires, it has
    /// our checksum.
    fn is_ours_but_for_a_bit(&self) -> bool {
        (self.format_version ^ FORMAT_VERSION).count_ones() <= 1
    }

    fn check(&self) -> Result<()> {
        if self.format_version != FORMAT_VERSION {
            return Err(Error::unsupported_format(format!(
                "the table has format version {}; this tstable reads format version {FORMAT_VERSION}",
                self.format_version
            )));
        }
        match self.requires.iter().find(|feature| !KNOWN_FEATURES.contains(&feature.as_str())) {
            None => Ok(()),
            Some(feature) => Err(Error::unsupported_format(format!(
                "the table requires the feature '{feature}', which this tstable does not know; use a newer one"
            ))),
        }
    }
}
