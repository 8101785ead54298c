//! The values that the index column and the grid are made of: index values, bucket numbers, and ranges of both.
//! What a value means (its unit, its zone, its bucket) is decided elsewhere.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

/// A value of the index column in the column's own unit: days, s, ms, us or ns since 1970-01-01, or the integer itself.
///
/// 128 bits hold both BIGINT and UBIGINT. In JSON it is a plain integer of the range -2^63 to 2^64-1, which is what an
/// index column can hold; a value outside cannot be written. Binary formats, which do not describe themselves, hold 128 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndexValue(pub i128);

/// The number of a bucket on its table's grid; may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BucketId(pub i64);

/// Buckets without a hole, both ends included; `first <= last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Run {
    /// The first bucket.
    pub first: BucketId,
    /// The last bucket.
    pub last: BucketId,
}

/// The half-open range `[start, until)` of index values; a side that is `None` is unbounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct IndexRange {
    /// The first value inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<IndexValue>,
    /// The first value after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<IndexValue>,
}

impl IndexRange {
    /// The range without bounds.
    pub const ALL: Self = Self { start: None, until: None };

    /// The range `[start, until)`.
    #[must_use]
    pub const fn new(start: IndexValue, until: IndexValue) -> Self {
        Self { start: Some(start), until: Some(until) }
    }

    /// Whether `value` lies inside.
    #[must_use]
    pub fn contains(&self, value: IndexValue) -> bool {
        self.start.is_none_or(|start| start <= value) && self.until.is_none_or(|until| value < until)
    }

    /// Whether no value can lie inside: both sides are bounded and `until` is not after `start`.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!((self.start, self.until), (Some(start), Some(until)) if until <= start)
    }

    /// Whether some value between `min` and `max`, both included, lies inside. False for an empty range.
    #[must_use]
    pub fn intersects(&self, min: IndexValue, max: IndexValue) -> bool {
        !self.is_empty()
            && min <= max
            && self.start.is_none_or(|start| start <= max)
            && self.until.is_none_or(|until| min < until)
    }

    /// Whether every value between `min` and `max`, both included, lies inside.
    #[must_use]
    pub fn contains_all(&self, min: IndexValue, max: IndexValue) -> bool {
        self.contains(min) && self.contains(max)
    }

    /// The values inside both ranges; may be empty.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let later = |a: Option<IndexValue>, b: Option<IndexValue>| a.max(b);
        let earlier = |a: Option<IndexValue>, b: Option<IndexValue>| match (a, b) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Self { start: later(self.start, other.start), until: earlier(self.until, other.until) }
    }
}

impl Run {
    /// The run of `first` to `last`, both included; none when `last` is before `first`.
    #[must_use]
    pub fn new(first: BucketId, last: BucketId) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    /// How many buckets it holds. The run of all 2^64 buckets counts one less, so that every count fits.
    #[must_use]
    pub fn buckets(&self) -> u64 {
        self.last.0.abs_diff(self.first.0).saturating_add(1)
    }

    /// The buckets of this run that lie in `window`; none when they are disjoint.
    #[must_use]
    pub fn clip(&self, window: Self) -> Option<Self> {
        Self::new(self.first.max(window.first), self.last.min(window.last))
    }
}

impl From<i32> for IndexValue {
    fn from(value: i32) -> Self {
        Self(value.into())
    }
}

impl From<i64> for IndexValue {
    fn from(value: i64) -> Self {
        Self(value.into())
    }
}

impl From<u64> for IndexValue {
    fn from(value: u64) -> Self {
        Self(value.into())
    }
}

impl Serialize for IndexValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return serializer.serialize_i128(self.0);
        }
        if let Ok(value) = i64::try_from(self.0) {
            return serializer.serialize_i64(value);
        }
        match u64::try_from(self.0) {
            Ok(value) => serializer.serialize_u64(value),
            Err(_) => Err(ser::Error::custom(format_args!("the index value {} does not fit 64 bits", self.0))),
        }
    }
}

impl<'de> Deserialize<'de> for IndexValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return i128::deserialize(deserializer).map(Self);
        }
        // Not `deserialize_i128`: serde refuses it inside internally tagged enums and flattened structs.
        deserializer.deserialize_any(IntegerVisitor)
    }
}

struct IntegerVisitor;

impl de::Visitor<'_> for IntegerVisitor {
    type Value = IndexValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer from -2^63 to 2^64-1")
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<IndexValue, E> {
        Ok(value.into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<IndexValue, E> {
        Ok(value.into())
    }
}
