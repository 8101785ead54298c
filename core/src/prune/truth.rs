//! SQL's three truth values as a set of possible outcomes. Nothing here knows values or columns.

/// The outcomes a predicate can have over a set of rows. More outcomes than really occur are allowed, fewer never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Truth {
    pub(super) yes: bool,
    pub(super) no: bool,
    pub(super) null: bool,
    /// Evaluating it may end in an error instead.
    pub(super) raises: bool,
}

impl Truth {
    pub(super) const YES: Self = Self { yes: true, no: false, null: false, raises: false };
    pub(super) const NO: Self = Self { yes: false, no: true, null: false, raises: false };
    pub(super) const IMPOSSIBLE: Self = Self { yes: false, no: false, null: false, raises: false };
    pub(super) const UNKNOWN: Self = Self { yes: true, no: true, null: true, raises: true };

    pub(super) fn not(self) -> Self {
        Self { yes: self.no, no: self.yes, ..self }
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self {
            yes: self.yes && other.yes,
            no: self.no || other.no,
            null: (self.null && (other.null || other.yes)) || (self.yes && other.null),
            raises: self.raises || other.raises,
        }
    }

    pub(super) fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }

    /// The outcomes of rows that are of this or of that sort.
    pub(super) fn union(self, other: Self) -> Self {
        Self {
            yes: self.yes || other.yes,
            no: self.no || other.no,
            null: self.null || other.null,
            raises: self.raises || other.raises,
        }
    }

    /// Proven to be true nowhere, and to raise nowhere.
    pub(super) fn is_never(self) -> bool {
        !self.yes && !self.raises
    }

    /// Proven to be true everywhere, and to raise nowhere.
    pub(super) fn is_always(self) -> bool {
        !self.no && !self.null && !self.raises
    }
}
