//! A range of index values with both of its ends.

/// The index values from `low` to `high`, both included, in the index column's own unit; none is unbounded. Empty when
/// `low` is above `high`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// The least value.
    pub low: Option<i128>,
    /// The greatest value.
    pub high: Option<i128>,
}

impl Interval {
    /// Every value.
    pub const ALL: Self = Self { low: None, high: None };
    /// No value.
    pub const EMPTY: Self = Self { low: Some(1), high: Some(0) };

    /// Whether no value lies in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!((self.low, self.high), (Some(low), Some(high)) if low > high)
    }

    /// Whether the value lies in it.
    #[must_use]
    pub fn contains(&self, value: i128) -> bool {
        self.low.is_none_or(|low| low <= value) && self.high.is_none_or(|high| value <= high)
    }

    /// The values of both.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        Self { low: self.low.max(other.low), high: [self.high, other.high].into_iter().flatten().min() }
    }
}
